package unixsocket

import (
	"bytes"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
)

const (
	pathOffset  = 2                // of sun_path in struct sockaddr_un
	addressSize = pathOffset + 108 // of struct sockaddr_un
)

// unnamed is the address of a socket that is not bound.
var unnamed = socket.Address{unix.AF_UNIX, 0}

// validate tells whether a is a name.
func validate(a socket.Address) bool {
	return len(a) > pathOffset && len(a) <= addressSize && a.Family() == unix.AF_UNIX
}

// path returns the file name in a validated address, or false for an abstract
// one.
func path(a socket.Address) (string, bool) {
	name := a[pathOffset:]
	if name[0] == 0 {
		return "", false
	}
	if end := bytes.IndexByte(name, 0); end >= 0 {
		name = name[:end]
	}
	return string(name), true
}

// Bind implements socket.Socket. An address that has a family only asks for an
// unused abstract name.
func (s *Socket) Bind(a socket.Address) unix.Errno {
	if len(a) == pathOffset && a.Family() == unix.AF_UNIX {
		return s.bindAutomatically()
	}
	if !validate(a) {
		return unix.EINVAL
	}
	if s.name != nil {
		return unix.EINVAL
	}
	n := s.namespace
	file, ok := path(a)
	if !ok {
		key := abstractName{s.kind, string(a[pathOffset:])}
		if n.abstract[key] != nil {
			return unix.EADDRINUSE
		}
		s.bindAbstract(key)
		return 0
	}
	inode, errno := n.caller.CreateSocketFile(file)
	if errno != 0 {
		return errno
	}
	if inode == (Inode{}) || n.files[inode] != nil {
		panic("unixsocket: a new socket file has the identity of another")
	}
	n.files[inode] = s
	s.inode = inode
	s.name = append(append(append(socket.Address{}, unnamed...), file...), 0)
	return 0
}

func (s *Socket) bindAbstract(key abstractName) {
	s.namespace.abstract[key] = s
	s.abstract = key
	s.name = append(append(socket.Address{}, unnamed...), key.name...)
}

// bindAutomatically gives s an abstract name of five hexadecimal digits. Linux
// starts at a random one; here each run gives the same.
func (s *Socket) bindAutomatically() unix.Errno {
	if s.name != nil {
		return 0
	}
	const names = 1 << 20
	n := s.namespace
	for range names {
		n.automatic = (n.automatic + 1) % names
		key := abstractName{s.kind, fmt.Sprintf("\x00%05x", n.automatic)}
		if n.abstract[key] == nil {
			s.bindAbstract(key)
			return 0
		}
	}
	return unix.ENOSPC
}

// find returns the socket of the same type as s that is bound to a validated
// address.
func (s *Socket) find(a socket.Address) (*Socket, unix.Errno) {
	n := s.namespace
	file, ok := path(a)
	if !ok {
		other := n.abstract[abstractName{s.kind, string(a[pathOffset:])}]
		if other == nil {
			return nil, unix.ECONNREFUSED
		}
		return other, 0
	}
	inode, errno := n.caller.FindSocketFile(file)
	if errno != 0 {
		return nil, errno
	}
	switch other := n.files[inode]; {
	case other == nil:
		return nil, unix.ECONNREFUSED
	case other.kind != s.kind:
		return nil, unix.EPROTOTYPE
	default:
		return other, 0
	}
}

// LocalAddress implements socket.Socket.
func (s *Socket) LocalAddress() (socket.Address, unix.Errno) {
	if s.name == nil {
		return unnamed, 0
	}
	return s.name, 0
}

// PeerAddress implements socket.Socket.
func (s *Socket) PeerAddress() (socket.Address, unix.Errno) {
	if s.peer == nil {
		return nil, unix.ENOTCONN
	}
	return s.peer.LocalAddress()
}
