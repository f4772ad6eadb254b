package inet

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// The options of multicast that are structures (ip(7), ipv6(7)).

// protocolIndependent are the MCAST_* options, which both levels have
// (linux/in.h): a struct group_req or group_source_req.
const (
	mcastJoinGroup   = 42
	mcastLeaveGroup  = 45
	mcastJoinSource  = 46
	mcastLeaveSource = 47

	sizeStorage = 128 // struct sockaddr_storage
)

// setGroupOption sets them; known is false for all others.
func (b *base) setGroupOption(level, name int, value []byte) (errno unix.Errno, known bool) {
	switch name {
	case mcastJoinGroup, mcastLeaveGroup, mcastJoinSource, mcastLeaveSource:
		if b.has(level) {
			return b.setAnyGroup(name, value), true
		}
	}
	if level == unix.IPPROTO_IP {
		return b.setGroup4(name, value)
	}
	if b.domain != unix.AF_INET6 {
		return 0, false
	}
	return b.setGroup6(name, value)
}

func address4(b []byte) netip.Addr { return netip.AddrFrom4([4]byte(b)) }

func (b *base) setGroup4(name int, value []byte) (errno unix.Errno, known bool) {
	switch name {
	case unix.IP_ADD_MEMBERSHIP, unix.IP_DROP_MEMBERSHIP:
		if b.kind == unix.SOCK_STREAM {
			return unix.EPROTO, true
		}
		if len(value) < 8 { // struct ip_mreq, or ip_mreqn with an index
			return unix.EINVAL, true
		}
		link, errno := b.mreqLink(value[4:])
		if errno != 0 {
			return errno, true
		}
		if name == unix.IP_ADD_MEMBERSHIP {
			return b.join(address4(value[:4]), link), true
		}
		return b.leave(address4(value[:4]), link), true
	case unix.IP_ADD_SOURCE_MEMBERSHIP, unix.IP_DROP_SOURCE_MEMBERSHIP:
		if len(value) != 12 { // struct ip_mreq_source
			return unix.EINVAL, true
		}
		link, errno := b.mreqLink(value[4:8])
		if errno != 0 {
			return errno, true
		}
		if name == unix.IP_ADD_SOURCE_MEMBERSHIP {
			return b.joinSource(address4(value[:4]), address4(value[8:]), link), true
		}
		return b.leaveSource(address4(value[:4]), address4(value[8:]), link), true
	case unix.IP_MULTICAST_IF:
		return b.setInterface4(value), true
	}
	return 0, false
}

// mreqLink is the interface that the tail of a struct ip_mreq or ip_mreqn
// names by its address or its index.
func (b *base) mreqLink(tail []byte) (int, unix.Errno) {
	if len(tail) >= 8 {
		if index := int(int32(binary.LittleEndian.Uint32(tail[4:]))); index != 0 {
			if b.stack.link(index) == 0 {
				return 0, unix.ENODEV
			}
			return index, 0
		}
	}
	link := b.stack.linkOf(address4(tail[:4]))
	if link == 0 {
		return 0, unix.ENODEV
	}
	return link, 0
}

// setInterface4 is IP_MULTICAST_IF: a struct in_addr, ip_mreq or ip_mreqn.
func (b *base) setInterface4(value []byte) unix.Errno {
	if b.kind == unix.SOCK_STREAM {
		return unix.EINVAL
	}
	var a netip.Addr
	index := 0
	switch {
	case len(value) >= 12:
		a, index = address4(value[4:8]), int(int32(binary.LittleEndian.Uint32(value[8:])))
	case len(value) >= 8:
		a = address4(value[4:8])
	case len(value) >= 4:
		a = address4(value[:4])
	default:
		return unix.EINVAL
	}
	if index == 0 && b.stack.linkOf(a) == 0 || index != 0 && b.stack.link(index) == 0 {
		return unix.EADDRNOTAVAIL
	}
	b.multicastFrom = a
	return 0
}

func (b *base) setGroup6(name int, value []byte) (errno unix.Errno, known bool) {
	switch name {
	case unix.IPV6_ADD_MEMBERSHIP, unix.IPV6_DROP_MEMBERSHIP:
		if b.kind == unix.SOCK_STREAM {
			return unix.EPROTO, true
		}
		if len(value) < 20 { // struct ipv6_mreq
			return unix.EINVAL, true
		}
		group, link := netip.AddrFrom16([16]byte(value)), int(int32(binary.LittleEndian.Uint32(value[16:])))
		if name == unix.IPV6_ADD_MEMBERSHIP {
			return b.join(group, link), true
		}
		return b.leave(group, link), true
	case unix.IPV6_MULTICAST_IF:
		if b.kind == unix.SOCK_STREAM {
			return unix.ENOPROTOOPT, true
		}
		if len(value) >= 4 {
			if index := int(int32(binary.LittleEndian.Uint32(value))); index != 0 && b.stack.link(index) == 0 {
				return unix.ENODEV, true
			}
		}
	case unix.IPV6_PKTINFO:
		return b.setStickySource(value), true
	case unix.IPV6_MTU:
		return setMTU(value), true
	}
	return 0, false
}

// setStickySource is IPV6_PKTINFO: the source of what will be sent (RFC 3542 6).
func (b *base) setStickySource(value []byte) unix.Errno {
	if len(value) == 0 {
		b.source6 = netip.Addr{}
		return 0
	}
	if len(value) < 20 {
		return unix.EINVAL
	}
	a := netip.AddrFrom16([16]byte(value))
	if a.IsUnspecified() {
		b.source6 = netip.Addr{}
		return 0
	}
	if !b.stack.owns(a) {
		return unix.EINVAL
	}
	b.source6 = a
	return 0
}

// setAnyGroup carries out the MCAST_* options.
func (b *base) setAnyGroup(name int, value []byte) unix.Errno {
	source := name == mcastJoinSource || name == mcastLeaveSource
	size := 8 + sizeStorage
	if source {
		size += sizeStorage
	}
	if len(value) < size {
		return unix.EINVAL
	}
	link := int(int32(binary.LittleEndian.Uint32(value)))
	group, ok := storedAddress(value[8:])
	if !ok {
		return unix.EADDRNOTAVAIL
	}
	switch name {
	case mcastJoinGroup:
		return b.join(group, link)
	case mcastLeaveGroup:
		return b.leave(group, link)
	}
	from, ok := storedAddress(value[8+sizeStorage:])
	switch {
	case !ok:
		return unix.EADDRNOTAVAIL
	case name == mcastJoinSource:
		return b.joinSource(group, from, link)
	}
	return b.leaveSource(group, from, link)
}

// storedAddress is the address in a struct sockaddr_storage.
func storedAddress(b []byte) (netip.Addr, bool) {
	domain := int(binary.LittleEndian.Uint16(b))
	if domain != unix.AF_INET && domain != unix.AF_INET6 {
		return netip.Addr{}, false
	}
	ap, errno := decodeAddress(domain, b[:sizeSockaddr6])
	return ap.Addr(), errno == 0
}

// groupOption reads them.
func (b *base) groupOption(level, name int) (value []byte, known bool) {
	switch {
	case level == unix.IPPROTO_IP && name == unix.IP_MULTICAST_IF:
		if b.multicastFrom.Is4() {
			return b.multicastFrom.AsSlice(), true
		}
		return int32Value(0), true
	case level == unix.IPPROTO_IP && name == unix.IP_MULTICAST_ALL && b.domain == unix.AF_INET6:
		if v, ok := b.values[optionKey{level, name}]; ok {
			return int32Value(v), true
		}
		return int32Value(0), true // the kernel sets it for IPv4 sockets only
	}
	return nil, false
}
