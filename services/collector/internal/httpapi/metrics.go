package httpapi

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"taxiway.example/pkg/telemetry"
)

// metrics are what an operator sees of the API. Routes are patterns, so that there are as many series as routes.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(reg prometheus.Registerer) metrics {
	return metrics{
		requests: telemetry.Counters(
			reg,
			"taxiway_collector_requests_total",
			"Requests to the API, by route and status; aborted are answers that broke off.",
			"method",
			"route",
			"status",
		),
		seconds: telemetry.Seconds(
			reg,
			"taxiway_collector_request_seconds",
			"How long requests took, uploads included.",
			[]float64{0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600},
			"method",
			"route",
		),
	}
}

func (m metrics) observe(rt Route, status string, took time.Duration) {
	m.requests.WithLabelValues(rt.Method, rt.Path, status).Inc()
	m.seconds.WithLabelValues(rt.Method, rt.Path).Observe(took.Seconds())
}
