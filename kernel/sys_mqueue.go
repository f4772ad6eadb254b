package kernel

import (
	"encoding/binary"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/mqueue"
	"github.com/simterpose/simterpose/kernel/waiter"
)

// POSIX message queues. Their descriptors' placeholders are memory files with a
// queue's mode and size.

// Limits of a queue: what /proc/sys/fs/mqueue says at boot, what a task with
// CAP_SYS_RESOURCE may ask for, and what a queue takes of RLIMIT_MSGQUEUE beside
// its messages (ipc/mqueue.c).
const (
	queueMessages, queueSize         = 10, 8192
	hardQueueMessages, hardQueueSize = 65536, 16 << 20
	queuesMost                       = 256
	queueMessageCost                 = 48 // struct msg_msg
	queuePriorityCost                = 48 // struct posix_msg_tree_node
	queueFileSize                    = 80 // what stat tells of one
)

// queueCost is what a queue takes of RLIMIT_MSGQUEUE, in bytes.
func queueCost(messages, size int) uint64 {
	return uint64(messages*(queueMessageCost+size) + min(messages, mqueue.Priorities)*queuePriorityCost)
}

func sysMqOpen(t *Task) Outcome {
	name, errno := t.readString(t.arg(0))
	flags := t.flags(1)
	switch {
	case errno != 0:
		return fail(errno)
	case name == "":
		return fail(unix.ENOENT)
	case strings.Contains(name, "/") || name == "." || name == "..":
		return fail(unix.EACCES)
	case len(name) > unix.NAME_MAX:
		return fail(unix.ENAMETOOLONG)
	}
	q := t.host().messageQueue(name)
	created := false
	switch {
	case q == nil && flags&unix.O_CREAT == 0:
		return fail(unix.ENOENT)
	case q == nil:
		if q, errno = t.newQueue(name); errno != 0 {
			return fail(errno)
		}
		created = true
	case flags&(unix.O_CREAT|unix.O_EXCL) == unix.O_CREAT|unix.O_EXCL:
		return fail(unix.EEXIST)
	}
	return t.openQueue(name, q, flags|unix.O_CLOEXEC, created)
}

func (t *Task) newQueue(name string) (*mqueue.Queue, unix.Errno) {
	h := t.host()
	messages, size := queueMessages, queueSize
	if t.arg(3) != 0 {
		var b [32]byte // struct mq_attr: flags, maxmsg, msgsize, curmsgs
		if errno := t.read(t.arg(3), b[:]); errno != 0 {
			return nil, errno
		}
		most, mostSize := queueMessages, queueSize
		if t.cred.capable(capSysResource) {
			most, mostSize = hardQueueMessages, hardQueueSize
		}
		m, s := int64(binary.LittleEndian.Uint64(b[8:])), int64(binary.LittleEndian.Uint64(b[16:]))
		if m <= 0 || s <= 0 || m > int64(most) || s > int64(mostSize) {
			return nil, unix.EINVAL
		}
		messages, size = int(m), int(s)
	}
	for other := range h.messageQueues {
		h.messageQueue(other) // which may have been removed
	}
	if len(h.messageQueues) >= queuesMost && !t.cred.capable(capSysResource) {
		return nil, unix.ENOSPC
	}
	var limit unix.Rlimit
	const rlimitMsgqueue = 12
	if err := unix.Prlimit(t.process.TID, rlimitMsgqueue, nil, &limit); err != nil {
		return nil, unix.EMFILE
	}
	cost := queueCost(messages, size)
	for _, n := range h.messageQueues {
		if q := n.queue; q.UID == t.cred.euid {
			cost += queueCost(q.Messages, q.Size)
		}
	}
	if cost > limit.Cur {
		return nil, unix.EMFILE
	}
	q := &mqueue.Queue{
		Name: "/" + name, Messages: messages, Size: size,
		Mode: uint32(t.arg(2)) & 0o7777 &^ t.umask(), UID: t.cred.fsuid, GID: t.cred.fsgid,
	}
	file, errno := t.makeQueueFile(name, q)
	if errno != 0 {
		return nil, errno
	}
	h.messageQueues[name] = namedQueue{q, file}
	return q, 0
}

// mayOpenQueue looks at a queue's mode, as for a file.
func (t *Task) mayOpenQueue(q *mqueue.Queue, access int) bool {
	want := uint32(4)
	switch access {
	case unix.O_WRONLY:
		want = 2
	case unix.O_RDWR:
		want = 6
	}
	granted := q.Mode
	switch {
	case t.cred.fsuid == q.UID:
		granted >>= 6
	case t.cred.inGroup(q.GID):
		granted >>= 3
	}
	return want&^granted == 0 || t.cred.capable(capDacOverride)
}

// queuePlaceholder is a file that looks like a queue to fstat.
func queuePlaceholder(name string, mode uint32, flags int) (int, unix.Errno) {
	fd, err := unix.MemfdCreate(name[:min(len(name), 249)], unix.MFD_CLOEXEC)
	if err != nil {
		return -1, unix.ENFILE
	}
	for _, err := range []error{
		unix.Ftruncate(fd, queueFileSize), unix.Fchmod(fd, mode), unix.SetNonblock(fd, flags&unix.O_NONBLOCK != 0),
	} {
		if err != nil {
			unix.Close(fd)
			return -1, errnoOf(err)
		}
	}
	return fd, 0
}

func sysMqUnlink(t *Task) Outcome {
	name, errno := t.readString(t.arg(0))
	if errno != 0 {
		return fail(errno)
	}
	q := t.host().messageQueue(name)
	switch {
	case strings.Contains(name, "/"):
		return fail(unix.EACCES)
	case q == nil:
		return fail(unix.ENOENT)
	case t.cred.fsuid != q.UID && t.cred.fsuid != 0 && !t.cred.capable(capFowner): // the folder is sticky, and root's
		return fail(unix.EPERM)
	}
	t.host().removeQueueFile(name)
	delete(t.host().messageQueues, name)
	return ret(0)
}

// messageQueue is the queue behind a number, for those that may not be open for a
// call.
func (t *Task) messageQueue(number int) (*description, *mqueue.Descriptor, unix.Errno) {
	d := t.description(number)
	if d == nil {
		return nil, nil, unix.EBADF
	}
	q, ok := d.file.(*mqueue.Descriptor)
	if !ok {
		return nil, nil, unix.EBADF
	}
	return d, q, 0
}

// queueDeadline reads the end of a wait, a time of the calendar.
func (t *Task) queueDeadline(address uint64) unix.Errno {
	if address == 0 || !t.first() {
		return 0
	}
	until, errno := t.readTimespec(address)
	if errno == 0 {
		t.waitUntil(unix.CLOCK_REALTIME, until)
	}
	return errno
}

// queueCall is a call to wait with, or nil when the task must not.
func (t *Task) queueCall(d *description) *waiter.Call {
	if d.nonblock {
		return nil
	}
	return &waiter.Call{Wake: t.wake}
}

// awaitQueue waits for a call that a queue has taken up.
func (t *Task) awaitQueue(c *waiter.Call, waitsFor string) Outcome {
	if t.call.deadline <= t.now() {
		c.Cancel()
		return fail(unix.ETIMEDOUT)
	}
	return t.await(c, waitsFor, erestartsys)
}

func sysMqTimedsend(t *Task) Outcome {
	if c := t.waited(); c != nil {
		if !c.Done {
			c.Cancel()
			return fail(unix.ETIMEDOUT)
		}
		return fail(c.Errno)
	}
	if errno := t.queueDeadline(t.arg(4)); errno != 0 {
		return fail(errno)
	}
	priority := t.arg(3) & 0xffffffff
	if priority >= mqueue.Priorities {
		return fail(unix.EINVAL)
	}
	d, q, errno := t.messageQueue(t.int(0))
	switch {
	case errno != 0:
		return fail(errno)
	case !q.Writes:
		return fail(unix.EBADF)
	case t.arg(2) > uint64(q.Of.Size):
		return fail(unix.EMSGSIZE)
	}
	m := &mqueue.Message{Priority: uint32(priority), Text: make([]byte, t.arg(2))}
	if len(m.Text) > 0 {
		if errno := t.read(t.arg(1), m.Text); errno != 0 {
			return fail(errno)
		}
	}
	c := t.queueCall(d)
	errno = q.Of.Send(mqueue.Sender{PID: t.process.PID, UID: int(t.cred.uid)}, m, c)
	if errno == unix.EINPROGRESS {
		return t.awaitQueue(c, "room in "+q.Describe())
	}
	return fail(errno)
}

func sysMqTimedreceive(t *Task) Outcome {
	if c := t.waited(); c != nil {
		if !c.Done {
			c.Cancel()
			return fail(unix.ETIMEDOUT)
		}
		return t.giveQueued(c.Result.(*mqueue.Message))
	}
	if errno := t.queueDeadline(t.arg(4)); errno != 0 {
		return fail(errno)
	}
	d, q, errno := t.messageQueue(t.int(0))
	switch {
	case errno != 0:
		return fail(errno)
	case !q.Reads:
		return fail(unix.EBADF)
	}
	c := t.queueCall(d)
	m, errno := q.Of.Receive(t.size(2), c)
	switch errno {
	case 0:
		return t.giveQueued(m)
	case unix.EINPROGRESS:
		return t.awaitQueue(c, q.Describe())
	}
	return fail(errno)
}

// giveQueued stores a message that was received.
func (t *Task) giveQueued(m *mqueue.Message) Outcome {
	if t.arg(3) != 0 {
		if errno := t.writeInt(t.arg(3), m.Priority); errno != 0 {
			return fail(errno)
		}
	}
	if len(m.Text) > 0 {
		if errno := t.write(t.arg(1), m.Text); errno != 0 {
			return fail(errno)
		}
	}
	return ret(len(m.Text))
}

func sysMqGetsetattr(t *Task) Outcome {
	var wanted [32]byte
	if t.arg(1) != 0 {
		if errno := t.read(t.arg(1), wanted[:]); errno != 0 {
			return fail(errno)
		}
		if binary.LittleEndian.Uint64(wanted[:])&^unix.O_NONBLOCK != 0 {
			return fail(unix.EINVAL)
		}
	}
	d, q, errno := t.messageQueue(t.int(0))
	if errno != 0 {
		return fail(errno)
	}
	var b [64]byte
	if d.nonblock {
		binary.LittleEndian.PutUint64(b[:], unix.O_NONBLOCK)
	}
	for i, v := range []int{q.Of.Messages, q.Of.Size, q.Of.Len()} {
		binary.LittleEndian.PutUint64(b[8+8*i:], uint64(v))
	}
	if t.arg(1) != 0 {
		d.nonblock = binary.LittleEndian.Uint64(wanted[:]) != 0
		placeholder, errno := t.machine().TakeDescriptor(t, t.int(0))
		if errno != 0 {
			return fail(errno)
		}
		defer unix.Close(placeholder)
		if err := unix.SetNonblock(placeholder, d.nonblock); err != nil {
			return fail(errnoOf(err))
		}
	}
	if t.arg(2) != 0 {
		return fail(t.write(t.arg(2), b[:]))
	}
	return ret(0)
}

func sysMqNotify(t *Task) Outcome {
	var event [64]byte // struct sigevent: value, signal, how
	if t.arg(1) != 0 {
		if errno := t.read(t.arg(1), event[:]); errno != 0 {
			return fail(errno)
		}
	}
	value := binary.LittleEndian.Uint64(event[:])
	number := int(int32(binary.LittleEndian.Uint32(event[8:])))
	how := int(int32(binary.LittleEndian.Uint32(event[12:])))
	if how < mqueue.BySignal || how > mqueue.ByThread || how == mqueue.BySignal && t.arg(1) != 0 && (number < 0 || number > 64) {
		return fail(unix.EINVAL)
	}
	var cookie [notifyCookieSize]byte
	if how == mqueue.ByThread {
		if errno := t.read(value, cookie[:]); errno != 0 {
			return fail(errno)
		}
	}
	_, q, errno := t.messageQueue(t.int(0))
	if errno != 0 {
		return fail(errno)
	}
	if t.arg(1) == 0 {
		q.Of.Flush(t.process)
		return ret(0)
	}
	if q.Of.Notification != nil {
		return fail(unix.EBUSY)
	}
	n := &mqueue.Notification{Owner: t.process, PID: t.process.PID, How: how, Signal: number}
	p := t.process
	switch how {
	case mqueue.BySignal:
		n.Notify = func(by mqueue.Sender) { p.messageSignal(unix.Signal(number), by, value) }
	case mqueue.ByThread:
		socket, errno := t.machine().TakeDescriptor(t, number)
		if errno != 0 {
			return fail(errno)
		}
		n.Notify = func(mqueue.Sender) { t.kernel().notifyThread(socket, cookie, true) }
		n.Removed = func() { t.kernel().notifyThread(socket, cookie, false) }
	}
	q.Of.Notification = n
	p.notified = append(p.notified, q.Of)
	return ret(0)
}

// messageSignal tells a process that a message has come.
func (p *Process) messageSignal(signal unix.Signal, by mqueue.Sender, value uint64) {
	if p.zombie || signal == 0 {
		return
	}
	k := p.host.kernel
	k.Machine.SendMessageSignal(p, signal, by.PID, by.UID, value)
	k.signalled(p, nil, signal)
}

// flushQueues gives up the notifications that a process has asked for, because it
// has closed all queues.
func (p *Process) flushQueues() {
	for _, q := range p.notified {
		q.Flush(p)
	}
	p.notified = nil
}
