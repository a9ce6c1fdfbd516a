package amqp

import "fmt"

// Descriptor codes (§2.8.14, §3.4, §3.5, §4.5).
const (
	codeError       = 0x1d
	codeReceived    = 0x23
	codeAccepted    = 0x24
	codeRejected    = 0x25
	codeReleased    = 0x26
	codeModified    = 0x27
	codeSource      = 0x28
	codeTarget      = 0x29
	codeCoordinator = 0x30
)

// Error is a condition with words for people (§2.8.14). It is also a Go error.
type Error struct {
	Condition   Symbol
	Description string
	Info        Map
}

// Error returns condition and description.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Condition, e.Description) }

// Accepted is the state of a delivery that was processed (§3.4.2).
type Accepted struct{}

// Rejected is the state of a delivery that cannot be processed (§3.4.3).
type Rejected struct{ Error *Error }

// Released is the state of a delivery that was not processed (§3.4.4).
type Released struct{}

// Modified is the state of a delivery that is given back changed (§3.4.5).
type Modified struct {
	DeliveryFailed    bool
	UndeliverableHere bool
	Annotations       Map
}

// Received is the state of a delivery that is still arriving (§3.4.1).
type Received struct{}

// Source is where messages come from (§3.5.3).
type Source struct {
	Address string
	Dynamic bool
	Filter  Map
}

// Target is where messages go to (§3.5.4).
type Target struct {
	Address string
	Dynamic bool
}

func (s *Source) described() Described {
	return composite(codeSource, nonZero(s.Address), nil, nil, nil, nil, nil, nil, nonEmpty(s.Filter))
}

func (t *Target) described() Described { return composite(codeTarget, nonZero(t.Address)) }

func describeError(e *Error) any {
	if e == nil {
		return nil
	}
	return composite(codeError, e.Condition, nonZero(e.Description), nonEmpty(e.Info))
}

func describeState(state any) any {
	switch s := state.(type) {
	case nil:
		return nil
	case Accepted:
		return composite(codeAccepted)
	case Rejected:
		return composite(codeRejected, describeError(s.Error))
	case Released:
		return composite(codeReleased)
	case Modified:
		return composite(codeModified, s.DeliveryFailed, s.UndeliverableHere, nonEmpty(s.Annotations))
	}
	panic(fmt.Sprintf("amqp: cannot encode state %T", state))
}

// inner opens the composite in field i; a null gives nil fields.
func inner(f *fields, i int) (uint64, *fields) {
	v := f.item(i)
	if v == nil {
		return 0, nil
	}
	code, in, err := open(v)
	if err != nil && f.err == nil {
		f.err = err
	}
	return code, in
}

func readError(f *fields, i int) *Error {
	code, in := inner(f, i)
	if in == nil {
		return nil
	}
	if code != codeError {
		f.fail(i, "is composite %#x", code)
		return nil
	}
	e := &Error{required[Symbol](in, 0), field(in, 1, ""), field(in, 2, Map(nil))}
	f.adopt(in)
	return e
}

func readSource(f *fields, i int) *Source {
	code, in := inner(f, i)
	if in == nil {
		return nil
	}
	if code != codeSource {
		f.fail(i, "is composite %#x", code)
		return nil
	}
	s := &Source{field(in, 0, ""), field(in, 4, false), field(in, 7, Map(nil))}
	f.adopt(in)
	return s
}

func readTarget(f *fields, i int) (t *Target, coordinator bool) {
	code, in := inner(f, i)
	if in == nil || code == codeCoordinator {
		return nil, code == codeCoordinator
	}
	if code != codeTarget {
		f.fail(i, "is composite %#x", code)
		return nil, false
	}
	t = &Target{field(in, 0, ""), field(in, 4, false)}
	f.adopt(in)
	return t, false
}

func readState(f *fields, i int) any {
	code, in := inner(f, i)
	if in == nil {
		return nil
	}
	defer f.adopt(in)
	switch code {
	case codeReceived:
		return Received{}
	case codeAccepted:
		return Accepted{}
	case codeRejected:
		return Rejected{readError(in, 0)}
	case codeReleased:
		return Released{}
	case codeModified:
		return Modified{field(in, 0, false), field(in, 1, false), field(in, 2, Map(nil))}
	}
	f.fail(i, "is composite %#x", code)
	return nil
}

func (f *fields) adopt(in *fields) {
	if f.err == nil {
		f.err = in.err
	}
}
