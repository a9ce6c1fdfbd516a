package grouping

import (
	"github.com/prometheus/client_golang/prometheus"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/telemetry"
)

// metrics are what an operator watches of the group stage; the logs say the rest.
type metrics struct {
	checks  *prometheus.CounterVec
	overdue *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	return &metrics{
		checks: telemetry.Counters(reg, "taxiway_grouper_checks_total",
			"Checks of devices, by the state they are in afterwards and the code they wait with.", "state", "code"),
		overdue: telemetry.Counters(
			reg,
			"taxiway_grouper_overdue_total",
			"Checks of devices that will have been in their state for longer than the alarm time at the next check.",
			"state",
			"code",
		),
	}
}

func (m *metrics) check(s device.State, c fault.Code) {
	m.checks.WithLabelValues(string(s), string(c)).Inc()
}

func (m *metrics) late(s device.State, c fault.Code) {
	m.overdue.WithLabelValues(string(s), string(c)).Inc()
}
