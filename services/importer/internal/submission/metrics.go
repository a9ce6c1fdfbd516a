package submission

import (
	"github.com/prometheus/client_golang/prometheus"

	"taxiway.example/pkg/telemetry"
)

// Metrics are what an operator watches of the importer; the logs say the rest.
type Metrics struct {
	submissions *prometheus.CounterVec
	outcomes    *prometheus.CounterVec
	polls       prometheus.Counter
	waits       prometheus.Counter
	stuck       prometheus.Counter
}

// What became of a POST, as the label "result".
const (
	resultPosted  = "posted"  // Autopilot has it
	resultRefused = "refused" // it certainly did not happen
	resultUnknown = "unknown" // it may have happened
	resultLost    = "lost"    // it may have happened, and Autopilot knows nothing of it
)

// NewMetrics registers the metrics, or returns those that are registered already.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		return telemetry.Register(reg, prometheus.NewCounter(prometheus.CounterOpts{Name: "taxiway_importer_" + name, Help: help}))
	}
	vec := func(name, help, label string) *prometheus.CounterVec {
		return telemetry.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "taxiway_importer_" + name, Help: help}, []string{label}))
	}
	return &Metrics{
		submissions: vec("submissions_total", "Import calls, by result (posted, refused, unknown) and those found lost.", "result"),
		outcomes:    vec("outcomes_total", "Devices whose import ended, by the meaning of Autopilot's answer.", "meaning"),
		polls:       counter("polls_total", "Looks at what became of an import."),
		waits:       counter("budget_waits_total", "Steps put off because a tenant's share of Graph was used up or Graph said so."),
		stuck:       counter("stuck_total", "Looks at imports that take longer than the alarm time."),
	}
}
