package inet

import (
	"math/rand/v2"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/sim"
)

// Network is the stacks of all hosts and what is between them.
type Network struct {
	queue     *sim.Queue
	carrier   Carrier
	stacks    []*Stack
	byAddress map[netip.Addr]*Stack
	chunks    pool
	// keepAlives is the number of keep-alive timers in queue.
	keepAlives int
	translate  func(from, to string) Hold
}

// NewNetwork returns a network without hosts.
func NewNetwork(q *sim.Queue, c Carrier) *Network {
	return &Network{queue: q, carrier: c, byAddress: map[netip.Addr]*Stack{}}
}

// Translate lets the bytes of connections made from now on wait in the machine's
// kernel: hold gives the place for those from one host to another, or nil to keep
// them in memory.
func (n *Network) Translate(hold func(from, to string) Hold) { n.translate = hold }

// Config is what a Stack is made from.
type Config struct {
	// Name of the host, for the reader of a panic.
	Name string
	// Addresses of the host, without the loopback ones.
	Addresses []netip.Addr
	// Aside is an address of the host itself whose ports may be bound at all
	// addresses too, as if nothing were there.
	Aside netip.Addr
	// Networks are the networks that the host is on: each is a link whose hosts
	// hear each other's broadcasts and multicasts. Without any, all hosts of
	// the platform do.
	Networks []netip.Prefix
	// Random chooses ephemeral ports.
	Random *rand.ChaCha8
	// Realtime is the host's CLOCK_REALTIME in nanoseconds, for timestamps of
	// received datagrams.
	Realtime func() int64
	// Setting reads a file of /proc/sys/net that programs may have written; ok is
	// false when there is none.
	Setting func(name string) (value int, ok bool)
}

// Stack is the Internet protocols of one host.
type Stack struct {
	network   *Network
	name      string
	addresses []netip.Addr
	networks  []netip.Prefix
	random    *rand.Rand
	realtime  func() int64
	settings  func(name string) (int, bool)

	tcp, udp    portTable
	udpLite     portTable
	connections map[tuple]*connection
	sockets     []listedSocket // in order of creation; nil where one was closed
	open        int            // of sockets, not nil
	raws        int            // raw and ping sockets among them
	counters    counters
	waits       []*timeWait // oldest first
	waitsOf     map[tuple]*timeWait
	inodes      uint64
	crashed     bool
	cookies     map[way]*Stack // of TCP Fast Open, with who has given them
}

// tuple names a connection within a stack.
type tuple struct{ local, remote netip.AddrPort }

// NewStack adds a host. An address that another host has already stays the
// other's.
func (n *Network) NewStack(c Config) *Stack {
	s := &Stack{
		network: n, name: c.Name, networks: c.Networks, random: rand.New(c.Random), realtime: c.Realtime, settings: c.Setting, cookies: map[way]*Stack{},
		tcp: newPortTable(n.queue, c.Aside), udp: newPortTable(n.queue, c.Aside), udpLite: newPortTable(n.queue, c.Aside), connections: map[tuple]*connection{},
		waitsOf: map[tuple]*timeWait{},
	}
	for _, a := range c.Addresses {
		a = a.Unmap().WithZone("")
		s.addresses = append(s.addresses, a)
		if other := n.byAddress[a]; other == nil || other.crashed {
			n.byAddress[a] = s
		}
	}
	n.stacks = append(n.stacks, s)
	return s
}

// NewSocket is socket(2).
func (s *Stack) NewSocket(domain, kind, protocol int) (socket.Socket, unix.Errno) {
	if domain != unix.AF_INET && domain != unix.AF_INET6 {
		return nil, unix.EAFNOSUPPORT
	}
	if kind < 0 || kind > unix.SOCK_PACKET { // SOCK_MAX
		return nil, unix.EINVAL
	}
	if protocol < 0 || protocol > 0xff && protocol != protocolMPTCP {
		return nil, unix.EINVAL
	}
	switch kind {
	case unix.SOCK_STREAM:
		if protocol != 0 && protocol != unix.IPPROTO_TCP {
			return nil, unix.EPROTONOSUPPORT
		}
		return s.newTCP(domain), 0
	case unix.SOCK_DGRAM:
		switch {
		case protocol == 0 || protocol == unix.IPPROTO_UDP:
			return s.newUDP(domain, unix.IPPROTO_UDP), 0
		case protocol == unix.IPPROTO_UDPLITE:
			return s.newUDP(domain, protocol), 0
		case protocol == unix.IPPROTO_ICMP && domain == unix.AF_INET, protocol == unix.IPPROTO_ICMPV6 && domain == unix.AF_INET6:
			return s.newRaw(domain, kind, protocol), 0
		}
		return nil, unix.EPROTONOSUPPORT
	case unix.SOCK_RAW:
		if protocol == 0 || protocol > 0xff {
			return nil, unix.EPROTONOSUPPORT
		}
		return s.newRaw(domain, kind, protocol), 0
	}
	return nil, unix.ESOCKTNOSUPPORT
}

// protocolMPTCP is IPPROTO_MPTCP, beyond the range of the IP header. Programs
// that ask for it fall back to TCP.
const protocolMPTCP = 262

// owns tells whether an address is one of this host's.
func (s *Stack) owns(a netip.Addr) bool {
	return a.IsLoopback() || slices.Contains(s.addresses, a)
}

// source chooses the address from which the host reaches dst. From all of
// 127.0.0.0/8, it is 127.0.0.1.
func (s *Stack) source(dst netip.Addr) (netip.Addr, unix.Errno) {
	if dst.IsLoopback() {
		return loopbackOf(dst), 0
	}
	if s.owns(dst) {
		return dst, 0
	}
	best, bits := netip.Addr{}, -1
	for _, a := range s.addresses {
		if a.Is4() != dst.Is4() {
			continue
		}
		if n := commonPrefix(a, dst); n > bits {
			best, bits = a, n
		}
	}
	if !best.IsValid() {
		return best, unix.ENETUNREACH
	}
	return best, 0
}

// ends are the addresses by which the carrier knows the two ends of a way: what
// goes to 127.0.0.1 never leaves the host, whatever its route to itself is.
func (s *Stack) ends(src, dst netip.Addr) (from, to netip.Addr) {
	if dst.IsLoopback() {
		return loopbackOf(dst), loopbackOf(dst)
	}
	if s.owns(dst) {
		own := s.first(dst.Is4())
		return own, own
	}
	if src.IsLoopback() || !slices.Contains(s.addresses, src) {
		src = s.first(dst.Is4())
	}
	return src, dst
}

// first is the host's first address of a family, or of the other if it has
// none, or a loopback address.
func (s *Stack) first(four bool) netip.Addr {
	for _, a := range s.addresses {
		if a.Is4() == four {
			return a
		}
	}
	if len(s.addresses) > 0 {
		return s.addresses[0]
	}
	return loopbackOf(any4)
}

// packet sends size bytes to the host that has the address dst. arrive gets the
// stack there: nil when the host has none, because no process ever ran there.
func (s *Stack) packet(src, dst netip.Addr, size int, reliable bool, arrive func(at *Stack)) error {
	from, to := s.ends(src, dst)
	s.counters.sent(size, 1)
	return s.network.carrier.Packet(from, to, size, reliable, func() {
		at := s
		if !s.owns(dst) {
			at = s.network.byAddress[dst]
		}
		if at != nil && at.crashed {
			return
		}
		if at != nil {
			at.counters.received(size, 1)
		}
		arrive(at)
	})
}

// setting is the value of a file of /proc/sys/net.
func (s *Stack) setting(name string, initial int) int {
	if s.settings != nil {
		if v, ok := s.settings(name); ok {
			return v
		}
	}
	return initial
}

// now is the simulated time.
func (s *Stack) now() sim.Time { return s.network.queue.Now() }
