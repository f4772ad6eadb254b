package inet

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Limits of SO_SNDBUF and SO_RCVBUF (net.core.wmem_max and rmem_max, the
// kernel's SOCK_MIN_SNDBUF and SOCK_MIN_RCVBUF).
const (
	bufferMost        = 212992
	sendBufferFloor   = 4608
	receiveBufferLow  = 2304
	tcpSendInitial    = 16384
	tcpReceiveInitial = 131072
)

// setCommon sets an option that sockets of all protocols have.
func (b *base) setCommon(level, name int, value []byte) unix.Errno {
	v := 0
	if len(value) >= 4 {
		v = int(int32(binary.LittleEndian.Uint32(value)))
	}
	switch level {
	case unix.SOL_SOCKET:
		switch name {
		case unix.SO_SNDBUF, unix.SO_SNDBUFFORCE, unix.SO_RCVBUF, unix.SO_RCVBUFFORCE:
			if len(value) < 4 {
				return unix.EINVAL
			}
			most := bufferMost
			if name == unix.SO_SNDBUFFORCE || name == unix.SO_RCVBUFFORCE {
				most = 1 << 30
			}
			if v < 0 || v > most {
				v = most
			}
			if name == unix.SO_SNDBUF || name == unix.SO_SNDBUFFORCE {
				b.sendBuffer = max(2*v, sendBufferFloor)
			} else {
				b.receiveBuffer = max(2*v, receiveBufferLow)
			}
			return 0
		case unix.SO_BINDTODEVICE:
			return b.bindDevice(value)
		case unix.SO_ATTACH_FILTER, unix.SO_ATTACH_REUSEPORT_CBPF:
			return 0 // what passes the filter is not examined
		case unix.SO_DETACH_FILTER:
			return unix.ENOENT
		}
	case unix.IPPROTO_IP:
		switch name {
		case unix.IP_ADD_MEMBERSHIP, unix.IP_DROP_MEMBERSHIP:
			if len(value) < 8 {
				return unix.EINVAL
			}
			group := netip.AddrFrom4([4]byte(value[:4]))
			if name == unix.IP_ADD_MEMBERSHIP {
				return b.join(group)
			}
			return b.leave(group)
		case unix.IP_MULTICAST_IF:
			if len(value) < 4 {
				return unix.EINVAL
			}
			return 0
		}
	case unix.IPPROTO_IPV6:
		switch name {
		case unix.IPV6_ADD_MEMBERSHIP, unix.IPV6_DROP_MEMBERSHIP:
			if b.domain != unix.AF_INET6 {
				return unix.ENOPROTOOPT
			}
			if len(value) < 20 {
				return unix.EINVAL
			}
			group := netip.AddrFrom16([16]byte(value[:16]))
			if name == unix.IPV6_ADD_MEMBERSHIP {
				return b.join(group)
			}
			return b.leave(group)
		}
	}
	return b.setInt(level, name, value)
}

func (b *base) bindDevice(value []byte) unix.Errno {
	name := string(value)
	for i, c := range value {
		if c == 0 {
			name = name[:i]
			break
		}
	}
	switch name {
	case "", "lo", "eth0":
		b.device = name
		return 0
	}
	return unix.ENODEV
}

// commonOption reads an option that sockets of all protocols have.
func (b *base) commonOption(level, name int) ([]byte, unix.Errno) {
	if level == unix.IPPROTO_IP && name == unix.IP_OPTIONS {
		return nil, 0 // no packet carries any
	}
	if level == unix.SOL_SOCKET {
		switch name {
		case unix.SO_TYPE:
			return int32Value(b.kind), 0
		case unix.SO_DOMAIN:
			return int32Value(b.domain), 0
		case unix.SO_PROTOCOL:
			return int32Value(b.protocol), 0
		case unix.SO_ERROR:
			return int32Value(int(b.takeError())), 0
		case unix.SO_ACCEPTCONN:
			return int32Value(0), 0
		case unix.SO_SNDBUF:
			if b.sendBuffer != 0 {
				return int32Value(b.sendBuffer), 0
			}
			if b.kind == unix.SOCK_STREAM {
				return int32Value(tcpSendInitial), 0
			}
			return int32Value(datagramBuffer), 0
		case unix.SO_RCVBUF:
			if b.receiveBuffer != 0 {
				return int32Value(b.receiveBuffer), 0
			}
			if b.kind == unix.SOCK_STREAM {
				return int32Value(tcpReceiveInitial), 0
			}
			return int32Value(datagramBuffer), 0
		case unix.SO_LINGER:
			return make([]byte, 8), 0
		case unix.SO_BINDTODEVICE:
			if b.device == "" {
				return nil, 0
			}
			return append([]byte(b.device), 0), 0
		case unix.SO_COOKIE:
			return binary.LittleEndian.AppendUint64(nil, b.inode), 0
		case unix.SO_PEERCRED:
			var v []byte
			v = binary.LittleEndian.AppendUint32(v, 0)
			v = binary.LittleEndian.AppendUint32(v, 0xffffffff)
			return binary.LittleEndian.AppendUint32(v, 0xffffffff), 0
		}
	}
	return b.intOption(level, name)
}

// pathMTU is what IP_MTU tells: that of lo or of eth0.
func (b *base) pathMTU(dst netip.Addr) []byte {
	if b.stack.owns(dst) {
		return int32Value(65536)
	}
	return int32Value(1500)
}

// SetOption implements socket.Socket.
func (u *udpSocket) SetOption(level, name int, value []byte) unix.Errno {
	if level == unix.IPPROTO_TCP {
		return unix.ENOPROTOOPT
	}
	errno := u.setCommon(level, name, value)
	if errno == 0 && u.bound != nil {
		u.bound.reuseAddress, u.bound.reusePort = u.reuseAddress(), u.reusePort()
	}
	return errno
}

// Option implements socket.Socket.
func (u *udpSocket) Option(level, name int) ([]byte, unix.Errno) {
	if level == unix.IPPROTO_TCP {
		return nil, unix.ENOPROTOOPT
	}
	if level == unix.IPPROTO_IP && name == unix.IP_MTU || level == unix.IPPROTO_IPV6 && name == unix.IPV6_MTU {
		if !u.remote.IsValid() {
			return nil, unix.ENOTCONN
		}
		return u.pathMTU(u.remote.Addr()), 0
	}
	return u.commonOption(level, name)
}
