package device

// RowOutcome is what became of a row. Every row ends in exactly one.
type RowOutcome string

// The outcomes.
const (
	Rejected  RowOutcome = "rejected"
	Duplicate RowOutcome = "duplicate"
	Conflict  RowOutcome = "conflict"
	Accepted  RowOutcome = "accepted"
)
