// Package engine is the wiring below the commands: it opens the ledger or the broker that an address names, and keeps a
// data directory to one owner. It is the only package outside tests that names adapters (docs/adr/0001).
package engine
