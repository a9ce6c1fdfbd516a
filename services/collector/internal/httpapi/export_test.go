package httpapi

import (
	"io"
	"net/http"
	"time"
)

// Guard is guard, for its table test.
var Guard = guard

// Paced is the reader that moves the deadline of w.
func Paced(r io.Reader, w http.ResponseWriter) io.Reader {
	return &paced{r: r, w: w, idle: time.Minute}
}
