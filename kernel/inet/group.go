package inet

import (
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// Broadcast and multicast: a datagram for several hosts is carried to each on
// its own, as if by the hosts' own routes.

var broadcast4 = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// isBroadcast tells whether an address is the broadcast one, or that of one of
// the host's networks. Where those are not known, networks of 8, 16 and 24 bits
// are tried.
func (s *Stack) isBroadcast(a netip.Addr) bool {
	if a == broadcast4 {
		return true
	}
	_, ok := s.broadcastNet(a)
	return ok
}

func (s *Stack) broadcastNet(a netip.Addr) (netip.Prefix, bool) {
	if !a.Is4() || s.network.byAddress[a] != nil || a.IsLoopback() {
		return netip.Prefix{}, false
	}
	for _, p := range s.networks {
		if p.Addr().Is4() && lastAddress(p) == a {
			return p, true
		}
	}
	if len(s.networks) > 0 || a.As4()[3] != 255 {
		return netip.Prefix{}, false
	}
	for _, own := range s.addresses {
		if !own.Is4() {
			continue
		}
		for _, bits := range []int{24, 16, 8} {
			p := netip.PrefixFrom(own, bits).Masked()
			if lastAddress(p) == a {
				return p, true
			}
		}
	}
	return netip.Prefix{}, false
}

// lastAddress is the broadcast address of an IPv4 network.
func lastAddress(p netip.Prefix) netip.Addr {
	a := p.Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		a[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(a)
}

// onLink tells whether an address of another host is on one of this host's
// networks.
func (s *Stack) onLink(a netip.Addr) bool {
	return len(s.networks) == 0 || slices.ContainsFunc(s.networks, func(p netip.Prefix) bool { return p.Contains(a) })
}

// group are the addresses, one for each host, to which a datagram for dst goes.
func (s *Stack) group(dst, src netip.Addr) []netip.Addr {
	net, limited := s.broadcastNet(dst)
	var ends []netip.Addr
	for _, at := range s.network.stacks {
		if dst.IsMulticast() && !at.joined(dst) {
			continue
		}
		if at == s {
			ends = append(ends, loopbackOf(src)) // its own copy
			continue
		}
		i := slices.IndexFunc(at.addresses, func(a netip.Addr) bool {
			return a.Is4() == dst.Is4() && (limited && net.Contains(a) || !limited && s.onLink(a))
		})
		if i >= 0 {
			ends = append(ends, at.addresses[i])
		}
	}
	return ends
}

// membership is a socket's place in a multicast group on an interface.
type membership struct {
	group netip.Addr
	link  int // the interface's index
	// only are the sources that are heard, nil for all.
	only []netip.Addr
}

// joined tells whether some socket of the host is a member of a group.
func (s *Stack) joined(group netip.Addr) bool {
	return slices.ContainsFunc(s.sockets, func(k listedSocket) bool {
		return k != nil && slices.ContainsFunc(k.common().groups, func(m membership) bool { return m.group == group })
	})
}

// hears tells whether a socket gets what src sends to a group: as a member or,
// with IP_MULTICAST_ALL (the default), because its host is one.
func (b *base) hears(group, src netip.Addr) bool {
	for _, m := range b.groups {
		if m.group == group {
			return m.only == nil || slices.Contains(m.only, src)
		}
	}
	if group.Is6() {
		return b.on(unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_ALL)
	}
	return b.domain == unix.AF_INET6 || b.on(unix.IPPROTO_IP, unix.IP_MULTICAST_ALL)
}

// join and leave are IP_ADD_MEMBERSHIP and its relatives. link 0 means the
// interface that the route to the group takes.
func (b *base) join(group netip.Addr, link int) unix.Errno {
	if !group.IsMulticast() {
		return unix.EINVAL
	}
	if link = b.stack.link(link); link == 0 {
		return unix.ENODEV
	}
	if b.member(group, link) >= 0 {
		return unix.EADDRINUSE
	}
	b.groups = append(b.groups, membership{group: group, link: link})
	return 0
}

func (b *base) leave(group netip.Addr, link int) unix.Errno {
	if !group.IsMulticast() {
		return unix.EINVAL
	}
	i := b.member(group, b.stack.link(link))
	if i < 0 {
		return unix.EADDRNOTAVAIL
	}
	b.groups = slices.Delete(b.groups, i, i+1)
	return 0
}

func (b *base) member(group netip.Addr, link int) int {
	return slices.IndexFunc(b.groups, func(m membership) bool { return m.group == group && m.link == link })
}

// joinSource and leaveSource are IP_ADD_SOURCE_MEMBERSHIP and its relatives.
func (b *base) joinSource(group, source netip.Addr, link int) unix.Errno {
	i := b.member(group, b.stack.link(link))
	if i < 0 {
		if errno := b.join(group, link); errno != 0 {
			return errno
		}
		i = len(b.groups) - 1
	} else if b.groups[i].only == nil {
		return unix.EINVAL // a member without a list of sources
	}
	if slices.Contains(b.groups[i].only, source) {
		return unix.EADDRNOTAVAIL
	}
	b.groups[i].only = append(b.groups[i].only, source)
	return 0
}

func (b *base) leaveSource(group, source netip.Addr, link int) unix.Errno {
	i := b.member(group, b.stack.link(link))
	if i < 0 {
		return unix.EINVAL
	}
	m := &b.groups[i]
	k := slices.Index(m.only, source)
	if k < 0 {
		return unix.EADDRNOTAVAIL
	}
	if m.only = slices.Delete(m.only, k, k+1); len(m.only) == 0 {
		b.groups = slices.Delete(b.groups, i, i+1)
	}
	return 0
}

// link is an interface's index if the host has it, or 0; 0 asks for the one
// that leads to other hosts.
func (s *Stack) link(index int) int {
	switch index {
	case 0:
		if len(s.addresses) == 0 {
			return linkLoopback
		}
		return linkEthernet
	case linkLoopback, linkEthernet:
		return index
	}
	return 0
}

// linkOf is the interface that has an address, or 0.
func (s *Stack) linkOf(a netip.Addr) int {
	switch {
	case a.IsUnspecified():
		return s.link(0)
	case a.IsLoopback():
		return linkLoopback
	case slices.Contains(s.addresses, a):
		return linkEthernet
	}
	return 0
}
