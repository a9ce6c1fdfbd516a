// Package archtest checks what no single package can: imports run one way, from the vocabulary up to the commands, and
// adapters are named only where things are wired (ARCHITECTURE.md); files are short; the documents name what exists.
package archtest
