package inet

import (
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
)

// somaxconn bounds every backlog: /proc/sys/net/core/somaxconn since Linux 5.4.
const somaxconn = 4096

// listener is a socket that accepts connections. Those that wait to be accepted
// count against the backlog: when it is full, what begins a handshake is
// dropped, and so is what ends one, which leaves the client connected and the
// server not (tcp_conn_request, tcp_v4_syn_recv_sock).
type listener struct {
	socket   *tcpSocket
	backlog  int
	halfOpen []*connection
	ready    []*connection
	unproven int // connections whose handshake is not over, though the program has them
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
	if t.phase != unconnected {
		return unix.EINVAL
	}
	ports := &t.stack.tcp
	if t.bound == nil {
		b := t.newBinding(netip.AddrPortFrom(anyOf(t.domain), 0))
		if !ports.choose(b, t.stack.random, nil) {
			return unix.EADDRINUSE
		}
		t.bound, b.implicit = b, true
	}
	t.bound.reuseAddress, t.bound.reusePort = t.reuseAddress(), t.reusePort()
	t.bound.listening = true
	if ports.conflicts(t.bound) {
		t.bound.listening = false
		return unix.EADDRINUSE
	}
	t.listener = &listener{socket: t, backlog: backlog}
	if s := t.stack.fastOpen(); s&fastOpenEveryListener != 0 && s&fastOpenServer != 0 && !t.on(unix.IPPROTO_TCP, unix.TCP_FASTOPEN) {
		t.set(unix.IPPROTO_TCP, unix.TCP_FASTOPEN, backlog)
	}
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
	delete(n.values, optionKey{unix.IPPROTO_TCP, unix.TCP_FASTOPEN})
	n.streamOptions = c.streamOptions
	n.connection, n.phase, c.socket, c.parent = c, connected, n, nil
	n.failure = c.failure
	return n, 0
}

// findListener is who answers a SYN to an address: the most specific binding
// and, among equals (SO_REUSEPORT), one chosen by the connection's addresses.
func (s *Stack) findListener(dst, src netip.AddrPort) *listener {
	var found []*binding
	var first *binding
	best := 0
	for _, b := range s.tcp.at(dst.Port()) {
		if b.listener == nil || !b.takes(dst.Addr()) || !b.listener.socket.heardThrough(src.Addr()) {
			continue
		}
		rank := b.rank()
		if rank > best {
			best, found, first = rank, found[:0], nil
		}
		if rank == best {
			found = append(found, b)
			if first == nil || b.ahead() {
				first = b
			}
		}
	}
	if first == nil {
		return nil
	}
	return share(first, found, src, nil).listener
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

func (l *listener) full() bool { return len(l.ready) > l.backlog }

// admit makes this side of a connection that c, elsewhere, asks for.
func (l *listener) admit(c *connection, at *Stack) *connection {
	s := l.socket
	child := &connection{
		stack: at, domain: s.domain, local: c.remote, remote: c.local, state: stateSynReceived, peer: c, parent: l, passive: true,
	}
	child.options.domain = s.domain
	child.options.inherit(&s.base)
	child.streamOptions = s.streamOptions
	child.binding = &binding{
		addr: child.local.Addr(), port: child.local.Port(), reuseAddress: s.reuseAddress(), reusePort: s.reusePort(), until: sim.Never,
	}
	at.tcp.add(child.binding)
	at.connections[child.tuple()] = child
	child.join(c)
	l.halfOpen = append(l.halfOpen, child)
	return child
}

// join makes two connections the ends of one.
func (c *connection) join(peer *connection) {
	c.in, c.out = newFlow(peer, c), newFlow(c, peer)
	peer.peer, peer.in, peer.out = c, c.out, c.in
	c.peer = peer
}

// acknowledged is the end of the handshake at the server's end: the client's
// last segment, or data that has come behind it. With TCP_DEFER_ACCEPT the
// first does not suffice for some time; without room in the accept queue
// neither does, until a repetition finds some.
func (c *connection) acknowledged() {
	if c.state != stateSynReceived {
		c.proven()
		c.established()
		return
	}
	data := c.in.arrived > 0 || c.in.finArrived
	if patience := c.seconds(unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT); patience > 0 && !data && c.tries == 0 {
		c.tries = 1
		c.tryAgain(patience)
		return
	}
	if !c.parent.full() {
		c.established()
		return
	}
	c.stack.counters.listenOverflows++
	if c.watch == nil || !c.watch.Scheduled() {
		first := firstRetry // of the SYN-ACK, or of data
		if data {
			first = 200 * time.Millisecond
		}
		c.tryAgain(first << min(c.tries, synAckRetries))
	}
}

// synAckRetries is net.ipv4.tcp_synack_retries.
const synAckRetries = 5

// tryAgain lets the client repeat the end of the handshake after some time.
func (c *connection) tryAgain(after time.Duration) {
	if c.watch == nil {
		c.watch = &sim.Event{Fire: func() {
			if c.tries++; c.tries > synAckRetries && c.parent.full() {
				c.parent.forget(c)
				c.parent = nil
				c.done(0) // and the client does not know
				return
			}
			c.acknowledged()
		}}
	}
	queue := c.stack.network.queue
	queue.Schedule(c.watch, queue.Now().Add(after))
}

// complete moves a connection whose handshake is done to the accept queue.
func (l *listener) complete(c *connection) {
	i := slices.Index(l.halfOpen, c)
	if i < 0 {
		return
	}
	l.halfOpen = slices.Delete(l.halfOpen, i, i+1)
	l.ready = append(l.ready, c)
	c.stack.counters.passiveOpens++
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
