package inet

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
)

// Addresses are netip values inside this package, IPv4 ones never in their
// IPv4-mapped IPv6 form: that form belongs to the socket's face only.

const (
	sizeSockaddr4    = 16
	sizeSockaddr6    = 28
	sizeSockaddr6Min = 24 // SIN6_LEN_RFC2133: without sin6_scope_id
)

var (
	any4 = netip.IPv4Unspecified()
	any6 = netip.IPv6Unspecified()
)

// anyOf is the wildcard address of a domain.
func anyOf(domain int) netip.Addr {
	if domain == unix.AF_INET6 {
		return any6
	}
	return any4
}

// decodeAddress reads a struct sockaddr_in or sockaddr_in6 whose family is
// that of the domain.
func decodeAddress(domain int, a socket.Address) (netip.AddrPort, unix.Errno) {
	if len(a) < 2 {
		return netip.AddrPort{}, unix.EINVAL
	}
	if domain == unix.AF_INET && len(a) < sizeSockaddr4 || domain == unix.AF_INET6 && len(a) < sizeSockaddr6Min {
		return netip.AddrPort{}, unix.EINVAL
	}
	if a.Family() != domain {
		return netip.AddrPort{}, unix.EAFNOSUPPORT
	}
	port := binary.BigEndian.Uint16(a[2:])
	if domain == unix.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(a[4:8])), port), 0
	}
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(a[8:24])).Unmap(), port), 0
}

// encodeAddress is the struct sockaddr of an address as a socket of the given
// domain shows it.
func encodeAddress(domain int, ap netip.AddrPort) socket.Address {
	addr := ap.Addr()
	if domain == unix.AF_INET6 {
		a := make(socket.Address, sizeSockaddr6)
		binary.LittleEndian.PutUint16(a, unix.AF_INET6)
		binary.BigEndian.PutUint16(a[2:], ap.Port())
		if addr.IsValid() {
			ip := addr.As16()
			copy(a[8:], ip[:])
		}
		return a
	}
	a := make(socket.Address, sizeSockaddr4)
	binary.LittleEndian.PutUint16(a, unix.AF_INET)
	binary.BigEndian.PutUint16(a[2:], ap.Port())
	if addr.Is4() {
		ip := addr.As4()
		copy(a[4:], ip[:])
	}
	return a
}

// loopbackOf is the loopback address of an address's family.
func loopbackOf(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}

// commonPrefix is the number of leading bits that two addresses of one family
// share.
func commonPrefix(a, b netip.Addr) int {
	x, y := a.As16(), b.As16()
	for i := range x {
		if d := x[i] ^ y[i]; d != 0 {
			n := 8 * i
			for ; d&0x80 == 0; d <<= 1 {
				n++
			}
			return n
		}
	}
	return 128
}
