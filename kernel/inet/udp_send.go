package inet

import (
	"encoding/binary"
	"io"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

// pending is a datagram to which several sends add (MSG_MORE, UDP_CORK).
type pending struct {
	datagram
	dst     netip.AddrPort
	segment int
}

// segmentsMost is the kernel's UDP_MAX_SEGMENTS.
const segmentsMost = 128

// Send implements socket.Socket.
func (u *udpSocket) Send(src socket.Source, m *socket.Message) (int, unix.Errno) {
	size := src.Len()
	if errno := u.autobind(); errno != 0 { // even if nothing is sent
		return 0, errno
	}
	if p := u.pending; p != nil {
		return u.add(p, src, m)
	}
	dst := u.remote
	if m.Address != nil {
		var errno unix.Errno
		if dst, errno = u.decodeAny(m.Address); errno != 0 {
			return 0, errno
		}
	}
	switch {
	case size > u.most(dst):
		return 0, unix.EMSGSIZE
	case m.Flags&unix.MSG_OOB != 0:
		return 0, unix.EOPNOTSUPP
	case !dst.IsValid():
		return 0, unix.EDESTADDRREQ
	case dst.Port() == 0:
		return 0, unix.EINVAL
	}
	p := pending{dst: dst, segment: u.value(unix.IPPROTO_UDP, unix.UDP_SEGMENT)}
	p.datagram = datagram{dst: dst.Addr(), ttl: u.ttl(dst.Addr()), tos: u.tos(dst.Addr())}
	from, errno := u.sourceFor(dst.Addr())
	if errno != 0 {
		return 0, errno
	}
	if errno := u.sendControl(m.Control, &p.datagram, &from, &p.segment); errno != 0 {
		return 0, errno
	}
	if u.stack.isBroadcast(dst.Addr()) && u.value(unix.SOL_SOCKET, unix.SO_BROADCAST) == 0 {
		return 0, unix.EACCES
	}
	if e := u.takeError(); e != 0 {
		return 0, e
	}
	if u.sendShut {
		return 0, unix.EPIPE
	}
	p.src = netip.AddrPortFrom(from, u.bound.port)
	if p.data, errno = readAll(src, size); errno != 0 {
		return 0, errno
	}
	if m.Flags&unix.MSG_MORE != 0 || u.on(unix.IPPROTO_UDP, unix.UDP_CORK) {
		u.pending = &p
		return size, 0
	}
	if errno := u.emit(&p); errno != 0 {
		return 0, errno
	}
	if m.Flags&unix.MSG_ZEROCOPY != 0 && u.on(unix.SOL_SOCKET, unix.SO_ZEROCOPY) {
		u.copied()
		u.queue.Notify(waiter.Err)
	}
	return size, 0
}

// most is the largest payload to dst.
func (u *udpSocket) most(dst netip.AddrPort) int {
	if dst.Addr().Is4() || u.domain == unix.AF_INET {
		return mostUDP4
	}
	return mostUDP6
}

// add appends to a pending datagram, and sends it unless more is to come.
func (u *udpSocket) add(p *pending, src socket.Source, m *socket.Message) (int, unix.Errno) {
	size := src.Len()
	if len(p.data)+size > u.most(p.dst) {
		u.pending = nil
		return 0, unix.EMSGSIZE
	}
	data, errno := readAll(src, size)
	if errno != 0 {
		return 0, errno
	}
	p.data = append(p.data, data...)
	if m.Flags&unix.MSG_MORE == 0 && !u.on(unix.IPPROTO_UDP, unix.UDP_CORK) {
		if errno := u.flush(); errno != 0 {
			return 0, errno
		}
	}
	return size, 0
}

// flush sends a pending datagram.
func (u *udpSocket) flush() unix.Errno {
	p := u.pending
	if p == nil {
		return 0
	}
	u.pending = nil
	return u.emit(p)
}

// emit sends a datagram, or cuts it into segments (UDP_SEGMENT).
func (u *udpSocket) emit(p *pending) unix.Errno {
	headers := 28
	if p.dst.Addr().Is6() {
		headers = 48
	}
	mtu := mtuEthernet
	if u.stack.owns(p.dst.Addr()) {
		mtu = mtuLoopback
	}
	if p.segment > 0 && u.protocol == unix.IPPROTO_UDPLITE {
		return unix.EIO
	}
	if p.segment <= 0 || p.segment >= len(p.data) {
		if len(p.data)+headers > mtu && u.unfragmented(p.dst.Addr()) {
			u.tooLong(p, mtu)
			return unix.EMSGSIZE
		}
		p.covered = u.covers(len(p.data))
		return u.transmit(p.datagram, p.dst)
	}
	if p.segment+headers > mtu || len(p.data) > p.segment*segmentsMost {
		return unix.EINVAL
	}
	data := p.data
	p.train, p.datagram.segment = p, p.segment
	if u.stack.owns(p.dst.Addr()) { // the loopback interface does not cut
		p.joined = true
		return u.transmit(p.datagram, p.dst)
	}
	for len(data) > 0 {
		n := min(p.segment, len(data))
		p.data = data[:n:n]
		data = data[n:]
		if errno := u.transmit(p.datagram, p.dst); errno != 0 {
			return errno
		}
	}
	return 0
}

// unfragmented tells whether datagrams larger than the path are refused
// (IP_MTU_DISCOVER, IPV6_DONTFRAG).
func (b *base) unfragmented(dst netip.Addr) bool {
	const least, most = unix.IP_PMTUDISC_DO, unix.IP_PMTUDISC_PROBE
	if dst.Is4() {
		v := b.value(unix.IPPROTO_IP, unix.IP_MTU_DISCOVER)
		return v >= least && v <= most
	}
	v := b.value(unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER)
	return v >= least && v <= most || b.on(unix.IPPROTO_IPV6, unix.IPV6_DONTFRAG)
}

// tooLong reports to the error queue what EMSGSIZE does not say: the MTU.
func (u *udpSocket) tooLong(p *pending, mtu int) {
	if u.reports(p.dst.Addr()) {
		u.report(sentError{errno: unix.EMSGSIZE, origin: originLocal, info: uint32(mtu), to: p.dst, payload: p.data})
	}
}

// readAll reads a datagram's payload from the guest.
func readAll(src socket.Source, size int) ([]byte, unix.Errno) {
	data := make([]byte, size)
	if n, err := io.ReadFull(src, data); n < size {
		if errno, ok := err.(unix.Errno); ok {
			return nil, errno
		}
		return nil, unix.EFAULT
	}
	return data, 0
}

// transmit hands a datagram to the carrier, once for each host it is for.
func (u *udpSocket) transmit(d datagram, dst netip.AddrPort) unix.Errno {
	s := u.stack
	if dst.Addr().IsMulticast() || s.isBroadcast(dst.Addr()) {
		for _, end := range s.group(dst.Addr(), d.src.Addr()) {
			if end.IsLoopback() && !u.hearsItself(dst.Addr()) {
				continue
			}
			// A host that cannot be reached does not hear a broadcast.
			_ = s.packet(d.src.Addr(), end, len(d.data), false, func(at *Stack) { at.spreadUDP(u.protocol, d, dst) })
		}
		return 0
	}
	s.counters.datagrams(u.protocol).out++
	err := s.packet(d.src.Addr(), dst.Addr(), len(d.data), false, func(at *Stack) {
		if at != nil && at.deliverUDP(u.protocol, d, dst) {
			return
		}
		// ICMP port unreachable, which quotes the datagram's head.
		if at != nil {
			at.counters.datagrams(u.protocol).noPorts++
			at.counters.icmpOut++
			at.counters.unreachableOut++
		}
		from, to := s.ends(d.src.Addr(), dst.Addr())
		_ = s.network.carrier.Packet(to, from, min(len(d.data)+unreachableHead, 548), false, func() { u.unreachable(d, dst) })
	})
	if err != nil && errnoOf(err) == unix.EHOSTUNREACH {
		return unix.EHOSTUNREACH
	}
	return 0
}

// hearsItself tells whether a multicast datagram comes back to its host.
func (b *base) hearsItself(dst netip.Addr) bool {
	switch {
	case !dst.IsMulticast():
		return true
	case dst.Is4():
		return b.on(unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP)
	}
	return b.on(unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_LOOP)
}

// unreachableHead is the quoted IP and UDP headers of an ICMP error.
const unreachableHead = 28

// The ICMP messages for a closed port (RFC 792, RFC 4443).
const (
	unreachable4, portUnreachable4 = 3, 3
	unreachable6, portUnreachable6 = 1, 4
)

// unreachable is the ICMP error for a datagram sent from here to dst: the raw
// sockets of ICMP see it, and the socket that sent the datagram.
func (u *udpSocket) unreachable(d datagram, dst netip.AddrPort) {
	u.stack.counters.icmpIn++
	u.stack.counters.unreachIn++
	if u.stack.raws > 0 {
		u.stack.deliverRaw(d.portUnreachable(u.protocol, dst))
	}
	if u.released || u.remote.IsValid() && u.remote != dst {
		return
	}
	switch {
	case u.reports(dst.Addr()):
		e := sentError{
			errno: unix.ECONNREFUSED, origin: originICMP, kind: unreachable4, code: portUnreachable4,
			offender: dst.Addr(), to: dst, payload: d.data,
		}
		if dst.Addr().Is6() {
			e.origin, e.kind, e.code = originICMP6, unreachable6, portUnreachable6
		}
		u.report(e)
	case !u.remote.IsValid():
		return // nobody asked to hear of it
	}
	u.failure = unix.ECONNREFUSED
	u.queue.Notify(waiter.Err | waiter.In | waiter.Out)
}

// portUnreachable is the ICMP message that answers a datagram for a closed
// port: it quotes the headers and what follows, 576 bytes of IPv4 or 1280 of
// IPv6 in all.
func (d datagram) portUnreachable(protocol int, dst netip.AddrPort) packet {
	head := make([]byte, udpHeader, udpHeader+len(d.data))
	binary.BigEndian.PutUint16(head, d.src.Port())
	binary.BigEndian.PutUint16(head[2:], dst.Port())
	covered := udpHeader + len(d.data)
	if protocol == unix.IPPROTO_UDPLITE {
		covered = d.covered
	}
	binary.BigEndian.PutUint16(head[4:], uint16(covered))
	sent := packet{src: d.src.Addr(), dst: dst.Addr(), protocol: protocol, ttl: d.ttl, tos: d.tos, data: append(head, d.data...)}
	p := packet{src: dst.Addr(), dst: d.src.Addr(), protocol: unix.IPPROTO_ICMP, ttl: defaultTTL, tos: 0xc0, fragment: true}
	p.data = []byte{unreachable4, portUnreachable4, 0, 0, 0, 0, 0, 0}
	quoted, most := append(sent.header4(), sent.data...), 576-ip4HeaderBytes-icmpHeader
	if dst.Addr().Is6() {
		p.protocol, p.tos = unix.IPPROTO_ICMPV6, 0
		p.data[0], p.data[1] = unreachable6, portUnreachable6
		quoted, most = append(sent.header6(), sent.data...), 1280-ip6HeaderBytes-icmpHeader
	}
	p.data = append(p.data, quoted[:min(len(quoted), most)]...)
	p.seal()
	return p
}
