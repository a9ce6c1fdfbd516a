package simulator

import (
	"strings"
	"unicode"
)

// parser reads the part of the OData filter language that Graph clients use.
type parser struct {
	tokens []string
	depth  int
}

const maxDepth = 50

func parseFilter(text string) (*condition, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	f, err := p.either()
	if err != nil {
		return nil, err
	}
	if len(p.tokens) > 0 {
		return nil, errFilter
	}
	return f, nil
}

// lex splits into words, quoted literals (with the quotes) and punctuation.
func lex(text string) ([]string, error) {
	var out []string
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimLeftFunc(rest, unicode.IsSpace) {
		n := 1
		switch {
		case rest[0] == '\'':
			n = literalLength(rest)
		case strings.ContainsRune("(),:", rune(rest[0])):
		default:
			if n = strings.IndexAny(rest, " \t(),:'"); n < 0 {
				n = len(rest)
			}
		}
		if n == 0 {
			return nil, errFilter
		}
		out = append(out, rest[:n])
		rest = rest[n:]
	}
	return out, nil
}

// literalLength is the length of a quoted literal in which quotes are doubled,
// or zero if it does not end.
func literalLength(text string) int {
	for i := 1; i < len(text); i++ {
		if text[i] != '\'' {
			continue
		}
		if i+1 < len(text) && text[i+1] == '\'' {
			i++
			continue
		}
		return i + 1
	}
	return 0
}

func (p *parser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *parser) next() string {
	t := p.peek()
	if t != "" {
		p.tokens = p.tokens[1:]
	}
	return t
}

func (p *parser) expect(tokens ...string) error {
	for _, t := range tokens {
		if p.next() != t {
			return errFilter
		}
	}
	return nil
}

func (p *parser) literal() (string, error) {
	t := p.next()
	if t == "true" || t == "false" {
		return t, nil
	}
	if len(t) < 2 || t[0] != '\'' {
		return "", errFilter
	}
	return strings.ReplaceAll(t[1:len(t)-1], "''", "'"), nil
}

func (p *parser) either() (*condition, error) { return p.chain("or", p.both) }
func (p *parser) both() (*condition, error)   { return p.chain("and", p.term) }

func (p *parser) chain(op string, part func() (*condition, error)) (*condition, error) {
	left, err := part()
	for err == nil && p.peek() == op {
		p.next()
		var right *condition
		if right, err = part(); err == nil {
			left = &condition{op: op, parts: []*condition{left, right}}
		}
	}
	return left, err
}

func (p *parser) term() (*condition, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errFilter
	}
	defer func() { p.depth-- }()
	switch t := p.next(); t {
	case "not":
		inner, err := p.term()
		return &condition{op: "not", parts: []*condition{inner}}, err
	case "(":
		inner, err := p.either()
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	case "contains", "startswith", "endswith":
		return p.function(t)
	case "", ")", ",", ":":
		return nil, errFilter
	default:
		return p.comparison(t)
	}
}

func (p *parser) function(op string) (*condition, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	property := p.next()
	if err := p.expect(","); err != nil {
		return nil, err
	}
	value, err := p.literal()
	if err != nil {
		return nil, err
	}
	return leaf(op, property, value), p.expect(")")
}

func (p *parser) comparison(property string) (*condition, error) {
	if collection, isAny := strings.CutSuffix(property, "/any"); isAny {
		return p.any(collection)
	}
	switch op := p.next(); op {
	case "eq", "ne":
		value, err := p.literal()
		return leaf(op, property, value), err
	case "in":
		return p.in(property)
	default:
		return nil, errFilter
	}
}

func (p *parser) in(property string) (*condition, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var values []string
	for {
		value, err := p.literal()
		if err != nil {
			return nil, err
		}
		values = append(values, value)
		switch p.next() {
		case ")":
			return leaf("in", property, values...), nil
		case ",":
		default:
			return nil, errFilter
		}
	}
}

func (p *parser) any(collection string) (*condition, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	variable := p.next()
	if err := p.expect(":"); err != nil {
		return nil, err
	}
	inner, err := p.either()
	if err != nil {
		return nil, err
	}
	wrong := false
	inner.leaves(func(leaf *condition) { wrong = wrong || leaf.property != variable })
	if wrong {
		return nil, errFilter
	}
	return &condition{op: "any", property: collection, parts: []*condition{inner}}, p.expect(")")
}
