package replay

import (
	"errors"
	"fmt"
	"maps"
	"slices"
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
	}
	if err := o.checkMap(t, threads); err != nil {
		return nil, err
	}
	if threads {
		return runThreads(t, o)
	}
	return replayRanks(t, o)
}

// checkMap wants each host that is mapped to be one of the trace, since a name with
// a mistake would leave a host of the same name on both sides where it is.
func (o *Options) checkMap(t *trace.Trace, threads bool) error {
	known := map[string]bool{}
	for i, records := range t.Actors {
		if !threads {
			known[strconv.Itoa(i)] = true
			continue
		}
		for k := range records {
			switch r := &records[k]; r.Action {
			case trace.Begin, trace.Bind, trace.Connect, trace.SendTo:
				known[r.Name] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Map)) {
		if !known[name] {
			return fmt.Errorf("no host or rank %q in the trace, which is mapped to %q", name, o.Map[name])
		}
	}
	return nil
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
		Model: o.Model, Hosts: o.Platform.Hosts, Links: &o.Platform.Links, Router: o.Platform,
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
