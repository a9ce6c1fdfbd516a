package device

import "cmp"

// match is a known device with its kinship to a candidate.
type match struct {
	*Known
	kinship

	exact bool // the same key, or the same bytes
}

// The ranks of matches, by how much they say about the candidate. To the first and the third comes 1 for a conflict
// that waits for a person, and 2 for a retired device.
const (
	sameByKey        = 0
	contradictsByKey = 3 // one key, two stories
	same             = 4
	contradicts      = 7
	unrelated        = 8
)

func (m match) rank() int {
	order := 0
	switch {
	case m.State == Retired:
		order = 2
	case m.waits():
		order = 1
	}
	switch {
	case m.same() && m.exact:
		return sameByKey + order
	case m.exact && !m.Conflict:
		return contradictsByKey
	case m.same():
		return same + order
	case m.relation == Contradicts && m.State != Retired:
		return contradicts
	}
	return unrelated
}

// compare orders matches: what says most about the candidate comes first.
func (m match) compare(other match) int {
	if order := cmp.Compare(m.rank(), other.rank()); order != 0 {
		return order
	}
	switch {
	case m.by.betterThan(other.by):
		return -1
	case other.by.betterThan(m.by):
		return 1
	}
	return cmp.Compare(m.ID, other.ID)
}

func (m match) same() bool { return m.relation != Contradicts && m.relation != Unrelated }

// waits reports whether the device is a conflict that no person has decided yet.
func (m match) waits() bool { return m.Conflict && m.State == Held }

// ambiguousWith reports whether the candidate may as well be the other one: two known devices that an identifier joins
// with it are two devices all the same.
func (m match) ambiguousWith(other match) bool {
	return !m.exact && other.rank() < same+2 && other.same() && m.by == other.by
}
