package inet

import (
	"math/rand/v2"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socketfilter"
	"github.com/simterpose/simterpose/sim"
)

// The range of ephemeral ports: /proc/sys/net/ipv4/ip_local_port_range.
const (
	ephemeralFirst = 32768
	ephemeralLast  = 60999
	ephemeralCount = ephemeralLast - ephemeralFirst + 1
)

// binding is a claim to a local port: that of a bound socket, of a connection,
// or of one that lingers in TIME_WAIT.
type binding struct {
	domain int
	addr   netip.Addr // unspecified: every address of its family
	port   uint16
	only6,
	reuseAddress, reusePort,
	listening bool
	// automatic ports were chosen by connect(2); connections to different
	// destinations may share them.
	automatic bool
	// implicit ports were not given by bind(2): a disconnect gives them up.
	implicit bool
	// until is the end of TIME_WAIT, sim.Never for everything that lives.
	until sim.Time
	// udp is the socket that datagrams to this port are for.
	udp *udpSocket
	// listener is the one that connections to this port are for.
	listener *listener
}

// overlaps tells whether some packet could be for both, by its address.
func (b *binding) overlaps(o *binding) bool {
	if b.addr.Is4() != o.addr.Is4() {
		six := b
		if b.addr.Is4() {
			six = o
		}
		return six.addr == any6 && !six.only6
	}
	return b.addr == o.addr || b.addr.IsUnspecified() || o.addr.IsUnspecified()
}

// takes tells whether packets to an address are for this binding.
func (b *binding) takes(dst netip.Addr) bool {
	switch {
	case b.addr == dst:
		return true
	case b.addr == any6:
		return dst.Is6() || !b.only6
	default:
		return b.addr == any4 && dst.Is4()
	}
}

// rank is how well a binding suits, when it does: that of an address before
// that of all, and a socket of IPv4 before one of IPv6 (compute_score).
func (b *binding) rank() int {
	r := 1
	if b.domain == unix.AF_INET {
		r++
	}
	if !b.addr.IsUnspecified() {
		r += 4
	}
	return r
}

// ahead tells whether b is found before older bindings of the same rank: the
// newest is, but those of IPv6 with SO_REUSEPORT queue up.
func (b *binding) ahead() bool { return !b.reusePort || b.domain != unix.AF_INET6 }

// share gives what comes from an address to one of the sockets that share the
// port with b by SO_REUSEPORT: the one that a program of theirs names by what is
// in the packet, or else one chosen by the address.
func share(b *binding, found []*binding, from netip.AddrPort, payload []byte) *binding {
	if !b.reusePort {
		return b
	}
	group := slices.DeleteFunc(found, func(o *binding) bool {
		return !o.reusePort || o.addr != b.addr || o.domain != b.domain || o.only6 != b.only6
	})
	for _, o := range group {
		if f := o.steering(); f != nil {
			if n := f.Run(payload); n >= 0 && n < len(group) {
				return group[n]
			}
			break
		}
	}
	return group[spread(from, len(group))]
}

func (b *binding) steering() *socketfilter.Filter {
	switch {
	case b.udp != nil:
		return b.udp.steering
	case b.listener != nil:
		return b.listener.socket.steering
	}
	return nil
}

// portTable holds the bindings of one protocol on one host.
type portTable struct {
	queue *sim.Queue
	aside netip.Addr
	ports map[uint16][]*binding // in order of binding
}

func newPortTable(q *sim.Queue, aside netip.Addr) portTable {
	return portTable{queue: q, aside: aside, ports: map[uint16][]*binding{}}
}

// at is what claims a port now.
func (t *portTable) at(port uint16) []*binding {
	list := t.ports[port]
	now := t.queue.Now()
	live := slices.DeleteFunc(list, func(b *binding) bool { return b.until <= now })
	if len(live) != len(list) {
		t.store(port, live)
	}
	return live
}

func (t *portTable) store(port uint16, list []*binding) {
	if len(list) == 0 {
		delete(t.ports, port)
		return
	}
	t.ports[port] = list
}

// conflicts tells whether b may not join what is bound: the rules of
// SO_REUSEADDR and SO_REUSEPORT in socket(7), without the one about users.
func (t *portTable) conflicts(b *binding) bool {
	for _, o := range t.at(b.port) {
		if o == b || !o.overlaps(b) || o.addr == t.aside && b.addr != t.aside {
			continue
		}
		if o.reusePort && b.reusePort {
			continue
		}
		if o.reuseAddress && b.reuseAddress && !o.listening {
			continue
		}
		return true
	}
	return false
}

func (t *portTable) add(b *binding) { t.ports[b.port] = append(t.at(b.port), b) }

func (t *portTable) remove(b *binding) {
	if b == nil {
		return
	}
	list := t.at(b.port)
	if i := slices.Index(list, b); i >= 0 {
		t.store(b.port, slices.Delete(list, i, i+1))
	}
}

// choose gives b a free ephemeral port and adds it. acceptable, if not nil,
// tells whether a port in use by automatic bindings only may be shared.
func (t *portTable) choose(b *binding, random *rand.Rand, acceptable func(port uint16) bool) bool {
	start := random.IntN(ephemeralCount)
	for i := range ephemeralCount {
		b.port = uint16(ephemeralFirst + (start+i)%ephemeralCount)
		list := t.at(b.port)
		free := len(list) == 0
		if !free && acceptable == nil {
			free = !t.conflicts(b)
		}
		if free {
			t.add(b)
			return true
		}
	}
	if acceptable == nil {
		return false
	}
	for i := range ephemeralCount {
		b.port = uint16(ephemeralFirst + (start+i)%ephemeralCount)
		shared := !slices.ContainsFunc(t.at(b.port), func(o *binding) bool { return !o.automatic })
		if shared && acceptable(b.port) {
			t.add(b)
			return true
		}
	}
	return false
}
