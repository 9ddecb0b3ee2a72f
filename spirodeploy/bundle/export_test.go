package bundle

// Checked is for the tests outside of the package.
var Checked = newChecked
