package inet

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Groups of which an interface is a member, as /proc/net/igmp and igmp6 show them:
// those of sockets, and those that a host is in by itself.

// groupUse is a group with the number of those who are members.
type groupUse struct {
	group netip.Addr
	users int
}

var (
	allHosts4     = netip.MustParseAddr("224.0.0.1")
	allNodes6     = netip.MustParseAddr("ff02::1")
	allNodesLocal = netip.MustParseAddr("ff01::1")
)

// groupsOf are the groups of an interface, the youngest first.
func (s *Stack) groupsOf(link int, six bool) []groupUse {
	var uses []groupUse
	join := func(group netip.Addr) {
		if i := slices.IndexFunc(uses, func(u groupUse) bool { return u.group == group }); i >= 0 {
			uses[i].users++
		} else {
			uses = append(uses, groupUse{group, 1})
		}
	}
	if six {
		join(allNodesLocal)
		join(allNodes6)
	} else {
		join(allHosts4)
	}
	for _, a := range s.addresses {
		if six && a.Is6() && link == linkEthernet {
			join(solicitedNode(a))
		}
	}
	for _, k := range s.sockets {
		if k == nil {
			continue
		}
		for _, m := range k.common().groups {
			if m.link == link && m.group.Is6() == six {
				join(m.group)
			}
		}
	}
	slices.Reverse(uses)
	return uses
}

// solicitedNode is the group in which neighbours ask for an address (RFC 4291, 2.7.1).
func solicitedNode(a netip.Addr) netip.Addr {
	group, own := netip.MustParseAddr("ff02::1:ff00:0").As16(), a.As16()
	copy(group[13:], own[13:])
	return netip.AddrFrom16(group)
}

func (s *Stack) links() []string {
	if len(s.addresses) == 0 {
		return []string{"lo"}
	}
	return []string{"lo", "eth0"}
}

func (s *Stack) igmp() string {
	var b strings.Builder
	b.WriteString("Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n")
	for i, name := range s.links() {
		uses := s.groupsOf(linkLoopback+i, false)
		fmt.Fprintf(&b, "%d\t%-10s: %5d %7s\n", linkLoopback+i, name, len(uses), "V3")
		for _, u := range uses {
			address := u.group.As4()
			fmt.Fprintf(&b, "\t\t\t\t%08X %5d 0:00000000\t\t0\n", binary.LittleEndian.Uint32(address[:]), u.users)
		}
	}
	return b.String()
}

// Flags of a group in igmp6 (MAF_ in linux/if_inet6.h).
const (
	groupLoaded   = 0x04
	groupNoReport = 0x08
)

func (s *Stack) igmp6() string {
	var b strings.Builder
	for i, name := range s.links() {
		for _, u := range s.groupsOf(linkLoopback+i, true) {
			flags := groupLoaded
			switch {
			case u.group == allNodes6:
				flags |= groupNoReport
			case u.group.IsInterfaceLocalMulticast():
				flags = groupNoReport
			}
			fmt.Fprintf(&b, "%-4d %-15s %x %5d %08X 0\n", linkLoopback+i, name, u.group.As16(), u.users, flags)
		}
	}
	return b.String()
}
