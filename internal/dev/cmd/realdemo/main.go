// Command realdemo deploys examples/shop to a real Salt master.
package main

import (
	"github.com/spirostack/spirodeploy/internal/dev/demo"
	salt "github.com/spirostack/spirodeploy/internal/dev/demo/real"
)

func main() { demo.Main(salt.Stage) }
