package socket

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// AddrPort reads an Internet address, an IPv4-mapped one as IPv4; it is not
// valid for other families.
func (a Address) AddrPort() netip.AddrPort {
	switch {
	case a.Family() == unix.AF_INET && len(a) >= 8:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(a[4:8])), binary.BigEndian.Uint16(a[2:]))
	case a.Family() == unix.AF_INET6 && len(a) >= 24:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(a[8:24])).Unmap(), binary.BigEndian.Uint16(a[2:]))
	}
	return netip.AddrPort{}
}

// InternetAddress writes an address for a socket of AF_INET or AF_INET6.
func InternetAddress(domain int, ap netip.AddrPort) Address {
	var a Address
	if domain == unix.AF_INET {
		a = make(Address, 16)
		four := ap.Addr().As4()
		copy(a[4:], four[:])
	} else {
		a = make(Address, 28)
		sixteen := ap.Addr().As16()
		copy(a[8:], sixteen[:])
	}
	binary.LittleEndian.PutUint16(a, uint16(domain))
	binary.BigEndian.PutUint16(a[2:], ap.Port())
	return a
}
