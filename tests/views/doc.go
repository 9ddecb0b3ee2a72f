// Package views opens reports as pages in a real browser. With VIEWS=DIR, it
// leaves the pages and pictures of them there, for a person to look at.
package views
