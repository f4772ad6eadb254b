package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
)

// Signals that an open file sends when something happens to it (fcntl(2): F_SETOWN,
// F_SETSIG and O_ASYNC): SIGIO, or another, and SIGURG for urgent data. The machine's
// kernel never learns whose a placeholder is, so it sends none.

// fileSignals are those of one open file.
type fileSignals struct {
	host   *Host
	file   socket.File
	owner  fileOwner
	signal unix.Signal // 0 is SIGIO
	async  bool        // O_ASYNC
	full   bool        // a write has found no room, and waits for it

	entry  waiter.Entry
	due    sim.Event // of what follows
	ready  bool
	urgent bool
}

// fileOwner is whom the signals are for, as in struct f_owner_ex, and who said so.
type fileOwner struct {
	kind, id int
	by       *credentials
}

// Kinds of owners (linux/fcntl.h).
const (
	ownerThread  = 0
	ownerProcess = 1
	ownerGroup   = 2
)

const asyncEvents = waiter.In | waiter.Out | waiter.Err | waiter.Hup | waiter.RdHup

// signalling are the signals of a description, made when they are asked for first.
func (d *description) signalling(h *Host) *fileSignals {
	if d.signals == nil {
		s := &fileSignals{host: h, file: d.file}
		s.entry.Wake = s.wake
		s.due.Fire = s.send
		d.signals = s
	}
	return d.signals
}

// listen looks for what the owner wants to know.
func (s *fileSignals) listen() {
	s.entry.Remove()
	s.entry.Interest = 0
	if s.owner.id != 0 {
		s.entry.Interest = waiter.Pri
		if s.async {
			s.entry.Interest |= asyncEvents
		}
		s.file.Queue().Add(&s.entry)
	}
}

func (s *fileSignals) release() {
	s.entry.Remove()
	s.host.kernel.Queue.Cancel(&s.due)
}

// wake notes what has happened. Room is told of once, to who has found none
// (SOCK_NOSPACE). The signals follow when whoever made it happen is through with it.
func (s *fileSignals) wake(happened waiter.Mask) {
	s.urgent = s.urgent || happened&waiter.Pri != 0
	room := s.full && happened&waiter.Out != 0
	if room {
		s.full = false
	}
	s.ready = s.ready || s.async && (room || happened&(asyncEvents&^waiter.Out|waiter.Pri) != 0)
	if (s.ready || s.urgent) && !s.due.Scheduled() {
		s.host.kernel.Queue.Schedule(&s.due, s.host.kernel.Now())
	}
}

func (s *fileSignals) send() {
	ready, urgent := s.ready, s.urgent
	s.ready, s.urgent = false, false
	if urgent {
		s.tell(unix.SIGURG)
	}
	if ready {
		signal := s.signal
		if signal == 0 {
			signal = unix.SIGIO
		}
		s.tell(signal)
	}
}

// tell sends a signal to the owners that who named them may send it to.
func (s *fileSignals) tell(signal unix.Signal) {
	o, h := s.owner, s.host
	if o.kind == ownerThread {
		if t := h.threads[o.id]; t != nil && !t.dead && o.maySignal(t.process) {
			t.process.raise(t, signal)
		}
		return
	}
	for _, p := range h.sortedProcesses() {
		if !p.zombie && (o.kind == ownerProcess && p.PID == o.id || o.kind == ownerGroup && p.group() == o.id) && o.maySignal(p) {
			p.raise(nil, signal)
		}
	}
}

// maySignal is sigio_perm of Linux.
func (o fileOwner) maySignal(p *Process) bool {
	return o.by.euid == 0 || len(p.tasks) == 0 || o.by.sameUser(p.tasks[0].cred)
}

// setFileOwner says whom a file's signals are for; 0 is nobody.
func (t *Task) setFileOwner(d *description, kind, id int) unix.Errno {
	h := t.host()
	known := id == 0
	switch {
	case kind < ownerThread || kind > ownerGroup || id < 0:
		return unix.EINVAL
	case known:
	case kind == ownerThread:
		known = h.threads[id] != nil
	case kind == ownerProcess:
		known = h.processes[id] != nil
	default:
		for _, p := range h.processes {
			known = known || p.group() == id
		}
	}
	if !known {
		return unix.ESRCH
	}
	s := d.signalling(h)
	s.owner = fileOwner{kind, id, t.cred}
	s.listen()
	return 0
}

// setAsync is O_ASYNC.
func (t *Task) setAsync(d *description, on bool) {
	if d.signals == nil && !on {
		return
	}
	s := d.signalling(t.host())
	s.async = on
	s.full = on && s.file.Readiness()&waiter.Out == 0
	s.listen()
}

// plainOwner is the owner as F_SETOWN has it: a process, or a group when negative.
func (d *description) plainOwner() int {
	switch {
	case d.signals == nil:
		return 0
	case d.signals.owner.kind == ownerGroup:
		return -d.signals.owner.id
	}
	return d.signals.owner.id
}

func (t *Task) setPlainOwner(d *description, who int) unix.Errno {
	if who < 0 {
		return t.setFileOwner(d, ownerGroup, -who)
	}
	return t.setFileOwner(d, ownerProcess, who)
}

// fcntlSignals carries out the commands about a file's signals. done is false for
// others.
func (t *Task) fcntlSignals(d *description, command int) (o Outcome, done bool) {
	switch command {
	case unix.F_SETOWN:
		return fail(t.setPlainOwner(d, t.int(2))), true
	case unix.F_GETOWN:
		return ret(d.plainOwner()), true
	case unix.F_SETOWN_EX:
		var b [8]byte
		if errno := t.read(t.arg(2), b[:]); errno != 0 {
			return fail(errno), true
		}
		kind, id := int32(binary.LittleEndian.Uint32(b[:])), int32(binary.LittleEndian.Uint32(b[4:]))
		return fail(t.setFileOwner(d, int(kind), int(id))), true
	case unix.F_GETOWN_EX:
		owner := fileOwner{kind: ownerProcess}
		if d.signals != nil {
			owner = d.signals.owner
		}
		b := binary.LittleEndian.AppendUint32(nil, uint32(owner.kind))
		return fail(t.write(t.arg(2), binary.LittleEndian.AppendUint32(b, uint32(owner.id)))), true
	case unix.F_SETSIG:
		signal := t.arg(2)
		if signal > 64 {
			return fail(unix.EINVAL), true
		}
		d.signalling(t.host()).signal = unix.Signal(signal)
		return ret(0), true
	case unix.F_GETSIG:
		if d.signals == nil {
			return ret(0), true
		}
		return ret(int(d.signals.signal)), true
	}
	return Outcome{}, false
}
