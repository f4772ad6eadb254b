package inet

import (
	"maps"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/socketfilter"
	"github.com/simterpose/simterpose/kernel/waiter"
)

// base is what sockets of all protocols share.
type base struct {
	stack                  *Stack
	domain, kind, protocol int
	queue                  waiter.Queue
	values                 map[optionKey]int // options that were set
	filter                 socketfilter.Slot
	steering               *socketfilter.Filter // SO_ATTACH_REUSEPORT_CBPF
	failure                unix.Errno           // SO_ERROR
	errors                 []sentError          // for MSG_ERRQUEUE
	zeroCopies             uint32               // sends with MSG_ZEROCOPY
	inode                  uint64
	self                   listedSocket
	place                  int    // in Stack.sockets
	device                 string // SO_BINDTODEVICE
	groups                 []membership
	multicastFrom          netip.Addr // IP_MULTICAST_IF, if set
	source6                netip.Addr // IPV6_PKTINFO, if set
	// sendBuffer and receiveBuffer are SO_SNDBUF and SO_RCVBUF as the kernel
	// keeps them, twice what was asked for; 0 when they were not set.
	sendBuffer, receiveBuffer int
}

func (s *Stack) newBase(domain, kind, protocol int) base {
	s.inodes++
	return base{stack: s, domain: domain, kind: kind, protocol: protocol, inode: firstInode + s.inodes}
}

// listedSocket is a socket that /proc/net may show.
type listedSocket interface {
	socket.Socket
	common() *base
}

func (b *base) common() *base { return b }

// Inode implements socket.Numbered.
func (b *base) Inode() uint64 { return b.inode }

// list makes a new socket known to its stack.
func (s *Stack) list(k listedSocket) {
	b := k.common()
	b.self, b.place = k, len(s.sockets)
	s.sockets = append(s.sockets, k)
	s.open++
	if _, raw := k.(*rawSocket); raw {
		s.raws++
	}
}

// unlist forgets a socket that was closed.
func (s *Stack) unlist(k listedSocket) {
	i := k.common().place
	if i >= len(s.sockets) || s.sockets[i] != k {
		return
	}
	s.sockets[i] = nil
	s.open--
	if _, raw := k.(*rawSocket); raw {
		s.raws--
	}
	if len(s.sockets) < 32 || s.open > len(s.sockets)/2 {
		return
	}
	s.sockets = slices.DeleteFunc(s.sockets, func(k listedSocket) bool { return k == nil })
	for i, k := range s.sockets {
		k.common().place = i
	}
}

// firstInode keeps the numbers of emulated sockets in /proc/net apart from
// those of a freshly booted machine.
const firstInode = 10000

// Queue implements socket.File.
func (b *base) Queue() *waiter.Queue { return &b.queue }

// Domain implements socket.Socket.
func (b *base) Domain() int { return b.domain }

// Type implements socket.Socket.
func (b *base) Type() int { return b.kind }

// Protocol implements socket.Socket.
func (b *base) Protocol() int { return b.protocol }

// takeError returns the pending error and clears it, as SO_ERROR does.
func (b *base) takeError() unix.Errno {
	e := b.failure
	b.failure = 0
	return e
}

func (b *base) set(level, name, value int) {
	if b.values == nil {
		b.values = map[optionKey]int{}
	}
	b.values[optionKey{level, name}] = value
}

func (b *base) value(level, name int) int {
	if v, ok := b.values[optionKey{level, name}]; ok {
		return v
	}
	return options[optionKey{level, name}].initial
}

// inherit takes a listener's options, as accepted sockets do.
func (b *base) inherit(from *base) {
	b.values = maps.Clone(from.values)
	b.sendBuffer, b.receiveBuffer = from.sendBuffer, from.receiveBuffer
	b.filter = from.filter
}

func (b *base) reuseAddress() bool { return b.value(unix.SOL_SOCKET, unix.SO_REUSEADDR) != 0 }
func (b *base) reusePort() bool    { return b.value(unix.SOL_SOCKET, unix.SO_REUSEPORT) != 0 }

func (b *base) only6() bool {
	return b.domain == unix.AF_INET6 && b.value(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY) != 0
}
