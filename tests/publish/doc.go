// Package publish holds what goes out of this repository against how people get
// it: the module from a proxy, its documentation, and other platforms. It has
// only tests.
package publish
