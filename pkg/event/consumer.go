package event

import "slices"

// The services that consume events; each is the name of its subscriptions.
const (
	Importer = "importer"
	Grouper  = "grouper"
)

// Consumed says which consumers take the events of a type.
type Consumed struct {
	Type      Type
	Consumers []string
}

// Consumption is the table of all types and their consumers. Services subscribe to what it says, and a broker whose
// entities are made beforehand is set up from it: a consumer that stands here works on every broker. devices.ready.v1
// is for subscribers of yours.
func Consumption() []Consumed {
	return []Consumed{
		{DevicesCollected, []string{Importer}},
		{SubmissionDue, []string{Importer}},
		{DevicesRegistered, []string{Grouper}},
		{DevicesReady, nil},
	}
}

// TypesOf returns the types that a consumer takes.
func TypesOf(consumer string) []Type {
	var types []Type
	for _, c := range Consumption() {
		if slices.Contains(c.Consumers, consumer) {
			types = append(types, c.Type)
		}
	}
	return types
}
