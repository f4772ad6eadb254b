package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/sysvipc"
	"github.com/simterpose/simterpose/kernel/waiter"
)

// System V semaphores and message queues.

// hostIPC are the objects of a host.
type hostIPC struct {
	semaphores *sysvipc.Semaphores
	queues     *sysvipc.Queues
	segments   *sysvipc.Segments
}

func newHostIPC() hostIPC {
	return hostIPC{sysvipc.NewSemaphores(), sysvipc.NewQueues(), sysvipc.NewSegments()}
}

func (t *Task) ipcCaller() *sysvipc.Caller {
	c := t.cred
	return &sysvipc.Caller{
		PID: t.process.PID, UID: c.euid, GID: c.egid, InGroup: c.inGroup,
		Owner: c.capable(capIPCOwner), Admin: c.capable(capSysAdmin), Resource: c.capable(capSysResource),
		Now: t.host().Realtime() / 1_000_000_000,
	}
}

func (t *Task) undoer() *sysvipc.Undoer {
	if t.process.undoer == nil {
		t.process.undoer = &sysvipc.Undoer{PID: t.process.PID}
	}
	return t.process.undoer
}

func sysSemget(t *Task) Outcome {
	return result(t.host().ipc.semaphores.Get(t.ipcCaller(), int32(t.int(0)), t.int(1), t.flags(2)))
}

// sysSemop is semop and semtimedop.
func sysSemop(t *Task) Outcome {
	if w := t.waited(); w != nil {
		if !w.Done { // its time is over
			w.Cancel()
			return fail(unix.EAGAIN)
		}
		return fail(w.Errno)
	}
	count := t.arg(2) & 0xffffffff
	switch {
	case count < 1 || t.int(0) < 0:
		return fail(unix.EINVAL)
	case count > sysvipc.OperationsMost:
		return fail(unix.E2BIG)
	}
	const size = 6 // struct sembuf
	b := t.kernel().bytes(size * int(count))
	if errno := t.read(t.arg(1), b); errno != 0 {
		return fail(errno)
	}
	operations := make([]sysvipc.Operation, count)
	for i := range operations {
		operations[i] = sysvipc.Operation{
			Number: binary.LittleEndian.Uint16(b[size*i:]),
			Change: int16(binary.LittleEndian.Uint16(b[size*i+2:])),
			Flags:  int16(binary.LittleEndian.Uint16(b[size*i+4:])),
		}
	}
	if t.call.number == unix.SYS_SEMTIMEDOP && t.arg(3) != 0 {
		timeout, errno := t.readTimespec(t.arg(3))
		if errno != 0 {
			return fail(errno)
		}
		t.waitTimeout(timeout)
	}
	w := &waiter.Call{Wake: t.wake}
	errno := t.host().ipc.semaphores.Operate(t.ipcCaller(), t.undoer(), t.int(0), operations, w)
	if errno != unix.EINPROGRESS {
		return fail(errno)
	}
	return t.await(w, "a semaphore", unix.EINTR) // never restarted (signal(7))
}

// Commands of semctl(2).
const (
	semGetPID = 11 + iota
	semGetValue
	semGetAll
	semGetWaiters
	semGetZeroWaiters
	semSetValue
	semSetAll
	semStat
	semInfo
	semStatAny
)

func sysSemctl(t *Task) Outcome {
	s, c := t.host().ipc.semaphores, t.ipcCaller()
	id, number, command, address := t.int(0), t.int(1), t.int(2), t.arg(3)
	if id < 0 {
		return fail(unix.EINVAL)
	}
	switch command {
	case sysvipc.Info, semInfo:
		fields, highest := s.Limits(command == semInfo)
		return t.ipcLimits(address, fields, len(fields)*4, highest)
	case sysvipc.Remove:
		return fail(s.Remove(c, id))
	case sysvipc.Set:
		var b [ipcPermissionsSize]byte
		if errno := t.read(address, b[:]); errno != 0 {
			return fail(errno)
		}
		return fail(s.Change(c, id, field(b[4:]), field(b[8:]), field(b[20:])))
	case sysvipc.Stat, semStat, semStatAny:
		set, id, errno := s.Find(c, id, command != sysvipc.Stat, command == semStatAny)
		if errno != 0 {
			return fail(errno)
		}
		b := make([]byte, 104) // struct semid64_ds
		putPermissions(b, &set.Permissions)
		binary.LittleEndian.PutUint64(b[48:], uint64(set.Operated))
		binary.LittleEndian.PutUint64(b[64:], uint64(set.Changed))
		binary.LittleEndian.PutUint64(b[80:], uint64(set.Len()))
		return t.ipcStat(address, b, id, command == sysvipc.Stat)
	case semSetValue:
		value := int(int32(address))
		if value < 0 || value > sysvipc.ValueMost {
			return fail(unix.ERANGE)
		}
		set, _, errno := s.Find(c, id, false, true)
		if errno == 0 && (number < 0 || number >= set.Len()) {
			errno = unix.EINVAL
		}
		if errno != 0 {
			return fail(errno)
		}
		return fail(s.SetValues(c, set, number, []int{value}))
	case semSetAll:
		set, _, errno := s.Find(c, id, false, true)
		if errno != 0 {
			return fail(errno)
		}
		return fail(t.setSemaphores(s, c, set, address))
	case semGetAll, semGetValue, semGetPID, semGetWaiters, semGetZeroWaiters:
		set, _, errno := s.Find(c, id, false, false)
		if errno != 0 {
			return fail(errno)
		}
		return t.semaphoreValue(set, command, number, address)
	}
	return fail(unix.EINVAL)
}

func (t *Task) setSemaphores(s *sysvipc.Semaphores, c *sysvipc.Caller, set *sysvipc.SemaphoreSet, address uint64) unix.Errno {
	b := t.kernel().bytes(2 * set.Len())
	if errno := t.read(address, b); errno != 0 {
		return errno
	}
	values := make([]int, set.Len())
	for i := range values {
		values[i] = int(binary.LittleEndian.Uint16(b[2*i:]))
		if values[i] > sysvipc.ValueMost {
			return unix.ERANGE
		}
	}
	return s.SetValues(c, set, 0, values)
}

func (t *Task) semaphoreValue(set *sysvipc.SemaphoreSet, command, number int, address uint64) Outcome {
	if command == semGetAll {
		b := make([]byte, 0, 2*set.Len())
		for _, s := range set.Values() {
			b = binary.LittleEndian.AppendUint16(b, uint16(s.Value))
		}
		return fail(t.write(address, b))
	}
	if number < 0 || number >= set.Len() {
		return fail(unix.EINVAL)
	}
	switch command {
	case semGetValue:
		return ret(set.Values()[number].Value)
	case semGetPID:
		return ret(set.Values()[number].PID)
	}
	return ret(set.Waiting(number, command == semGetZeroWaiters))
}

// ipcPermissionsSize is that of struct ipc64_perm.
const ipcPermissionsSize = 48

func field(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

func putPermissions(b []byte, p *sysvipc.Permissions) {
	for i, v := range []uint32{uint32(p.Key), p.UID, p.GID, p.CreatorU, p.CreatorG, p.Mode, uint32(p.Sequence)} {
		binary.LittleEndian.PutUint32(b[4*i:], v)
	}
}

// ipcStat answers a STAT command; those that ask by index get the number.
func (t *Task) ipcStat(address uint64, b []byte, id int, byNumber bool) Outcome {
	if errno := t.write(address, b); errno != 0 {
		return fail(errno)
	}
	if byNumber {
		id = 0
	}
	return ret(id)
}

func (t *Task) ipcLimits(address uint64, fields []int32, size, highest int) Outcome {
	b := make([]byte, 0, 4*len(fields))
	for _, f := range fields {
		b = binary.LittleEndian.AppendUint32(b, uint32(f))
	}
	if errno := t.write(address, b[:size]); errno != 0 {
		return fail(errno)
	}
	return ret(highest)
}

func sysMsgget(t *Task) Outcome {
	return result(t.host().ipc.queues.Get(t.ipcCaller(), int32(t.int(0)), t.flags(1)))
}

func sysMsgsnd(t *Task) Outcome {
	if w := t.waited(); w != nil {
		return fail(w.Errno)
	}
	kind, errno := t.readWord(t.arg(1))
	if errno != 0 {
		return fail(errno)
	}
	if t.int(0) < 0 || t.arg(2) > sysvipc.MessageMost || int64(kind) < 1 {
		return fail(unix.EINVAL)
	}
	m := &sysvipc.Message{Type: int64(kind), Text: make([]byte, t.arg(2))}
	if len(m.Text) > 0 {
		if errno := t.read(t.arg(1)+8, m.Text); errno != 0 {
			return fail(errno)
		}
	}
	w := &waiter.Call{Wake: t.wake}
	errno = t.host().ipc.queues.Send(t.ipcCaller(), t.int(0), m, t.flags(3), w)
	if errno != unix.EINPROGRESS {
		return fail(errno)
	}
	return t.await(w, "room in a message queue", erestartnohand)
}

func sysMsgrcv(t *Task) Outcome {
	if w := t.waited(); w != nil {
		if w.Errno != 0 {
			return fail(w.Errno)
		}
		return t.giveMessage(w.Result.(*sysvipc.Message))
	}
	if t.int(0) < 0 || int64(t.arg(2)) < 0 {
		return fail(unix.EINVAL)
	}
	w := &waiter.Call{Wake: t.wake}
	m, errno := t.host().ipc.queues.Receive(t.ipcCaller(), t.int(0), sysvipc.Wanted{
		Type: t.long(3), Size: t.size(2), Flags: t.flags(4),
	}, w)
	switch errno {
	case 0:
		return t.giveMessage(m)
	case unix.EINPROGRESS:
		return t.await(w, "a message in a queue", erestartnohand)
	}
	return fail(errno)
}

// giveMessage stores what msgrcv has received.
func (t *Task) giveMessage(m *sysvipc.Message) Outcome {
	if errno := t.writeWord(t.arg(1), uint64(m.Type)); errno != 0 {
		return fail(errno)
	}
	n := min(len(m.Text), t.size(2))
	if n > 0 {
		if errno := t.write(t.arg(1)+8, m.Text[:n]); errno != 0 {
			return fail(errno)
		}
	}
	return ret(n)
}

// Commands of msgctl(2).
const (
	msgStat    = 11
	msgInfo    = 12
	msgStatAny = 13
)

func sysMsgctl(t *Task) Outcome {
	s, c := t.host().ipc.queues, t.ipcCaller()
	id, command, address := t.int(0), t.int(1), t.arg(2)
	if id < 0 || command < 0 {
		return fail(unix.EINVAL)
	}
	const size = 120 // struct msqid64_ds
	switch command {
	case sysvipc.Info, msgInfo:
		fields, highest := s.Limits(command == msgInfo)
		const infoSize = 30 // the last field of struct msginfo is short; padding stays
		return t.ipcLimits(address, fields, infoSize+2, highest)
	case sysvipc.Remove:
		return fail(s.Remove(c, id))
	case sysvipc.Set:
		var b [size]byte
		if errno := t.read(address, b[:]); errno != 0 {
			return fail(errno)
		}
		most := int(binary.LittleEndian.Uint64(b[88:]))
		return fail(s.Change(c, id, field(b[4:]), field(b[8:]), field(b[20:]), most))
	case sysvipc.Stat, msgStat, msgStatAny:
		q, id, errno := s.Find(c, id, command != sysvipc.Stat, command == msgStatAny)
		if errno != 0 {
			return fail(errno)
		}
		b := make([]byte, size)
		putPermissions(b, &q.Permissions)
		for i, v := range []int64{q.Sent, q.Received, q.Changed, int64(q.Bytes), int64(q.Len()), int64(q.Most)} {
			binary.LittleEndian.PutUint64(b[ipcPermissionsSize+8*i:], uint64(v))
		}
		binary.LittleEndian.PutUint32(b[96:], uint32(q.Sender))
		binary.LittleEndian.PutUint32(b[100:], uint32(q.Receiver))
		return t.ipcStat(address, b, id, command == sysvipc.Stat)
	}
	return fail(unix.EINVAL)
}
