// Package sdk has no code: its tests run Microsoft's clients for Go, unchanged, against the Autopilot simulator.
//
// They use azidentity and msgraph-sdk-go-core, the pipeline under msgraph-sdk-go: sign-in, compression, retries and
// batches. The generated models of msgraph-sdk-go are left out: 3,000 files, and nothing of them is on the wire but
// the JSON that these tests send.
package sdk
