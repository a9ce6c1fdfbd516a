package simulator

import (
	"fmt"
	"strings"
)

// parseRule reads a rule as it is pasted from documentation, in the newer form
// with parentheses behind -any and the older one without.
func parseRule(text string) (*rule, error) {
	if len(text) > maxRule {
		return nil, fmt.Errorf("%w: longer than %d characters", errRule, maxRule)
	}
	p := &ruleParser{rest: text}
	r, err := p.either()
	if err != nil {
		return nil, err
	}
	if p.peek() != "" {
		return nil, fmt.Errorf("%w: %q is left over", errRule, p.peek())
	}
	return r, nil
}

type ruleParser struct {
	rest  string
	depth int
}

// peek returns the next token: a parenthesis, a quoted value with its opening
// quote, or a word.
func (p *ruleParser) peek() string {
	token, _ := cutToken(p.rest)
	return token
}

func (p *ruleParser) next() string {
	token, rest := cutToken(p.rest)
	p.rest = rest
	return token
}

func cutToken(text string) (token, rest string) {
	text = strings.TrimLeft(text, " \t\r\n")
	if text == "" {
		return "", ""
	}
	switch text[0] {
	case '(', ')':
		return text[:1], text[1:]
	case '"', '\'':
		return cutQuoted(text)
	}
	n := strings.IndexAny(text, " \t\r\n()\"'")
	if n < 0 {
		n = len(text)
	}
	return text[:n], text[n:]
}

// cutQuoted reads a quoted value; a backtick escapes, a doubled single quote
// stands for one. A value that does not end has no token.
func cutQuoted(text string) (token, rest string) {
	quote := text[0]
	out := []byte{'"'}
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '`' && i+1 < len(text):
			i++
			out = append(out, text[i])
		case text[i] == quote && quote == '\'' && i+1 < len(text) && text[i+1] == quote:
			i++
			out = append(out, quote)
		case text[i] == quote:
			return string(out), text[i+1:]
		default:
			out = append(out, text[i])
		}
	}
	return "\x00", ""
}

func (p *ruleParser) either() (*rule, error) { return p.chain("-or", p.both) }
func (p *ruleParser) both() (*rule, error)   { return p.chain("-and", p.term) }

func (p *ruleParser) chain(op string, part func() (*rule, error)) (*rule, error) {
	left, err := part()
	for err == nil && (strings.EqualFold(p.peek(), op) || strings.EqualFold(p.peek(), op[1:])) {
		p.next()
		var right *rule
		if right, err = part(); err == nil {
			left = &rule{op: op[1:], parts: []*rule{left, right}}
		}
	}
	return left, err
}

func (p *ruleParser) term() (*rule, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fmt.Errorf("%w: nested too deeply", errRule)
	}
	defer func() { p.depth-- }()
	token := p.next()
	switch {
	case strings.EqualFold(token, "-not"), strings.EqualFold(token, "not"):
		inner, err := p.term()
		return &rule{op: "not", parts: []*rule{inner}}, err
	case token == "(":
		inner, err := p.either()
		if err == nil && p.next() != ")" {
			err = fmt.Errorf("%w: a parenthesis is not closed", errRule)
		}
		return inner, err
	}
	property, isDevice := strings.CutPrefix(token, "device.")
	many, known := ruleProperties[property]
	if !isDevice || !known {
		return nil, fmt.Errorf("%w: property %q is not known", errRule, token)
	}
	if !many {
		return p.comparison(property)
	}
	if !strings.EqualFold(p.next(), "-any") {
		return nil, fmt.Errorf("%w: %s is a collection and needs -any", errRule, token)
	}
	inner, err := p.any()
	return &rule{op: "any", property: "devicePhysicalIds", parts: []*rule{inner}}, err
}

func (p *ruleParser) any() (*rule, error) {
	closing := p.peek() == "("
	if closing {
		p.next()
	}
	if p.next() != "_" {
		return nil, fmt.Errorf("%w: -any needs _", errRule)
	}
	inner, err := p.comparison("_")
	if err == nil && closing && p.next() != ")" {
		err = fmt.Errorf("%w: a parenthesis is not closed", errRule)
	}
	return inner, err
}

func (p *ruleParser) comparison(property string) (*rule, error) {
	word := p.next()
	op, known := ruleOperators[strings.ToLower(word)]
	if !known {
		return nil, fmt.Errorf("%w: operator %q is not known", errRule, word)
	}
	value := p.next()
	if !strings.HasPrefix(value, `"`) {
		return nil, fmt.Errorf("%w: a quoted value is missing", errRule)
	}
	return &rule{op: op, property: property, value: strings.ToLower(value[1:])}, nil
}
