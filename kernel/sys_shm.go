package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/sysvipc"
)

// System V shared memory: the machine's, in the host's own namespace, but with the
// host's times and users.

func sysShmget(t *Task) Outcome {
	if errno := t.host().ipc.segments.MayGet(t.ipcCaller(), int32(t.int(0)), t.arg(1), t.flags(2)); errno != 0 {
		return fail(errno)
	}
	return Outcome{Kind: Carry}
}

func sysShmat(t *Task) Outcome {
	const round, remap, pageMask = 0o20000, 0o40000, 4095 // SHM_RND, SHM_REMAP
	flags, address := t.flags(2), t.arg(1)
	misplaced := address&pageMask != 0 && flags&round == 0 || address == 0 && flags&remap != 0
	if o := t.host().ipc.segments.ByID(t.int(0)); o != nil && !misplaced && !o.MayAttach(t.ipcCaller(), flags) {
		return fail(unix.EACCES)
	}
	return Outcome{Kind: Carry}
}

func sysShmdt(*Task) Outcome { return Outcome{Kind: Carry} }

// Commands of shmctl(2).
const (
	shmLock    = 11
	shmUnlock  = 12
	shmStat    = 13
	shmStatAny = 15
)

// Where the fields of struct shmid64_ds are.
const (
	shmUserAt  = 4
	shmModeAt  = 20
	shmTimesAt = 56
	shmSize    = 112
)

// shmSet is IPC_SET while the machine's kernel sees root as the new owner, which
// all guests are to it.
type shmSet struct {
	given          [8]byte // user and group
	uid, gid, mode uint32
}

func (t *Task) segment() *sysvipc.Segment {
	s := t.host().ipc.segments
	if command := t.int(1); command == shmStat || command == shmStatAny {
		return s.ByIndex(t.int(0))
	}
	return s.ByID(t.int(0))
}

func sysShmctl(t *Task) Outcome {
	c, o := t.ipcCaller(), t.segment()
	if o == nil {
		return native()
	}
	switch t.int(1) {
	case sysvipc.Stat, shmStat:
		if !o.MayRead(c) {
			return fail(unix.EACCES)
		}
	case shmStatAny:
	case sysvipc.Set:
		return t.setSegment(c, o)
	case sysvipc.Remove:
		if !o.MayControl(c) {
			return fail(unix.EPERM)
		}
	case shmLock, shmUnlock:
		if !o.Owns(c) && !t.cred.capable(capIPCLock) {
			return fail(unix.EPERM)
		}
	default:
		return native()
	}
	return Outcome{Kind: Carry}
}

func (t *Task) setSegment(c *sysvipc.Caller, o *sysvipc.Segment) Outcome {
	var b [shmSize]byte
	if errno := t.read(t.arg(2), b[:]); errno != 0 {
		return fail(errno)
	}
	s := &shmSet{uid: field(b[shmUserAt:]), gid: field(b[shmUserAt+4:]), mode: field(b[shmModeAt:])}
	if !o.MayControl(c) {
		return fail(unix.EPERM)
	}
	if s.uid == noID || s.gid == noID {
		return fail(unix.EINVAL)
	}
	copy(s.given[:], b[shmUserAt:])
	t.call.state = s
	if errno := t.machine().PatchMemory(t.TID, t.arg(2)+shmUserAt, make([]byte, len(s.given))); errno != 0 {
		return fail(errno)
	}
	return Outcome{Kind: Carry}
}

// carriedMemory takes notice of what the machine's kernel did about shared memory.
func (t *Task) carriedMemory(result int64) {
	s, c, space := t.host().ipc.segments, t.ipcCaller(), t.process.attached
	switch number := t.call.number; {
	case number == unix.SYS_SHMCTL:
		t.carriedShmctl(c, result)
	case result < 0:
	case number == unix.SYS_SHMGET:
		s.Got(c, int(result), int32(t.int(0)), t.arg(1), t.flags(2))
	case number == unix.SYS_SHMAT:
		if o := s.ByID(t.int(0)); o != nil {
			s.Attach(c, space, o, uint64(result))
		}
	case number == unix.SYS_SHMDT:
		s.Detach(c, space, t.arg(0))
	}
}

func (t *Task) carriedShmctl(c *sysvipc.Caller, result int64) {
	o := t.segment()
	set, _ := t.call.state.(*shmSet)
	if set != nil {
		t.machine().PatchMemory(t.TID, t.arg(2)+shmUserAt, set.given[:])
	}
	if result < 0 || o == nil {
		return
	}
	switch t.int(1) {
	case sysvipc.Set:
		o.Set(c, set.uid, set.gid, set.mode)
	case sysvipc.Remove:
		t.host().ipc.segments.Remove(o)
	case shmLock, shmUnlock:
		o.Lock(t.int(1) == shmLock)
	case sysvipc.Stat, shmStat, shmStatAny:
		var b [16]byte
		for i, v := range []uint32{o.UID, o.GID, o.CreatorU, o.CreatorG} {
			binary.LittleEndian.PutUint32(b[4*i:], v)
		}
		t.write(t.arg(2)+shmUserAt, b[:])
		var times [24]byte
		for i, v := range []int64{o.Attached, o.Detached, o.Changed} {
			binary.LittleEndian.PutUint64(times[8*i:], uint64(v))
		}
		t.write(t.arg(2)+shmTimesAt, times[:])
	}
}

// inheritMemory gives a new process what its maker's memory has attached.
func (p *Process) inheritMemory(maker *Task, shared bool) {
	if shared {
		p.attached = maker.process.attached.Share()
		return
	}
	p.attached = maker.host().ipc.segments.Fork(maker.ipcCaller(), maker.process.attached)
}

// leaveMemory is for a process that has ended or begun another program.
func (p *Process) leaveMemory() {
	p.host.ipc.segments.Leave(&sysvipc.Caller{PID: p.PID, Now: p.host.Realtime() / 1_000_000_000}, p.attached)
	p.attached = sysvipc.NewSpace()
}
