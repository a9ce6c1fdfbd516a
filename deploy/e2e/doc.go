// Package e2e runs the whole pipeline on real parts in one process tree: it sends files through the HTTP API, lets
// Microsoft's side be played by the simulator, and checks the law of conservation, also when the process is killed at
// any step, when every message comes again, and when the broker loses everything.
package e2e
