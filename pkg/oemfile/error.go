package oemfile

import "taxiway.example/pkg/fault"

// Error is a file that cannot be read, or not any further. It wraps a fault of class "file".
type Error struct {
	Fault    *fault.Error
	Problems []Problem // each thing that is wrong with the header
}

// Problem is one thing that is wrong with a header.
type Problem struct {
	Line   int
	Column string // Microsoft's name
	Detail string
}

// Error returns the fault in one line.
func (e *Error) Error() string { return e.Fault.Error() }

// Unwrap returns the fault.
func (e *Error) Unwrap() error { return e.Fault }

func fail(code fault.Code, format string, args ...any) error {
	return &Error{Fault: fault.Newf(code, format, args...)}
}
