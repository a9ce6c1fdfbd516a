package fault

import (
	"slices"
	"strings"
)

// Code is a stable, documented name of something that can go wrong: class.reason. Codes are API: they are never
// renamed.
type Code string

// CodeUnknown stands for an error that carries no code.
const CodeUnknown Code = "internal.unknown"

// Entry is one code of the catalogue. A hint names commands, or its remedy is outside Taxiway, or it begins with
// "Nothing".
type Entry struct {
	Code    Code
	Kind    Kind
	Title   string // one sentence a technician understands
	Advice  string // what to do about it, without commands
	Hint    string // the same with the commands of the steps
	Steps   []Step // the commands
	Outside bool   // the remedy is no command of Taxiway
}

// row is one row of the table; its hint is without commands.
type row struct {
	Code  Code
	Kind  Kind
	Title string
	Hint  string
}

// entry completes a row.
func (r row) entry() Entry {
	e := Entry{Code: r.Code, Kind: r.Kind, Title: r.Title, Advice: r.Hint, Hint: r.Hint}
	e.Outside = slices.Contains(outside, r.Code)
	for _, s := range steps[r.Code] {
		s.Command = strings.ReplaceAll(s.Command, string(NameCode), string(r.Code))
		e.Steps = append(e.Steps, s)
		e.Hint += " " + s.When + ": `" + s.Command + "`."
	}
	return e
}

// For returns the entry with the ids of the devices that it is about in its commands; an id that is not known is "".
func (e Entry) For(device, known string) Entry {
	var pairs []string
	for name, id := range map[Name]string{NameDevice: device, NameKnown: known} {
		if id != "" {
			pairs = append(pairs, string(name), id)
		}
	}
	if len(pairs) == 0 || len(e.Steps) == 0 {
		return e
	}
	fill := strings.NewReplacer(pairs...)
	e.Hint = fill.Replace(e.Hint)
	e.Steps = slices.Clone(e.Steps)
	for i := range e.Steps {
		e.Steps[i].Command = fill.Replace(e.Steps[i].Command)
	}
	return e
}

// Kind returns the kind of the code, Transient for a code outside the catalogue.
func (c Code) Kind() Kind {
	r, _ := find(c)
	return r.Kind
}

// Lookup returns the catalogue's entry for the code.
func Lookup(c Code) (Entry, bool) {
	if r, ok := find(c); ok {
		return r.entry(), true
	}
	return Entry{Code: c, Title: "Unknown code."}, false
}

func find(c Code) (row, bool) {
	if i := slices.IndexFunc(catalogue, func(r row) bool { return r.Code == c }); i >= 0 {
		return catalogue[i], true
	}
	return row{}, false
}

// Catalogue returns all entries in documentation order.
func Catalogue() []Entry {
	all := make([]Entry, len(catalogue))
	for i, r := range catalogue {
		all[i] = r.entry()
	}
	return all
}
