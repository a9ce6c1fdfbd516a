package inventory

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// labelWidth is where the facts of a card begin.
const labelWidth = 18

// WriteCard writes the inventory for people: a heading per section, a line per fact or list entry.
func (v Inventory) WriteCard(w io.Writer, reveal bool) error {
	var b strings.Builder
	for _, s := range v {
		fmt.Fprintf(&b, "\n%s\n", s.Title)
		for _, item := range s.Items {
			if s.List {
				fmt.Fprintf(&b, "  %s\n", item.line(reveal))
				continue
			}
			for _, f := range item {
				WriteFact(&b, f.Label, f.Show(reveal))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteFact writes one line of a card.
func WriteFact(b *strings.Builder, label, text string) {
	blanks := max(labelWidth-utf8.RuneCountInString(label), 1)
	fmt.Fprintf(b, "  %s%s%s\n", label, strings.Repeat(" ", blanks), Printable(text))
}

// Name is what a device is called.
func Name(manufacturer, product string) string {
	manufacturer = strings.TrimSpace(manufacturer)
	product = strings.TrimSpace(product)
	switch {
	case manufacturer == "" && product == "":
		return "A device without a name"
	case !strings.HasPrefix(product, manufacturer): // many makers write their name into the product
		product = strings.TrimSpace(manufacturer + " " + product)
	}
	return Printable(product)
}

func (i Item) line(reveal bool) string {
	var parts []string
	for _, f := range i {
		parts = append(parts, Printable(strings.TrimSpace(f.Label+" "+f.Show(reveal))))
	}
	return strings.Join(parts, ", ")
}

// Printable keeps what firmware wrote from steering the terminal.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7F && r < 0xA0 {
			return utf8.RuneError
		}
		return r
	}, text)
}
