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
// the host's networks. Hosts do not know their prefixes here: networks of 8,
// 16 and 24 bits are tried.
func (s *Stack) isBroadcast(a netip.Addr) bool {
	if a == broadcast4 {
		return true
	}
	_, ok := s.broadcastNet(a)
	return ok
}

func (s *Stack) broadcastNet(a netip.Addr) (netip.Prefix, bool) {
	if !a.Is4() || a.As4()[3] != 255 || s.network.byAddress[a] != nil || a.IsLoopback() {
		return netip.Prefix{}, false
	}
	for _, own := range s.addresses {
		if !own.Is4() {
			continue
		}
		for _, bits := range []int{24, 16, 8} {
			p := netip.PrefixFrom(own, bits).Masked()
			last := p.Addr().As4()
			for i := bits / 8; i < 4; i++ {
				last[i] = 255
			}
			if netip.AddrFrom4(last) == a {
				return p, true
			}
		}
	}
	return netip.Prefix{}, false
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
			return a.Is4() == dst.Is4() && (!limited || net.Contains(a))
		})
		if i >= 0 {
			ends = append(ends, at.addresses[i])
		}
	}
	return ends
}

// joined tells whether some socket of the host is a member of a group.
func (s *Stack) joined(group netip.Addr) bool {
	return slices.ContainsFunc(s.sockets, func(k listedSocket) bool {
		return slices.Contains(k.common().groups, group)
	})
}

// hears tells whether a socket gets what is sent to a group: as a member or,
// with IP_MULTICAST_ALL (the default), because its host is one.
func (b *base) hears(group netip.Addr) bool {
	if slices.Contains(b.groups, group) {
		return true
	}
	return group.Is6() || b.value(unix.IPPROTO_IP, unix.IP_MULTICAST_ALL) != 0
}

// join and leave are IP_ADD_MEMBERSHIP and its relatives.
func (b *base) join(group netip.Addr) unix.Errno {
	if !group.IsMulticast() {
		return unix.EINVAL
	}
	if slices.Contains(b.groups, group) {
		return unix.EADDRINUSE
	}
	b.groups = append(b.groups, group)
	return 0
}

func (b *base) leave(group netip.Addr) unix.Errno {
	i := slices.Index(b.groups, group)
	if i < 0 {
		return unix.EADDRNOTAVAIL
	}
	b.groups = slices.Delete(b.groups, i, i+1)
	return 0
}
