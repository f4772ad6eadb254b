package unixsocket

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
)

// The sizes of socket buffers in bytes, from net/core/sock.c: the default and
// greatest one that net.core.*mem_* give, and the smallest ones.
const (
	defaultBuffer     = 212992
	greatestBuffer    = 212992
	leastReceive      = 2048 + structBuffer
	leastSend         = 2 * leastReceive
	greatestPrivilege = 1<<31 - 1
)

// boolean tells which options hold 0 or 1, whatever was set.
func boolean(name int) bool {
	switch name {
	case unix.SO_DEBUG, unix.SO_REUSEADDR, unix.SO_DONTROUTE, unix.SO_BROADCAST, unix.SO_KEEPALIVE,
		unix.SO_OOBINLINE, unix.SO_NO_CHECK, unix.SO_TIMESTAMP, unix.SO_TIMESTAMPNS, unix.SO_PASSSEC:
		return true
	}
	return false
}

// SetOption implements socket.Socket. Options that mean nothing here are kept
// for Option to return.
func (s *Socket) SetOption(level, name int, value []byte) unix.Errno {
	if level != unix.SOL_SOCKET {
		return unix.EOPNOTSUPP
	}
	if errno, known := s.filter.Set(name, value); known {
		return errno
	}
	if len(value) < 4 {
		return unix.EINVAL
	}
	v := int32(binary.NativeEndian.Uint32(value))
	switch name {
	case unix.SO_PASSCRED:
		s.passCredentials = v != 0
	case unix.SO_SNDBUF, unix.SO_SNDBUFFORCE:
		size, errno := s.bufferSize(v, name == unix.SO_SNDBUFFORCE)
		if errno != 0 {
			return errno
		}
		s.sendBuffer = max(size, leastSend)
		if s.writable() {
			s.queue.Notify(canWrite)
		}
	case unix.SO_RCVBUF, unix.SO_RCVBUFFORCE:
		size, errno := s.bufferSize(v, name == unix.SO_RCVBUFFORCE)
		if errno != 0 {
			return errno
		}
		s.receiveBuffer = max(size, leastReceive)
	case unix.SO_LINGER:
		if len(value) < 8 {
			return unix.EINVAL
		}
		s.linger = [2]int32{min(v, 1), int32(binary.NativeEndian.Uint32(value[4:]))}
	case unix.SO_RCVLOWAT:
		if v <= 0 {
			v = 1
		}
		s.keep(name, v)
	case unix.SO_PRIORITY, unix.SO_BUSY_POLL:
		s.keep(name, v)
	case unix.SO_REUSEPORT:
		if v != 0 {
			return unix.EOPNOTSUPP
		}
	case unix.SO_TYPE, unix.SO_PROTOCOL, unix.SO_DOMAIN, unix.SO_ERROR, unix.SO_PEERCRED, unix.SO_ACCEPTCONN:
		return unix.ENOPROTOOPT
	default:
		if !boolean(name) {
			return unix.ENOPROTOOPT
		}
		if v != 0 {
			v = 1
		}
		s.keep(name, v)
	}
	return 0
}

func (s *Socket) keep(name int, v int32) {
	if s.options == nil {
		s.options = make(map[int]int32)
	}
	s.options[name] = v
}

// bufferSize is what SO_SNDBUF and SO_RCVBUF make of a value: twice as much,
// for the kernel's bookkeeping.
func (s *Socket) bufferSize(v int32, force bool) (int, unix.Errno) {
	limit := int32(greatestBuffer)
	if force {
		if s.namespace.caller.Credentials().UID != 0 {
			return 0, unix.EPERM
		}
		limit = greatestPrivilege / 2
	}
	if v < 0 || v > limit {
		v = limit
	}
	return 2 * int(v), 0
}

// Option implements socket.Socket.
func (s *Socket) Option(level, name int) ([]byte, unix.Errno) {
	if level != unix.SOL_SOCKET {
		return nil, unix.EOPNOTSUPP
	}
	var v int32
	switch name {
	case unix.SO_TYPE:
		v = int32(s.kind)
	case unix.SO_DOMAIN:
		v = unix.AF_UNIX
	case unix.SO_PROTOCOL:
		v = 0
	case unix.SO_ERROR:
		v = int32(s.takeError())
	case unix.SO_ACCEPTCONN:
		if s.state == listening {
			v = 1
		}
	case unix.SO_PASSCRED:
		if s.passCredentials {
			v = 1
		}
	case unix.SO_PEERCRED:
		return integers(s.peerCredentials), 0
	case unix.SO_SNDBUF:
		v = int32(s.sendBuffer)
	case unix.SO_RCVBUF:
		v = int32(s.receiveBuffer)
	case unix.SO_LINGER:
		return binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint32(nil, uint32(s.linger[0])), uint32(s.linger[1])), 0
	case unix.SO_RCVLOWAT:
		v = max(1, s.options[name])
	case unix.SO_SNDLOWAT:
		v = 1
	case unix.SO_PRIORITY, unix.SO_BUSY_POLL:
		v = s.options[name]
	case unix.SO_REUSEPORT:
		v = 0
	default:
		if !boolean(name) {
			return nil, unix.ENOPROTOOPT
		}
		v = s.options[name]
	}
	return binary.NativeEndian.AppendUint32(nil, uint32(v)), 0
}

// integers encodes a struct ucred.
func integers(c socket.Credentials) []byte {
	var b []byte
	for _, v := range [...]int32{c.PID, c.UID, c.GID} {
		b = binary.NativeEndian.AppendUint32(b, uint32(v))
	}
	return b
}
