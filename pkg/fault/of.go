package fault

import (
	"errors"
	"slices"
	"time"
)

// Is reports whether err's chain holds an Error and, when codes are given, whether the first one has one of them.
func Is(err error, codes ...Code) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (len(codes) == 0 || slices.Contains(codes, e.Code))
}

// KindOf returns the kind of the first Error in err's chain, Transient for any other error.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Transient
}

// CodeOf returns the code of the first Error in err's chain, CodeUnknown for any other error.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeUnknown
}

// DetailOf returns the detail that may be shown to an operator, "" when err carries none.
func DetailOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Detail
	}
	return ""
}

// RetryAfterOf returns how much time has to pass before another try, 0 when err does not say.
func RetryAfterOf(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.RetryAfter
	}
	return 0
}
