package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
)

// Sending and receiving on sockets: send, recv and their message forms.

// streams tells whether a send waits until all its bytes are taken.
func streams(s socket.Socket) bool { return s.Type() == unix.SOCK_STREAM }

func (t *Task) send(d *description, s socket.Socket, b *span, m *socket.Message) Outcome {
	if s.Domain() == unix.AF_UNIX {
		m.Credentials = t.credentials()
	}
	flags := m.Flags
	nonblock := d.nonblock || flags&unix.MSG_DONTWAIT != 0
	total := b.Len()
	n, errno := s.Send(b, m)
	if !streams(s) {
		if errno == unix.EPIPE && flags&unix.MSG_NOSIGNAL == 0 {
			t.process.raise(t, unix.SIGPIPE)
		}
		return t.finish(d, n, errno, waiter.Out, nonblock)
	}
	return t.wrote(d, n, total, errno, nonblock, flags&unix.MSG_NOSIGNAL == 0)
}

// received is the outcome of a receive that moved n bytes of a buffer of the
// given size; MSG_WAITALL goes on until it is full.
func (t *Task) received(d *description, s socket.Socket, n, size int, errno unix.Errno, flags int) Outcome {
	nonblock := d.nonblock || flags&unix.MSG_DONTWAIT != 0
	if errno == 0 && n > 0 && n < size && flags&unix.MSG_WAITALL != 0 && flags&unix.MSG_PEEK == 0 && streams(s) && !nonblock {
		t.call.done += n
		if s.Readiness()&waiter.In != 0 { // the end of the stream, perhaps
			t.call.again = true
			return entries[t.call.number].Handler(t)
		}
		return t.finish(d, 0, unix.EAGAIN, waiter.In, false)
	}
	if flags&unix.MSG_ERRQUEUE != 0 {
		nonblock = true
	}
	return t.finish(d, n, errno, waiter.In, nonblock)
}

func sysSendto(t *Task) Outcome {
	d, s, o, ok := t.socketOf(t.int(0))
	if !ok {
		return o
	}
	var m socket.Message
	var errno unix.Errno
	if t.arg(4) != 0 {
		if m.Address, errno = t.readAddress(t.arg(4), t.int(5)); errno != 0 {
			return fail(errno)
		}
	}
	m.Flags = t.flags(3)
	if t.arg(4) == 0 && m.Flags&^shippedSends == 0 {
		t.mayShip(d, m.Flags)
	}
	return t.send(d, s, t.buffer(t.arg(1), t.size(2), t.call.done), &m)
}

func sysRecvfrom(t *Task) Outcome {
	d, s, o, ok := t.socketOf(t.int(0))
	if !ok {
		return o
	}
	m := socket.Message{Flags: receiveFlags(d, t.flags(3))}
	b := t.buffer(t.arg(1), t.size(2), t.call.done)
	size := b.Len()
	if t.arg(4) == 0 && t.flags(3)&^shippedReceives == 0 {
		t.mayShip(d, t.flags(3))
	}
	n, errno := s.Receive(b, &m)
	t.dropFiles(&m)
	if errno == 0 && t.arg(4) != 0 {
		if errno := t.writeSender(m.Address, t.arg(4), t.arg(5)); errno != 0 {
			return fail(errno)
		}
	}
	return t.received(d, s, n, size, errno, t.flags(3))
}

// receiveFlags are a receive's flags, with MSG_DONTWAIT if the descriptor does
// not block.
func receiveFlags(d *description, flags int) int {
	if d.nonblock {
		flags |= unix.MSG_DONTWAIT
	}
	return flags
}

// writeSender is writeAddress for a sender, of whom there may be no address.
func (t *Task) writeSender(a socket.Address, address, sizeAt uint64) unix.Errno {
	if len(a) == 0 {
		return t.writeInt(sizeAt, 0)
	}
	return t.writeAddress(a, address, sizeAt)
}

// messageHeader is struct msghdr.
type messageHeader struct {
	name        uint64
	nameSize    uint32
	vector      uint64
	vectorCount uint64
	control     uint64
	controlSize uint64
	flags       uint32
}

const messageHeaderSize = 56

func (t *Task) readHeader(address uint64) (h messageHeader, errno unix.Errno) {
	var b [messageHeaderSize]byte
	if errno := t.read(address, b[:]); errno != 0 {
		return h, errno
	}
	word := binary.LittleEndian.Uint64
	h = messageHeader{
		name: word(b[:]), nameSize: binary.LittleEndian.Uint32(b[8:]), vector: word(b[16:]), vectorCount: word(b[24:]),
		control: word(b[32:]), controlSize: word(b[40:]), flags: binary.LittleEndian.Uint32(b[48:]),
	}
	if h.vectorCount > iovMax {
		return h, unix.EMSGSIZE
	}
	return h, 0
}

func sysSendmsg(t *Task) Outcome {
	d, s, o, ok := t.socketOf(t.int(0))
	if !ok {
		return o
	}
	return t.sendMessage(d, s, t.arg(1), t.flags(2))
}

func (t *Task) sendMessage(d *description, s socket.Socket, address uint64, flags int) Outcome {
	h, errno := t.readHeader(address)
	if errno != 0 {
		return fail(errno)
	}
	m := socket.Message{Flags: flags}
	if h.name != 0 {
		if m.Address, errno = t.readAddress(h.name, int(int32(h.nameSize))); errno != 0 {
			return fail(errno)
		}
	}
	if h.controlSize > 0 && t.call.done == 0 {
		if h.controlSize > 64<<10 {
			return fail(unix.ENOBUFS)
		}
		control := make([]byte, h.controlSize)
		if errno := t.read(h.control, control); errno != 0 {
			return fail(errno)
		}
		if errno := t.takeControl(&m, control); errno != 0 {
			return fail(errno)
		}
	}
	b, errno := t.vector(h.vector, int(h.vectorCount), t.call.done)
	if errno != 0 {
		t.dropFiles(&m)
		return fail(errno)
	}
	if t.call.number == unix.SYS_SENDMSG && h.name == 0 && h.controlSize == 0 && flags&^shippedSends == 0 {
		t.mayShip(d, flags)
	}
	o := t.send(d, s, b, &m)
	if o.Kind == Parked && t.call.done == 0 || o.Kind == Answer && o.Errno != 0 {
		t.dropFiles(&m) // not sent: taken again if there is another try
	}
	return o
}

// sysSendmmsg sends messages until one fails or would wait.
func sysSendmmsg(t *Task) Outcome {
	d, s, o, ok := t.socketOf(t.int(0))
	if !ok {
		return o
	}
	const entry = messageHeaderSize + 8
	sent, _ := t.call.state.(int)
	for count := min(t.int(2), iovMax); sent < count; {
		at := t.arg(1) + uint64(sent*entry)
		o := t.sendMessage(d, s, at, t.flags(3))
		if o.Kind == Parked {
			t.call.state = sent
			return o
		}
		if o.Errno != 0 {
			if sent > 0 {
				return ret(sent)
			}
			return o
		}
		t.call.done = 0
		if errno := t.writeInt(at+messageHeaderSize, uint32(o.Value)); errno != 0 {
			return fail(errno)
		}
		sent++
	}
	return ret(sent)
}

func sysRecvmsg(t *Task) Outcome {
	d, s, o, ok := t.socketOf(t.int(0))
	if !ok {
		return o
	}
	return t.receiveMessage(d, s, t.arg(1), t.flags(2))
}

func (t *Task) receiveMessage(d *description, s socket.Socket, address uint64, flags int) Outcome {
	h, errno := t.readHeader(address)
	if errno != 0 {
		return fail(errno)
	}
	b, errno := t.vector(h.vector, int(h.vectorCount), t.call.done)
	if errno != 0 {
		return fail(errno)
	}
	size := b.Len()
	m := socket.Message{Flags: receiveFlags(d, flags)}
	if t.call.number == unix.SYS_RECVMSG && h.name == 0 && h.controlSize == 0 && flags&^shippedReceives == 0 {
		t.mayShip(d, flags)
	}
	n, errno := s.Receive(b, &m)
	if errno != 0 {
		return t.received(d, s, n, size, errno, flags)
	}
	var head [messageHeaderSize]byte
	if errno := t.read(address, head[:]); errno != 0 {
		return fail(errno)
	}
	if h.name != 0 {
		name := m.Address
		if errno := t.write(h.name, name[:min(len(name), int(h.nameSize))]); errno != 0 {
			return fail(errno)
		}
		binary.LittleEndian.PutUint32(head[8:], uint32(len(name)))
	}
	control := t.giveControl(&m, int(h.controlSize), flags)
	if errno := t.write(h.control, control); errno != 0 {
		return fail(errno)
	}
	binary.LittleEndian.PutUint64(head[40:], uint64(len(control)))
	const returned = unix.MSG_TRUNC | unix.MSG_CTRUNC | unix.MSG_EOR | unix.MSG_OOB | unix.MSG_ERRQUEUE
	binary.LittleEndian.PutUint32(head[48:], uint32(m.Flags&returned|flags&unix.MSG_CMSG_CLOEXEC))
	if errno := t.write(address, head[:]); errno != 0 {
		return fail(errno)
	}
	if m.Flags&returned != 0 { // the machine's kernel would not say so
		t.Keep()
	}
	return t.received(d, s, n, size, 0, flags)
}

// sysRecvmmsg receives messages until the vector is full, or, after the first,
// until one would wait (MSG_WAITFORONE) or the timeout is over.
func sysRecvmmsg(t *Task) Outcome {
	d, s, o, ok := t.socketOf(t.int(0))
	if !ok {
		return o
	}
	const entry = messageHeaderSize + 8
	flags := t.flags(3)
	if t.first() && t.arg(4) != 0 {
		timeout, errno := t.readTimespec(t.arg(4))
		if errno != 0 {
			return fail(errno)
		}
		t.call.state = &receiveState{deadline: t.now() + min(sim.Never-t.now()-1, sim.Time(timeout))}
	}
	state, _ := t.call.state.(*receiveState)
	if state == nil {
		state = &receiveState{deadline: sim.Never}
		t.call.state = state
	}
	for count := min(t.int(2), iovMax); state.received < count; {
		at := t.arg(1) + uint64(state.received*entry)
		one := flags &^ unix.MSG_WAITFORONE
		if state.received > 0 && flags&unix.MSG_WAITFORONE != 0 {
			one |= unix.MSG_DONTWAIT
		}
		o := t.receiveMessage(d, s, at, one)
		if o.Kind == Parked {
			return o
		}
		if o.Errno != 0 {
			if state.received > 0 {
				return ret(state.received)
			}
			return o
		}
		if errno := t.writeInt(at+messageHeaderSize, uint32(o.Value)); errno != 0 {
			return fail(errno)
		}
		t.call.done = 0
		state.received++
		if t.now() >= state.deadline {
			break
		}
	}
	return ret(state.received)
}

type receiveState struct {
	received int
	deadline sim.Time
}
