// Package submission takes devices through their import into Windows Autopilot: it sends them in chunks under a fresh
// import id, asks Autopilot what became of them, and deletes its own import records afterwards.
//
// Microsoft Graph has no idempotency key, so the effect is made to happen once like this. A submission is committed to
// the ledger before its POST. After anything that leaves the outcome unknown (a lost answer, a crash) nothing is sent
// again until Autopilot was asked for that import id; only an import that stays invisible for Timings.Lost counts as
// lost. Whatever two workers do at the same time is decided by compare-and-set in the ledger: one Begin wins a device,
// one Advance wins a poll.
//
// Nothing here waits. A pause is a due time in the ledger, and the dispatcher issues the work again. One event costs a
// bounded number of ledger transactions and of requests to Graph.
package submission
