package testguests

import (
	"fmt"
	"math"
	"testing"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

// TestPrototypesFigure repeats the one experiment of which the original
// prototype's result is known: five exchanges of 128 bytes and 128 bytes over a
// link of 1e9 B/s and 500 us, begun at 3 s, end at 3.065051 s under LV08. The
// calls of the guests add some microseconds.
func TestPrototypesFigure(t *testing.T) {
	exchange := program(t, "pairs/exchange.c")
	file := experiment(t, fmt.Sprintf(`platform:
  hosts: [{name: Tremblay, speed: 98.095Mf}, {name: Jupiter, speed: 76.296Mf}]
  links: [{name: link, bandwidth: 1e9Bps, latency: 5e-4s}]
  routes: [{from: Tremblay, to: Jupiter, links: [link]}]
network: {model: LV08, handshake: free}
processes:
  - {host: Tremblay, name: server, command: [%[1]s, server, send, "4000", "5", "128"]}
  - {host: Jupiter, name: client, start: 3s, command: [%[1]s, client, send, Tremblay, "4000", "5", "128"]}
`, exchange))
	r := lab.Experiment(t, file)
	finish(t, r)
	const want, calls = 3.065051, 20e-6
	for _, p := range r.Summary.Processes {
		if p.Name == "client" && (p.End == nil || math.Abs(*p.End-want) > calls) {
			t.Errorf("the client ended at %v s, want %v", *p.End, want)
		}
	}
}
