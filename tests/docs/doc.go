// Package docs holds what README.md and docs/ show against what is there: their
// shell blocks run, their pictures are there, the schema fits the reports.
package docs
