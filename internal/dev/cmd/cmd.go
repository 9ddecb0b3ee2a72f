// Package cmd is the frame of the programs that do the work of targets. They are programs
// so that mage need not compile what they import before it runs any target.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
)

// Main runs a program and ends the process as mage does: with the error on standard
// error, and its exit status. The first Ctrl-C ends the context.
func Main(run func(context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err == nil {
		return
	}
	fmt.Fprintf(os.Stderr, "Error: %+v\n", err)
	status := 1
	var with interface{ ExitStatus() int }
	if errors.As(err, &with) {
		status = with.ExitStatus()
	}
	os.Exit(status)
}
