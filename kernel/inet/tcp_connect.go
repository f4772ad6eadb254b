package inet

import (
	"errors"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
)

// The handshake: SYN, SYN-ACK and ACK each cross the carrier. The client is
// connected when the SYN-ACK arrives; the server's end enters the accept queue
// when the ACK does, or data that overtakes it.

// firstRetry is the timeout of the first SYN (RFC 6298); it doubles each time.
const firstRetry = time.Second

// attempt is a connection being established by connect(2).
type attempt struct {
	c       *connection
	tries   int
	timer   sim.Event
	stopped bool
}

func (a *attempt) stop() {
	if a != nil && !a.stopped {
		a.stopped = true
		a.c.stack.network.queue.Cancel(&a.timer)
	}
}

// destination checks and completes the address that a socket is to send to:
// the wildcard address means this host.
func (b *base) destination(domain int, ap netip.AddrPort) (netip.AddrPort, unix.Errno) {
	addr := ap.Addr()
	if addr.IsUnspecified() {
		addr = loopbackOf(addr)
		if domain == unix.AF_INET6 && !b.only6() && len(b.stack.addresses) > 0 && addr.Is4() {
			addr = loopbackOf(any4)
		}
	}
	if domain == unix.AF_INET6 && addr.Is4() && b.only6() {
		return ap, unix.ENETUNREACH
	}
	return netip.AddrPortFrom(addr, ap.Port()), 0
}

// Connect implements socket.Socket.
func (t *tcpSocket) Connect(a socket.Address) unix.Errno { return t.connect(a, nil) }

// connect is connect(2), or that of a send, whose bytes are then first.
func (t *tcpSocket) connect(a socket.Address, first socket.Source) unix.Errno {
	if len(a) >= 2 && a.Family() == unix.AF_UNSPEC {
		return t.disconnect()
	}
	switch {
	case t.phase == connecting && t.attempt != nil && t.connection.opening.deferred:
		return unix.EISCONN
	case t.phase == connecting:
		return t.outcome()
	case t.phase == disconnecting:
		return unix.EINVAL
	case t.phase == connected, t.listener != nil:
		return unix.EISCONN
	}
	dst, errno := decodeAddress(t.domain, a)
	if errno != 0 {
		return errno
	}
	if dst, errno = t.destination(t.domain, dst); errno != 0 {
		return errno
	}
	if dst.Addr().IsMulticast() || dst.Addr() == broadcast4 {
		return unix.ENETUNREACH
	}
	c, errno := t.newConnection(dst)
	if errno != 0 {
		return errno
	}
	t.connection, t.phase, t.failure = c, connecting, 0
	if c.stack.network.carrier.HandshakeIsFree() {
		if at := c.destinationStack(); at != nil {
			if l := at.findListener(c.remote, c.local); l != nil && !l.full() {
				child := l.admit(c, at)
				c.established()
				child.established()
				t.phase = connected
				return 0
			}
		}
	}
	t.attempt = &attempt{c: c}
	t.attempt.timer.Fire = t.attempt.retry
	if first == nil && !t.on(unix.IPPROTO_TCP, unix.TCP_FASTOPEN_CONNECT) || !c.openFast() {
		return t.begin()
	}
	if first == nil {
		c.opening.deferred = true
		t.queue.Notify(waiter.Out | waiter.WrNorm)
		return 0
	}
	if errno := c.load(first); errno != 0 {
		c.fail(0)
		t.drop()
		return errno
	}
	return t.begin()
}

// begin sends the first SYN.
func (t *tcpSocket) begin() unix.Errno {
	t.stack.counters.activeOpens++
	if errno := t.attempt.send(); errno != 0 {
		t.connection.fail(0)
		t.drop()
		return errno
	}
	return unix.EINPROGRESS
}

// outcome is what a connect(2) returns that is not the first.
func (t *tcpSocket) outcome() unix.Errno {
	c := t.connection
	switch {
	case c != nil && (c.state == stateSynSent || c.state == stateSynReceived):
		return unix.EALREADY
	case c != nil && c.state != stateClosed:
		t.phase = connected
		return 0
	}
	e := t.takeError()
	if e == 0 {
		e = unix.ECONNABORTED
	}
	t.drop() // as the kernel does, without another error
	return e
}

// disconnect is connect(2) with AF_UNSPEC.
func (t *tcpSocket) disconnect() unix.Errno {
	if c := t.connection; c != nil && c.state != stateClosed && c.state != stateClosing && c.state != stateLastAck {
		t.failure = unix.ECONNRESET
	}
	t.drop()
	t.queue.Notify(waiter.Hup | waiter.Out)
	return 0
}

// drop makes the socket as new, but for a port that bind(2) gave it: the
// kernel's tcp_disconnect.
func (t *tcpSocket) drop() {
	t.phase, t.sendShut, t.receiveShut = unconnected, false, false
	if t.listener != nil {
		t.listener.close()
		t.listener = nil
		if t.bound.implicit {
			t.stack.tcp.remove(t.bound)
			t.bound = nil
		}
	}
	if c := t.connection; c != nil {
		t.attempt.stop()
		t.shown = c.local
		c.giveBack()
		t.attempt, t.connection, c.socket = nil, nil, nil
		c.abort()
		c.vanish()
	}
	if t.shown.IsValid() {
		t.shown = netip.AddrPortFrom(anyOf(t.domain), t.shown.Port())
	}
}

// giveBack leaves its socket the port that bind(2) chose.
func (c *connection) giveBack() {
	if b := c.binding; b != nil && !b.automatic && !b.implicit && !c.passive && c.socket != nil {
		c.socket.bound, c.binding = b, nil
	}
}

// newConnection claims a local address and port for a connection to dst.
func (t *tcpSocket) newConnection(dst netip.AddrPort) (*connection, unix.Errno) {
	s := t.stack
	var src netip.Addr
	if t.bound != nil && !t.bound.addr.IsUnspecified() {
		src = t.bound.addr
		if src.Is4() != dst.Addr().Is4() {
			return nil, unix.ENETUNREACH
		}
	} else {
		var errno unix.Errno
		if src, errno = s.source(dst.Addr()); errno != 0 {
			return nil, errno
		}
	}
	free := func(port uint16) bool {
		key := tuple{netip.AddrPortFrom(src, port), dst}
		return s.connections[key] == nil && !s.waiting(key)
	}
	b := t.bound
	if b == nil {
		b = t.newBinding(netip.AddrPortFrom(src, 0))
		b.automatic = true
		if !s.tcp.choose(b, s.random, free) {
			return nil, unix.EADDRNOTAVAIL
		}
	} else if s.connections[tuple{netip.AddrPortFrom(src, b.port), dst}] != nil {
		return nil, unix.EADDRNOTAVAIL
	} else {
		// Of a port that the program chose, one that lingers in TIME_WAIT gives way
		// (tcp_twsk_unique, with timestamps).
		s.forgetWaiting(tuple{netip.AddrPortFrom(src, b.port), dst})
	}
	c := &connection{
		stack: s, domain: t.domain, local: netip.AddrPortFrom(src, b.port), remote: dst,
		binding: b, state: stateSynSent, socket: t,
	}
	t.bound = nil
	s.connections[c.tuple()] = c
	return c, 0
}

func (c *connection) tuple() tuple { return tuple{c.local, c.remote} }

// destinationStack is the stack of the other end, nil when it has none.
func (c *connection) destinationStack() *Stack {
	if c.stack.owns(c.remote.Addr()) {
		return c.stack
	}
	return c.stack.network.byAddress[c.remote.Addr()]
}

// control hands the carrier a control segment for the other end.
func (c *connection) control(arrive func()) error { return c.controlWith(0, arrive) }

// controlWith is control for a segment that carries n bytes.
func (c *connection) controlWith(n int, arrive func()) error {
	c.stack.counters.segmentsSent(n, 1)
	from, to := c.stack.ends(c.local.Addr(), c.remote.Addr())
	return c.stack.network.carrier.Packet(from, to, n, true, func() {
		if c.peerCrashed() {
			c.unheard()
			return
		}
		arrive()
	})
}

// answer hands the carrier a control segment from the other end to this one.
func (c *connection) answer(arrive func()) {
	from, to := c.stack.ends(c.local.Addr(), c.remote.Addr())
	// A way back that does not exist loses the segment.
	_ = c.stack.network.carrier.Packet(to, from, 0, true, func() {
		if c.stack.crashed {
			return
		}
		c.stack.counters.segmentsReceived(0, 1)
		arrive()
	})
}

// send sends a SYN and arms the timer of the next.
func (a *attempt) send() unix.Errno {
	c := a.c
	size, first := len(c.opening.bytes), a.tries == 0
	if !first && size > 0 {
		size, c.fastFailure = 0, fastOpenRepeated
	}
	err := c.controlWith(size, func() { c.synArrives(first) })
	if err != nil && !errors.Is(err, ErrNoHost) {
		return unix.EHOSTUNREACH
	}
	queue := c.stack.network.queue
	queue.Schedule(&a.timer, queue.Now().Add(firstRetry<<a.tries))
	return 0
}

// retry is the timer of a SYN.
func (a *attempt) retry() {
	c := a.c
	if a.tries >= c.socket.value(unix.IPPROTO_TCP, unix.TCP_SYNCNT) {
		c.fail(unix.ETIMEDOUT)
		return
	}
	if ms := c.socket.value(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT); ms > 0 && firstRetry<<(a.tries+1)-firstRetry >= time.Duration(ms)*time.Millisecond {
		c.fail(unix.ETIMEDOUT)
		return
	}
	a.tries++
	c.stack.counters.retransmissions++
	if errno := a.send(); errno != 0 {
		c.fail(errno)
	}
}

// synArrives is the SYN at the other end. Only the first one carries more.
func (c *connection) synArrives(first bool) {
	if c.state != stateSynSent {
		return
	}
	if c.peer != nil && c.peer.stack.crashed {
		c.peer, c.in, c.out = nil, nil, nil
	}
	if c.peer != nil { // the answer was lost, or the other end has sent a SYN too
		c.answer(c.synAckArrives)
		return
	}
	if c.local == c.remote { // connected to itself: a simultaneous open
		own := newFlow(c, c)
		c.peer, c.in, c.out = c, own, own
		c.established()
		return
	}
	at := c.destinationStack()
	if at == nil {
		c.answer(c.refused)
		return
	}
	if at.crashed {
		return
	}
	if other := at.connections[tuple{c.remote, c.local}]; other != nil {
		if other.state == stateSynSent { // both ends connect at once
			c.join(other)
			c.answer(c.synAckArrives)
		}
		return // or an older connection of the same name is still known here
	}
	l := at.findListener(c.remote, c.local)
	switch {
	case l == nil:
		c.answer(c.refused)
	case !l.socket.passes(c, flagSyn, 0): // as if it were lost
	case l.full(): // dropped: the client tries again
		at.counters.listenOverflows++
	default:
		child := l.admit(c, at)
		if first && c.opening.fast() {
			l.admitFast(child)
		}
		c.answer(c.synAckArrives)
	}
}

func (c *connection) synAckArrives() {
	switch c.state {
	case stateSynSent:
		peer := c.peer
		if peer.state == stateClosed {
			return // its reset is behind
		}
		c.established()
		_ = c.control(peer.acknowledged)
	case stateClosed:
		if peer := c.peer; peer != nil && (peer.state == stateSynReceived || peer.unproven != nil) {
			_ = c.control(peer.reset)
		}
	}
}

// refused is a RST that answers a SYN.
func (c *connection) refused() {
	if c.state == stateSynSent {
		c.fail(unix.ECONNREFUSED)
	}
}

// established ends the handshake at this end.
func (c *connection) established() {
	switch c.state {
	case stateSynSent:
		t := c.socket
		t.attempt.stop()
		t.attempt = nil
		c.state, c.heard = stateEstablished, c.stack.now()
		c.keep()
		if c.opening.fast() {
			c.opened()
		}
		t.queue.Notify(waiter.Out | waiter.WrNorm)
	case stateSynReceived:
		c.state, c.heard = stateEstablished, c.stack.now()
		if c.watch != nil {
			c.stack.network.queue.Cancel(c.watch)
			c.watch = nil
		}
		c.parent.complete(c)
		c.keep()
		if c.in.arrived > 0 { // data that came before the end of the handshake
			c.in.acknowledge()
		}
	}
}

// fail ends a connection that was never established. The socket may connect
// again, from the port that it was bound to.
func (c *connection) fail(errno unix.Errno) {
	t := c.socket
	t.attempt.stop()
	t.attempt, t.connection, t.shown = nil, nil, c.local
	t.sendShut, t.receiveShut = true, true
	t.stack.counters.attemptFails++
	if errno != 0 {
		t.failure = errno
	}
	c.giveBack()
	c.state = stateClosed
	c.vanish()
	t.queue.Notify(waiter.In | waiter.RdNorm | waiter.Out | waiter.WrNorm | waiter.Err | waiter.Hup | waiter.RdHup)
}
