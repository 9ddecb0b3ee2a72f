// Package examples runs the examples, as far as that is possible without a Dagger engine
// and without the services that CI files are for.
package examples
