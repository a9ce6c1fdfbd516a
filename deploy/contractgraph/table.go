package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// The questions, in the order of the table.
const (
	recordsEnd     = "import records: how does the list end?"
	devicesEnd     = "devices: how does the list end?"
	devicesByOne   = "devices, one a page: how does the list end?"
	serialContains = "devices: filter contains(serialNumber, …)?"
	serialHyphen   = "devices: the same with a hyphen?"
	serialEq       = "devices: filter serialNumber eq …?"
	devicesSelect  = "devices: $select?"
	leftOver       = "left over from an earlier run?"
	idFilter       = "import id: filterable?"
	idShared       = "import id: shared by two?"
	idKept         = "import id: kept?"
	idAnswered     = "import id: kept in the answer to the POST?"
	recordByID     = "import record: readable by its id?"
	recordVisible  = "time until an import record is listed"
	outcomeKnown   = "time until the outcome is known"
	deviceByID     = "time until a device is readable by its id"
	deviceBySerial = "time until a device is found by its serial"
	removed        = "removed"
	leftBehind     = "left behind"
)

var questions = []string{
	recordsEnd, devicesEnd, devicesByOne, serialContains, serialHyphen, serialEq, devicesSelect, leftOver,
	idFilter, idShared, idKept, idAnswered, recordByID, recordVisible, outcomeKnown, deviceByID, deviceBySerial,
	removed, leftBehind,
}

// answer is what was found, in a word or two, and what was seen.
type answer struct{ says, seen string }

// table are the answers by question.
type table map[string]answer

func newTable() table {
	t := table{}
	for _, q := range questions {
		t[q] = answer{"not asked", ""}
		if slices.Index(questions, q) >= slices.Index(questions, idShared) {
			t[q] = answer{"not asked", "needs -write"}
		}
	}
	return t
}

func (t table) set(question, says, seen string, args ...any) {
	t[question] = answer{says, fmt.Sprintf(seen, args...)}
}

func (t table) print(to io.Writer) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "QUESTION\tANSWER\tSEEN\n")
	for _, q := range questions {
		fmt.Fprintf(w, "%s\t%s\t%s\n", q, t[q].says, t[q].seen)
	}
	return w.Flush()
}
