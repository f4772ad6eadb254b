package guest

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// ptracer stops guests by seccomp's RET_TRACE and ptrace(2). All threads of the
// hosts are traced from their birth, the agents' too, by the one OS thread that
// calls this package; if that ends, the kernel kills them.
//
// A guest's call is a stop of its own kind, behind which nothing has happened
// yet: with another call's number put into its registers, that is carried out
// instead, and with none, none. Nothing but SIGKILL moves the thread meanwhile.
type ptracer struct {
	realm   *Realm
	alarm   *alarm
	tracees map[int]*tracee
	// calls are threads that have stopped at a call which was not told yet, and
	// deaths processes whose end was not told yet.
	calls  []*tracee
	deaths []int
	// early are threads that have stopped before their parents told of them.
	early map[int]bool
	ids   uint64
	// secret lets injected calls through guests' own filters.
	secret uint64
	told   notification // the call that was told last
}

// tracee is a thread.
type tracee struct {
	tid, pid  int
	container *Container
	place     place
	watched   bool // its death is to be told
	call      notification
	// registers are those at the call, while the thread is behind another call
	// that was injected, and mask its blocked signals.
	registers unix.PtraceRegs
	mask      uint64
	stopAgain bool // a signal has stopped the process meanwhile
	image     image
	// meant are the signals that were sent to the thread itself, and redirected
	// those that another thread of its process was about to take instead.
	meant      uint64
	redirected map[unix.Signal]siginfo
	settled    uint64 // the container's sent, when what is ignored was settled
}

// place is where a thread is.
type place int

const (
	running  place = iota
	atCall         // stopped before its call
	injected       // stopped behind an injected call, its own one not carried out
	held           // stopped somewhere else, until it is released
	halted         // stopped by a signal, as all of its process
)

const ptracerOptions = unix.PTRACE_O_EXITKILL | unix.PTRACE_O_TRACESECCOMP | unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACEEXEC |
	unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEVFORKDONE

func newPtracer(r *Realm) (*ptracer, error) {
	a, err := newAlarm()
	if err != nil {
		return nil, err
	}
	return &ptracer{realm: r, alarm: a, secret: newSecret(), tracees: map[int]*tracee{}, early: map[int]bool{}}, nil
}

func (*ptracer) filter(native Native) (program []bpf.RawInstruction, flags uint64, err error) {
	// Guests' own filters are the ptracer's matter.
	native.Calls = slices.DeleteFunc(slices.Clone(native.Calls), func(number int) bool { return number == unix.SYS_SECCOMP })
	program, err = filter(native, unix.SECCOMP_RET_TRACE)
	return program, 0, err
}

func (p *ptracer) close() { p.alarm.stop() }

// start attaches to the first agent until its child, the new agent, is there.
func (p *ptracer) start(c *Container, l *list, _ uint64) error {
	r := p.realm
	root := r.root.tid
	if errno := ptraceSeize(root, ptracerOptions); errno != 0 {
		return attachError(errno)
	}
	if err := r.hand(&r.root, l); err != nil {
		return err
	}
	status, errno := waitFor(root)
	for ; errno == 0 && status.Stopped() && !isBirth(stopEvent(status)); status, errno = waitFor(root) {
		ptraceContinue(root, passedOn(status))
	}
	if errno != 0 || !status.Stopped() {
		return errors.New("the first agent has ended")
	}
	t := p.born(&tracee{container: c, tid: root}, stopEvent(status))
	if t == nil {
		return errors.New("a host's agent has ended")
	}
	ptraceDetach(root, 0)
	p.resume(t, 0)
	return r.awaitRoot()
}

func isBirth(event int) bool {
	return event == unix.PTRACE_EVENT_CLONE || event == unix.PTRACE_EVENT_FORK || event == unix.PTRACE_EVENT_VFORK
}

// born takes note of the child of a thread that has stopped at its birth, and
// waits until the child has stopped before its first instruction. It returns nil
// when the child has died.
func (p *ptracer) born(parent *tracee, event int) *tracee {
	message, errno := ptraceEventMessage(parent.tid)
	if errno != 0 {
		return nil
	}
	child := &tracee{tid: int(message), container: parent.container, image: parent.image, place: held}
	child.pid = child.tid
	if event == unix.PTRACE_EVENT_CLONE {
		child.pid = threadGroup(child.tid)
	}
	p.tracees[child.tid] = child
	if p.early[child.tid] {
		delete(p.early, child.tid)
		return child
	}
	status, errno := waitFor(child.tid)
	if errno != 0 || !status.Stopped() {
		p.died(child.tid)
		return nil
	}
	return child
}

// threadGroup is the number of a thread's process.
func threadGroup(tid int) int {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/status")
	if err != nil {
		return tid
	}
	pid, err := strconv.Atoi(statusField(status, "Tgid"))
	if err != nil {
		return tid
	}
	return pid
}

// resume lets a stopped thread run, with a signal if that is not 0.
func (p *ptracer) resume(t *tracee, signal unix.Signal) unix.Errno {
	t.place = running
	return ptraceContinue(t.tid, signal)
}

// died takes note of a thread's end.
func (p *ptracer) died(tid int) {
	t := p.tracees[tid]
	if t == nil {
		return
	}
	delete(p.tracees, tid)
	p.uncall(t)
	t.container.sent++ // its parent is told
	if t.watched {
		p.deaths = append(p.deaths, tid)
	}
}

// uncall forgets a thread's call that was not told yet.
func (p *ptracer) uncall(t *tracee) {
	kept := p.calls[:0]
	for _, c := range p.calls {
		if c != t {
			kept = append(kept, c)
		}
	}
	p.calls = kept
}

// take deals with what wait4 has told of a thread that nothing particular was
// expected of.
func (p *ptracer) take(tid int, status unix.WaitStatus) {
	if !status.Stopped() {
		p.died(tid)
		return
	}
	t := p.tracees[tid]
	if t == nil {
		p.early[tid] = true
		return
	}
	switch event := stopEvent(status); {
	case event == unix.PTRACE_EVENT_SECCOMP:
		p.called(t)
	case isBirth(event): // of a process of an agent
		if child := p.born(t, event); child != nil {
			p.resume(child, 0)
		}
		p.resume(t, 0)
	case event == unix.PTRACE_EVENT_VFORK_DONE:
		t.place = held
	case event == ptraceEventStop && status.StopSignal() != unix.SIGTRAP:
		t.place = halted
		t.container.sent++
		ptraceListen(tid)
	case event == 0 && !isCallStop(status):
		p.deliver(t, status.StopSignal())
	default:
		p.resume(t, 0)
	}
}

// ptraceEventStop is PTRACE_EVENT_STOP, which package unix has as a small number.
const ptraceEventStop = 128

// isCallStop tells whether a thread has stopped at the beginning or the end of a
// call.
func isCallStop(status unix.WaitStatus) bool {
	return status.Stopped() && stopEvent(status) == 0 && status.StopSignal() == unix.SIGTRAP|0x80
}

// called takes note of a call.
func (p *ptracer) called(t *tracee) {
	var info callInfo
	if ptraceGetCallInfo(t.tid, &info) != 0 {
		return // it has been killed, as will be told
	}
	p.ids++
	t.place = atCall
	t.call = notification{
		id: p.ids<<32 | uint64(uint32(t.tid)), pid: uint32(t.tid), number: int32(info.number), architecture: info.architecture,
		instructionPointer: info.instructionPointer, arguments: info.arguments,
	}
	if t.call.number == unix.SYS_SECCOMP && info.architecture == auditArchX8664 {
		if !p.installFilter(t) {
			p.resume(t, 0)
		}
		return
	}
	p.calls = append(p.calls, t)
}

// caller finds the thread of a call that is not answered; nil if it has gone.
func (p *ptracer) caller(id uint64) *tracee {
	t := p.tracees[int(uint32(id))]
	if t == nil || t.call.id != id || t.place != atCall && t.place != injected {
		return nil
	}
	return t
}

// next waits for the next thread with news, at most until a deadline, and deals
// with them. It returns false when there were none.
func (p *ptracer) next(deadline time.Time) (bool, error) {
	tid, status, errno := p.alarm.wait(deadline)
	switch {
	case errno == unix.ECHILD:
		return false, errors.New("all guests are gone, and their agents")
	case errno != 0:
		return false, fmt.Errorf("wait4: %w", errno)
	case tid == 0:
		return false, nil
	case tid == p.realm.root.tid && !status.Stopped():
		return false, errors.New("the first agent has ended")
	}
	p.take(tid, status)
	return true, nil
}

// poll deals with all news that are there.
func (p *ptracer) poll() {
	for {
		tid, status, errno := waitAny(false)
		if errno != 0 || tid == 0 {
			return
		}
		p.take(tid, status)
	}
}

func (p *ptracer) wait(e *Event, timeout time.Duration) error {
	var deadline time.Time
	if timeout >= 0 {
		deadline = time.Now().Add(timeout)
	}
	for {
		if len(p.calls) > 0 {
			t := p.calls[0]
			p.calls = append(p.calls[:0], p.calls[1:]...)
			e.called(&t.call)
			return nil
		}
		if len(p.deaths) > 0 {
			if p.poll(); len(p.calls) > 0 {
				continue
			}
			e.Kind, e.TID = Death, p.deaths[0]
			p.realm.unwatch(e.TID)
			return nil
		}
		if some, err := p.next(deadline); !some || err != nil {
			return err
		}
	}
}

func (p *ptracer) pending() bool {
	p.poll()
	return len(p.calls)+len(p.deaths) > 0
}

func (p *ptracer) receive(c *Container, timeout time.Duration) (*notification, unix.Errno) {
	for deadline := time.Now().Add(timeout); ; {
		for i, t := range p.calls {
			if t.container == c {
				p.calls = append(p.calls[:i], p.calls[i+1:]...)
				p.told = t.call
				return &p.told, 0
			}
		}
		if some, err := p.next(deadline); !some || err != nil {
			return nil, 0
		}
	}
}

func (p *ptracer) watch(pid, _ int) error {
	if t := p.tracees[pid]; t != nil {
		t.watched = true
	} else {
		p.deaths = append(p.deaths, pid)
	}
	return nil
}

func (p *ptracer) unwatch(pid, _ int) {
	if t := p.tracees[pid]; t != nil {
		t.watched = false
	}
	kept := p.deaths[:0]
	for _, d := range p.deaths {
		if d != pid {
			kept = append(kept, d)
		}
	}
	p.deaths = kept
}

// awaitEnd waits until a thread is gone.
func (p *ptracer) awaitEnd(tid int, timeout time.Duration) bool {
	for deadline := time.Now().Add(timeout); p.tracees[tid] != nil; {
		if some, err := p.next(deadline); !some || err != nil {
			return p.tracees[tid] == nil
		}
	}
	return true
}

func (p *ptracer) awaitDeath(pid, _ int, timeout time.Duration) bool { return p.awaitEnd(pid, timeout) }

func (p *ptracer) awaitThreadDeath(pid, tid int) {
	if pid == tid { // a leader is told when the other threads are gone too
		awaitZombie(pid, tid)
		return
	}
	p.awaitEnd(tid, patience)
}

// dead does nothing: whoever is known to be dead has been waited for.
func (p *ptracer) dead(int) {}

func (p *ptracer) state(tid int) byte {
	if t := p.tracees[tid]; t != nil && t.place == halted {
		return 'T'
	}
	return threadState(tid)
}

func (p *ptracer) reap() { p.poll() }

func (p *ptracer) forget(c *Container) {
	for tid, t := range p.tracees {
		if t.container == c {
			p.uncall(t)
			delete(p.tracees, tid)
		}
	}
}
