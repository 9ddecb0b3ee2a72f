// Command program shows its arguments and fails. With the argument wait, it ends well after
// an interrupt.
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
	cmd.Main(func(ctx context.Context) error {
		fmt.Println(os.Args[1:])
		if os.Args[1] == "wait" {
			<-ctx.Done()
			return nil
		}
		return failure{errors.New("no")}
	})
}
