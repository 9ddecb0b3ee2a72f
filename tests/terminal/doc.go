// Package terminal looks at what the command shows on a terminal: a
// pseudo-terminal, and an emulator that knows what its screen looks like.
package terminal
