package kernel

import (
	"encoding/binary"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/futex"
	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/transit"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
)

// Task is a thread of a guest.
type Task struct {
	TID int // the machine's number
	ID  int // the number that guests see

	process    *Process
	files      *descriptorTable
	cred       *credentials
	scheduling scheduling
	// becoming are the credentials of the program that the task executes.
	becoming       *credentials
	becomingSecure bool
	// clearChildTID is where the kernel writes 0, and wakes a futex, when the
	// thread ends (set_tid_address(2)).
	clearChildTID uint64

	call     call
	pins     pins
	restart  restart
	parking  parking
	span     span
	shipment shipment
	staged   *transit.Pair // has bytes that the task's call has written ahead
	probe
	futex futex.Waiter
	owner futex.Owner

	// afterwards are signals that the current call sends natively and whose
	// effect on parked tasks is looked at when the kernel has carried it out.
	afterwards []signalSent

	// signalDue: a signal for the task was sent when it did not wait. If it was in
	// a call that had not begun to wait yet, the kernel cannot deliver it before the
	// call ends.
	signalDue bool

	idle    int // calls in a row that polled in vain
	cpu     cpuAccount
	touched []touch // files that the current call may change
	unlocks bool    // the current call frees a file lock
	dead    bool
	// Data belongs to the emulator.
	Data any
}

// call is the system call that a task is in.
type call struct {
	number    int
	arguments [6]uint64
	entered   sim.Time

	// What a handler notes from one time it is called to the next.
	again    bool     // it is not the first time
	deadline sim.Time // of a wait with a timeout; sim.Never if none
	calendar int64    // the reading of the calendar clock that the deadline stands for; 0: none
	timedOut bool
	idling   bool // it need not wait at all (see idlePause)
	done     int  // bytes moved so far
	state    any
}

// restart remembers a call that was interrupted and that the kernel may start
// again, so that its timeout is not counted twice.
type restart struct {
	number    int
	arguments [6]uint64
	deadline  sim.Time
	calendar  int64
	valid     bool
}

// parking is how a parked task is woken.
type parking struct {
	parked      bool
	entries     []waiter.Entry
	used        int
	timer       sim.Event
	interrupted unix.Errno // what a signal makes of the call; 0: not interruptible
	mask        uint64     // replaces the thread's blocked signals while it waits
	masked      bool
	// waitsOn and waitsFor tell of what the task waits for, for the table of
	// blocked guests.
	waitsOn   socket.File
	waitsFor  string
	remaining uint64 // where the call stores the time left when interrupted
	timeval   bool   // as a struct timeval
	// settled is the outcome when something else than the handler decided it.
	settled  bool
	outcome  Outcome
	onUnpark func()
	// onAbandon undoes what a call has done so far, if it ends without its
	// handler.
	onAbandon func()
}

// Process is the thread's process.
func (t *Task) Process() *Process { return t.process }

// Dead tells that the thread is gone.
func (t *Task) Dead() bool { return t.dead }

// IsParked tells that the task waits in a call.
func (t *Task) IsParked() bool { return t.parking.parked }

// Deadline is when the wait of a parked task ends by itself; sim.Never if it does
// not.
func (t *Task) Deadline() sim.Time {
	if t.parking.parked && t.parking.timer.Scheduled() {
		return t.parking.timer.When()
	}
	return sim.Never
}

// Watches tells that the parked task waits for files.
func (t *Task) Watches() bool { return t.parking.used > 0 }

// Expired tells that the wait of the task's call has ended by itself.
func (t *Task) Expired() bool { return t.call.timedOut }

func (t *Task) kernel() *Kernel { return t.process.host.kernel }
func (t *Task) host() *Host     { return t.process.host }

func (t *Task) arg(i int) uint64  { return t.call.arguments[i] }
func (t *Task) int(i int) int     { return int(int32(t.call.arguments[i])) }
func (t *Task) flags(i int) int   { return int(uint32(t.call.arguments[i])) }
func (t *Task) size(i int) int    { return int(min(t.call.arguments[i], 0x7ffff000)) } // MAX_RW_COUNT
func (t *Task) long(i int) int64  { return int64(t.call.arguments[i]) }
func (t *Task) now() sim.Time     { return t.kernel().Now() }
func (t *Task) first() bool       { return !t.call.again }
func (t *Task) timedOut() bool    { return t.call.timedOut }
func (t *Task) machine() Machine  { return t.kernel().Machine }
func (t *Task) queue() *sim.Queue { return t.kernel().Queue }

// Enter handles a call that a guest has made.
func (t *Task) Enter(number int, arguments [6]uint64) Outcome {
	if t.parking.parked {
		panic("kernel: a parked task makes a call")
	}
	t.call = call{number: number, arguments: arguments, entered: t.now(), deadline: sim.Never}
	if r := &t.restart; r.valid {
		r.valid = false
		if r.number == number && r.arguments == arguments {
			t.call.again, t.call.deadline, t.call.calendar = true, r.deadline, r.calendar
		}
	}
	return t.handle()
}

// Resume goes on with the call of a task that Config.Ready was called for.
func (t *Task) Resume() Outcome {
	if t.parking.settled {
		t.parking.settled = false
		o := t.parking.outcome
		t.trace(o)
		return o
	}
	t.call.again = true
	return t.handle()
}

func (t *Task) handle() Outcome {
	e := &refused
	if n := t.call.number; n >= 0 && n < len(entries) {
		switch {
		case entries[n].Handler != nil:
			e = &entries[n]
		case entries[n].Status == StatusNative:
			e = &nativeOnDisk
		}
	}
	t.host().calling = t
	if len(t.process.held) > 0 {
		t.takeHeld()
	}
	if n := t.call.number; n >= 0 && n < len(touchesFiles) && touchesFiles[n] && t.first() {
		t.touchFiles()
	}
	t.pins.begin()
	t.shipment = shipment{task: t}
	o := e.Handler(t)
	if t.shipment.hold != nil {
		o = t.ship(o)
	}
	if t.staged != nil && o.Kind != Parked {
		t.unstage()
	}
	if o.Kind == Parked {
		t.pins.hold()
	} else {
		t.pins.drop()
		t.parking.masked = false
		t.countIdle(o)
		t.trace(o)
	}
	return o
}

// Call describes the call that the task is in.
func (t *Task) Call() string { return callName(t.call.number) }

// Number is the number of the call that the task is in.
func (t *Task) Number() int { return t.call.number }

// WaitsFor describes what a parked task waits for, and since when.
func (t *Task) WaitsFor() (what string, since sim.Time) {
	if f := t.parking.waitsOn; f != nil {
		return describe(f) + t.parking.waitsFor, t.call.entered
	}
	return t.parking.waitsFor, t.call.entered
}

// park makes the task wait until one of its watches, its deadline or a signal
// wakes it. interrupted is what a signal makes of the call: EINTR,
// ERESTARTSYS or ERESTARTNOHAND.
func (t *Task) park(interrupted unix.Errno) Outcome {
	p := &t.parking
	if p.parked {
		panic("kernel: task parked twice")
	}
	p.parked = true
	p.interrupted = interrupted
	if t.call.deadline != sim.Never {
		if p.timer.Fire == nil {
			p.timer.Fire = t.expire
		}
		t.queue().Schedule(&p.timer, t.call.deadline)
	}
	// A signal that came before the call and is not blocked by a temporary
	// mask ends it at once; one that the own mask lets through never waits,
	// the kernel delivers it before the call.
	if p.masked || t.signalDue {
		t.signalDue = false
		if s, ok := t.machine().SignalState(t.TID); ok && !s.Dead && deliverable(s, t.blocked(s)) != 0 {
			t.interrupt()
		}
	}
	return Outcome{Kind: Parked}
}

// watch makes events of a queue wake the task when it is parked.
func (t *Task) watch(q *waiter.Queue, interest waiter.Mask) {
	p := &t.parking
	if p.used == len(p.entries) {
		if p.used == 0 {
			p.entries = make([]waiter.Entry, 4)
		} else { // entries are linked by address: never move those in use
			t.parking.onUnpark = chain(t.parking.onUnpark, t.extraEntry(q, interest))
			return
		}
	}
	e := &p.entries[p.used]
	p.used++
	e.Interest = interest
	if e.Wake == nil {
		e.Wake = func(waiter.Mask) { t.wake() }
	}
	q.Add(e)
}

func (t *Task) extraEntry(q *waiter.Queue, interest waiter.Mask) func() {
	e := &waiter.Entry{Interest: interest, Wake: func(waiter.Mask) { t.wake() }}
	q.Add(e)
	return e.Remove
}

func chain(a, b func()) func() {
	if a == nil {
		return b
	}
	return func() { a(); b() }
}

// waitFor parks the task until a file is ready, or its deadline has passed.
func (t *Task) waitFor(f socket.File, events waiter.Mask, interrupted unix.Errno) Outcome {
	t.parking.waitsOn, t.parking.waitsFor = f, ""
	t.watch(f.Queue(), events)
	return t.park(interrupted)
}

// await parks the task until somebody has carried its call out, or its deadline
// has passed.
func (t *Task) await(c *waiter.Call, waitsFor string, interrupted unix.Errno) Outcome {
	t.call.state = c
	t.parking.onAbandon = c.Cancel
	t.parking.waitsFor = waitsFor
	return t.park(interrupted)
}

// waited is the call that the task has awaited, nil if there is none.
func (t *Task) waited() *waiter.Call {
	c, _ := t.call.state.(*waiter.Call)
	if c != nil {
		t.parking.onAbandon = nil
	}
	return c
}

// unpark takes the task out of everything that could wake it.
func (t *Task) unpark() {
	p := &t.parking
	for i := range p.used {
		p.entries[i].Remove()
	}
	p.used = 0
	if f := p.onUnpark; f != nil {
		p.onUnpark = nil
		f()
	}
	t.queue().Cancel(&p.timer)
	p.parked = false
	p.masked = false
	p.waitsOn = nil
	p.remaining, p.timeval = 0, false
}

// wake lets a parked task ask again.
func (t *Task) wake() {
	if t.parking.parked {
		t.unparkKeepingMask()
		t.kernel().Ready(t)
	}
}

// unparkKeepingMask is unpark for a task whose call goes on.
func (t *Task) unparkKeepingMask() {
	mask, masked := t.parking.mask, t.parking.masked
	t.unpark()
	t.parking.mask, t.parking.masked = mask, masked
}

func (t *Task) expire() {
	t.call.timedOut = true
	t.wake()
}

// settle ends a parked task's call with an outcome of its own.
func (t *Task) settle(o Outcome) {
	t.unpark()
	t.abandon()
	t.pins.drop()
	t.parking.settled, t.parking.outcome = true, o
	t.kernel().Ready(t)
}

// abandon undoes what an unfinished call holds.
func (t *Task) abandon() {
	if f := t.parking.onAbandon; f != nil {
		t.parking.onAbandon = nil
		f()
	}
	if s, ok := t.call.state.(*transferState); ok {
		s.close()
		t.call.state = nil
	}
	if t.staged != nil {
		t.unstage()
	}
}

// interrupt ends a parked task's call because of a signal.
func (t *Task) interrupt() {
	p := &t.parking
	if !p.parked || p.interrupted == 0 {
		return
	}
	if p.remaining != 0 {
		if p.timeval {
			t.write(p.remaining, appendTimeval(nil, t.remaining()))
		} else {
			t.writeTimespec(p.remaining, t.remaining())
		}
	}
	switch {
	case t.call.done > 0:
		t.settle(ret(t.call.done))
	case p.masked:
		t.settle(Outcome{Kind: InterruptUnder, Value: int64(p.mask), Errno: unix.EINTR})
	default:
		errno := p.interrupted
		if errno == erestartnohand || errno == erestartsys {
			t.restart = restart{t.call.number, t.call.arguments, t.call.deadline, t.call.calendar, true}
		}
		t.settle(Outcome{Kind: Interrupted, Errno: errno})
	}
}

// setMask makes the task wait with other blocked signals, as ppoll and its like
// ask by a pointer to a set and its size. It returns EINVAL or EFAULT.
func (t *Task) setMask(address, size uint64) unix.Errno {
	if address == 0 {
		return 0
	}
	if size != 8 {
		return unix.EINVAL
	}
	set, errno := t.readWord(address)
	if errno != 0 {
		return errno
	}
	const never = 1<<(unix.SIGKILL-1) | 1<<(unix.SIGSTOP-1)
	if t.kernel().TSC.Handler != 0 {
		set &^= segvBit
	}
	t.parking.mask, t.parking.masked = set&^never, true
	return 0
}

func (t *Task) readWord(address uint64) (uint64, unix.Errno) {
	var b [8]byte
	_, errno := t.machine().ReadMemory(t.TID, address, b[:])
	return binary.LittleEndian.Uint64(b[:]), errno
}

func (t *Task) readInt(address uint64) (uint32, unix.Errno) {
	var b [4]byte
	_, errno := t.machine().ReadMemory(t.TID, address, b[:])
	return binary.LittleEndian.Uint32(b[:]), errno
}

func (t *Task) writeInt(address uint64, v uint32) unix.Errno {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], v)
	_, errno := t.machine().WriteMemory(t.TID, address, b[:])
	return errno
}

func (t *Task) writeWord(address, v uint64) unix.Errno {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	_, errno := t.machine().WriteMemory(t.TID, address, b[:])
	return errno
}

func (t *Task) read(address uint64, p []byte) unix.Errno {
	_, errno := t.machine().ReadMemory(t.TID, address, p)
	return errno
}

func (t *Task) write(address uint64, p []byte) unix.Errno {
	_, errno := t.machine().WriteMemory(t.TID, address, p)
	return errno
}

// readString reads a string of at most 4095 bytes (PATH_MAX).
func (t *Task) readString(address uint64) (string, unix.Errno) {
	b := t.kernel().scratch[:4096]
	have := 0
	for have < len(b) {
		// Up to the end of a page: the next one may not be there.
		n := min(4096-int((address+uint64(have))&4095), len(b)-have, 256)
		if _, errno := t.machine().ReadMemory(t.TID, address+uint64(have), b[have:have+n]); errno != 0 {
			return "", errno
		}
		for i := have; i < have+n; i++ {
			if b[i] == 0 {
				return string(b[:i]), 0
			}
		}
		have += n
	}
	return "", unix.ENAMETOOLONG
}

// readTimespec reads a struct timespec; EINVAL when it is not a valid duration.
func (t *Task) readTimespec(address uint64) (nanoseconds int64, errno unix.Errno) {
	var b [16]byte
	if errno := t.read(address, b[:]); errno != 0 {
		return 0, errno
	}
	return timespec(b[:], 1)
}

// timespec decodes a struct timespec (unit 1 ns) or timeval (unit 1000 ns).
func timespec(b []byte, unit int64) (int64, unix.Errno) {
	seconds := int64(binary.LittleEndian.Uint64(b))
	part := int64(binary.LittleEndian.Uint64(b[8:]))
	if seconds < 0 || part < 0 || part >= 1_000_000_000/unit {
		return 0, unix.EINVAL
	}
	if seconds > int64(sim.Never)/1_000_000_000-1 {
		return int64(sim.Never), 0
	}
	return seconds*1_000_000_000 + part*unit, 0
}

func appendTimespec(b []byte, nanoseconds int64) []byte {
	seconds, part := nanoseconds/1_000_000_000, nanoseconds%1_000_000_000
	if part < 0 {
		seconds, part = seconds-1, part+1_000_000_000
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(seconds))
	return binary.LittleEndian.AppendUint64(b, uint64(part))
}

func appendTimeval(b []byte, nanoseconds int64) []byte {
	at := len(b)
	b = appendTimespec(b, nanoseconds)
	binary.LittleEndian.PutUint64(b[at+8:], binary.LittleEndian.Uint64(b[at+8:])/1000)
	return b
}

func (t *Task) writeTimespec(address uint64, nanoseconds int64) unix.Errno {
	var b [16]byte
	return t.write(address, appendTimespec(b[:0], nanoseconds))
}

// Charge adds simulated processor time to the task's account.
func (t *Task) Charge(d time.Duration) {
	p := t.process
	t.cpu.used += int64(d)
	p.cpu.used += int64(d)
	p.host.busy += int64(d)
	if p.cpu.next != 0 && p.cpu.used >= p.cpu.next {
		t.kernel().ring(&p.cpu)
	}
	if t.cpu.next != 0 && t.cpu.used >= t.cpu.next {
		t.kernel().ring(&t.cpu)
	}
}
