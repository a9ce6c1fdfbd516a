package grouper

import (
	"github.com/prometheus/client_golang/prometheus"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/telemetry"
)

// metrics are what an operator watches of the group stage; the logs say the rest.
type metrics struct {
	looks   *prometheus.CounterVec
	overdue *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	vec := func(name, help string) *prometheus.CounterVec {
		return telemetry.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "taxiway_grouper_" + name, Help: help}, []string{"state", "code"}))
	}
	return &metrics{
		looks:   vec("looks_total", "Looks at devices, by the state they are in afterwards and the code they wait with."),
		overdue: vec("overdue_total", "Looks at devices that will have been in their state for longer than the alarm time at the next look."),
	}
}

func (m *metrics) look(s device.State, c fault.Code) {
	m.looks.WithLabelValues(string(s), string(c)).Inc()
}

func (m *metrics) late(s device.State, c fault.Code) {
	m.overdue.WithLabelValues(string(s), string(c)).Inc()
}
