package emulator

import (
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"time"

	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/kernel"
	"github.com/simterpose/simterpose/kernel/pipe"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
	"github.com/simterpose/simterpose/trace"
)

// recorder writes what the guests do as a trace that can be replayed elsewhere.
// What a thread does between two of its actions is either the cost of calls
// (delay) or computation; what ends a wait is something that came over the
// network, a thread of the same host, or time. A nil recorder does nothing.
type recorder struct {
	out     *trace.Writer
	queue   *sim.Queue
	hostAt  func(netip.Addr) *platform.Host
	actors  int
	sockets int
	// current is the thread that runs or dies, nil between turns.
	current *thread
	// connects are the sockets that connect, by their ends; senders those that
	// have sent datagrams, by their port.
	connects map[way]int
	senders  map[end]int
	pipes    map[*pipe.Pipe]*channel
	// notified is the last socket whose state has changed, and when.
	notified   *recorded
	events     waiter.Mask
	notifiedAt sim.Time
}

// actor is what the recorder knows of a thread.
type actor struct {
	number int
	// mark is up to when all that the thread did is written or pending.
	mark sim.Time
	// What is pending: simulated time of calls, and flops.
	delay sim.Time
	flops float64
	// span is the simulated time that both took.
	span sim.Time
	// awaits tells that the network may have ended the thread's last wait, or
	// that it polls: the read that follows stands for the wait, which began at
	// since and took gap.
	awaits     bool
	since, gap sim.Time
	// ready is the socket that ended the wait, as far as is known, by events.
	ready  int
	events waiter.Mask
	// position is how many bytes of the stream had come.
	position int
	// expired tells that it ended by its timeout.
	expired bool
	// parked tells that it waits, watches that it does for files.
	parked, watches bool
	ended           bool
}

func newRecorder(out io.Writer, q *sim.Queue, p *platform.Platform, header trace.Header) *recorder {
	return &recorder{
		out: trace.NewWriter(out, header), queue: q, hostAt: p.HostByAddress,
		connects: map[way]int{}, senders: map[end]int{}, pipes: map[*pipe.Pipe]*channel{},
	}
}

// turn notes whose turn it is; nil when it is over.
func (r *recorder) turn(th *thread) {
	if r != nil {
		r.current = th
	}
}

// of is the actor of a thread.
func (r *recorder) of(th *thread) *actor {
	if th.actor == nil {
		th.actor = &actor{number: r.actors, mark: r.queue.Now()}
		r.actors++
		p := th.task.Process()
		seconds := 0.0
		if r.current == nil {
			seconds = r.queue.Now().Seconds()
		}
		r.out.Write(&trace.Record{
			Actor: th.actor.number, Action: trace.Begin, Amount: seconds,
			Name: th.host.name, Label: p.Name, PID: p.PID, TID: th.task.ID,
		})
	}
	return th.actor
}

// started notes a process that the experiment starts.
func (r *recorder) started(th *thread) {
	if r != nil {
		r.of(th)
	}
}

// cloned notes a thread or process that another one starts.
func (r *recorder) cloned(parent, child *thread) {
	if r == nil {
		return
	}
	r.action(parent, &trace.Record{Action: trace.Spawn, Peer: r.of(child).number})
}

// catchUp makes what has passed since the mark pending.
func (r *recorder) catchUp(a *actor) {
	if now := r.queue.Now(); now > a.mark && !a.parked {
		a.delay += now - a.mark
		a.span += now - a.mark
		a.mark = now
	}
}

// flush writes what is pending.
func (r *recorder) flush(a *actor) {
	if a.awaits {
		// No read has explained the wait.
		a.awaits = false
		if a.ready != 0 {
			r.out.Write(&trace.Record{
				Actor: a.number, Action: trace.Ready, Socket: a.ready, Flags: int(a.events), Amount: float64(a.position), Given: 2 + min(a.position, 1),
			})
		} else {
			r.timed(a, trace.Sleep, a.gap)
		}
	}
	if a.flops > 0 {
		r.out.Write(&trace.Record{Actor: a.number, Action: trace.Compute, Amount: a.flops})
		a.flops = 0
	}
	r.timed(a, trace.Delay, a.delay)
	a.delay, a.span = 0, 0
}

func (r *recorder) timed(a *actor, action trace.Action, d sim.Time) {
	if d > 0 {
		r.out.Write(&trace.Record{Actor: a.number, Action: action, Amount: d.Seconds()})
	}
}

// action writes an action after all that came before.
func (r *recorder) action(th *thread, record *trace.Record) {
	a := r.of(th)
	r.catchUp(a)
	r.flush(a)
	record.Actor = a.number
	r.out.Write(record)
}

// waited tells whether the current thread has just waited, and it is not known
// for what.
func (r *recorder) waited() bool {
	if r.current == nil {
		return false
	}
	a := r.of(r.current)
	return a.awaits && !a.expired && a.ready == 0
}

// received writes an action that waits for the network: it stands for the wait
// that has just ended, so what the thread did since comes after it.
func (r *recorder) received(th *thread, record *trace.Record) {
	a := r.of(th)
	r.catchUp(a)
	if !a.awaits || a.expired || a.ready != 0 {
		// It did not wait, or what is read had come before the wait was over,
		// or it is known what ended the wait.
		r.flush(a)
	}
	a.awaits = false
	record.Actor = a.number
	r.out.Write(record)
}

// polled notes that a call was one of a row of polls that find nothing.
func (r *recorder) polled(th *thread) {
	a := r.of(th)
	r.catchUp(a)
	r.waits(a)
	a.gap = a.mark - a.since
}

// parks notes that a thread waits.
func (r *recorder) parks(th *thread) {
	if r == nil {
		return
	}
	a := r.of(th)
	r.catchUp(a)
	r.waits(a)
	a.parked, a.watches = true, th.task.Watches()
}

// busyPolls is how many polls in a row that find nothing are a wait: fewer are
// calls like others.
const busyPolls = 8

// What a thread does between two waits that are one takes at most betweenPolls,
// or this part of the wait: more is work of its own.
const (
	betweenPolls = sim.Time(20 * time.Microsecond)
	partOfWait   = 10
)

// waits notes that a wait begins, or goes on if the last one was of no use: what
// was done in between took none but the time of the wait.
func (r *recorder) waits(a *actor) {
	a.expired, a.ready = false, 0
	if a.awaits && a.span <= max(betweenPolls, a.gap/partOfWait) {
		a.delay, a.flops, a.span = 0, 0, 0
		return
	}
	r.flush(a)
	a.since, a.gap = a.mark, 0
	a.awaits = true
}

// woken notes the end of a wait.
func (r *recorder) woken(th *thread) {
	if r == nil || th.actor == nil || !th.actor.parked {
		return
	}
	a := th.actor
	a.parked = false
	a.mark = r.queue.Now()
	a.gap = a.mark - a.since
	a.expired = th.task.Expired() && th.task.Polls() < busyPolls
	switch waker := r.current; {
	case waker != nil && waker != th && waker.host == th.host:
		a.awaits = false
		number := r.of(waker).number
		r.action(waker, &trace.Record{Action: trace.Wake, Peer: a.number})
		r.out.Write(&trace.Record{Actor: a.number, Action: trace.Await, Peer: number})
	case a.expired && !a.watches:
		r.flush(a)
	case waker == nil && !a.expired && th.task.Polls() < busyPolls && r.notifiedAt == a.mark:
		a.ready, a.events, a.position = r.notified.number, r.events, r.notified.arrived(&r.events)
		a.events = r.events
	}
	// Else something may have come over the network, as a read will tell. If
	// none does, it was a timer. A wait for files that ended by its timeout goes
	// on in the next one, unless the thread does something else before.
}

// computes notes a computation.
func (r *recorder) computes(th *thread, flops float64) {
	if r != nil {
		a := r.of(th)
		r.catchUp(a)
		a.flops += flops
	}
}

// computed notes that it is over.
func (r *recorder) computed(th *thread) {
	if r != nil {
		a, now := r.of(th), r.queue.Now()
		a.span += now - a.mark
		a.mark = now
	}
}

// dies notes that threads are about to be gone: what they leave is the first's
// doing. It returns whose turn it was.
func (r *recorder) dies(threads []*thread) (before *thread) {
	if r == nil {
		return nil
	}
	before = r.current
	for _, th := range threads {
		r.woken(th)
	}
	if len(threads) > 0 {
		r.current = threads[0]
	}
	return before
}

// died notes the end of threads.
func (r *recorder) died(threads []*thread, before *thread) {
	if r == nil {
		return
	}
	for _, th := range threads {
		if a := th.actor; a != nil && !a.ended {
			r.action(th, &trace.Record{Action: trace.End})
			a.ended = true
		}
	}
	r.current = before
}

// close writes what is pending of a thread that still runs.
func (r *recorder) close(th *thread) {
	if a := th.actor; a != nil && !a.ended && !a.parked {
		r.catchUp(a)
		r.flush(a)
	}
}

// recordHeader says how the trace is recorded.
func (w *world) recordHeader() trace.Header {
	e := w.experiment
	h := trace.Header{
		{"experiment", e.Name},
		{"network", e.Network.Model},
		{"seed", strconv.FormatUint(e.Seed, 10)},
		{"cpu", e.CPU.Model},
	}
	if e.Network.HandshakeFree {
		h = append(h, [2]string{"handshake", "free"})
	}
	return h
}

// recorded is a host's stack, as its guests use it.
func (w *world) recorded(h *host) kernel.Stack {
	if w.record == nil {
		return h.stack
	}
	return recordedStack{h.stack, h, w.record}
}

// endRecord writes what is pending.
func (w *world) endRecord() error {
	if w.record == nil {
		return nil
	}
	for _, p := range w.kernel.Processes() {
		for _, th := range w.threadsOf(p.Tasks()) {
			w.record.close(th)
		}
	}
	if err := w.record.out.Flush(); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return nil
}

// threadsOf are the emulator's sides of tasks, nil when nothing is recorded.
func (l *loop) threadsOf(tasks []*kernel.Task) []*thread {
	if l.record == nil {
		return nil
	}
	threads := make([]*thread, 0, len(tasks))
	for _, t := range tasks {
		threads = append(threads, l.threadOf(t))
	}
	return threads
}

// execed notes that a process runs another program.
func (r *recorder) execed(th *thread) {
	if r == nil {
		return
	}
	record := trace.ExecOf(guest.Running(th.task.TID, trace.RankVariables...))
	r.action(th, &record)
}
