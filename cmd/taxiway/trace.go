package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"taxiway.example/cmd/internal/inventory"
	"taxiway.example/pkg/api"
)

func newTrace(r *remote) *cobra.Command {
	var out format
	c := &cobra.Command{
		Use:     "trace {SERIAL | DEVICE}",
		Short:   "Show what happened to a device",
		GroupID: groupOps,
		Long: "Trace finds the devices with a serial number, or the device with an id, and shows the way of each: when " +
			"it changed\n" +
			"state, who did it, and why. With a device that is held because it contradicts a known one, it shows the known " +
			"one too.\n" +
			"It exits with 3 when there is no such device.",
		Example: "  taxiway trace 5CG1234ABC\n  taxiway trace 0199a2c4-…",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			server, err := r.client()
			if err != nil {
				return err
			}
			traces, err := traceAll(c.Context(), server, args[0])
			if err != nil {
				return err
			}
			if err := out.print(c.OutOrStdout(), traces, traces.people); err != nil {
				return err
			}
			if len(traces.Devices) == 0 {
				return &exitError{code: exitNothing}
			}
			return nil
		},
	}
	out.register(c)
	return c
}

func (v traceView) people(w io.Writer) error {
	if len(v.Devices) == 0 {
		_, err := fmt.Fprintln(w, "No device has this serial number or id.")
		return err
	}
	for i, d := range v.Devices {
		if i > 0 {
			_, _ = fmt.Fprintln(w)
		}
		if _, err := io.WriteString(w, d.head()+d.steps()); err != nil {
			return err
		}
	}
	return nil
}

// factIndent is where the facts of a device begin.
const factIndent = 20

// head says which device it is and where it stands.
func (d deviceTrace) head() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", inventory.Name(d.Manufacturer, d.Model), strings.ToUpper(string(d.State)))
	fact := func(label, text string) {
		if text != "" {
			var folded strings.Builder
			writeFolded(&folded, factIndent, inventory.Printable(text))
			fmt.Fprintf(&b, "  %-*s%s", factIndent-2, label, strings.TrimLeft(folded.String(), " "))
		}
	}
	fact("Serial", d.Serial)
	fact("Device", d.ID)
	fact("Contradicts", d.Contradicts)
	fact("Batch", fmt.Sprintf("%s, row %d", d.Batch, d.Row))
	fact("Recognised by", string(d.MatchedBy))
	tag := d.Tag
	if tag == "" && d.GroupTag != "" {
		tag = d.GroupTag + " (asked for, not confirmed)"
	}
	fact("Group tag", tag)
	fact("User", d.User)
	fact("Registration", d.RegistrationID)
	fact("Entra device", d.EntraDeviceID)
	if d.Code != "" {
		fact("Why", fmt.Sprintf("%s: %s", d.Code, d.Title))
		fact("", d.Detail)
	}
	if d.Due != nil {
		fact("Next look", d.Due.Format(time.RFC3339))
	}
	if d.Hint != "" {
		writeHint(&b, 2, "What to do: "+inventory.Printable(d.Hint))
	}
	b.WriteString("\n")
	return b.String()
}

// steps is the timeline: a table, and below each of its lines the reason.
func (d deviceTrace) steps() string {
	t := newTable(io.Discard, "When (UTC)", "After", "State", "By")
	var before time.Time
	for _, s := range d.Timeline {
		after := ""
		if !before.IsZero() {
			after = s.At.Sub(before).Round(time.Millisecond).String()
		}
		before = s.At
		t.AppendRow([]any{s.At.UTC().Format("2006-01-02 15:04:05.000"), after, s.To, s.By})
	}
	var b strings.Builder
	for i, line := range strings.Split(t.Render(), "\n") { // the first line is the header
		b.WriteString(line + "\n")
		if i > 0 && i <= len(d.Timeline) {
			writeFolded(&b, 4, why(d.Timeline[i-1]))
		}
	}
	return b.String()
}

func why(s api.Transition) string {
	text := strings.TrimSuffix(string(s.Code)+": "+s.Detail, ": ")
	text = strings.TrimPrefix(text, ": ") // a step without a code
	if s.Attempt > 0 {
		text = strings.TrimSpace(fmt.Sprintf("%s (attempt %d)", text, s.Attempt))
	}
	return inventory.Printable(text)
}
