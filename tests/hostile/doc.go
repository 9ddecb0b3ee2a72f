// Package hostile runs the command against servers that mean harm: streams and
// answers without an end, results that unfold when they are read, text that
// would take over a terminal. Whatever they send, the command ends with the
// right status, says what happened in plain words, and stays small.
package hostile
