// Package examples runs what lies in the directory examples, as far as that
// goes without a Dagger engine and without the services that CI files are for.
package examples
