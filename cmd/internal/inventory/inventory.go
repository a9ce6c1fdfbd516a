// Package inventory lays out what a hardware hash says as facts with names: one list that a card for people, JSON for
// programs and the comparison of two captures are all made from. Facts that identify a device stay secret until
// somebody asks to reveal them.
package inventory

import (
	"taxiway.example/pkg/hwhash"
)

// Fact is one thing a hash says.
type Fact struct {
	Key   string // name in JSON
	Label string // name for people; "" where the text speaks for itself
	Value any    // for programs: text, number or bool
	Text  string // for people; "" means that the hash does not say

	secret hwhash.Secret // instead of Value and Text
	form   func(string) string
}

// IsSecret reports whether the fact identifies the device.
func (f Fact) IsSecret() bool { return !f.secret.IsZero() }

// Show returns the fact for people, a mask for a secret that is not to be revealed.
func (f Fact) Show(reveal bool) string {
	switch {
	case !f.IsSecret():
		return f.Text
	case !reveal:
		return hwhash.Mask
	case f.form != nil:
		return f.form(f.secret.Reveal())
	}
	return f.secret.Reveal()
}

// value returns the fact for programs.
func (f Fact) value(reveal bool) any {
	if f.IsSecret() {
		return f.Show(reveal)
	}
	return f.Value
}

func (f Fact) isEmpty() bool { return f.Text == "" && !f.IsSecret() }

// same reports whether both facts say the same.
func (f Fact) same(other Fact) bool {
	return f.Key == other.Key && f.Text == other.Text && f.secret == other.secret
}

// Item is facts that belong together.
type Item []Fact

// Section is a part of an inventory: one item, or a list of like ones.
type Section struct {
	Key   string
	Title string
	List  bool
	Items []Item // never empty; without empty facts
}

// Inventory is everything a hash says, in a fixed order.
type Inventory []Section

// JSON returns the inventory as objects and lists, for encoding/json.
func (v Inventory) JSON(reveal bool) map[string]any {
	out := make(map[string]any, len(v))
	for _, s := range v {
		var items []map[string]any
		for _, item := range s.Items {
			facts := make(map[string]any, len(item))
			for _, f := range item {
				facts[f.Key] = f.value(reveal)
			}
			items = append(items, facts)
		}
		if out[s.Key] = items; !s.List {
			out[s.Key] = items[0]
		}
	}
	return out
}

func one(key, title string, facts ...Fact) Section {
	return list(key, title, facts).asOne()
}

func (s Section) asOne() Section { s.List = false; return s }

// list returns a section without what is empty.
func list(key, title string, items ...Item) Section {
	s := Section{Key: key, Title: title, List: true}
	for _, item := range items {
		var full Item
		for _, f := range item {
			if !f.isEmpty() {
				full = append(full, f)
			}
		}
		if len(full) > 0 {
			s.Items = append(s.Items, full)
		}
	}
	return s
}
