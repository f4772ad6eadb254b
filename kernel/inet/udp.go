package inet

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

const (
	// The largest UDP payloads: 64 KiB - 1 less the headers.
	mostUDP4 = 65507
	mostUDP6 = 65527

	// datagramOverhead is what the kernel counts against SO_RCVBUF beside a
	// small datagram's payload (the truesize of its skb).
	datagramOverhead = 768
	datagramBuffer   = 212992 // net.core.rmem_default and wmem_default
)

// datagram is what waits in a receive queue.
type datagram struct {
	src  netip.AddrPort
	dst  netip.Addr
	data []byte
	ttl  int
	tos  int
	at   int64 // CLOCK_REALTIME of the arrival, in nanoseconds
	// drops is the number that was lost before it for want of room.
	drops int
	// train is what the datagram was cut from (UDP_SEGMENT), nil if it was not;
	// segment is the size of the pieces, and joined tells that data is several
	// (UDP_GRO).
	train   *pending
	segment int
	joined  bool
	// covered is how much a partial checksum of UDP-Lite covers, with the
	// header; 0: all.
	covered int
}

// inbox is the receive queue of a datagram socket.
type inbox struct {
	waiting []datagram
	charge  int   // bytes counted against SO_RCVBUF
	taken   int64 // when the datagram that was received last came; 0: none
	drops   int
}

// udpSocket is a UDP or a UDP-Lite socket.
type udpSocket struct {
	base
	inbox
	bound       *binding
	explicit    bool           // the address was given by bind(2)
	automatic   bool           // the port was not given by bind(2)
	pending     *pending       // of MSG_MORE and UDP_CORK
	remote      netip.AddrPort // valid when connected
	released    bool
	sendShut    bool
	receiveShut bool
}

func (s *Stack) newUDP(domain, protocol int) *udpSocket {
	u := &udpSocket{base: s.newBase(domain, unix.SOCK_DGRAM, protocol)}
	s.list(u)
	return u
}

// Bind implements socket.Socket.
func (u *udpSocket) Bind(a socket.Address) unix.Errno {
	ap, errno := u.bindAddress(a)
	if errno != 0 {
		return errno
	}
	if !u.mayBind(ap.Addr()) && !ap.Addr().IsMulticast() && !u.stack.isBroadcast(ap.Addr()) {
		return unix.EADDRNOTAVAIL
	}
	if u.bound != nil {
		return unix.EINVAL
	}
	errno = u.claim(ap)
	u.explicit = errno == 0 && !ap.Addr().IsUnspecified()
	return errno
}

// claim takes a local port.
func (u *udpSocket) claim(ap netip.AddrPort) unix.Errno {
	b := u.newBinding(ap)
	b.udp = u
	ports := u.stack.datagramPorts(u.protocol)
	switch {
	case ap.Port() == 0:
		if !ports.choose(b, u.stack.random, nil) {
			return unix.EADDRINUSE
		}
	case ports.conflicts(b):
		return unix.EADDRINUSE
	default:
		ports.add(b)
	}
	u.bound, u.automatic = b, ap.Port() == 0
	return 0
}

// autobind takes an ephemeral port before the first send.
func (u *udpSocket) autobind() unix.Errno {
	if u.bound != nil {
		return 0
	}
	if u.claim(netip.AddrPortFrom(anyOf(u.domain), 0)) != 0 {
		return unix.EAGAIN
	}
	return 0
}

// decodeAny reads an address of either family, as UDP sockets over IPv6 do.
func (b *base) decodeAny(a socket.Address) (netip.AddrPort, unix.Errno) {
	if b.domain == unix.AF_INET6 && a.Family() == unix.AF_INET {
		ap, errno := decodeAddress(unix.AF_INET, a)
		if errno != 0 {
			return ap, errno
		}
		return b.destination(unix.AF_INET6, ap)
	}
	if b.domain == unix.AF_INET && a.Family() == unix.AF_UNSPEC && len(a) >= sizeSockaddr4 {
		a = append(socket.Address{unix.AF_INET, 0}, a[2:]...)
	}
	ap, errno := decodeAddress(b.domain, a)
	if errno != 0 {
		return ap, errno
	}
	return b.destination(b.domain, ap)
}

// Connect implements socket.Socket.
func (u *udpSocket) Connect(a socket.Address) unix.Errno {
	if len(a) >= 2 && a.Family() == unix.AF_UNSPEC {
		u.disconnect()
		return 0
	}
	if u.domain == unix.AF_INET6 && a.Family() == unix.AF_INET && u.only6() {
		return unix.EAFNOSUPPORT
	}
	dst, errno := u.decodeAny(a)
	if errno != 0 {
		return errno
	}
	if u.stack.isBroadcast(dst.Addr()) && u.value(unix.SOL_SOCKET, unix.SO_BROADCAST) == 0 {
		return unix.EACCES
	}
	if u.remote.IsValid() && u.bound.addr.Is4() && dst.Addr().Is6() {
		return unix.EAFNOSUPPORT // the source is an IPv4-mapped address
	}
	src, errno := u.sourceFor(dst.Addr())
	if errno != 0 {
		return errno
	}
	if errno := u.autobind(); errno != 0 {
		return errno
	}
	if !u.explicit {
		u.bound.addr = src
	}
	u.remote = dst
	return 0
}

// disconnect is connect(2) with AF_UNSPEC: what connect chose is given up.
func (u *udpSocket) disconnect() {
	u.remote = netip.AddrPort{}
	if u.bound == nil {
		return
	}
	if !u.explicit {
		u.bound.addr = anyOf(u.domain)
	}
	if u.automatic {
		u.stack.datagramPorts(u.protocol).remove(u.bound)
		u.bound, u.automatic = nil, false
	}
}

// sourceFor is the address that datagrams to dst are sent from.
func (u *udpSocket) sourceFor(dst netip.Addr) (netip.Addr, unix.Errno) {
	if b := u.bound; b != nil && u.explicit && !b.addr.IsMulticast() && !u.stack.isBroadcast(b.addr) {
		if b.addr.Is4() != dst.Is4() {
			return b.addr, unix.ENETUNREACH
		}
		return b.addr, 0
	}
	switch {
	case dst.Is4() && dst.IsMulticast() && u.multicastFrom.Is4() && !u.multicastFrom.IsUnspecified():
		return u.multicastFrom, 0
	case dst.Is6() && u.source6.IsValid():
		return u.source6, 0
	}
	return u.stack.source(dst)
}

// deliverUDP gives a datagram of UDP or UDP-Lite to the socket that it is for: the one connected
// to the sender, or else bound most specifically, or else bound last; sockets
// that share a port by SO_REUSEPORT each get the senders that spread gives
// them.
func (s *Stack) deliverUDP(protocol int, d datagram, dst netip.AddrPort) bool {
	var found []*binding
	var first *binding
	best := 0
	for _, b := range s.datagramPorts(protocol).at(dst.Port()) {
		if b.udp == nil || !b.takes(dst.Addr()) || !b.udp.heardThrough(d.src.Addr()) {
			continue
		}
		rank := b.rank()
		if b.udp.remote.IsValid() {
			if b.udp.remote != d.src {
				continue
			}
			rank += 10
		}
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
		return false
	}
	share(first, found, d.src, d.data).udp.receive(d)
	return true
}

// spreadUDP gives a broadcast or multicast datagram to every socket it is for.
func (s *Stack) spreadUDP(protocol int, d datagram, dst netip.AddrPort) {
	if s == nil {
		return
	}
	for _, b := range slices.Clone(s.datagramPorts(protocol).at(dst.Port())) {
		u := b.udp
		if u == nil || u.remote.IsValid() && u.remote != d.src {
			continue
		}
		if !b.takes(dst.Addr()) || dst.Addr().IsMulticast() && !u.hears(dst.Addr(), d.src.Addr()) || !u.heardThrough(d.src.Addr()) {
			continue
		}
		u.receive(d)
	}
}

// heardThrough tells whether what an address sends comes through the interface
// that SO_BINDTODEVICE names.
func (b *base) heardThrough(src netip.Addr) bool {
	return b.device == "" || b.device == "lo" == b.stack.isLocal(src)
}

// isLocal tells whether what an address sends comes through the loopback
// interface.
func (s *Stack) isLocal(src netip.Addr) bool { return src.IsLoopback() || s.owns(src) }

// receive puts a datagram in the queue, if there is room.
func (u *udpSocket) receive(d datagram) {
	counters := u.stack.counters.datagrams(u.protocol)
	if d.joined && !u.on(unix.IPPROTO_UDP, unix.UDP_GRO) {
		for data := range slices.Chunk(d.data, d.segment) {
			d.joined, d.data = false, data
			u.receive(d)
		}
		return
	}
	if u.filter.Attached() {
		head := make([]byte, udpHeader, udpHeader+len(d.data))
		binary.BigEndian.PutUint16(head, d.src.Port())
		binary.BigEndian.PutUint16(head[2:], u.port())
		binary.BigEndian.PutUint16(head[4:], uint16(udpHeader+len(d.data)))
		n := u.filter.Keep(append(head, d.data...), udpHeader)
		if n == 0 {
			counters.errors++
			u.drops++
			return
		}
		d.data = d.data[:n-udpHeader]
	}
	if !u.accepts(d) {
		counters.errors++
		return
	}
	if u.join(d) {
		counters.in++
		return
	}
	if !u.put(d, &u.base) {
		counters.errors++
		counters.overflows++
		return
	}
	counters.in++
	u.queue.Notify(waiter.In | waiter.RdNorm)
}

// put queues a datagram unless SO_RCVBUF is exhausted.
func (i *inbox) put(d datagram, b *base) bool {
	limit := datagramBuffer
	if b.receiveBuffer != 0 {
		limit = b.receiveBuffer
	}
	if i.charge > limit {
		i.drops++
		return false
	}
	i.charge += len(d.data) + datagramOverhead
	if b.stack.realtime != nil {
		d.at = b.stack.realtime()
	}
	d.drops = i.drops
	i.waiting = append(i.waiting, d)
	return true
}

// Release implements socket.File.
func (u *udpSocket) Release() {
	u.released = true
	u.stack.unlist(u)
	u.stack.datagramPorts(u.protocol).remove(u.bound)
	u.waiting, u.charge = nil, 0
	u.bound = nil
}
