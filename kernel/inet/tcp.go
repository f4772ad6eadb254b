package inet

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
)

// tcpState is a state of RFC 9293 with Linux's numbers (net/tcp_states.h),
// which /proc/net/tcp and TCP_INFO show.
type tcpState uint8

const (
	stateEstablished tcpState = iota + 1
	stateSynSent
	stateSynReceived
	stateFinWait1
	stateFinWait2
	stateTimeWait
	stateClosed
	stateCloseWait
	stateLastAck
	stateListen
	stateClosing
)

// tcpSocket is what a descriptor of a TCP socket refers to. It is fresh until
// it becomes the face of a listener or of a connection. The connection outlives
// it when data is still on the way at the close.
type tcpSocket struct {
	base
	bound      *binding // the port claimed by bind(2)
	listener   *listener
	connection *connection
	phase      phase
	// attempt is the connection being established, nil otherwise.
	attempt *attempt
	// sendShut and receiveShut are what shutdown(2) did without a connection,
	// and what a failed connect(2) leaves (the kernel's sk_shutdown).
	sendShut, receiveShut bool
	// shown is what getsockname(2) still tells of a local address that the
	// socket has no more.
	shown netip.AddrPort
	streamOptions
	// departed is the connection that the socket had when it was closed.
	departed *connection
}

// streamOptions are those that are no ints.
type streamOptions struct {
	lingers    bool   // SO_LINGER
	linger     int    // seconds
	congestion string // TCP_CONGESTION, if set
}

// phase is how far a socket's connect(2) has come, as the program knows (the
// kernel's sock->state).
type phase uint8

const (
	unconnected   phase = iota
	connecting          // until a later connect(2) fetches the outcome
	connected           // from then on, or from accept(2)
	disconnecting       // shut down while connecting
)

// connection is one end of a connection. The two ends are two connections that
// know each other; what one tells the other always crosses the carrier.
type connection struct {
	stack         *Stack
	domain        int
	local, remote netip.AddrPort
	binding       *binding
	state         tcpState
	peer          *connection
	parent        *listener  // until it is accepted
	passive       bool       // it was begun by the other end
	socket        *tcpSocket // nil before accept and after close
	options       base       // of the listener, for the socket to come
	streamOptions            // also of the listener
	failure       unix.Errno // that happened before there was a socket

	out, in *flow

	sendShut    bool // no more will be written
	finSent     bool // and the FIN is on its way
	receiveShut bool // shutdown(SHUT_RD) here
	finReceived bool
	watch       *sim.Event // the end of an orphan's FIN_WAIT_2, or the next try to be accepted
	tries       int        // to be accepted
	lacksSpace  bool       // a writer waits for room (the kernel's SOCK_NOSPACE)
	farewell    *tcpSocket // a close(2) that waits
	heard       sim.Time   // when something last came from the other end
	keepAlive   keepAlive

	opening     opening   // what its SYN carries, at the client's end
	unproven    *listener // that has given it to the program before the handshake was over
	gives       bool      // the answer to the SYN brings a cookie
	synBytes    bool      // those that the SYN carried were taken
	fastFailure int       // why not (tcpi_fastopen_client_fail)
}

func (s *Stack) newTCP(domain int) *tcpSocket {
	t := &tcpSocket{base: s.newBase(domain, unix.SOCK_STREAM, unix.IPPROTO_TCP)}
	s.list(t)
	return t
}

// Bind implements socket.Socket.
func (t *tcpSocket) Bind(a socket.Address) unix.Errno {
	ap, errno := t.bindAddress(a)
	if errno != 0 {
		return errno
	}
	if t.bound != nil || t.listener != nil || t.connection != nil && t.connection.state != stateClosed {
		return unix.EINVAL
	}
	if !t.mayBind(ap.Addr()) && !ap.Addr().IsMulticast() && !t.stack.isBroadcast(ap.Addr()) {
		return unix.EADDRNOTAVAIL
	}
	b := t.newBinding(ap)
	switch {
	case ap.Port() == 0:
		b.implicit = true
		if !t.stack.tcp.choose(b, t.stack.random, nil) {
			return unix.EADDRINUSE
		}
	case t.stack.tcp.conflicts(b):
		return unix.EADDRINUSE
	default:
		t.stack.tcp.add(b)
	}
	t.bound = b
	return 0
}

// newBinding is a claim of this socket to an address.
func (b *base) newBinding(ap netip.AddrPort) *binding {
	return &binding{
		domain: b.domain, addr: ap.Addr(), port: ap.Port(), only6: b.only6(),
		reuseAddress: b.reuseAddress(), reusePort: b.reusePort(), until: sim.Never,
	}
}

// bindAddress decodes the address of a bind(2).
func (b *base) bindAddress(a socket.Address) (netip.AddrPort, unix.Errno) {
	domain := b.domain
	if domain == unix.AF_INET && a.Family() == unix.AF_UNSPEC && len(a) >= sizeSockaddr4 {
		// An old habit that Linux allows for the wildcard address.
		a = append(socket.Address{unix.AF_INET, 0}, a[2:]...)
		if ap, _ := decodeAddress(domain, a); ap.Addr() != any4 {
			return ap, unix.EAFNOSUPPORT
		}
	}
	ap, errno := decodeAddress(domain, a)
	if errno != 0 {
		return ap, errno
	}
	if domain == unix.AF_INET6 && ap.Addr().Is4() && b.only6() {
		return ap, unix.EINVAL
	}
	return ap, 0
}

// mayBind tells whether a socket may have this local address.
func (b *base) mayBind(a netip.Addr) bool {
	return a.IsUnspecified() || b.stack.owns(a) ||
		b.value(unix.IPPROTO_IP, unix.IP_FREEBIND) != 0 || b.value(unix.IPPROTO_IP, unix.IP_TRANSPARENT) != 0 ||
		b.value(unix.IPPROTO_IPV6, unix.IPV6_FREEBIND) != 0
}

// local is the address that getsockname(2) shows.
func (t *tcpSocket) local() netip.AddrPort {
	switch {
	case t.connection != nil:
		return t.connection.local
	case t.bound != nil:
		return netip.AddrPortFrom(t.bound.addr, t.bound.port)
	case t.shown.IsValid():
		return t.shown
	}
	return netip.AddrPortFrom(anyOf(t.domain), 0)
}

// LocalAddress implements socket.Socket.
func (t *tcpSocket) LocalAddress() (socket.Address, unix.Errno) {
	return encodeAddress(t.domain, t.local()), 0
}

// PeerAddress implements socket.Socket.
func (t *tcpSocket) PeerAddress() (socket.Address, unix.Errno) {
	c := t.connection
	if c == nil || c.state == stateClosed || c.state == stateSynSent {
		return nil, unix.ENOTCONN
	}
	return encodeAddress(t.domain, c.remote), 0
}

// state is the state that TCP_INFO shows.
func (t *tcpSocket) state() tcpState {
	switch {
	case t.listener != nil:
		return stateListen
	case t.connection != nil:
		return t.connection.visible()
	}
	return stateClosed
}

// visible is the state that programs see.
func (c *connection) visible() tcpState {
	if c.unproven != nil && c.state == stateEstablished {
		return stateSynReceived
	}
	return c.state
}

// Readiness implements socket.File as the kernel's tcp_poll does.
func (t *tcpSocket) Readiness() waiter.Mask {
	var m waiter.Mask
	if t.failure != 0 || len(t.errors) > 0 {
		m |= waiter.Err
	}
	if t.listener != nil {
		if len(t.listener.ready) > 0 {
			m |= waiter.In | waiter.RdNorm
		}
		return m
	}
	c := t.connection
	if c == nil {
		m |= waiter.Out | waiter.WrNorm | waiter.Hup
		if t.receiveShut {
			m |= waiter.In | waiter.RdNorm | waiter.RdHup
		}
		return m
	}
	if c.state == stateSynSent || c.state == stateSynReceived {
		if c.opening.deferred {
			m |= waiter.Out | waiter.WrNorm
		}
		return m
	}
	sendShut, receiveShut := c.sendShut || t.sendShut, c.receiveShut || c.finReceived || t.receiveShut
	if c.state == stateClosed {
		sendShut, receiveShut = true, true
	}
	if sendShut && receiveShut {
		m |= waiter.Hup
	}
	if receiveShut {
		m |= waiter.In | waiter.RdNorm | waiter.RdHup
	}
	target := max(1, t.value(unix.SOL_SOCKET, unix.SO_RCVLOWAT))
	if c.in.atMark() && !c.urgentInline() {
		target++
	}
	if c.in.readable() >= target {
		m |= waiter.In | waiter.RdNorm
	}
	if c.in.urgent.state == urgentHere {
		m |= waiter.Pri
	}
	if sendShut || c.writable() {
		m |= waiter.Out | waiter.WrNorm
	} else {
		c.wantSpace()
	}
	return m
}

// Release implements socket.File.
func (t *tcpSocket) Release() {
	t.stack.unlist(t)
	if t.listener != nil {
		t.listener.close()
		t.listener = nil
	}
	if c := t.connection; c != nil {
		t.attempt.stop()
		t.attempt = nil
		if t.lingers && t.linger > 0 {
			c.farewell, t.departed = t, c
		}
		c.closeByUser(t.lingers && t.linger == 0)
		t.connection = nil
	}
	t.stack.tcp.remove(t.bound)
	t.bound = nil
}
