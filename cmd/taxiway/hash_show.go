package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"taxiway.example/cmd/internal/inventory"
)

func newHashShow() *cobra.Command {
	var out format
	var reveal bool
	var row int
	c := &cobra.Command{
		Use:   "show [HASH|FILE|-]",
		Short: "Show the device inside a hash",
		Long: `Show decodes one hardware hash and prints the device it describes. The hash is
an argument, a file (the hash alone, a device list, or the OA3.xml of oa3tool),
or standard input. An argument can be seen by every user of the machine, a file
cannot. What identifies the device stays redacted unless --reveal is given.

A damaged hash shows what is left of it, and the command fails.`,
		Example: "  taxiway hash show device.txt\n  taxiway hash show --row 17 delivery.csv\n  taxiway hash show -o xml " +
			"--reveal OA3.xml",
		Args: usage(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			h, err := openCapture(c.InOrStdin(), argOr(args, 0, "-"), row)
			if err != nil {
				return err
			}
			if err := showCapture(c.OutOrStdout(), h, out, reveal); err != nil {
				return err
			}
			return h.failure()
		},
	}
	out.register(c, "xml")
	c.Flags().IntVar(&row, "row", 0, "row of a device list; the first row below the header is 1")
	c.Flags().BoolVar(&reveal, "reveal", false, "show serials, keys and addresses")
	return c
}

func argOr(args []string, i int, otherwise string) string {
	if i < len(args) {
		return args[i]
	}
	return otherwise
}

func showCapture(w io.Writer, h capture, out format, reveal bool) error {
	if out.value == "xml" {
		return inventory.WriteXML(w, h.report, reveal)
	}
	v := h.view(reveal, time.Now())
	return out.print(w, v, func(w io.Writer) error {
		if _, err := io.WriteString(w, v.head(h)); err != nil {
			return err
		}
		return inventory.Of(h.report).WriteCard(w, reveal)
	})
}

// head is the top of a card: which device, whether its hash is whole, and what is odd about it.
func (v captureView) head(h capture) string {
	var b strings.Builder
	fmt.Fprintln(&b, inventory.Name(h.report.Manufacturer, h.report.Product))
	switch {
	case v.Error != nil:
		inventory.WriteFact(&b, "Hash", fmt.Sprintf("DAMAGED at byte %d: %s", v.Error.Offset, v.Error.Code))
		inventory.WriteFact(&b, "", v.Error.Detail)
		inventory.WriteFact(&b, "What to do", v.Error.Advice)
		inventory.WriteFact(&b, "Below", fmt.Sprintf("what %d whole records say; nothing confirms it", v.Records))
	default:
		inventory.WriteFact(&b, "Hash", fmt.Sprintf("whole, checksum right, %d records, %d bytes", v.Records, v.Bytes))
		key := "none: nothing in the hash tells this device from another"
		if v.Device != nil {
			key = fmt.Sprintf("%s (by %s)", v.Device.Key, v.Device.MatchedBy)
		}
		inventory.WriteFact(&b, "Identity", key)
	}
	for _, w := range v.Warnings {
		inventory.WriteFact(&b, "Warning", w.Code)
		inventory.WriteFact(&b, "", w.Advice)
	}
	return b.String()
}
