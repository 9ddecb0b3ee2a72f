// Command demo deploys examples/shop to a server in this process.
package main

import "github.com/spirostack/spirodeploy/internal/dev/demo"

func main() { demo.Main(demo.Played) }
