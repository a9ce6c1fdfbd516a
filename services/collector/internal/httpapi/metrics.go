package httpapi

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what an operator sees of the API. Routes are patterns, so that there are as many series as routes.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(reg prometheus.Registerer) (metrics, error) {
	m := metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "taxiway_collector_requests_total", Help: "Requests to the API, by route and status; aborted are answers that broke off.",
		}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "taxiway_collector_request_seconds", Help: "How long requests took, uploads included.",
			Buckets: []float64{0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600},
		}, []string{"method", "route"}),
	}
	for _, c := range []prometheus.Collector{m.requests, m.seconds} {
		if err := reg.Register(c); err != nil {
			return metrics{}, err
		}
	}
	return m, nil
}

func (m metrics) observe(rt Route, status string, took time.Duration) {
	m.requests.WithLabelValues(rt.Method, rt.Path, status).Inc()
	m.seconds.WithLabelValues(rt.Method, rt.Path).Observe(took.Seconds())
}
