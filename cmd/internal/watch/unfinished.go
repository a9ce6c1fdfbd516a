package watch

import (
	"fmt"
	"io"

	"taxiway.example/pkg/api"
)

// unfinished says why a batch is not done although nothing moves: nobody but its sender can end it.
const unfinished = "The sender has not finished; send the file again with the same key."

// notice says once that a batch is not finished.
type notice struct{ given bool }

func (n *notice) write(w io.Writer, b api.Batch) {
	if b.State != api.Receiving || n.given {
		return
	}
	n.given = true
	_, _ = fmt.Fprintln(w, unfinished)
}
