package unixsocket

import (
	"fmt"
	"iter"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
)

// Inode identifies the file to which a socket is bound. While a socket is bound
// to it, the file's number must not be given to another one, even if the file
// has been removed.
type Inode struct{ Device, Number uint64 }

// Caller is the task on whose behalf a call is made.
type Caller interface {
	Credentials() socket.Credentials
	// Lives tells whether there is a process or thread of this number.
	Lives(pid int32) bool
	// CreateSocketFile makes a socket file. Errors are bind(2)'s, EADDRINUSE
	// when there is something of that name.
	CreateSocketFile(path string) (Inode, unix.Errno)
	// FindSocketFile finds a file to connect to. Errors are connect(2)'s for
	// paths, ECONNREFUSED when the file is no socket.
	FindSocketFile(path string) (Inode, unix.Errno)
}

// References counts the references to the open files that messages carry. A
// send that succeeds takes over the references that it was given, a receive
// gives them to its caller.
type References interface {
	// Hold makes another reference, for MSG_PEEK.
	Hold(file any)
	// Drop gives up a reference, because a message is thrown away.
	Drop(file any)
}

// MaximumDatagrams is the default of net.unix.max_dgram_qlen.
const MaximumDatagrams = 10

// Namespace has the sockets of a host.
type Namespace struct {
	caller     Caller
	references References

	// MaximumDatagrams is the number of datagrams that wait in a socket
	// before others are refused (net.unix.max_dgram_qlen).
	MaximumDatagrams int

	abstract    map[abstractName]*Socket
	files       map[Inode]*Socket
	first, last *Socket
	automatic   uint32 // the last name given by autobind
	created     uint64 // sockets so far
}

// abstractName is a name that is in no file system. Each type has its own.
type abstractName struct {
	kind int
	name string
}

// NewNamespace returns a namespace without sockets. references may be nil if no
// message carries files.
func NewNamespace(caller Caller, references References) *Namespace {
	return &Namespace{
		caller:           caller,
		references:       references,
		MaximumDatagrams: MaximumDatagrams,
		abstract:         make(map[abstractName]*Socket),
		files:            make(map[Inode]*Socket),
	}
}

// New is socket(2): a socket of type SOCK_STREAM, SOCK_DGRAM, SOCK_RAW (which
// means SOCK_DGRAM) or SOCK_SEQPACKET; others give ESOCKTNOSUPPORT. The
// protocol must be 0 or PF_UNIX, else EPROTONOSUPPORT.
func (n *Namespace) New(kind, protocol int) (*Socket, unix.Errno) {
	if protocol != 0 && protocol != unix.AF_UNIX {
		return nil, unix.EPROTONOSUPPORT
	}
	switch kind {
	case unix.SOCK_STREAM, unix.SOCK_DGRAM, unix.SOCK_SEQPACKET:
	case unix.SOCK_RAW:
		kind = unix.SOCK_DGRAM
	default:
		return nil, unix.ESOCKTNOSUPPORT
	}
	return n.create(kind), 0
}

// Pair is socketpair(2).
func (n *Namespace) Pair(kind, protocol int) (a, b *Socket, errno unix.Errno) {
	a, errno = n.New(kind, protocol)
	if errno != 0 {
		return nil, nil, errno
	}
	b = n.create(a.kind)
	credentials := n.caller.Credentials()
	a.peer, a.state, a.peerCredentials = b, established, credentials
	b.peer, b.state, b.peerCredentials = a, established, credentials
	return a, b, 0
}

func (n *Namespace) create(kind int) *Socket {
	n.created++
	s := &Socket{
		namespace:       n,
		number:          n.created,
		kind:            kind,
		sendBuffer:      defaultBuffer,
		receiveBuffer:   defaultBuffer,
		backlog:         n.MaximumDatagrams,
		peerCredentials: nobody,
		previous:        n.last,
	}
	if n.last == nil {
		n.first = s
	} else {
		n.last.next = s
	}
	n.last = s
	return s
}

// remove takes a released socket out of the namespace.
func (n *Namespace) remove(s *Socket) {
	if s.abstract != (abstractName{}) {
		delete(n.abstract, s.abstract)
	}
	if s.inode != (Inode{}) {
		delete(n.files, s.inode)
	}
	if s.previous == nil {
		n.first = s.next
	} else {
		s.previous.next = s.next
	}
	if s.next == nil {
		n.last = s.previous
	} else {
		s.next.previous = s.previous
	}
}

// All are the sockets that exist, connections that wait to be accepted
// included, in the order in which they were made.
func (n *Namespace) All() iter.Seq[*Socket] {
	return func(yield func(*Socket) bool) {
		for s := n.first; s != nil; s = s.next {
			if !yield(s) {
				return
			}
		}
	}
}

// ProcHeader is the first line of /proc/net/unix.
const ProcHeader = "Num       RefCount Protocol Flags    Type St Inode Path\n"

// The states that /proc/net/unix shows, from linux/net.h.
const (
	procUnconnected = 1
	procConnecting  = 2
	procConnected   = 3

	procListening = 0x10000 // __SO_ACCEPTCON
)

// firstInode keeps the numbers of Unix sockets apart from those of others.
const firstInode = 10_000_000

// Inode implements socket.Numbered. A connection that waits to be accepted has 0.
func (s *Socket) Inode() uint64 {
	if s.embryo {
		return 0
	}
	return firstInode + s.number
}

// Accepted tells whether there are descriptors of the socket, because it is no
// connection that waits to be accepted.
func (s *Socket) Accepted() bool { return !s.embryo }

// AppendProc appends the socket's line of /proc/net/unix, with the inode number
// that its descriptors show. As for ordinary users, the kernel's address is 0.
func (s *Socket) AppendProc(b []byte) []byte {
	flags, state, references := 0, procUnconnected, 2
	if s.state == established {
		state, references = procConnected, 3
	}
	if s.embryo {
		state = procConnecting
	}
	if s.state == listening {
		flags = procListening
	}
	b = fmt.Appendf(b, "%016x: %08X %08X %08X %04X %02X %5d", 0, references, 0, flags, s.kind, state, s.Inode())
	if name := s.name; len(name) > pathOffset {
		b = append(b, ' ')
		path := name[pathOffset:]
		if path[0] != 0 {
			path = path[:len(path)-1] // without the NUL at its end
		}
		for _, c := range path {
			if c == 0 {
				c = '@'
			}
			b = append(b, c)
		}
	}
	return append(b, '\n')
}
