package native

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/trace"
)

// Record runs a program and writes its trace. speed is what one core of the
// machine does, in flop/s.
func Record(argv []string, speed float64, out io.Writer) (unix.WaitStatus, error) {
	o := &observer{
		speed: speed, threads: map[int]*thread{}, processes: map[int]*process{}, sockets: map[uint64]*socketOf{},
		listeners: map[uint16]*process{}, connects: map[[2]uint16]int{}, marks: map[string]mark{},
		least: time.Hour,
	}
	status, err := guest.Observe(argv, o)
	if err != nil {
		return status, err
	}
	return status, o.write(out)
}

// observer is the guest.Witness.
type observer struct {
	speed     float64
	threads   map[int]*thread  // those that live, by number
	processes map[int]*process // the same
	actors    []*thread
	sockets   map[uint64]*socketOf // by inode
	made      int                  // sockets so far
	listeners map[uint16]*process  // by port
	connects  map[[2]uint16]int    // sockets that connect, by the ports of both ends
	// marks are the last actions that may have woken somebody, by what waits.
	marks map[string]mark
	// least is the least processor time between two stops: what stops cost.
	least    time.Duration
	programs []*process // those that run a program of their own
}

// process is one, and the host that it is on.
type process struct {
	pid     int
	program string
	// host is the process whose program it runs: itself, or the one that forked.
	host *process
	name string // of the host
}

// thread is an actor.
type thread struct {
	tid     int
	number  int
	process *process
	actions []action
	used    time.Duration // processor time at the last stop
	// The call under way.
	call      int
	arguments [6]uint64
	entered   time.Time
	asked     time.Duration // that it wants to sleep
	subject   *socketOf     // its socket, if it has one
	pipe      string        // or its pipe
	waited    time.Duration
}

// action is a record and what is filled in at the end.
type action struct {
	trace.Record
	used time.Duration // of a computation
	to   *process      // whose host Name is
	wake []int         // the actors for which a mark is
	// client are the ports of both ends of a connection that is accepted.
	client [2]uint16
}

// mark is an action that may have woken somebody.
type mark struct {
	thread *thread
	index  int
}

func (t *thread) add(r trace.Record) int {
	r.Actor = t.number
	t.actions = append(t.actions, action{Record: r})
	return len(t.actions) - 1
}

// do adds an action behind a wait that nothing has explained.
func (t *thread) do(r trace.Record) int {
	if t.waited > 0 {
		t.add(trace.Record{Action: trace.Sleep, Amount: t.waited.Seconds()})
		t.waited = 0
	}
	return t.add(r)
}

// received adds an action that explains the wait.
func (t *thread) received(r trace.Record) {
	t.waited = 0
	t.add(r)
}

func (o *observer) newThread(tid int, p *process) *thread {
	t := &thread{tid: tid, number: len(o.actors), process: p}
	o.threads[tid] = t
	o.actors = append(o.actors, t)
	t.add(trace.Record{Action: trace.Begin, PID: p.pid, TID: tid})
	t.used = guest.ProcessorTime(tid)
	return t
}

// Execs implements guest.Witness.
func (o *observer) Execs(tid int) {
	p := o.processes[tid]
	if p == nil { // the first one
		p = &process{pid: tid}
		o.processes[tid] = p
		o.newThread(tid, p)
	}
	path, rank := guest.Running(tid, trace.RankVariables...)
	// The name that ps shows: a script's own, not its interpreter's.
	comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", tid))
	if p.program, p.host = strings.TrimSpace(string(comm)), p; p.program == "" {
		p.program = filepath.Base(path)
	}
	o.programs = append(o.programs, p)
	if t := o.threads[tid]; t != nil {
		t.do(trace.ExecOf(path, rank))
	}
}

// Clones implements guest.Witness.
func (o *observer) Clones(parent, child int) {
	t := o.threads[parent]
	if t == nil {
		return
	}
	p := t.process
	if group := threadGroup(child); group == child {
		p = &process{pid: child, program: p.program, host: p.host}
		o.processes[child] = p
	}
	c := o.newThread(child, p)
	t.do(trace.Record{Action: trace.Spawn, Peer: c.number})
}

// threadGroup is the process of a thread.
func threadGroup(tid int) int {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	_, rest, _ := strings.Cut(string(status), "Tgid:")
	word, _, _ := strings.Cut(strings.TrimSpace(rest), "\n")
	n, _ := strconv.Atoi(word)
	return n
}

// Exits implements guest.Witness.
func (o *observer) Exits(tid int) {
	t := o.threads[tid]
	if t == nil {
		return
	}
	o.computed(t)
	last := true
	for _, other := range o.threads {
		last = last && (other == t || other.process != t.process)
	}
	if last {
		for _, s := range o.socketsOf(t.process.pid) {
			o.closed(t, s, t.process.pid)
		}
	}
	o.marks[exitKey(t.process.pid)] = mark{t, t.do(trace.Record{Action: trace.Wake})}
	o.marks[joinKey(tid)] = o.marks[exitKey(t.process.pid)]
	t.add(trace.Record{Action: trace.End})
}

func exitKey(pid int) string { return "exit " + strconv.Itoa(pid) }
func joinKey(tid int) string { return "join " + strconv.Itoa(tid) }

// Gone implements guest.Witness.
func (o *observer) Gone(tid int) {
	delete(o.threads, tid)
	delete(o.processes, tid)
}

// computed adds what a thread has computed since the last stop.
func (o *observer) computed(t *thread) {
	now := guest.ProcessorTime(t.tid)
	used := now - t.used
	t.used = now
	if used <= 0 {
		return
	}
	o.least = min(o.least, used)
	if n := len(t.actions); t.actions[n-1].Action == trace.Compute {
		t.actions[n-1].used += used
		t.actions[n-1].Number++
		return
	}
	i := t.add(trace.Record{Action: trace.Compute, Number: 1})
	t.actions[i].used = used
}

// awaits makes a thread wait for whoever did last what may have woken it.
func (o *observer) awaits(t *thread, key string) {
	m, ok := o.marks[key]
	if !ok || m.thread == t {
		return
	}
	m.thread.actions[m.index].wake = append(m.thread.actions[m.index].wake, t.number)
	t.received(trace.Record{Action: trace.Await, Peer: m.thread.number})
}

// marked notes that a thread may wake somebody.
func (o *observer) marked(t *thread, key string) {
	o.marks[key] = mark{t, t.do(trace.Record{Action: trace.Wake})}
}

// write names the hosts, fills in what was left open, and writes the trace.
func (o *observer) write(out io.Writer) error {
	seen := map[string]int{}
	for _, p := range o.programs {
		if p.host != p || p.name != "" {
			continue
		}
		seen[p.program]++
		p.name = p.program
		if n := seen[p.program]; n > 1 {
			p.name = fmt.Sprintf("%s-%d", p.program, n)
		}
	}
	w := trace.NewWriter(out, trace.Header{{"recorded", "native"}, {"network", "tcp"}})
	for _, t := range o.actors {
		for i := range t.actions {
			o.writeAction(w, t, &t.actions[i])
		}
	}
	return w.Flush()
}

func (o *observer) writeAction(w *trace.Writer, t *thread, a *action) {
	switch a.Action {
	case trace.Begin:
		a.Name, a.Label = t.process.host.name, t.process.program
	case trace.Wake:
		for _, actor := range a.wake {
			w.Write(&trace.Record{Actor: t.number, Action: trace.Wake, Peer: actor})
		}
		return
	case trace.Compute:
		// Each stop has cost something that the program does not need.
		a.Amount = (a.used - time.Duration(a.Number)*o.least).Seconds() * o.speed
		if a.Amount <= 0 {
			return
		}
	}
	if a.to != nil {
		a.Name = a.to.host.name
	}
	if number, ok := o.connects[a.client]; ok && a.Action == trace.Accept {
		a.Peer = number
	}
	w.Write(&a.Record)
}
