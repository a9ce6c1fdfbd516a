package natsbroker

import (
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// On a cluster the list of consumers may be short of one, name another twice, and hold one that has no leader.
func TestFloorNeedsEveryConsumer(t *testing.T) {
	t.Parallel()
	const last = 100
	idle := func(name, leader string) *jetstream.ConsumerInfo {
		return &jetstream.ConsumerInfo{Name: name, Cluster: &jetstream.ClusterInfo{Leader: leader}}
	}
	behind := idle("b", "n1")
	behind.NumPending = 5
	behind.AckFloor.Stream = 40
	alone := &jetstream.ConsumerInfo{Name: "a"} // of a server without a cluster
	for name, c := range map[string]struct {
		listed []*jetstream.ConsumerInfo
		have   int
		want   uint64
	}{
		"nobody":             {nil, 0, 0},
		"all are done":       {[]*jetstream.ConsumerInfo{idle("a", "n1"), idle("b", "n2")}, 2, last},
		"one server":         {[]*jetstream.ConsumerInfo{alone}, 1, last},
		"one is behind":      {[]*jetstream.ConsumerInfo{idle("a", "n1"), behind}, 2, 40},
		"one is left out":    {[]*jetstream.ConsumerInfo{idle("a", "n1")}, 2, 0},
		"one is there twice": {[]*jetstream.ConsumerInfo{idle("a", "n1"), idle("a", "n1")}, 2, 0},
		"no leader":          {[]*jetstream.ConsumerInfo{idle("a", "n1"), idle("b", "")}, 2, 0},
		"one is new":         {[]*jetstream.ConsumerInfo{idle("a", "n1"), idle("b", "n2")}, 1, last},
	} {
		if got := floorOf(c.listed, c.have, last); got != c.want {
			t.Errorf("%s: up to %d, want %d", name, got, c.want)
		}
	}
}
