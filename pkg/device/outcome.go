package device

// RowOutcome is what became of a row. Every row ends in exactly one.
type RowOutcome string

// The outcomes.
const (
	Rejected  RowOutcome = "rejected"
	Duplicate RowOutcome = "duplicate" // a known device, and nothing to do
	Conflict  RowOutcome = "conflict"  // a person must decide
	Accepted  RowOutcome = "accepted"  // a new device
	Updated   RowOutcome = "updated"   // work on a known device
)

// RowOutcomes returns all outcomes, those that bring work first.
func RowOutcomes() []RowOutcome {
	return []RowOutcome{Accepted, Updated, Duplicate, Conflict, Rejected}
}
