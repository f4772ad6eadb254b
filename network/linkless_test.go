package network

import (
	"math"
	"testing"

	"github.com/simterpose/simterpose/platform"
)

// distance is a platform of which only latencies are known, as Vivaldi zones
// of hosts without links are.
type distance struct {
	*world
	latency float64
}

func (d distance) AppendRoute(links []*platform.Link, src, dst *platform.Host) ([]*platform.Link, float64, error) {
	return links, d.latency, nil
}

func TestStreamsOverWaysWithoutLinksAreBoundByTheWindow(t *testing.T) {
	w := newWorld(2)
	n := w.network(t, "tcp", func(c *Config) { c.Router = distance{w, 0.05} })
	total, last := 0, 0.0
	d, err := n.Direction(w.hosts[0], w.hosts[1], func(part int) {
		total += part
		last = n.Engine().Now()
	})
	if err != nil {
		t.Fatal(err)
	}
	const size = 100_000_000
	d.Write(size)
	for total < size && !math.IsInf(n.Engine().Next(), 1) {
		n.Engine().AdvanceTo(n.Engine().Next())
	}
	// Nine rounds double ten segments to the window of 4 MiB, whose rate per
	// round trip of 0.1 s, less the headers, then holds: 3.3 s in all.
	if total != size || last < 2 || last > 4 {
		t.Errorf("%d of %d bytes after %v s", total, size, last)
	}
}
