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
	parts := []string{fmt.Sprintf("%d rows, %s:", b.Rows, devicesOf(b))}
	if b.State == api.Receiving {
		parts[0] = "receiving, " + parts[0]
	}
	for _, s := range stages {
		parts = append(parts, fmt.Sprintf("%s %d", s, reached(b, s)))
	}
	for _, text := range []string{sideways(b), checks(b)} {
		if text != "" {
			parts = append(parts, "("+text+")")
		}
	}
	return strings.Join(parts, " ")
}

// devicesOf counts the devices that are followed.
func devicesOf(b api.Batch) string {
	text := fmt.Sprintf("%d accepted", b.Outcomes[device.Accepted])
	if n := b.Outcomes[device.Updated]; n > 0 {
		text += fmt.Sprintf(", %d updated", n)
	}
	return text
}

// checks says that ready devices are checked.
func checks(b api.Batch) string {
	if b.Checks == 0 {
		return ""
	}
	return fmt.Sprintf("%d ready before, to be checked in Autopilot", b.Checks)
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
