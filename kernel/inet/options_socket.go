package inet

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socketfilter"
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
	switch level {
	case unix.SOL_SOCKET:
		if errno, known := b.setSocketOption(name, value); known {
			return errno
		}
	case unix.IPPROTO_IP, unix.IPPROTO_IPV6:
		if errno, known := b.setGroupOption(level, name, value); known {
			return errno
		}
	}
	return b.setInt(level, name, value)
}

// setSocketOption sets those of SOL_SOCKET that are more than an int to keep.
func (b *base) setSocketOption(name int, value []byte) (errno unix.Errno, known bool) {
	if errno, known := b.filter.Set(name, value); known {
		return errno, true
	}
	v := 0
	if len(value) >= 4 {
		v = int(int32(binary.LittleEndian.Uint32(value)))
	} else if name != unix.SO_BINDTODEVICE {
		return unix.EINVAL, true
	}
	switch name {
	case unix.SO_SNDBUF, unix.SO_SNDBUFFORCE:
		b.sendBuffer = max(2*bufferSize(v, name == unix.SO_SNDBUFFORCE), sendBufferFloor)
	case unix.SO_RCVBUF, unix.SO_RCVBUFFORCE:
		b.receiveBuffer = max(2*bufferSize(v, name == unix.SO_RCVBUFFORCE), receiveBufferLow)
	case unix.SO_BINDTODEVICE:
		return b.bindDevice(value), true
	case unix.SO_TIMESTAMP, unix.SO_TIMESTAMPNS, unix.SO_TIMESTAMP_NEW, unix.SO_TIMESTAMPNS_NEW:
		// The four exclude each other: one value says which is on.
		if v != 0 {
			v = name
		}
		b.set(unix.SOL_SOCKET, unix.SO_TIMESTAMP, v)
	case unix.SO_ATTACH_REUSEPORT_CBPF:
		if !b.reusePort() {
			return unix.EINVAL, true
		}
		b.steering, errno = socketfilter.Parse(value)
		return errno, true
	default:
		return 0, false
	}
	return 0, true
}

// bufferSize is what SO_SNDBUF and SO_RCVBUF make of a size.
func bufferSize(v int, force bool) int {
	most := bufferMost
	if force {
		most = 1 << 30
	}
	if v < 0 || v > most {
		return most
	}
	return v
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
		case unix.SO_LOCK_FILTER:
			if b.filter.Locked() {
				return int32Value(1), 0
			}
			return int32Value(0), 0
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
		case unix.SO_TIMESTAMP, unix.SO_TIMESTAMPNS, unix.SO_TIMESTAMP_NEW, unix.SO_TIMESTAMPNS_NEW:
			if b.value(level, unix.SO_TIMESTAMP) == name {
				return int32Value(1), 0
			}
			return int32Value(0), 0
		case unix.SO_TIMESTAMPING:
			return append(int32Value(b.value(level, name)), 0, 0, 0, 0), 0 // bind_phc
		case unix.SO_MAX_PACING_RATE:
			return binary.LittleEndian.AppendUint64(nil, uint64(b.value(level, name))), 0
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
	if v, known := b.groupOption(level, name); known {
		return v, 0
	}
	return b.intOption(level, name)
}

// MTUs of lo and eth0. An IPv4 packet is 65535 bytes at most.
const (
	mtuLoopback = 65536
	mtuEthernet = 1500
)

// pathMTU is what IP_MTU and IPV6_MTU tell.
func (b *base) pathMTU(dst netip.Addr) []byte {
	switch {
	case b.stack.owns(dst) && dst.Is4():
		return int32Value(mtuLoopback - 1)
	case b.stack.owns(dst):
		return int32Value(mtuLoopback)
	}
	return int32Value(mtuEthernet)
}

// setMTU is IPV6_MTU: the least that IPv6 allows, or none.
func setMTU(value []byte) unix.Errno {
	if len(value) < 4 {
		return unix.EINVAL
	}
	if v := int32(binary.LittleEndian.Uint32(value)); v != 0 && v < 1280 {
		return unix.EINVAL
	}
	return 0
}

// SetOption implements socket.Socket.
func (u *udpSocket) SetOption(level, name int, value []byte) unix.Errno {
	level = datagramLevel(level)
	errno := u.setCommon(level, name, value)
	if errno != 0 {
		return errno
	}
	if u.bound != nil {
		u.bound.reuseAddress, u.bound.reusePort = u.reuseAddress(), u.reusePort()
	}
	if level == unix.IPPROTO_UDP && name == unix.UDP_CORK && !u.on(level, name) {
		return u.flush()
	}
	return 0
}

// Option implements socket.Socket.
func (u *udpSocket) Option(level, name int) ([]byte, unix.Errno) {
	level = datagramLevel(level)
	if u.isPathMTU(level, name) {
		if !u.remote.IsValid() {
			return nil, unix.ENOTCONN
		}
		return u.pathMTU(u.remote.Addr()), 0
	}
	return u.commonOption(level, name)
}

// isPathMTU tells whether an option is IP_MTU or IPV6_MTU of this socket.
func (b *base) isPathMTU(level, name int) bool {
	return level == unix.IPPROTO_IP && name == unix.IP_MTU || level == unix.IPPROTO_IPV6 && name == unix.IPV6_MTU && b.domain == unix.AF_INET6
}
