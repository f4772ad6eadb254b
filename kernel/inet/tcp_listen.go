package inet

import (
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
)

// somaxconn bounds every backlog: /proc/sys/net/core/somaxconn since Linux 5.4.
const somaxconn = 4096

// listener is a socket that accepts connections. Connections that are being
// established count against the backlog together with those that wait to be
// accepted, so that a handshake that has been answered always finds room.
// (Linux counts the second kind only, and drops the last acknowledgement when
// there is no room.)
type listener struct {
	socket   *tcpSocket
	backlog  int
	halfOpen []*connection
	ready    []*connection
}

// Listen implements socket.Socket.
func (t *tcpSocket) Listen(backlog int) unix.Errno {
	if backlog < 0 || backlog > somaxconn {
		backlog = somaxconn
	}
	if t.listener != nil {
		t.listener.backlog = backlog
		return 0
	}
	if t.connection != nil {
		return unix.EINVAL
	}
	ports := &t.stack.tcp
	if t.bound == nil {
		b := t.newBinding(netip.AddrPortFrom(anyOf(t.domain), 0))
		if !ports.choose(b, t.stack.random, nil) {
			return unix.EADDRINUSE
		}
		t.bound = b
	}
	t.bound.reuseAddress, t.bound.reusePort = t.reuseAddress(), t.reusePort()
	t.bound.listening = true
	if ports.conflicts(t.bound) {
		t.bound.listening = false
		return unix.EADDRINUSE
	}
	t.listener = &listener{socket: t, backlog: backlog}
	t.bound.listener = t.listener
	return 0
}

// Accept implements socket.Socket.
func (t *tcpSocket) Accept() (socket.Socket, unix.Errno) {
	l := t.listener
	if l == nil {
		return nil, unix.EINVAL
	}
	if len(l.ready) == 0 {
		return nil, unix.EAGAIN
	}
	c := l.ready[0]
	l.ready = slices.Delete(l.ready, 0, 1)
	n := t.stack.newTCP(t.domain)
	n.inherit(&c.options)
	n.lingers, n.linger = t.lingers, t.linger
	n.connection, c.socket, c.parent = c, n, nil
	n.failure = c.failure
	return n, 0
}

// findListener is who answers a SYN to an address: the most specific binding
// and, among equals (SO_REUSEPORT), one chosen by the connection's addresses.
func (s *Stack) findListener(dst, src netip.AddrPort) *listener {
	var found []*listener
	best := 0
	for _, b := range s.tcp.at(dst.Port()) {
		if b.listener == nil || !b.takes(dst.Addr()) {
			continue
		}
		rank := b.rank()
		if rank > best {
			best, found = rank, found[:0]
		}
		if rank == best {
			found = append(found, b.listener)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found[spread(src, len(found))]
}

// rank orders bindings from general to specific.
func (b *binding) rank() int {
	switch b.addr {
	case any6:
		return 1
	case any4:
		return 2
	}
	return 3
}

// spread chooses one of n sockets for a remote address, always the same one
// (FNV-1a).
func spread(from netip.AddrPort, n int) int {
	if n == 1 {
		return 0
	}
	h := uint64(14695981039346656037)
	mix := func(b byte) { h = (h ^ uint64(b)) * 1099511628211 }
	for _, b := range from.Addr().As16() {
		mix(b)
	}
	mix(byte(from.Port() >> 8))
	mix(byte(from.Port()))
	return int((h ^ h>>32) % uint64(n))
}

func (l *listener) full() bool { return len(l.ready)+len(l.halfOpen) > l.backlog }

// admit makes this side of a connection that c, elsewhere, asks for.
func (l *listener) admit(c *connection, at *Stack) *connection {
	s := l.socket
	child := &connection{
		stack: at, domain: s.domain, local: c.remote, remote: c.local, state: stateSynReceived, peer: c, parent: l,
	}
	child.options.domain = s.domain
	child.options.inherit(&s.base)
	child.binding = &binding{
		addr: child.local.Addr(), port: child.local.Port(), reuseAddress: s.reuseAddress(), reusePort: s.reusePort(), until: sim.Never,
	}
	at.tcp.add(child.binding)
	at.connections[child.tuple()] = child
	child.in = &flow{from: c, to: child, buffer: fifo{pool: &at.network.chunks}}
	child.out = &flow{from: child, to: c, buffer: fifo{pool: &at.network.chunks}}
	c.peer, c.in, c.out = child, child.out, child.in
	l.halfOpen = append(l.halfOpen, child)
	return child
}

// complete moves a connection whose handshake is done to the accept queue.
func (l *listener) complete(c *connection) {
	i := slices.Index(l.halfOpen, c)
	if i < 0 {
		return
	}
	l.halfOpen = slices.Delete(l.halfOpen, i, i+1)
	l.ready = append(l.ready, c)
	l.socket.queue.Notify(waiter.In | waiter.RdNorm)
}

// forget drops a connection that died before its handshake was done. Those in
// the accept queue stay: accept(2) returns them with their error.
func (l *listener) forget(c *connection) {
	if i := slices.Index(l.halfOpen, c); i >= 0 {
		l.halfOpen = slices.Delete(l.halfOpen, i, i+1)
	}
}

// close resets whatever was not accepted.
func (l *listener) close() {
	l.socket.bound.listener, l.socket.bound.listening = nil, false
	waiting := append(slices.Clone(l.ready), l.halfOpen...)
	l.ready, l.halfOpen = nil, nil
	for _, c := range waiting {
		c.parent = nil
		c.abort()
	}
}
