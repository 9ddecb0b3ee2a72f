// Shop greets. It stands here so that there is something to build.
package main

import "fmt"

func main() { fmt.Println("Welcome to the shop!") }
