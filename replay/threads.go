package replay

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/simterpose/simterpose/fluid"
	"github.com/simterpose/simterpose/kernel/inet"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/network"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
	"github.com/simterpose/simterpose/trace"
)

// threads is a replay of threads.
type threads struct {
	queue    *sim.Queue
	network  *network.Network
	stacks   *inet.Network
	options  Options
	source   sim.Source
	hosts    map[string]*host
	byOwn    map[netip.Addr]*host
	actors   []*actor
	sockets  map[int]*socketState
	pipes    map[int]*pipe
	wakes    map[[2]int]int // by waker and woken
	accepted map[int]bool   // sockets whose connection is accepted
	// refused are the actors that wait for a listener.
	refused  []*actor
	zeros    []byte
	left     int
	progress int
	failure  error
	warnings []string
}

// host is one of the trace, which runs on one of the platform. It has addresses
// of its own, so that two may be on the same.
type host struct {
	name      string
	simulated *platform.Host
	stack     *inet.Stack
	four, six netip.Addr
}

// actor is a thread.
type actor struct {
	run     *threads
	number  int
	host    *host
	records []trace.Record
	next    int
	turn    sim.Event
	entry   waiter.Entry // in the queue of the socket that it waits for
	// spawned tells that another thread lets it begin, held that it has not.
	spawned, held bool
	// busy is a sleep, until an instant, or a computation, until it is over.
	busy, over bool
	until      sim.Time
	activity   fluid.Action
	moved      int // bytes of a read or write done so far
	size       int // of a write
	ended      bool
	start, end sim.Time
}

// runThreads replays a trace of threads.
func runThreads(t *trace.Trace, o Options) (*Result, error) {
	r := &threads{
		queue: &sim.Queue{}, options: o, source: sim.NewSource(o.Seed), hosts: map[string]*host{}, byOwn: map[netip.Addr]*host{},
		sockets: map[int]*socketState{}, pipes: map[int]*pipe{}, wakes: map[[2]int]int{}, accepted: map[int]bool{},
	}
	r.network = network.New(network.Config{
		Model: o.Model, Hosts: o.Platform.Hosts, Links: &o.Platform.Links, Router: o.Platform, Seed: r.source, HandshakeFree: o.HandshakeFree,
	})
	r.network.Attach(r.queue)
	r.stacks = inet.NewNetwork(r.queue, carrier{network.Addressed{Network: r.network, HostAt: r.hostAt}})
	if err := r.build(t); err != nil {
		return nil, err
	}
	r.loop()
	if r.failure != nil {
		return nil, r.failure
	}
	return r.result(), nil
}

// build makes the hosts and the actors.
func (r *threads) build(t *trace.Trace) error {
	for i, records := range t.Actors {
		a := &actor{run: r, number: i, records: records}
		a.turn.Fire = a.goOn
		a.entry.Interest = waiter.In | waiter.Out | waiter.RdHup
		a.entry.Wake = func(waiter.Mask) {
			a.entry.Remove()
			r.wake(a)
		}
		a.activity.Ended = a.computed
		r.actors = append(r.actors, a)
		if len(records) == 0 {
			a.ended = true
			continue
		}
		if records[0].Action != trace.Begin {
			return fmt.Errorf("actor %d: begin expected as its first action, found %s", i, records[0].Action)
		}
		h, err := r.hostOf(records[0].Name)
		if err != nil {
			return err
		}
		a.host = h
		r.left++
	}
	most := 0.0
	for i, a := range r.actors {
		for k := range a.records {
			record := &a.records[k]
			switch record.Action {
			case trace.Spawn, trace.Wake, trace.Await:
				if record.Peer < 0 || record.Peer >= len(r.actors) || len(r.actors[record.Peer].records) == 0 {
					return fmt.Errorf("actor %d, action %d (%s): no actor %d in the trace", i, k+1, record.Action, record.Peer)
				}
				if record.Action == trace.Spawn {
					r.actors[record.Peer].spawned = true
				}
			case trace.Accept:
				r.accepted[record.Peer] = true
			case trace.Write, trace.SendTo:
				most = max(most, record.Amount)
			}
		}
	}
	r.zeros = make([]byte, int(min(most, longestSend)))
	for _, a := range r.actors {
		switch {
		case a.ended:
		case a.spawned:
			a.held = true
		default:
			r.queue.Schedule(&a.turn, duration(a.records[0].Amount))
		}
	}
	return nil
}

// longestSend is how many bytes are handed to a socket at a time.
const longestSend = 16 << 20

// hostOf returns the host of a trace with a name, made when it is first met.
func (r *threads) hostOf(name string) (*host, error) {
	if h := r.hosts[name]; h != nil {
		return h, nil
	}
	there := name
	if to, ok := r.options.Map[name]; ok {
		there = to
	}
	p := r.options.Platform.Host(there)
	if p == nil {
		return nil, fmt.Errorf("no host %q in the platform for the trace's host %q (--map %s=HOST says which it is)", there, name, name)
	}
	n := len(r.hosts) + 1
	six := [16]byte{0: 0xfd, 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)}
	h := &host{
		name: name, simulated: p,
		four: netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), six: netip.AddrFrom16(six),
	}
	r.hosts[name] = h
	r.byOwn[h.four], r.byOwn[h.six] = h, h
	h.stack = r.stacks.NewStack(inet.Config{
		Name: name, Addresses: []netip.Addr{h.four, h.six}, Random: r.source.Stream("ports " + name),
		Realtime: func() int64 { return int64(r.queue.Now()) },
	})
	return h, nil
}

// hostAt is the platform's host behind an address.
func (r *threads) hostAt(a netip.Addr) *platform.Host {
	if h := r.byOwn[a]; h != nil {
		return h.simulated
	}
	return nil
}

// carrier is the network as the stacks want it.
type carrier struct{ network.Addressed }

func (c carrier) Direction(src, dst netip.Addr, arrived func(n int)) (inet.Direction, error) {
	d, err := c.Open(src, dst, arrived)
	if err != nil {
		return nil, carrierError(err)
	}
	return d, nil
}

func (c carrier) Packet(src, dst netip.Addr, size int, reliable bool, arrive func()) error {
	return carrierError(c.Addressed.Packet(src, dst, size, reliable, arrive))
}

func carrierError(err error) error {
	switch {
	case errors.Is(err, network.ErrNoHost):
		return inet.ErrNoHost
	case errors.Is(err, platform.ErrNoRoute):
		return inet.ErrNoRoute
	}
	return err
}

// idleSteps is after how many events in which no actor goes on those that are
// left are given up: keep-alives and profiles may go on for ever.
const idleSteps = 1_000_000

func (r *threads) loop() {
	for idle, progress := 0, 0; r.left > 0 && r.failure == nil && idle < idleSteps; idle++ {
		if !r.queue.Step() {
			break
		}
		if r.progress != progress {
			idle, progress = 0, r.progress
		}
	}
}

// wake gives an actor a turn at this instant.
func (r *threads) wake(a *actor) {
	if !a.turn.Scheduled() && !a.ended {
		r.queue.Schedule(&a.turn, r.queue.Now())
	}
}

// duration is a number of seconds of a trace, which has nanoseconds.
func duration(seconds float64) sim.Time {
	if seconds >= float64(sim.Never)/float64(time.Second) {
		return sim.Never
	}
	return sim.Time(math.Round(seconds * float64(time.Second)))
}

// goOn is an actor's turn.
func (a *actor) goOn() {
	r := a.run
	for a.next < len(a.records) {
		record := &a.records[a.next]
		done, err := a.do(record)
		if err != nil {
			r.failure = fmt.Errorf("actor %d, action %d (%s): %w", a.number, a.next+1, record, err)
			return
		}
		if !done {
			return
		}
		r.progress++
		a.next++
		a.busy, a.over, a.moved = false, false, 0
	}
	a.ended, a.end = true, r.queue.Now()
	r.left--
}

// do carries an action out, or begins to; it is called again when the actor is
// woken. It tells whether the action is done.
func (a *actor) do(record *trace.Record) (done bool, err error) {
	r := a.run
	switch record.Action {
	case trace.Begin:
		a.start = r.queue.Now()
	case trace.Delay, trace.Sleep:
		if !a.busy {
			a.busy, a.until = true, r.queue.Now()+duration(record.Amount)
			r.queue.Schedule(&a.turn, a.until)
		}
		return r.queue.Now() >= a.until, nil
	case trace.Compute:
		return a.compute(record.Amount)
	case trace.Spawn:
		child := r.actors[record.Peer]
		if child.held {
			child.held = false
			r.wake(child)
		}
	case trace.Wake:
		r.wakes[[2]int{a.number, record.Peer}]++
		if woken := r.actors[record.Peer]; woken.awaits(a.number) {
			r.wake(woken)
		}
	case trace.Await:
		key := [2]int{record.Peer, a.number}
		if r.wakes[key] == 0 {
			return false, nil
		}
		r.wakes[key]--
	case trace.Put:
		p := r.pipeAt(record.Peer)
		p.inside += record.Amount
		r.wakeAll(&p.waiting)
	case trace.Get:
		p := r.pipeAt(record.Peer)
		if p.inside < record.Amount {
			p.waiting = append(p.waiting, a)
			return false, nil
		}
		p.inside -= record.Amount
	case trace.End, trace.Exec:
	default:
		return a.doSocket(record)
	}
	return true, nil
}

// pipe is one of the trace.
type pipe struct {
	inside  float64 // bytes
	waiting []*actor
}

// pipeAt returns a pipe by its number.
func (r *threads) pipeAt(number int) *pipe {
	p := r.pipes[number]
	if p == nil {
		p = &pipe{}
		r.pipes[number] = p
	}
	return p
}

// awaits tells whether an actor waits for another one now.
func (a *actor) awaits(waker int) bool {
	if a.held || a.next >= len(a.records) {
		return false
	}
	record := &a.records[a.next]
	return record.Action == trace.Await && record.Peer == waker
}

func (a *actor) compute(flops float64) (done bool, err error) {
	if a.busy || flops <= 0 {
		return a.over || flops <= 0, nil
	}
	a.busy = true
	return false, a.run.network.Compute(a.host.simulated, &a.activity, flops)
}

// computed is the end of a computation.
func (a *actor) computed(_ *fluid.Action, how fluid.State) {
	if how == fluid.Failed {
		a.run.failure = fmt.Errorf("actor %d computes on host %s, which is turned off", a.number, a.host.simulated.Name)
		return
	}
	a.over = true
	a.run.wake(a)
}

// result sums the replay up, by processes.
func (r *threads) result() *Result {
	type process struct {
		host *host
		pid  int
	}
	result := &Result{Warnings: r.warnings}
	index := map[process]int{}
	for _, a := range r.actors {
		if len(a.records) == 0 {
			continue
		}
		begin := &a.records[0]
		key := process{a.host, begin.PID}
		i, ok := index[key]
		if !ok {
			i = len(result.Actors)
			index[key] = i
			result.Actors = append(result.Actors, Actor{
				Name: fmt.Sprintf("%s/%s[%d]", a.host.name, begin.Label, begin.PID), Host: a.host.simulated.Name,
				Start: a.start.Seconds(),
			})
		}
		p := &result.Actors[i]
		if !a.ended {
			a.end = r.queue.Now()
			p.Blocked = a.records[a.next].String()
		}
		p.Start, p.End = min(p.Start, a.start.Seconds()), max(p.End, a.end.Seconds())
		result.Makespan = max(result.Makespan, p.End)
	}
	return result
}
