package emulator

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// end is a port of a host, whatever address it is known by.
type end struct {
	host string
	port uint16
}

// way is a connection's ends.
type way struct{ client, server end }

// end returns whose port an address is, as seen from a host.
func (r *recorder) end(from *host, a netip.AddrPort) end {
	if a.Addr().IsLoopback() {
		return end{from.name, a.Port()}
	}
	if p := r.hostAt(a.Addr()); p != nil {
		return end{p.Name, a.Port()}
	}
	return end{a.Addr().String(), a.Port()}
}

func (r *recorder) way(from *host, client, server netip.AddrPort) way {
	return way{r.end(from, client), r.end(from, server)}
}

// name is how the trace calls an address: by its host where it is one's, so
// that it can be another one elsewhere. An IPv6 socket that uses IPv4 is told by
// a suffix.
func (r *recorder) name(domain int, a netip.Addr) string {
	name := a.String()
	switch p := r.hostAt(a); {
	case !a.IsValid() || a.IsUnspecified():
		return "*"
	case a == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || a == netip.IPv6Loopback():
		name = "localhost"
	case p != nil:
		name = p.Name
	}
	if domain == unix.AF_INET6 && a.Is4() {
		name += "/4"
	}
	return name
}
