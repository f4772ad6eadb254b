package replay

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/simterpose/simterpose/network"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
	"github.com/simterpose/simterpose/trace"
)

// Options say where a trace is replayed.
type Options struct {
	Platform *platform.Platform
	Model    network.Model
	Seed     uint64
	// HandshakeFree lets connections cost no round trip.
	HandshakeFree bool
	// Map gives the host of the platform for a host of the trace, or for the
	// number of a rank.
	Map map[string]string
}

// Actor is what became of a rank or a process.
type Actor struct {
	Name, Host string
	// Start and End are in seconds; End is when it stopped for an actor that
	// did not end.
	Start, End float64
	// Blocked is the action at which an actor waits in vain, "" if it ended.
	Blocked string
}

// Result is what came of a replay.
type Result struct {
	Actors []Actor
	// Makespan is when the last actor ended, in seconds.
	Makespan float64
	// Warnings tell of what the platform did not let happen.
	Warnings []string
}

// Run replays a trace.
func Run(t *trace.Trace, o Options) (*Result, error) {
	threads, ranks := false, false
	for _, records := range t.Actors {
		for i := range records {
			switch a := records[i].Action; {
			case a.OfThreads():
				threads = true
			case a != trace.Compute && a != trace.Sleep:
				ranks = true
			}
		}
	}
	switch {
	case len(t.Actors) == 0:
		return nil, errors.New("a trace with at least one action expected, found none")
	case threads && ranks:
		return nil, errors.New("a trace of MPI ranks or one of threads expected, found actions of both")
	case threads:
		return runThreads(t, o)
	}
	return replayRanks(t, o)
}

func replayRanks(t *trace.Trace, o Options) (*Result, error) {
	hosts := make([]*platform.Host, len(t.Actors))
	if len(o.Platform.Hosts) == 0 {
		return nil, errors.New("a platform with at least one host expected, found none")
	}
	for i := range hosts {
		// As smpirun: round robin over the hosts, in their order.
		hosts[i] = o.Platform.Hosts[i%len(o.Platform.Hosts)]
		if name, ok := o.Map[strconv.Itoa(i)]; ok {
			if hosts[i] = o.Platform.Host(name); hosts[i] == nil {
				return nil, fmt.Errorf("no host %q in the platform", name)
			}
		}
	}
	n := network.New(network.Config{
		Model: o.Model, Hosts: o.Platform.Hosts, Links: o.Platform.Links, Router: o.Platform,
		Seed: sim.NewSource(o.Seed), AsSimGrid: o.Model.Name != "tcp",
	})
	ended, err := runRanks(t, hosts, n)
	if err != nil {
		return nil, err
	}
	result := &Result{}
	for i, k := range ended {
		a := Actor{Name: "rank " + strconv.Itoa(i), Host: hosts[i].Name, End: k.end}
		if !k.ended() || len(k.waits) > 0 || len(k.steps) > 0 {
			a.End = n.Engine().Now()
			a.Blocked = k.records[max(k.next-1, 0)].String()
		}
		result.Actors = append(result.Actors, a)
		result.Makespan = max(result.Makespan, a.End)
	}
	return result, nil
}

// Blocked counts the actors that did not end.
func (r *Result) Blocked() (n int) {
	for _, a := range r.Actors {
		if a.Blocked != "" {
			n++
		}
	}
	return n
}
