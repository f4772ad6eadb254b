package kernel

import (
	"encoding/binary"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/sockdiag"
	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/socketfilter"
	"github.com/simterpose/simterpose/kernel/transit"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
)

// socketOf finds the emulated socket behind a number. native is true when the
// descriptor is the machine's business: a netlink socket, or none at all, for
// which the kernel knows the errno.
func (t *Task) socketOf(number int) (d *description, s socket.Socket, o Outcome, ok bool) {
	d = t.description(number)
	if d == nil {
		return nil, nil, native(), false
	}
	if f, ok := d.file.(*machineFile); ok {
		return d, nil, t.netlinkCall(d, f), false
	}
	s, ok = d.file.(socket.Socket)
	if !ok {
		return d, nil, fail(unix.ENOTSOCK), false
	}
	return d, s, Outcome{}, true
}

// socketPlaceholder is a socket for the machine's kernel that can reach
// nothing: an unconnected Unix one, whatever family the guest asked for.
func socketPlaceholder(kind, flags int) (int, unix.Errno) {
	if kind != unix.SOCK_STREAM && kind != unix.SOCK_SEQPACKET {
		kind = unix.SOCK_DGRAM
	}
	fd, err := unix.Socket(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC|flags&unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, unix.ENFILE
	}
	return fd, 0
}

// installSocket gives the guest a descriptor for a socket; flags are SOCK_*.
func (t *Task) installSocket(s socket.Socket, flags int) (int, unix.Errno) {
	if depot := t.host().Depot; depot != nil && s.Type() == unix.SOCK_STREAM && s.Domain() != unix.AF_UNIX {
		if pair, err := depot.NewPair(flags & unix.SOCK_NONBLOCK); err == nil {
			return t.installPair(s, pair, flags)
		} // else out of descriptors: its bytes are copied
	}
	placeholder, errno := socketPlaceholder(s.Type(), flags)
	if errno != 0 {
		s.Release()
		return 0, errno
	}
	return t.install(s, placeholder, flags) // SOCK_* flags have O_*'s values
}

// installPair is installSocket for one whose connections may be translated.
func (t *Task) installPair(s socket.Socket, pair *transit.Pair, flags int) (int, unix.Errno) {
	descriptor, errno := t.machine().AddDescriptor(t, pair.Guest(), -1, flags&unix.SOCK_CLOEXEC != 0)
	if errno != 0 {
		s.Release()
		pair.Close()
		return 0, errno
	}
	d := t.kernel().newDescription(s, flags)
	d.pair = pair
	t.files.set(descriptor, d)
	return descriptor, 0
}

const socketFlags = unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC

// newSocket makes a socket of an emulated family. ok is false when the family
// is the machine's.
func (t *Task) newSocket(domain, kind, protocol int) (s socket.Socket, errno unix.Errno, ok bool) {
	switch domain {
	case unix.AF_INET, unix.AF_INET6:
		s, errno = t.host().Stack.NewSocket(domain, kind, protocol)
	case unix.AF_UNIX:
		s, errno = t.host().unix.New(kind, protocol)
	case unix.AF_NETLINK:
		if protocol != unix.NETLINK_SOCK_DIAG || kind != unix.SOCK_RAW && kind != unix.SOCK_DGRAM {
			return nil, 0, false
		}
		s = sockdiag.New(kind, uint32(t.process.PID), tables{t})
	default:
		return nil, 0, false
	}
	return s, errno, true
}

func sysSocket(t *Task) Outcome {
	domain, kind := t.int(0), t.int(1)
	const typeMask = 0xf // SOCK_TYPE_MASK
	if kind&^typeMask&^socketFlags != 0 {
		return fail(unix.EINVAL)
	}
	if (kind&typeMask == unix.SOCK_RAW && domain != unix.AF_NETLINK || domain == unix.AF_PACKET) && !t.cred.capable(capNetRaw) {
		return fail(unix.EPERM)
	}
	s, errno, ok := t.newSocket(domain, kind&^socketFlags, t.int(2))
	switch {
	case !ok && domain == unix.AF_NETLINK:
		return Outcome{Kind: Carry} // of the host's network namespace
	case !ok:
		return t.kernel().refuse(t, "sockets of family "+familyName(domain), unix.EAFNOSUPPORT)
	case errno != 0:
		return fail(errno)
	}
	return result(t.installSocket(s, kind&socketFlags))
}

func sysSocketpair(t *Task) Outcome {
	if t.int(0) != unix.AF_UNIX {
		return native() // which refuses
	}
	kind := t.int(1)
	a, b, errno := t.host().unix.Pair(kind&^socketFlags, t.int(2))
	if errno != 0 {
		return fail(errno)
	}
	first, errno := t.installSocket(a, kind&socketFlags)
	if errno != 0 {
		b.Release()
		return fail(errno)
	}
	second, errno := t.installSocket(b, kind&socketFlags)
	if errno != 0 {
		t.files.set(first, nil)
		return fail(errno)
	}
	var pair [8]byte
	binary.LittleEndian.PutUint32(pair[:], uint32(first))
	binary.LittleEndian.PutUint32(pair[4:], uint32(second))
	return fail(t.write(t.arg(3), pair[:]))
}

// readAddress reads a struct sockaddr.
func (t *Task) readAddress(address uint64, size int) (socket.Address, unix.Errno) {
	if size < 0 || size > 128 { // sizeof(struct sockaddr_storage)
		return nil, unix.EINVAL
	}
	if size == 0 {
		return nil, 0
	}
	b := make([]byte, size)
	return b, t.read(address, b)
}

// writeAddress stores a struct sockaddr, cut to the room there is, and its
// whole size.
func (t *Task) writeAddress(a socket.Address, address, sizeAt uint64) unix.Errno {
	if address == 0 {
		return 0
	}
	room, errno := t.readInt(sizeAt)
	if errno != 0 {
		return errno
	}
	if int32(room) < 0 {
		return unix.EINVAL
	}
	if errno := t.write(address, a[:min(len(a), int(room))]); errno != 0 {
		return errno
	}
	return t.writeInt(sizeAt, uint32(len(a)))
}

func sysBind(t *Task) Outcome {
	_, s, o, ok := t.socketOf(t.int(0))
	if !ok {
		return o
	}
	a, errno := t.readAddress(t.arg(1), t.int(2))
	if errno != 0 {
		return fail(errno)
	}
	const firstUnprivileged = 1024 // net.ipv4.ip_unprivileged_port_start
	if f := a.Family(); (f == unix.AF_INET || f == unix.AF_INET6) && len(a) >= 4 && !t.cred.capable(capNetBindService) {
		if port := int(a[2])<<8 | int(a[3]); port > 0 && port < firstUnprivileged {
			return fail(unix.EACCES)
		}
	}
	return fail(s.Bind(a))
}

func sysListen(t *Task) Outcome {
	d, s, o, ok := t.socketOf(t.int(0))
	if !ok {
		return o
	}
	errno := s.Listen(t.int(1))
	if errno == 0 {
		d.unpair() // nothing is read or written here
	}
	return fail(errno)
}

func sysConnect(t *Task) Outcome {
	d, s, o, ok := t.socketOf(t.int(0))
	if !ok {
		return o
	}
	a, errno := t.readAddress(t.arg(1), t.int(2))
	if errno != 0 {
		return fail(errno)
	}
	errno = s.Connect(a)
	if d.signals != nil && errno == unix.EINPROGRESS {
		d.signals.full = true // until it is connected
	}
	if errno == unix.EAGAIN && s.Domain() == unix.AF_UNIX && !d.nonblock { // the listener's backlog is full
		return t.waitFor(s, waiter.Out|waiter.Hup, erestartsys)
	}
	if d.nonblock || errno != unix.EINPROGRESS && !(errno == unix.EALREADY && !t.first()) {
		return fail(errno)
	}
	// connect(2) waits as long as SO_SNDTIMEO says, then gives EINPROGRESS.
	if d.sendTimeout != 0 {
		if t.timedOut() {
			return fail(unix.EINPROGRESS)
		}
		if t.call.deadline == sim.Never {
			t.call.deadline = t.now().Add(d.sendTimeout)
		}
	}
	return t.waitFor(s, waiter.Out|waiter.Hup, erestartsys)
}

func sysAccept(t *Task) Outcome {
	d, s, o, ok := t.socketOf(t.int(0))
	if !ok {
		return o
	}
	flags := 0
	if t.call.number == unix.SYS_ACCEPT4 {
		flags = t.flags(3)
		if flags&^socketFlags != 0 {
			return fail(unix.EINVAL)
		}
	}
	c, errno := s.Accept()
	if errno != 0 {
		return t.finish(d, 0, errno, waiter.In, d.nonblock)
	}
	if t.arg(1) != 0 {
		peer, errno := c.PeerAddress()
		if errno != 0 { // it closed before it was accepted
			peer = make(socket.Address, 16)
			binary.LittleEndian.PutUint16(peer, uint16(c.Domain()))
		}
		if errno := t.writeAddress(peer, t.arg(1), t.arg(2)); errno != 0 {
			c.Release()
			return fail(errno)
		}
	}
	return result(t.installSocket(c, flags))
}

func sysShutdown(t *Task) Outcome {
	_, s, o, ok := t.socketOf(t.int(0))
	if !ok {
		return o
	}
	if how := t.int(1); how < unix.SHUT_RD || how > unix.SHUT_RDWR {
		return fail(unix.EINVAL)
	}
	return fail(s.Shutdown(t.int(1)))
}

func sysGetsockname(t *Task) Outcome {
	_, s, o, ok := t.socketOf(t.int(0))
	if !ok {
		return o
	}
	a, errno := s.LocalAddress()
	if t.call.number == unix.SYS_GETPEERNAME {
		a, errno = s.PeerAddress()
	}
	if errno != 0 {
		return fail(errno)
	}
	if t.arg(1) == 0 {
		return fail(unix.EFAULT)
	}
	return fail(t.writeAddress(a, t.arg(1), t.arg(2)))
}

// Timeouts of sockets, in both sizes of time_t (asm-generic/socket.h).
const (
	soRcvtimeoNew = 66
	soSndtimeoNew = 67
)

func timeoutOption(level, name int) (isTimeout, send bool) {
	if level != unix.SOL_SOCKET {
		return false, false
	}
	switch name {
	case unix.SO_RCVTIMEO, soRcvtimeoNew:
		return true, false
	case unix.SO_SNDTIMEO, soSndtimeoNew:
		return true, true
	}
	return false, false
}

func sysSetsockopt(t *Task) Outcome {
	d, s, o, ok := t.socketOf(t.int(0))
	if !ok {
		return o
	}
	level, name, size := t.int(1), t.int(2), t.int(4)
	if size < 0 || size > 64<<10 {
		return fail(unix.EINVAL)
	}
	value := make([]byte, size)
	if errno := t.read(t.arg(3), value); errno != 0 {
		return fail(errno)
	}
	if is, send := timeoutOption(level, name); is {
		return fail(d.setTimeout(value, send))
	}
	if level == unix.SOL_SOCKET && (name == unix.SO_ATTACH_FILTER || name == unix.SO_ATTACH_REUSEPORT_CBPF) {
		var errno unix.Errno
		if value, errno = t.filterProgram(value); errno != 0 {
			return fail(errno)
		}
	}
	errno := s.SetOption(level, name, value)
	if errno == unix.ENOPROTOOPT && hasLevel(s, level) {
		return t.kernel().refuse(t, "setsockopt "+optionName(s, level, name), errno)
	}
	return fail(errno)
}

// filterProgram reads the instructions that a struct sock_fprog points to.
func (t *Task) filterProgram(header []byte) ([]byte, unix.Errno) {
	const headerSize = 16
	if len(header) != headerSize {
		return nil, unix.EINVAL
	}
	count := int(binary.LittleEndian.Uint16(header))
	program := make([]byte, count*socketfilter.InstructionSize)
	if count == 0 {
		return nil, unix.EINVAL
	}
	return program, t.read(binary.LittleEndian.Uint64(header[8:]), program)
}

// setTimeout is SO_RCVTIMEO and SO_SNDTIMEO; 0 means for ever.
func (d *description) setTimeout(value []byte, send bool) unix.Errno {
	if len(value) < 16 {
		return unix.EINVAL
	}
	seconds, micro := int64(binary.LittleEndian.Uint64(value)), int64(binary.LittleEndian.Uint64(value[8:]))
	if micro < 0 || micro >= 1_000_000 {
		return unix.EDOM
	}
	timeout := time.Duration(0)
	switch {
	case seconds < 0: // the kernel takes it as "do not wait"
		timeout = 1
	case seconds < int64(sim.Never)/1_000_000_000-1:
		timeout = time.Duration(seconds*1_000_000_000 + micro*1000)
	}
	if send {
		d.sendTimeout = timeout
	} else {
		d.receiveTimeout = timeout
	}
	return 0
}

func sysGetsockopt(t *Task) Outcome {
	d, s, o, ok := t.socketOf(t.int(0))
	if !ok {
		return o
	}
	level, name := t.int(1), t.int(2)
	room, errno := t.readInt(t.arg(4))
	if errno != 0 {
		return fail(errno)
	}
	if int32(room) < 0 {
		return fail(unix.EINVAL)
	}
	var value []byte
	if is, send := timeoutOption(level, name); is {
		timeout := d.receiveTimeout
		if send {
			timeout = d.sendTimeout
		}
		value = appendTimeval(nil, int64(timeout))
	} else if value, errno = s.Option(level, name); errno != 0 {
		if errno == unix.ENOPROTOOPT && hasLevel(s, level) {
			return t.kernel().refuse(t, "getsockopt "+optionName(s, level, name), errno)
		}
		return fail(errno)
	}
	value = value[:min(len(value), int(room))]
	if errno := t.write(t.arg(3), value); errno != 0 {
		return fail(errno)
	}
	return fail(t.writeInt(t.arg(4), uint32(len(value))))
}

// hasLevel tells whether Linux knows options of a level for a socket; of those
// that it does not know, ENOPROTOOPT is the true answer.
func hasLevel(s socket.Socket, level int) bool {
	internet := s.Domain() == unix.AF_INET || s.Domain() == unix.AF_INET6
	switch level {
	case unix.SOL_SOCKET:
		return true
	case unix.SOL_IP:
		return internet
	case unix.SOL_IPV6:
		return s.Domain() == unix.AF_INET6
	case unix.SOL_TCP:
		return internet && s.Type() == unix.SOCK_STREAM
	case unix.SOL_UDP:
		return internet && s.Type() == unix.SOCK_DGRAM
	}
	return false
}
