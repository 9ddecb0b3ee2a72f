// Package docs checks what README.md and docs/ show: their shell blocks run, their
// pictures exist, and the schema fits the reports.
package docs
