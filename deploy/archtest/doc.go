// Package archtest holds the import rules of ARCHITECTURE.md as tests: imports run one way, from the vocabulary up to the
// commands, and adapters are named only where things are wired.
package archtest
