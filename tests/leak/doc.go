// Package leak holds the promise that the token never leaks: its tests drive the
// command, the library, the mage targets and the module's code through every end
// that a run can have, with servers that repeat what they were sent, and search
// all that comes out for the token and for every part of it.
package leak
