package autopilot

import (
	"cmp"
	"context"
	"net/url"
	"regexp"
	"strings"

	"taxiway.example/pkg/graph"
)

// Group is a dynamic membership group.
type Group struct {
	ID     string
	Name   string
	Rule   string // membershipRule
	Paused bool   // its rule is not being processed
}

type groupWire struct {
	ID    string `json:"id"`
	Name  string `json:"displayName"`
	Rule  string `json:"membershipRule"`
	State string `json:"membershipRuleProcessingState"`
}

// DynamicGroups returns the tenant's groups with dynamic membership (Microsoft page "List groups").
func (c *Client) DynamicGroups(ctx context.Context) ([]Group, error) {
	r := graph.Request{Version: graph.V1, Path: "/groups", Query: url.Values{
		"$filter": {"groupTypes/any(c:c eq 'DynamicMembership')"},
		"$select": {"id,displayName,membershipRule,membershipRuleProcessingState"},
		"$top":    {"999"},
	}}
	var groups []Group
	for w, err := range graph.List(ctx, c.graph, r, func(w groupWire) string { return w.ID }) {
		if err != nil {
			return nil, err
		}
		groups = append(
			groups,
			Group{ID: w.ID, Name: w.Name, Rule: w.Rule, Paused: strings.EqualFold(w.State, "Paused")},
		)
	}
	return groups, nil
}

// tagClause is the part of a rule that picks devices by group tag, exactly or by prefix, in the forms with and without
// inner parentheses (Microsoft page "Manage rules for dynamic membership groups"; "Create device groups for Windows
// Autopilot"). In a value, a backtick escapes the character after it.
var tagClause = regexp.MustCompile(
	"(?i)\\(?\\s*device\\.devicePhysicalIds\\s+-any\\s+\\(?\\s*_\\s+-(eq|startsWith)\\s+" +
		"[\"']\\[OrderID\\]:((?:[^\"'`]|`.)*)[\"']\\s*\\)?\\s*\\)?",
)

var escaped = regexp.MustCompile("`(.)")

const longestPrefix = 1000

// fit says how well a rule fits a group tag; the higher the better, zero is not at all.
type fit int

const (
	fitNot    fit = iota
	fitPrefix     // a clause picks a prefix of the tag; its length is added, up to longestPrefix
	fitPart   fit = longestPrefix + iota
	fitWhole  fit = longestPrefix + iota // the rule is this tag and nothing else
)

// fit compares without regard to case, as rules do.
func (g Group) fit(tag string) fit {
	best := fitNot
	for _, m := range tagClause.FindAllStringSubmatch(g.Rule, -1) {
		value := escaped.ReplaceAllString(m[2], "$1")
		switch exact := strings.EqualFold(m[1], "eq"); {
		case exact && strings.EqualFold(value, tag) && m[0] == strings.TrimSpace(g.Rule):
			best = fitWhole
		case exact && strings.EqualFold(value, tag):
			best = max(best, fitPart)
		case !exact:
			if _, ok := cutPrefixFold(tag, value); ok {
				best = max(best, fitPrefix+fit(min(len(value), longestPrefix)))
			}
		}
	}
	return best
}

// GroupOf returns the group whose rule picks devices with the tag: a group whose rule is processed before a paused one,
// a rule for exactly this tag before one where it is a clause among others, before the longest prefix; else the first
// by id. What else a rule demands is not understood here: name the group in the configuration where that matters.
func GroupOf(groups []Group, tag string) (Group, bool) {
	var best Group
	for _, g := range groups {
		if tag == "" || g.fit(tag) == fitNot {
			continue
		}
		if best.ID == "" || cmp.Or(cmp.Compare(best.rank(tag), g.rank(tag)), strings.Compare(g.ID, best.ID)) < 0 {
			best = g
		}
	}
	return best, best.ID != ""
}

// rank puts a group whose rule is processed before any paused one.
func (g Group) rank(tag string) int {
	if g.Paused {
		return int(g.fit(tag))
	}
	return int(g.fit(tag)) + 10*int(fitWhole)
}
