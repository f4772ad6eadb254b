package replay

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/simterpose/simterpose/fluid"
	"github.com/simterpose/simterpose/network"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/trace"
)

// ranks is a replay of MPI ranks.
type ranks struct {
	network  *network.Network
	ranks    []*rank
	boxes    []mailbox
	ready    []*rank
	sleepers []sleeper // who have begun to sleep at this instant
	failure  error
}

// sleeper is a rank and when it goes on.
type sleeper struct {
	rank *rank
	date float64
}

// rank is one of them.
type rank struct {
	run     *ranks
	number  int
	host    *platform.Host
	records []trace.Record
	next    int // the record to do
	steps   []step
	// requests are those that the program has posted and not waited for,
	// posted those of the collective under way.
	requests, posted []*request
	waits            []*request // what it waits for now
	asleep           bool       // computes or sleeps
	queued           bool
	defaultType      int
	end              float64
}

// runRanks replays ranks on their hosts.
func runRanks(t *trace.Trace, hosts []*platform.Host, n *network.Network) ([]*rank, error) {
	run := &ranks{network: n, boxes: make([]mailbox, len(t.Actors))}
	for i, records := range t.Actors {
		r := &rank{run: run, number: i, host: hosts[i], records: records, defaultType: trace.TypeByte}
		run.ranks = append(run.ranks, r)
		run.wake(r)
	}
	engine := n.Engine()
	for {
		for len(run.ready) > 0 && run.failure == nil {
			r := run.ready[0]
			run.ready = run.ready[1:]
			r.queued = false
			if err := r.goOn(); err != nil {
				return nil, err
			}
		}
		run.fallAsleep()
		date := engine.Next()
		if run.failure != nil || math.IsInf(date, 1) || !run.busy() {
			return run.ranks, run.failure
		}
		engine.AdvanceTo(date)
	}
}

// fallAsleep lets those sleep who have begun to at this instant. Of those that wake at
// the same one the last comes first, as in SimGrid 3.32 (CpuCas01::sleep): who sends
// first then can decide how links are shared.
func (r *ranks) fallAsleep() {
	for _, s := range slices.Backward(r.sleepers) {
		r.network.Engine().Wake(s.date, func() {
			s.rank.asleep = false
			r.wake(s.rank)
		})
	}
	r.sleepers = r.sleepers[:0]
}

// busy tells whether some rank can still go on by itself: profiles may change a
// platform for ever.
func (r *ranks) busy() bool {
	if r.network.Engine().Busy() {
		return true
	}
	for _, k := range r.ranks {
		if k.asleep {
			return true
		}
	}
	return false
}

// wake gives a rank a turn at this instant.
func (r *ranks) wake(k *rank) {
	if !k.queued {
		k.queued = true
		r.ready = append(r.ready, k)
	}
}

func (r *ranks) fail(q *request) {
	r.failure = errors.Join(r.failure, fmt.Errorf("rank %d: a message of %g bytes to rank %d is lost with a link or host", q.owner.number, q.size, q.peer))
}

// ended tells whether a rank has done everything.
func (k *rank) ended() bool { return k.next >= len(k.records) }

// goOn does what a rank can do now.
func (k *rank) goOn() error {
	if k.asleep {
		return nil
	}
	for {
		for len(k.waits) > 0 {
			if !k.waits[0].finished() {
				return nil
			}
			k.waits = k.waits[1:]
		}
		var err error
		switch {
		case len(k.steps) > 0:
			s := k.steps[0]
			k.steps = k.steps[1:]
			err = k.step(s)
		case k.ended():
			k.end = k.run.network.Engine().Now()
			return nil
		default:
			r := &k.records[k.next]
			k.next++
			if err = k.do(r); err != nil {
				err = fmt.Errorf("rank %d, action %d (%s): %w", k.number, k.next, r.Action, err)
			}
		}
		if err != nil || k.asleep {
			return err
		}
	}
}

// do begins an action.
func (k *rank) do(r *trace.Record) error {
	switch r.Action {
	case trace.Init:
		if r.Given > 0 {
			k.defaultType = trace.TypeDouble
		}
	case trace.Compute:
		return k.compute(r.Amount)
	case trace.Sleep, trace.Delay:
		k.sleep(r.Amount)
	case trace.Send, trace.Recv, trace.ISend, trace.IRecv:
		return k.message(r)
	case trace.Wait:
		k.await(r)
	case trace.WaitAll:
		k.waits = append(k.waits, k.requests...)
		k.requests = nil
	case trace.Barrier, trace.Bcast, trace.Reduce, trace.AllReduce, trace.AllToAll, trace.Gather, trace.AllGather, trace.Scatter:
		var err error
		k.steps, err = k.collective(r)
		return err
	}
	// The others take no time: SMPI does nothing for them either, but for
	// test, whose outcome the trace does not tell.
	return nil
}

// message posts a send or a receive.
func (k *rank) message(r *trace.Record) error {
	size, err := k.sizeOf(r.Type)
	if err != nil {
		return err
	}
	sends := r.Action == trace.Send || r.Action == trace.ISend
	if r.Peer >= len(k.run.ranks) || sends && r.Peer < 0 {
		return fmt.Errorf("a rank below %d expected, found %d", len(k.run.ranks), r.Peer)
	}
	q := &request{owner: k, sends: sends, peer: r.Peer, tag: r.Tag, size: max(r.Amount, 0) * size}
	if r.Action == trace.ISend || r.Action == trace.IRecv {
		k.requests = append(k.requests, q)
	} else {
		k.waits = append(k.waits, q)
	}
	return k.run.post(q)
}

// await waits for the oldest request of a source, a destination and a tag. A
// trace may wait for what a test has seen done already.
func (k *rank) await(r *trace.Record) {
	for i, q := range k.requests {
		source, destination := q.peer, k.number
		if q.sends {
			source, destination = k.number, q.peer
		}
		if source == r.From && destination == r.Peer && q.tag == r.Tag {
			k.waits = append(k.waits, q)
			k.requests = append(k.requests[:i:i], k.requests[i+1:]...)
			return
		}
	}
}

// step does a step of a collective.
func (k *rank) step(s step) error {
	switch s.kind {
	case stepWait:
		k.waits = append(k.waits, k.posted...)
		k.posted = nil
		return nil
	case stepCompute:
		return k.compute(s.size)
	}
	q := &request{
		owner: k, sends: s.kind == stepSend || s.kind == stepPostSend, peer: s.peer, internal: true, size: s.size,
	}
	if s.kind == stepSend || s.kind == stepReceive {
		k.waits = append(k.waits, q)
	} else {
		k.posted = append(k.posted, q)
	}
	return k.run.post(q)
}

func (k *rank) compute(flops float64) error {
	if flops <= 0 {
		return nil
	}
	k.asleep = true
	a := &fluid.Action{Ended: func(_ *fluid.Action, how fluid.State) {
		k.asleep = false
		if how == fluid.Failed {
			k.run.failure = errors.Join(k.run.failure, fmt.Errorf("rank %d: its host %s is turned off", k.number, k.host.Name))
			return
		}
		k.run.wake(k)
	}}
	return k.run.network.CPU(k.host).Execute(a, flops, 1, 0)
}

func (k *rank) sleep(seconds float64) {
	if seconds <= 0 {
		return
	}
	k.asleep = true
	k.run.sleepers = append(k.run.sleepers, sleeper{k, k.run.network.Engine().Now() + seconds})
}
