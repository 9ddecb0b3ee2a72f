// Package leak tests that the token never leaks. Its tests drive the command, the
// library, the mage targets and the module's code through every end that a run can have,
// with servers that repeat their input. They search everything that comes out for the
// token and for every part of it.
package leak
