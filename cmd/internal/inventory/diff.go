package inventory

import "slices"

// Change is a fact that two captures do not share. A list entry that only one of them has is a change with one side
// empty.
type Change struct {
	Section string `json:"section"`
	Fact    string `json:"fact,omitempty"`
	A       string `json:"a"`
	B       string `json:"b"`
	Secret  bool   `json:"secret"` // A and B are masked unless revealed

	Title, Label string `json:"-"` // for people
}

// Diff lists what differs between two captures, in the order of an inventory.
func Diff(a, b Inventory, reveal bool) []Change {
	var out []Change
	for _, key := range sectionKeys(a, b) {
		x := a.section(key)
		y := b.section(key)
		if x.List || y.List {
			out = append(out, listChanges(x, y, reveal)...)
			continue
		}
		out = append(out, factChanges(x, y, reveal)...)
	}
	return out
}

func sectionKeys(a, b Inventory) []string {
	var keys []string
	for _, s := range slices.Concat(a, b) {
		if !slices.Contains(keys, s.Key) {
			keys = append(keys, s.Key)
		}
	}
	return keys
}

func (v Inventory) section(key string) Section {
	if i := slices.IndexFunc(v, func(s Section) bool { return s.Key == key }); i >= 0 {
		return v[i]
	}
	return Section{Key: key}
}

func factChanges(a, b Section, reveal bool) []Change {
	var out []Change
	x := a.first()
	y := b.first()
	for _, f := range x {
		if g := y.fact(f.Key); !f.same(g) {
			out = append(out, change(a, f, g, reveal))
		}
	}
	for _, g := range y {
		if x.fact(g.Key).Key == "" {
			out = append(out, change(b, Fact{}, g, reveal))
		}
	}
	return out
}

func change(s Section, f, g Fact, reveal bool) Change {
	c := Change{
		Section: s.Key,
		Title:   s.Title,
		A:       f.Show(reveal),
		B:       g.Show(reveal),
		Secret:  f.IsSecret() || g.IsSecret(),
	}
	if c.Fact, c.Label = f.Key, f.Label; c.Fact == "" {
		c.Fact = g.Key
		c.Label = g.Label
	}
	return c
}

func (s Section) first() Item {
	if len(s.Items) == 0 {
		return nil
	}
	return s.Items[0]
}

func (i Item) fact(key string) Fact {
	if at := slices.IndexFunc(i, func(f Fact) bool { return f.Key == key }); at >= 0 {
		return i[at]
	}
	return Fact{}
}

// listChanges pairs off like entries; what is left was taken away or added.
func listChanges(a, b Section, reveal bool) []Change {
	title := a.Title
	if title == "" {
		title = b.Title
	}
	rest := slices.Clone(b.Items)
	var out []Change
	for _, item := range a.Items {
		if at := slices.IndexFunc(rest, item.same); at >= 0 {
			rest = slices.Delete(rest, at, at+1)
			continue
		}
		out = append(out, Change{Section: a.Key, Title: title, A: item.line(reveal), Secret: item.hasSecret()})
	}
	for _, item := range rest {
		out = append(out, Change{Section: b.Key, Title: title, B: item.line(reveal), Secret: item.hasSecret()})
	}
	return out
}

func (i Item) same(other Item) bool { return slices.EqualFunc(i, other, Fact.same) }

func (i Item) hasSecret() bool { return slices.ContainsFunc(i, Fact.IsSecret) }
