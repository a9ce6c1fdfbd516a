//go:build !race

package submission_test

// underRace says that the tests run with the race detector.
const underRace = false
