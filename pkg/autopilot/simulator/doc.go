// Package simulator is Microsoft Graph for Windows Autopilot, small, faithful
// and awkward, in one process. It serves the token endpoint and the part of
// Graph v1.0 and beta that registers devices, tags them, groups them and gives
// them deployment profiles, including the parts that hurt: asynchronous
// outcomes, eventual visibility, throttling, paging quirks and answers that are
// lost after the write was applied.
//
// Nothing happens in the background. Every change is an event with a due time;
// whoever asks next finds everything that is due by then done, in order. Time
// is Options.Now plus whatever Advance added, so a test can skip a day and a
// demo can run in real time.
//
// Order of misbehaviour: a deterministic fault plan first (AddFault), seeded
// chaos second (Options.Chaos, off by default). Nothing is kept after exit.
//
// The package imports nothing of the Graph client and decodes hashes with a
// reader of its own, so that a misunderstanding is not shared.
package simulator
