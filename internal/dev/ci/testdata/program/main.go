// Command program shows its arguments and fails.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spirostack/spirodeploy/internal/dev/cmd"
)

type failure struct{ error }

func (failure) ExitStatus() int { return 3 }

func main() {
	cmd.Main(func(context.Context) error {
		fmt.Println(os.Args[1:])
		return failure{errors.New("no")}
	})
}
