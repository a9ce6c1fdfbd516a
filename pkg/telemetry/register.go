package telemetry

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// Counters registers a counter with labels; see Register.
func Counters(reg prometheus.Registerer, name, help string, labels ...string) *prometheus.CounterVec {
	return Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels))
}

// Seconds registers a histogram of durations with labels; see Register. The buckets are upper limits in seconds.
func Seconds(
	reg prometheus.Registerer,
	name, help string,
	buckets []float64,
	labels ...string,
) *prometheus.HistogramVec {
	return Register(
		reg,
		prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels),
	)
}

// Register registers a metric, or returns the one that is registered under its name already: services that share a
// process share their metrics. It panics when the name is taken by another kind of metric, as prometheus.MustRegister
// does. All metrics are registered here.
func Register[C prometheus.Collector](reg prometheus.Registerer, c C) C {
	err := reg.Register(c)
	if known, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		return known.ExistingCollector.(C)
	}
	if err != nil {
		panic(err) // the names are taken by other metrics: a programming error
	}
	return c
}
