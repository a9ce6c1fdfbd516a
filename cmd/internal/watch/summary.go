package watch

import (
	"fmt"
	"io"
	"strings"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/device"
)

// addend is one number of a sum.
type addend struct {
	n    int
	name string
}

// sum is the law of conservation for a batch: nothing vanishes.
type sum struct {
	whole addend
	terms []addend
}

func (s sum) holds() bool {
	total := 0
	for _, t := range s.terms {
		total += t.n
	}
	return total == s.whole.n
}

// String is the sum as it is printed.
func (s sum) String() string {
	var parts []string
	for _, t := range s.terms {
		parts = append(parts, fmt.Sprintf("%d %s", t.n, t.name))
	}
	mark := "✓"
	if !s.holds() {
		mark = "✗ DOES NOT ADD UP"
	}
	return fmt.Sprintf("%d %s = %s  %s", s.whole.n, s.whole.name, strings.Join(parts, " + "), mark)
}

func sums(b api.Batch) []sum {
	rows := sum{whole: addend{b.Rows, "rows"}}
	for _, o := range device.RowOutcomes() {
		rows.terms = append(rows.terms, addend{b.Outcomes[o], string(o)})
	}
	named := sum{
		whole: addend{working(b), "devices"},
		terms: []addend{{b.States[device.Ready], string(device.Ready)}, {b.InFlight, "in flight"}},
	}
	for _, s := range aside {
		named.terms = append(named.terms, addend{b.States[s], string(s)})
	}
	return []sum{rows, named}
}

// AddsUp reports whether the conservation law holds: every row has one outcome, and every device that an
// accepted or updated row names one state.
func AddsUp(b api.Batch) bool {
	for _, s := range sums(b) {
		if !s.holds() {
			return false
		}
	}
	return true
}

// Failed counts what will not get ready by itself: rejected rows and conflicts, rows that ask for something that is not
// carried out, and devices held, dead, missing or retired.
func Failed(b api.Batch) int {
	n := b.Outcomes[device.Rejected] + b.Outcomes[device.Conflict] + fallen(b)
	for _, r := range b.Differs {
		n += r.Count
	}
	return n
}

// working counts the rows whose devices are followed.
func working(b api.Batch) int { return b.Outcomes[device.Accepted] + b.Outcomes[device.Updated] }

// Summary writes what became of a batch: rows by outcome, devices by state, the reasons, and the sums.
func Summary(w io.Writer, b api.Batch) error {
	var out strings.Builder
	fmt.Fprintf(&out, "Batch %s", b.ID)
	if b.Name != "" {
		fmt.Fprintf(&out, "  %s", b.Name)
	}
	fmt.Fprintf(&out, "  %s\n", b.State)
	if b.Code != "" {
		fmt.Fprintf(&out, "  %s: %s\n", b.Code, b.Detail)
	}
	if b.State == api.Receiving {
		fmt.Fprintf(&out, "  %s\n", unfinished)
	}
	section(&out, "Rows", device.RowOutcomes(), b.Outcomes)
	section(&out, "Devices", append(append([]device.State(nil), way...), aside...), b.States)
	section(
		&out,
		"Conflicts, by the state of their devices",
		append(append([]device.State(nil), way...), aside...),
		b.Conflicts,
	)
	reasons(&out, "Why rows were rejected", b.Rejects)
	reasons(&out, "Rows that ask for something that is not carried out", b.Differs)
	reasons(&out, "Why devices are not ready", b.Reasons)
	if b.Checks > 0 {
		fmt.Fprintf(&out, "\n%s\n", checks(b))
	}
	out.WriteString("\n")
	for _, s := range sums(b) {
		fmt.Fprintf(&out, "%s\n", s)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func section[K ~string](out *strings.Builder, title string, order []K, counts map[K]int) {
	begun := false
	for _, key := range order {
		if counts[key] == 0 {
			continue
		}
		if !begun {
			begun = true
			fmt.Fprintf(out, "\n%s\n", title)
		}
		fmt.Fprintf(out, "  %-12s %7d\n", key, counts[key])
	}
}

func reasons(out *strings.Builder, title string, all []api.Reason) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\n", title)
	for _, r := range all {
		fmt.Fprintf(out, "  %7d  %s\n", r.Count, strings.TrimSpace(string(r.State)+" "+string(r.Code)))
		if r.Title != "" {
			fmt.Fprintf(out, "           %s\n", r.Title)
		}
	}
}
