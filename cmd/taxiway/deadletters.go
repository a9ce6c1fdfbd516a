package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"taxiway.example/cmd/internal/inventory"
	"taxiway.example/pkg/api"
	"taxiway.example/pkg/fault"
)

type deadLetterList struct {
	DeadLetters []api.DeadLetter `json:"deadLetters"`
}

// people shows the dead letters by code: what it means and what to do once, then each dead letter with its age.
func (v deadLetterList) people(now time.Time) func(io.Writer) error {
	return func(w io.Writer) error {
		if len(v.DeadLetters) == 0 {
			_, err := fmt.Fprintln(w, "There are no dead letters.")
			return err
		}
		var codes []fault.Code
		byCode := map[fault.Code][]api.DeadLetter{}
		for _, l := range v.DeadLetters {
			if byCode[l.Code] == nil {
				codes = append(codes, l.Code)
			}
			byCode[l.Code] = append(byCode[l.Code], l)
		}
		var b strings.Builder
		for i, code := range codes {
			if i > 0 {
				b.WriteString("\n")
			}
			writeDeadLetters(&b, code, byCode[code], now)
		}
		_, err := io.WriteString(w, b.String())
		return err
	}
}

// idWidth is that of the ids of dead letters, devices and our own messages. A line with two of them and an age has
// pageWidth.
const idWidth = 36

func writeDeadLetters(b *strings.Builder, code fault.Code, deadLetters []api.DeadLetter, now time.Time) {
	fmt.Fprintf(b, "%s: %s\n", code, counted(len(deadLetters), "dead letter"))
	writeFolded(b, 2, deadLetters[0].Title)
	writeHint(b, 2, "What to do: "+inventory.Printable(deadLetters[0].Hint))
	fmt.Fprintf(b, "\n%-*s  %-4s  %s\n", idWidth, "DEAD LETTER", "AGE", "DEVICE OR MESSAGE")
	for _, l := range deadLetters {
		what := l.Device
		if what == "" {
			what = inventory.Printable(l.Message)
		}
		own := ""
		if len(what) > idWidth { // a sender's own
			own = "    " + what + "\n"
			what = "message"
		}
		fmt.Fprintf(b, "%-*s  %-4s  %s\n%s", idWidth, l.ID, age(now.Sub(l.At)), what, own)
		writeFolded(b, 4, strings.Join(deadLetterFacts(l), ", ")+". "+inventory.Printable(l.Detail))
	}
}

// deadLetterFacts says where a dead letter died, whose it is, and how often it was tried.
func deadLetterFacts(l api.DeadLetter) []string {
	facts := []string{"Died in " + string(l.From)}
	if l.Device == "" {
		facts = []string{"Died at " + inventory.Printable(l.Subscription)}
		if l.Type != "" {
			facts = append(facts, inventory.Printable(l.Type))
		}
	}
	if l.Tenant != "" {
		facts = append(facts, "tenant "+string(l.Tenant))
	}
	if l.Attempts > 0 {
		facts = append(facts, counted(l.Attempts, "attempt"))
	}
	if l.Replays > 0 {
		facts = append(facts, "replayed before: "+counted(l.Replays, "time"))
	}
	return facts
}

// age is a time span in at most four characters, for some thousand days.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(0, d/time.Second))
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}
