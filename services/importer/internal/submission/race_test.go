//go:build race

package submission_test

// underRace says that the tests run with the race detector, which makes SQLite about ten times slower.
const underRace = true
