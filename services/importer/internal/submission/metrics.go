package submission

import (
	"github.com/prometheus/client_golang/prometheus"

	"taxiway.example/pkg/telemetry"
)

// metrics are what an operator watches of the importer; the logs say the rest.
type metrics struct {
	submissions *prometheus.CounterVec
	outcomes    *prometheus.CounterVec
	polls       *prometheus.CounterVec
	waits       *prometheus.CounterVec
	stuck       *prometheus.CounterVec
}

// What became of a POST, as the label "result".
const (
	resultPosted  = "posted"  // Autopilot has it
	resultRefused = "refused" // it certainly did not happen
	resultUnknown = "unknown" // it may have happened
	resultLost    = "lost"    // it may have happened, and Autopilot knows nothing of it
)

func newMetrics(reg prometheus.Registerer) *metrics {
	const prefix = "taxiway_importer_"
	return &metrics{
		submissions: telemetry.Counters(
			reg,
			prefix+"submissions_total",
			"Import calls, by result (posted, refused, unknown) and those found lost.",
			"result",
		),
		outcomes: telemetry.Counters(
			reg,
			prefix+"outcomes_total",
			"Devices whose import ended, by the meaning of Autopilot's answer.",
			"meaning",
		),
		polls: telemetry.Counters(reg, prefix+"polls_total", "Times that an import's records were listed."),
		waits: telemetry.Counters(
			reg,
			prefix+"budget_waits_total",
			"Steps put off because a tenant's share of Graph was used up or Graph said so.",
		),
		stuck: telemetry.Counters(
			reg,
			prefix+"stuck_total",
			"Polls of imports that take longer than the alarm time.",
		),
	}
}
