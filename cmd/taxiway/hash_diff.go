package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"taxiway.example/cmd/internal/inventory"
	"taxiway.example/pkg/device"
)

func newHashDiff() *cobra.Command {
	var out format
	var reveal bool
	var rows []int
	c := &cobra.Command{
		Use:   "diff A B",
		Short: "Say whether two hashes are one device, and what changed between them",
		Long: `Diff takes two hashes, each as "hash show" does, and says how B stands to A: the
same device, another one, or a conflict that a person must decide; then it lists
what changed. It succeeds when both are the same device.`,
		Example: "  taxiway hash diff january.txt february.txt\n  taxiway hash diff --rows 3,17 delivery.csv delivery.csv",
		Args:    usage(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			if len(rows) != 2 {
				return &exitError{exitUsage, errors.New("--rows: want two numbers, such as 1,2")}
			}
			a, err := openCapture(c.InOrStdin(), args[0], rows[0])
			if err != nil {
				return err
			}
			b, err := openCapture(c.InOrStdin(), args[1], rows[1])
			if err != nil {
				return err
			}
			v := compare(a, b, reveal)
			if err := out.print(c.OutOrStdout(), v, v.people); err != nil {
				return err
			}
			return v.failure(a, b)
		},
	}
	out.register(c)
	c.Flags().IntSliceVar(&rows, "rows", []int{0, 0}, "row of each, where they are device lists")
	c.Flags().BoolVar(&reveal, "reveal", false, "show serials, keys and addresses")
	return c
}

// diffView is the comparison of two captures.
type diffView struct {
	A        string             `json:"a"`
	B        string             `json:"b"`
	Same     bool               `json:"same"`
	Relation device.Relation    `json:"relation,omitempty"` // of B to A; empty when one of them is damaged
	Differ   []device.Field     `json:"differ"`             // identifiers that differ
	Advice   string             `json:"advice"`
	Changes  []inventory.Change `json:"changes"`
}

func compare(a, b capture, reveal bool) diffView {
	v := diffView{
		A:       a.from,
		B:       b.from,
		Differ:  []device.Field{},
		Changes: inventory.Diff(inventory.Of(a.report), inventory.Of(b.report), reveal),
	}
	if a.damage != nil || b.damage != nil {
		v.Advice = "A damaged hash proves nothing about its device: capture it again. What is left of both is compared below."
		v.Changes = slices.DeleteFunc(v.Changes, func(c inventory.Change) bool {
			return a.damage != nil && c.A == "" || b.damage != nil && c.B == ""
		})
		return v
	}
	relation, differ := device.Relate(device.CaptureOf(a.summary), device.CaptureOf(b.summary))
	v.Relation = relation
	v.Advice = relation.Advice(differ)
	v.Differ = append(v.Differ, differ...)
	v.Same = relation == device.SameNewer || relation == device.SameOlder || relation == device.SameCapture
	return v
}

// relations is what a relation means to people.
var relations = map[device.Relation]string{
	device.SameNewer:   "the same device, B captured later",
	device.SameOlder:   "the same device, B captured earlier",
	device.SameCapture: "the same capture, byte by byte",
	device.Contradicts: "CONFLICT: the identifiers contradict one another",
	device.Unrelated:   "two devices",
	"":                 "cannot be said: a hash is damaged",
}

func (v diffView) people(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "A  %s\nB  %s\n", v.A, v.B)
	inventory.WriteFact(&b, "Result", relations[v.Relation])
	if len(v.Differ) > 0 {
		inventory.WriteFact(&b, "Differs in", fmt.Sprint(v.Differ))
	}
	inventory.WriteFact(&b, "What to do", v.Advice)
	if len(v.Changes) == 0 {
		b.WriteString("\nNothing changed.\n")
	}
	title := ""
	for _, c := range v.Changes {
		if c.Title != title {
			title = c.Title
			fmt.Fprintf(&b, "\n%s\n", title)
		}
		writeChange(&b, c)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeChange(b *strings.Builder, c inventory.Change) {
	switch {
	case c.Fact == "" && c.B == "":
		inventory.WriteFact(b, "only in A", c.A)
	case c.Fact == "":
		inventory.WriteFact(b, "only in B", c.B)
	case c.Secret && c.A == c.B:
		inventory.WriteFact(b, c.Label, "differs (--reveal shows it)")
	default:
		inventory.WriteFact(b, c.Label, fmt.Sprintf("%s → %s", cmp.Or(c.A, "nothing"), cmp.Or(c.B, "nothing")))
	}
}

func (v diffView) failure(a, b capture) error {
	for _, c := range []capture{a, b} {
		if err := c.failure(); err != nil {
			return err
		}
	}
	if !v.Same {
		return &exitError{code: exitFailed}
	}
	return nil
}
