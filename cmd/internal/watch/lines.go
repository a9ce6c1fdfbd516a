package watch

import (
	"fmt"
	"io"
	"strings"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/device"
)

// lines writes a line whenever something has changed.
type lines struct {
	w          io.Writer
	last       string
	unfinished notice
}

func (l *lines) show(b api.Batch) {
	l.unfinished.write(l.w, b)
	if line := progress(b); line != l.last {
		l.last = line
		_, _ = fmt.Fprintln(l.w, line)
	}
}

func (*lines) close() {}

// progress is a batch in one line.
func progress(b api.Batch) string {
	parts := []string{fmt.Sprintf("%d rows, %d accepted:", b.Rows, b.Outcomes[device.Accepted])}
	if b.State == api.Receiving {
		parts[0] = "receiving, " + parts[0]
	}
	for _, s := range stages {
		parts = append(parts, fmt.Sprintf("%s %d", s, reached(b, s)))
	}
	if out := sideways(b); out != "" {
		parts = append(parts, "("+out+")")
	}
	return strings.Join(parts, " ")
}

// sideways names the devices that left the way.
func sideways(b api.Batch) string {
	var parts []string
	for _, s := range aside {
		if n := b.States[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(parts, ", ")
}
