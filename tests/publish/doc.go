// Package publish tests this repository as people get it: the module from a proxy, its
// documentation, releases, and other platforms. It has only tests.
package publish
