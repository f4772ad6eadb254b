package inet

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Ancillary data of datagrams (ip(7), ipv6(7), socket(7)).

const (
	controlHeader = 16 // struct cmsghdr

	// Interface indices: every host has lo and eth0.
	linkLoopback = 1
	linkEthernet = 2

	scmTimestampNew   = 63
	scmTimestampNSNew = 64
)

func (b *base) on(level, name int) bool { return b.value(level, name) != 0 }

// ttl and tos are what a datagram to dst is sent with.
func (b *base) ttl(dst netip.Addr) int {
	switch {
	case dst.Is4() && dst.IsMulticast():
		return b.value(unix.IPPROTO_IP, unix.IP_MULTICAST_TTL)
	case dst.Is4():
		return b.value(unix.IPPROTO_IP, unix.IP_TTL)
	case dst.IsMulticast():
		return b.value(unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS)
	}
	return b.value(unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS)
}

func (b *base) tos(dst netip.Addr) int {
	if dst.Is4() {
		return b.value(unix.IPPROTO_IP, unix.IP_TOS)
	}
	return max(0, b.value(unix.IPPROTO_IPV6, unix.IPV6_TCLASS))
}

func appendControl(c []byte, level, kind int, data []byte) []byte {
	c = binary.LittleEndian.AppendUint64(c, uint64(controlHeader+len(data)))
	c = binary.LittleEndian.AppendUint32(c, uint32(level))
	c = binary.LittleEndian.AppendUint32(c, uint32(kind))
	c = append(c, data...)
	for len(c)%8 != 0 {
		c = append(c, 0)
	}
	return c
}

// receiveControl is what the options of a socket ask to be told of a datagram.
func (b *base) receiveControl(d datagram) []byte {
	if len(b.values) == 0 {
		return nil
	}
	var c []byte
	second, nano := d.at/1e9, d.at%1e9
	stamp := func(kind int, fraction int64) {
		v := binary.LittleEndian.AppendUint64(nil, uint64(second))
		c = appendControl(c, unix.SOL_SOCKET, kind, binary.LittleEndian.AppendUint64(v, uint64(fraction)))
	}
	switch {
	case b.on(unix.SOL_SOCKET, unix.SO_TIMESTAMPNS):
		stamp(unix.SCM_TIMESTAMPNS, nano)
	case b.on(unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW):
		stamp(scmTimestampNSNew, nano)
	case b.on(unix.SOL_SOCKET, unix.SO_TIMESTAMP):
		stamp(unix.SCM_TIMESTAMP, nano/1000)
	case b.on(unix.SOL_SOCKET, unix.SO_TIMESTAMP_NEW):
		stamp(scmTimestampNew, nano/1000)
	}
	link := uint32(linkEthernet)
	if d.src.Addr().IsLoopback() || b.stack.owns(d.src.Addr()) {
		link = linkLoopback
	}
	if d.src.Addr().Is4() {
		if b.on(unix.IPPROTO_IP, unix.IP_PKTINFO) {
			specific := d.dst
			if !b.stack.owns(specific) { // a broadcast or multicast
				specific = b.stack.first(true)
			}
			v := binary.LittleEndian.AppendUint32(nil, link)
			v = append(v, specific.AsSlice()...)
			c = appendControl(c, unix.IPPROTO_IP, unix.IP_PKTINFO, append(v, d.dst.AsSlice()...))
		}
		if b.on(unix.IPPROTO_IP, unix.IP_RECVTTL) {
			c = appendControl(c, unix.IPPROTO_IP, unix.IP_TTL, int32Value(d.ttl))
		}
		if b.on(unix.IPPROTO_IP, unix.IP_RECVTOS) {
			c = appendControl(c, unix.IPPROTO_IP, unix.IP_TOS, []byte{byte(d.tos)})
		}
		if b.on(unix.IPPROTO_IP, unix.IP_RECVORIGDSTADDR) {
			port := uint16(0)
			if u, ok := b.self.(*udpSocket); ok && u.bound != nil {
				port = u.bound.port
			}
			c = appendControl(c, unix.IPPROTO_IP, unix.IP_ORIGDSTADDR, encodeAddress(unix.AF_INET, netip.AddrPortFrom(d.dst, port)))
		}
	}
	if b.domain != unix.AF_INET6 {
		return c
	}
	if b.on(unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO) {
		ip := d.dst.As16()
		c = appendControl(c, unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, binary.LittleEndian.AppendUint32(ip[:], link))
	}
	if d.src.Addr().Is6() {
		if b.on(unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT) {
			c = appendControl(c, unix.IPPROTO_IPV6, unix.IPV6_HOPLIMIT, int32Value(d.ttl))
		}
		if b.on(unix.IPPROTO_IPV6, unix.IPV6_RECVTCLASS) {
			c = appendControl(c, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, int32Value(d.tos))
		}
	}
	return c
}

// sendControl carries out a sender's ancillary data on a datagram and its
// source address.
func (b *base) sendControl(control []byte, d *datagram, from *netip.Addr) unix.Errno {
	for len(control) >= controlHeader {
		size := int(binary.LittleEndian.Uint64(control))
		if size < controlHeader || size > len(control) {
			return unix.EINVAL
		}
		level := int(int32(binary.LittleEndian.Uint32(control[8:])))
		kind := int(int32(binary.LittleEndian.Uint32(control[12:])))
		if errno := b.sendRecord(level, kind, control[controlHeader:size], d, from); errno != 0 {
			return errno
		}
		control = control[min((size+7)&^7, len(control)):]
	}
	return 0
}

func (b *base) sendRecord(level, kind int, data []byte, d *datagram, from *netip.Addr) unix.Errno {
	choose := func(a netip.Addr) unix.Errno {
		if a.IsUnspecified() {
			return 0
		}
		if !b.stack.owns(a) {
			return unix.EINVAL
		}
		*from = a
		return 0
	}
	value := func() (int, bool) {
		switch {
		case len(data) >= 4:
			return int(int32(binary.LittleEndian.Uint32(data))), true
		case len(data) >= 1:
			return int(data[0]), true
		}
		return 0, false
	}
	v, ok := value()
	switch (optionKey{level, kind}) {
	case optionKey{unix.IPPROTO_IP, unix.IP_PKTINFO}:
		if len(data) != 12 {
			return unix.EINVAL
		}
		return choose(netip.AddrFrom4([4]byte(data[4:8])))
	case optionKey{unix.IPPROTO_IPV6, unix.IPV6_PKTINFO}:
		if len(data) < 20 {
			return unix.EINVAL
		}
		return choose(netip.AddrFrom16([16]byte(data[:16])).Unmap())
	case optionKey{unix.IPPROTO_IP, unix.IP_TTL}:
		if !ok || v < 1 || v > 255 {
			return unix.EINVAL
		}
		d.ttl = v
		return 0
	case optionKey{unix.IPPROTO_IPV6, unix.IPV6_HOPLIMIT}:
		if !ok || v < -1 || v > 255 {
			return unix.EINVAL
		}
		if v >= 0 {
			d.ttl = v
		}
		return 0
	case optionKey{unix.IPPROTO_IP, unix.IP_TOS}, optionKey{unix.IPPROTO_IPV6, unix.IPV6_TCLASS}:
		if !ok || v < -1 || v > 255 {
			return unix.EINVAL
		}
		d.tos = max(v, 0)
		return 0
	}
	if level == unix.SOL_SOCKET || level != unix.IPPROTO_UDP && level != unix.IPPROTO_IP && level != unix.IPPROTO_IPV6 {
		return 0 // SO_MARK and the like, and what is not for us
	}
	return unix.EINVAL
}
