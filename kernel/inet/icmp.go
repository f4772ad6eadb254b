package inet

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/waiter"
)

// ICMP (RFC 792, RFC 4443): echo requests are answered by the destination's
// stack, as by the kernel, whether or not a process ever ran there.

const (
	icmpHeader     = 8
	echoReply4     = 0
	echoRequest4   = 8
	echoRequest6   = 128
	echoReply6     = 129
	ip4HeaderBytes = 20
	defaultTTL     = 64
)

// packet is what raw sockets send and get: the payload of an IP packet.
type packet struct {
	src, dst netip.Addr
	protocol int
	ttl, tos int
	data     []byte
	// fragment: the header allows fragmentation, as in what the kernel answers.
	fragment bool
}

// transmit hands a packet to the carrier.
func (s *Stack) transmit(p packet) unix.Errno {
	if p.dst.IsMulticast() || s.isBroadcast(p.dst) {
		for _, end := range s.group(p.dst, p.src) {
			// A host that cannot be reached does not hear a broadcast.
			_ = s.packet(p.src, end, len(p.data), false, func(at *Stack) {
				if at != nil {
					at.deliverRaw(p)
				}
			})
		}
		return 0
	}
	s.counters.sentICMP(p)
	err := s.packet(p.src, p.dst, len(p.data), false, func(at *Stack) {
		if at != nil {
			at.counters.receivedICMP(p)
			at.deliverRaw(p)
		}
		if reply, ok := p.echo(); ok {
			if at != nil {
				at.counters.sentICMP(reply)
			}
			from, to := s.ends(p.src, p.dst)
			_ = s.network.carrier.Packet(to, from, len(reply.data), false, func() {
				s.counters.receivedICMP(reply)
				s.deliverRaw(reply)
			})
		}
	})
	if err != nil && errnoOf(err) == unix.EHOSTUNREACH {
		return unix.EHOSTUNREACH
	}
	return 0
}

// echoKind tells whether a packet is an echo request or the answer to one.
func (p packet) echoKind() (request, reply bool) {
	if len(p.data) < icmpHeader {
		return false, false
	}
	switch kind := p.data[0]; p.protocol {
	case unix.IPPROTO_ICMP:
		return kind == echoRequest4, kind == echoReply4
	case unix.IPPROTO_ICMPV6:
		return kind == echoRequest6, kind == echoReply6
	}
	return false, false
}

func (k *counters) sentICMP(p packet) {
	if p.protocol != unix.IPPROTO_ICMP {
		return // ICMPv6 is counted in snmp6
	}
	k.icmpOut++
	switch request, reply := p.echoKind(); {
	case request:
		k.echosOut++
	case reply:
		k.repliesOut++
	}
}

func (k *counters) receivedICMP(p packet) {
	if p.protocol != unix.IPPROTO_ICMP {
		return
	}
	k.icmpIn++
	switch request, reply := p.echoKind(); {
	case request:
		k.echosIn++
	case reply:
		k.repliesIn++
	}
}

// echo is the answer to an echo request; ok is false for everything else and
// for a request with a wrong checksum.
func (p packet) echo() (reply packet, ok bool) {
	kind := byte(echoReply4)
	switch {
	case len(p.data) < icmpHeader:
		return p, false
	case p.protocol == unix.IPPROTO_ICMP && p.data[0] == echoRequest4:
		if checksum(0, p.data) != 0 {
			return p, false
		}
	case p.protocol == unix.IPPROTO_ICMPV6 && p.data[0] == echoRequest6:
		kind = echoReply6
	default:
		return p, false
	}
	reply = packet{src: p.dst, dst: p.src, protocol: p.protocol, ttl: defaultTTL, tos: p.tos, data: slices.Clone(p.data), fragment: true}
	reply.data[0] = kind
	reply.seal()
	return reply, true
}

// seal writes the checksum of an ICMP message.
func (p packet) seal() { p.sealAt(2) }

// sealAt writes the checksum at an offset of the payload; over IPv6 it is also
// of a pseudo header (RFC 8200 8.1).
func (p packet) sealAt(offset int) {
	sum := uint32(0)
	if p.dst.Is6() {
		src, dst := p.src.As16(), p.dst.As16()
		head := append(src[:], dst[:]...)
		head = binary.BigEndian.AppendUint32(head, uint32(len(p.data)))
		head = append(head, 0, 0, 0, byte(p.protocol))
		sum = uint32(^checksum(0, head))
	}
	field := p.data[offset : offset+2]
	field[0], field[1] = 0, 0
	binary.BigEndian.PutUint16(field, checksum(sum, p.data))
}

// checksum is the Internet checksum (RFC 1071) of data on top of a sum.
func checksum(sum uint32, data []byte) uint16 {
	for ; len(data) >= 2; data = data[2:] {
		sum += uint32(data[0])<<8 | uint32(data[1])
	}
	if len(data) == 1 {
		sum += uint32(data[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// header4 is the IPv4 header that raw sockets see.
func (p packet) header4() []byte {
	h := make([]byte, ip4HeaderBytes, ip4HeaderBytes+len(p.data))
	h[0] = 4<<4 | ip4HeaderBytes/4
	h[1] = byte(p.tos)
	binary.BigEndian.PutUint16(h[2:], uint16(ip4HeaderBytes+len(p.data)))
	if !p.fragment {
		h[6] = 0x40
	}
	h[8], h[9] = byte(p.ttl), byte(p.protocol)
	copy(h[12:], p.src.AsSlice())
	copy(h[16:], p.dst.AsSlice())
	binary.BigEndian.PutUint16(h[10:], checksum(0, h))
	return h
}

// ip6HeaderBytes is the size of an IPv6 header.
const ip6HeaderBytes = 40

// header6 is the IPv6 header of a packet.
func (p packet) header6() []byte {
	h := make([]byte, ip6HeaderBytes, ip6HeaderBytes+len(p.data))
	binary.BigEndian.PutUint32(h, 6<<28|uint32(p.tos)<<20)
	binary.BigEndian.PutUint16(h[4:], uint16(len(p.data)))
	h[6], h[7] = byte(p.protocol), byte(p.ttl)
	copy(h[8:], p.src.AsSlice())
	copy(h[24:], p.dst.AsSlice())
	return h
}

// deliverRaw gives a packet to every raw socket of its protocol and, if it is
// an echo reply, to the ping socket that asked.
func (s *Stack) deliverRaw(p packet) {
	if s.raws == 0 {
		return
	}
	for _, k := range slices.Clone(s.sockets) {
		if r, ok := k.(*rawSocket); ok && r.wants(p) {
			r.receive(p)
		}
	}
}

// wants tells whether a packet is for the socket.
func (r *rawSocket) wants(p packet) bool {
	if r.protocol != p.protocol || r.domain == unix.AF_INET != p.dst.Is4() {
		return false
	}
	if !r.local.IsUnspecified() && r.local != p.dst || r.remote.IsValid() && r.remote != p.src {
		return false
	}
	if !r.ping() {
		return r.protocol != unix.IPPROTO_ICMP && r.protocol != unix.IPPROTO_ICMPV6 || len(p.data) > 0 && !r.types.blocks(p.data[0])
	}
	return len(p.data) >= icmpHeader && (p.data[0] == echoReply4 && p.dst.Is4() || p.data[0] == echoReply6 && p.dst.Is6()) &&
		r.ident != 0 && binary.BigEndian.Uint16(p.data[4:]) == r.ident
}

func (r *rawSocket) receive(p packet) {
	d := datagram{src: netip.AddrPortFrom(p.src, 0), dst: p.dst, data: p.data, ttl: p.ttl, tos: p.tos}
	if !r.ping() && r.domain == unix.AF_INET {
		d.data = append(p.header4(), p.data...)
	}
	if r.filter.Attached() {
		n := r.filter.Keep(d.data, 0)
		if n == 0 {
			return
		}
		d.data = d.data[:n]
	}
	if !r.receiveShut && r.put(d, &r.base) {
		r.queue.Notify(waiter.In | waiter.RdNorm)
	}
}

// typeFilter is ICMP_FILTER or ICMP6_FILTER: a set bit blocks a type.
type typeFilter [8]uint32

func (f *typeFilter) blocks(kind byte) bool { return f[kind>>5]>>(kind&31)&1 != 0 }
