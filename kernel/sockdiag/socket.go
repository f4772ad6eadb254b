// Package sockdiag is the netlink protocol by which programs like ss ask for a
// host's sockets (sock_diag(7)). Its answers are what /proc/net says, in netlink's
// form, and details of TCP.
package sockdiag

import (
	"encoding/binary"
	"io"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/inet"
	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

// Tables tells of a host's sockets.
type Tables interface {
	// ProcNet gives the content of a file of /proc/net.
	ProcNet(name string) (content string, ok bool)
	// Details are those of the rows of its table of TCP, in order.
	Details(domain int) []inet.Detail
	// Unix are its Unix sockets.
	Unix() []Unix
}

// Socket is a netlink socket of the protocol.
type Socket struct {
	kind    int
	port    uint32
	tables  Tables
	queue   waiter.Queue
	answers [][]byte
}

// New returns a socket of SOCK_RAW or SOCK_DGRAM, with a port of its own.
func New(kind int, port uint32, tables Tables) *Socket {
	return &Socket{kind: kind, port: port, tables: tables}
}

// Describe names the socket for messages.
func (s *Socket) Describe() string { return "sock_diag" }

// Queue implements socket.File.
func (s *Socket) Queue() *waiter.Queue { return &s.queue }

// Release implements socket.File.
func (s *Socket) Release() { s.answers = nil }

// Readiness implements socket.File.
func (s *Socket) Readiness() waiter.Mask {
	m := waiter.Out | waiter.WrNorm
	if len(s.answers) > 0 {
		m |= waiter.In | waiter.RdNorm
	}
	return m
}

// Domain implements socket.Socket.
func (s *Socket) Domain() int { return unix.AF_NETLINK }

// Type implements socket.Socket.
func (s *Socket) Type() int { return s.kind }

// Protocol implements socket.Socket.
func (s *Socket) Protocol() int { return unix.NETLINK_SOCK_DIAG }

// address is a struct sockaddr_nl.
func address(port uint32) socket.Address {
	a := socket.Address{unix.AF_NETLINK, 0, 0, 0}
	a = binary.LittleEndian.AppendUint32(a, port)
	return binary.LittleEndian.AppendUint32(a, 0)
}

// Bind implements socket.Socket. There are no groups to join.
func (s *Socket) Bind(a socket.Address) unix.Errno {
	if len(a) < unix.SizeofSockaddrNetlink || a.Family() != unix.AF_NETLINK {
		return unix.EINVAL
	}
	if port := binary.LittleEndian.Uint32(a[4:]); port != 0 {
		s.port = port
	}
	return 0
}

// Connect implements socket.Socket.
func (s *Socket) Connect(socket.Address) unix.Errno { return 0 }

// Listen implements socket.Socket.
func (s *Socket) Listen(int) unix.Errno { return unix.EOPNOTSUPP }

// Accept implements socket.Socket.
func (s *Socket) Accept() (socket.Socket, unix.Errno) { return nil, unix.EOPNOTSUPP }

// Shutdown implements socket.Socket.
func (s *Socket) Shutdown(int) unix.Errno { return unix.EOPNOTSUPP }

// LocalAddress implements socket.Socket.
func (s *Socket) LocalAddress() (socket.Address, unix.Errno) { return address(s.port), 0 }

// PeerAddress implements socket.Socket: the kernel.
func (s *Socket) PeerAddress() (socket.Address, unix.Errno) { return address(0), 0 }

// SetOption implements socket.Socket: sizes of buffers and how errors are told,
// neither of which matters here.
func (s *Socket) SetOption(level, _ int, _ []byte) unix.Errno {
	if level == unix.SOL_SOCKET || level == unix.SOL_NETLINK {
		return 0
	}
	return unix.ENOPROTOOPT
}

// Option implements socket.Socket.
func (s *Socket) Option(level, name int) ([]byte, unix.Errno) {
	if level != unix.SOL_SOCKET {
		return nil, unix.ENOPROTOOPT
	}
	value := 0
	switch name {
	case unix.SO_TYPE:
		value = s.kind
	case unix.SO_DOMAIN:
		value = unix.AF_NETLINK
	case unix.SO_PROTOCOL:
		value = unix.NETLINK_SOCK_DIAG
	case unix.SO_ERROR:
	case unix.SO_SNDBUF, unix.SO_RCVBUF:
		value = 212992 // net.core.wmem_default and rmem_default
	default:
		return nil, unix.ENOPROTOOPT
	}
	return binary.LittleEndian.AppendUint32(nil, uint32(value)), 0
}

// Write implements socket.Writer.
func (s *Socket) Write(src socket.Source) (int, unix.Errno) { return s.Send(src, &socket.Message{}) }

// Read implements socket.Reader.
func (s *Socket) Read(dst socket.Sink) (int, unix.Errno) { return s.Receive(dst, &socket.Message{}) }

// Send implements socket.Socket: it answers the requests in a message.
func (s *Socket) Send(src socket.Source, _ *socket.Message) (int, unix.Errno) {
	text := make([]byte, src.Len())
	if _, err := io.ReadFull(src, text); err != nil {
		return 0, unix.EFAULT
	}
	for rest := text; len(rest) >= headerSize; {
		size := int(binary.LittleEndian.Uint32(rest))
		if size < headerSize || size > len(rest) {
			break
		}
		s.answers = append(s.answers, answer(rest[:size], s.port, s.tables)...)
		rest = rest[min(align(size), len(rest)):]
	}
	s.queue.Notify(waiter.In | waiter.RdNorm)
	return len(text), 0
}

// Receive implements socket.Socket.
func (s *Socket) Receive(dst socket.Sink, m *socket.Message) (int, unix.Errno) {
	flags := m.Flags
	m.Flags, m.Control, m.Files = 0, nil, nil
	if len(s.answers) == 0 {
		return 0, unix.EAGAIN
	}
	b := s.answers[0]
	n := min(len(b), dst.Len())
	if wrote, _ := dst.Write(b[:n]); wrote < n {
		return 0, unix.EFAULT
	}
	if flags&unix.MSG_PEEK == 0 {
		s.answers = s.answers[1:]
	}
	if n < len(b) {
		m.Flags |= unix.MSG_TRUNC
		if flags&unix.MSG_TRUNC != 0 {
			n = len(b)
		}
	}
	m.Address = address(0)
	return n, 0
}
