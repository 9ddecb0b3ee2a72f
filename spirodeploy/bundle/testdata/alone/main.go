// Command alone uses nothing but package bundle, so that what that forgets to
// import is not there.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

func main() {
	b, err := bundle.New(context.Background(), bundle.Options{Dir: os.Args[1]})
	if err != nil {
		panic(err)
	}
	fmt.Println(b.Digest(context.Background()))
}
