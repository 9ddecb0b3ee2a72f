package topfile

// A Severity is a hint for what a caller does with a finding.
type Severity uint8

// A Warning is told. A Problem keeps a deployment from doing what it is for.
const (
	Warning Severity = iota
	Problem
)
