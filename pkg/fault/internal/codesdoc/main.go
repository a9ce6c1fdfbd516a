// Codesdoc prints docs/error-codes.md.
package main

import (
	"fmt"
	"os"

	"taxiway.example/pkg/fault"
)

func main() {
	if _, err := fmt.Print(fault.Markdown()); err != nil {
		os.Exit(1)
	}
}
