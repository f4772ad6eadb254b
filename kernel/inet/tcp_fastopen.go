package inet

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
)

// TCP Fast Open (RFC 7413, tcp(7)): a client that has a server's cookie sends its
// first bytes with the SYN, and the server's program gets the connection with
// them, a round trip before the handshake is over.

// Bits of net.ipv4.tcp_fastopen (the kernel's net/tcp.h).
const (
	fastOpenClient         = 1
	fastOpenServer         = 2
	fastOpenClientNoCookie = 4
	fastOpenServerNoCookie = 0x200
	fastOpenEveryListener  = 0x400
)

// What tcpi_fastopen_client_fail tells (linux/tcp.h).
const (
	fastOpenNoCookie = iota + 1
	fastOpenNotTaken
	fastOpenRepeated
)

// way is the two addresses for which a cookie is valid.
type way struct{ local, remote netip.Addr }

// opening is what the SYN of a connection carries.
type opening struct {
	deferred bool   // the SYN waits for the first bytes to send
	asks     bool   // it asks for a cookie
	cookie   *Stack // who has given the one that it shows, if any
	bare     bool   // the first bytes come without a cookie
	bytes    []byte // that it carries
}

// fast tells whether the first SYN carries more than an ordinary one.
func (o *opening) fast() bool { return o.asks || o.cookie != nil || o.bare && len(o.bytes) > 0 }

// fastOpen is net.ipv4.tcp_fastopen.
func (s *Stack) fastOpen() int { return s.setting("ipv4/tcp_fastopen", fastOpenClient) }

// openFast prepares a connection whose first bytes are to go with the SYN. It
// tells whether they may.
func (c *connection) openFast() bool {
	o := &c.opening
	if c.noCookie(fastOpenClientNoCookie, &c.socket.base) {
		o.bare = true
		return true
	}
	if o.cookie = c.stack.cookies[way{c.local.Addr(), c.remote.Addr()}]; o.cookie != nil {
		return true
	}
	o.asks, c.fastFailure = true, fastOpenNoCookie
	return false
}

// noCookie tells whether this end does without cookies.
func (c *connection) noCookie(bit int, options *base) bool {
	return options.on(unix.IPPROTO_TCP, unix.TCP_FASTOPEN_NO_COOKIE) || c.stack.fastOpen()&bit != 0
}

// load puts the first bytes to send into the SYN.
func (c *connection) load(src socket.Source) unix.Errno {
	b := make([]byte, min(src.Len(), c.synRoom()))
	for n := 0; n < len(b); {
		k, err := src.Read(b[n:])
		if err != nil {
			return unix.EFAULT
		}
		n += k
	}
	c.opening.bytes = b
	return 0
}

// synRoom is how many bytes fit into a SYN: all but the headers and the most
// options that there can be (tcp_send_syn_data).
func (c *connection) synRoom() int {
	mtu, header := mtuEthernet, 20
	if c.stack.owns(c.remote.Addr()) {
		mtu = mtuLoopback - 1
	}
	if c.remote.Addr().Is6() {
		header = 40
		if c.stack.owns(c.remote.Addr()) {
			mtu = mtuLoopback
		}
	}
	const tcpHeader, mostOptions = 20, 40
	return mtu - header - tcpHeader - mostOptions
}

// fastOpenSend is the connect(2) in a send with MSG_FASTOPEN, or in the first one
// after a connect(2) that had a cookie (TCP_FASTOPEN_CONNECT). Like connect(2), it
// returns EINPROGRESS when it has begun; n bytes of src are then on their way, or
// will be.
func (t *tcpSocket) fastOpenSend(src socket.Source, m *socket.Message) (n int, errno unix.Errno) {
	if t.attempt != nil && t.attempt.c.opening.deferred {
		c := t.connection
		if errno := c.load(src); errno != 0 {
			return 0, errno
		}
		c.opening.deferred = false
		errno = t.begin()
		return len(c.opening.bytes), errno
	}
	switch {
	case t.stack.fastOpen()&fastOpenClient == 0, len(m.Address) >= 2 && m.Address.Family() == unix.AF_UNSPEC:
		return 0, unix.EOPNOTSUPP
	case m.Address == nil && t.phase != connecting:
		return 0, unix.EINVAL
	}
	if errno = t.connect(m.Address, src); errno == unix.EINPROGRESS {
		n = len(t.connection.opening.bytes)
	}
	return n, errno
}

// admitFast gives the program a connection at once, with what the SYN carries, if
// its cookie is valid. The answer to the SYN brings the client one if it has asked
// for it, or showed one that is not valid any more (tcp_try_fastopen).
func (l *listener) admitFast(child *connection) {
	at, o := child.stack, &child.peer.opening
	if at.fastOpen()&fastOpenServer == 0 || l.unproven >= l.socket.value(unix.IPPROTO_TCP, unix.TCP_FASTOPEN) {
		return
	}
	if o.cookie != at && !child.noCookie(fastOpenServerNoCookie, &l.socket.base) {
		child.gives = !o.bare
		return
	}
	l.unproven++
	child.unproven, child.synBytes = l, len(o.bytes) > 0
	f := child.in
	f.carry(o.bytes)
	f.sent, f.arrived = f.written, f.written
	at.counters.fastOpensPassive++
	at.counters.segmentsReceived(len(o.bytes), 1)
	if at.realtime != nil {
		f.stamp = at.realtime()
	}
	child.established()
}

// carry takes bytes of the emulator's.
func (f *flow) carry(b []byte) {
	src := socket.ByteSource(b)
	n, _ := f.buffer.fill(&src, len(b))
	f.written += int64(n)
}

// proven is the end of the handshake of a connection that was the program's before.
func (c *connection) proven() {
	if l := c.unproven; l != nil {
		c.unproven = nil
		l.unproven--
	}
}

// opened is the answer to the client's SYN: it may bring a cookie, and what was not
// taken is sent again.
func (c *connection) opened() {
	peer, o := c.peer, &c.opening
	if peer.gives {
		c.stack.cookies[way{c.local.Addr(), c.remote.Addr()}] = peer.stack
	}
	if peer.unproven != nil {
		if len(o.bytes) > 0 {
			c.synBytes = true
			c.stack.counters.fastOpensActive++
		}
	} else if len(o.bytes) > 0 {
		if c.fastFailure == 0 {
			c.fastFailure = fastOpenNotTaken
		}
		c.out.carry(o.bytes)
		c.out.push()
	}
	o.bytes = nil
}
