package fault

import "slices"

// Code is a stable, documented name of something that can go wrong: class.reason. Codes are API: they are never
// renamed.
type Code string

// CodeUnknown stands for an error that carries no code.
const CodeUnknown Code = "internal.unknown"

// Entry is one row of the catalogue.
type Entry struct {
	Code  Code
	Kind  Kind
	Title string // one sentence a technician understands
	Hint  string // what to do about it
}

// Kind returns the kind of the code, Transient for a code outside the catalogue.
func (c Code) Kind() Kind {
	e, _ := Lookup(c)
	return e.Kind
}

// Lookup returns the catalogue's entry for the code.
func Lookup(c Code) (Entry, bool) {
	if i := slices.IndexFunc(catalogue, func(e Entry) bool { return e.Code == c }); i >= 0 {
		return catalogue[i], true
	}
	return Entry{Code: c, Title: "Unknown code."}, false
}

// Catalogue returns a copy of all entries in documentation order.
func Catalogue() []Entry { return slices.Clone(catalogue) }
