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

// timestamps appends the time of an arrival, in nanoseconds of CLOCK_REALTIME,
// as the options ask for it.
func (b *base) timestamps(c []byte, at int64) []byte {
	if len(b.values) == 0 {
		return c
	}
	pair := func(v []byte, fraction int64) []byte {
		v = binary.LittleEndian.AppendUint64(v, uint64(at/1e9))
		return binary.LittleEndian.AppendUint64(v, uint64(fraction))
	}
	switch kind, nano := b.value(unix.SOL_SOCKET, unix.SO_TIMESTAMP), at%1e9; kind {
	case unix.SO_TIMESTAMPNS, unix.SO_TIMESTAMPNS_NEW:
		c = appendControl(c, unix.SOL_SOCKET, kind, pair(nil, nano))
	case unix.SO_TIMESTAMP, unix.SO_TIMESTAMP_NEW:
		c = appendControl(c, unix.SOL_SOCKET, kind, pair(nil, nano/1000))
	}
	const software = unix.SOF_TIMESTAMPING_RX_SOFTWARE | unix.SOF_TIMESTAMPING_SOFTWARE
	if flags := b.value(unix.SOL_SOCKET, unix.SO_TIMESTAMPING); flags&software == software {
		// struct scm_timestamping: software, nothing, hardware.
		c = appendControl(c, unix.SOL_SOCKET, unix.SO_TIMESTAMPING, append(pair(nil, at%1e9), make([]byte, 32)...))
	}
	return c
}

// receiveControl is what the options of a socket ask to be told of a datagram.
func (b *base) receiveControl(d datagram) []byte {
	if len(b.values) == 0 {
		return nil
	}
	c := b.timestamps(nil, d.at)
	if b.on(unix.SOL_SOCKET, unix.SO_RXQ_OVFL) && d.drops > 0 {
		c = appendControl(c, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, int32Value(d.drops))
	}
	link := uint32(linkEthernet)
	if b.stack.isLocal(d.src.Addr()) {
		link = linkLoopback
	}
	if b.domain == unix.AF_INET6 {
		c = b.receiveControl6(c, d, link)
	}
	if d.joined {
		c = appendControl(c, unix.IPPROTO_UDP, unix.UDP_GRO, int32Value(d.segment))
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
			c = appendControl(c, unix.IPPROTO_IP, unix.IP_ORIGDSTADDR, encodeAddress(unix.AF_INET, netip.AddrPortFrom(d.dst, b.port())))
		}
	}
	return c
}

// port is the local port of a UDP socket.
func (b *base) port() uint16 {
	if u, ok := b.self.(*udpSocket); ok && u.bound != nil {
		return u.bound.port
	}
	return 0
}

// receiveControl6 is what the options of IPPROTO_IPV6 ask for.
func (b *base) receiveControl6(c []byte, d datagram, link uint32) []byte {
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
		if b.on(unix.IPPROTO_IPV6, unix.IPV6_RECVORIGDSTADDR) {
			c = appendControl(c, unix.IPPROTO_IPV6, unix.IPV6_ORIGDSTADDR, encodeAddress(unix.AF_INET6, netip.AddrPortFrom(d.dst, b.port())))
		}
	}
	return c
}

// sendControl carries out a sender's ancillary data on a datagram and its
// source address.
func (b *base) sendControl(control []byte, d *datagram, from *netip.Addr, segment *int) unix.Errno {
	for len(control) >= controlHeader {
		size := int(binary.LittleEndian.Uint64(control))
		if size < controlHeader || size > len(control) {
			return unix.EINVAL
		}
		level := int(int32(binary.LittleEndian.Uint32(control[8:])))
		kind := int(int32(binary.LittleEndian.Uint32(control[12:])))
		if level == unix.IPPROTO_UDP && kind == unix.UDP_SEGMENT && segment != nil {
			if size != controlHeader+2 {
				return unix.EINVAL
			}
			*segment = int(binary.LittleEndian.Uint16(control[controlHeader:]))
		} else if errno := b.sendRecord(level, kind, control[controlHeader:size], d, from); errno != 0 {
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
		if !b.stack.owns(a) && !b.on(unix.IPPROTO_IP, unix.IP_TRANSPARENT) {
			if a.Is4() {
				return unix.ENETUNREACH // ip_route_output finds no way from there
			}
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
