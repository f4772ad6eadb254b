package inet

import (
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"
)

// congestionNames are the algorithms that a program may ask for; the network's
// model decides what really happens.
var congestionNames = []string{"cubic", "reno", "bbr"}

// SetOption implements socket.Socket.
func (t *tcpSocket) SetOption(level, name int, value []byte) unix.Errno {
	switch (optionKey{level, name}) {
	case optionKey{unix.SOL_SOCKET, unix.SO_LINGER}:
		if len(value) < 8 {
			return unix.EINVAL
		}
		if t.lingers = binary.LittleEndian.Uint32(value) != 0; t.lingers {
			t.linger = int(binary.LittleEndian.Uint32(value[4:]))
		}
		return 0
	case optionKey{unix.IPPROTO_TCP, unix.TCP_MAXSEG}:
		if len(value) < 4 {
			return unix.EINVAL
		}
		v := int(int32(binary.LittleEndian.Uint32(value)))
		if v != 0 && (v < 88 || v > 32767) { // TCP_MIN_MSS, MAX_TCP_WINDOW
			return unix.EINVAL
		}
		t.set(level, name, v)
		return 0
	case optionKey{unix.IPPROTO_TCP, unix.TCP_CONGESTION}:
		for i, c := range value {
			if c == 0 {
				value = value[:i]
				break
			}
		}
		if !slices.Contains(congestionNames, string(value)) {
			return unix.ENOENT
		}
		t.congestion = string(value)
		return 0
	case optionKey{unix.IPPROTO_TCP, unix.TCP_ULP}:
		return unix.ENOENT // no kernel TLS
	case optionKey{unix.IPPROTO_TCP, unix.TCP_FASTOPEN}, optionKey{unix.IPPROTO_TCP, unix.TCP_FASTOPEN_NO_COOKIE}:
		if s := t.state(); s != stateClosed && s != stateListen {
			return unix.EINVAL
		}
	case optionKey{unix.IPPROTO_TCP, unix.TCP_FASTOPEN_CONNECT}:
		if t.state() != stateClosed {
			return unix.EINVAL
		}
	case optionKey{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY}:
		if t.domain != unix.AF_INET6 {
			return unix.ENOPROTOOPT
		}
		if t.bound != nil || t.connection != nil {
			return unix.EINVAL
		}
	}
	errno := t.setCommon(level, name, value)
	if errno == 0 {
		t.optionSet(level, name)
		b := t.bound
		if b == nil && t.connection != nil {
			b = t.connection.binding
		}
		if b != nil {
			b.reuseAddress, b.reusePort = t.reuseAddress(), t.reusePort()
		}
	}
	return errno
}

// optionSet does at once what some options do.
func (t *tcpSocket) optionSet(level, name int) {
	c := t.connection
	if c == nil || c.in == nil || c.state == stateClosed {
		return
	}
	switch (optionKey{level, name}) {
	case optionKey{unix.SOL_SOCKET, unix.SO_RCVBUF}:
		c.in.consumed()
	case optionKey{unix.SOL_SOCKET, unix.SO_SNDBUF}:
		c.out.await()
	case optionKey{unix.IPPROTO_TCP, unix.TCP_CORK}, optionKey{unix.IPPROTO_TCP, unix.TCP_NODELAY}:
		// Either lets go what was held back; TCP_CORK set does not.
		if name == unix.TCP_NODELAY || !t.on(level, name) {
			c.out.cork(false)
			c.out.push()
		}
	case optionKey{unix.SOL_SOCKET, unix.SO_KEEPALIVE}, optionKey{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE}:
		c.keep()
	}
}

// Option implements socket.Socket.
func (t *tcpSocket) Option(level, name int) ([]byte, unix.Errno) {
	c := t.connection
	switch (optionKey{level, name}) {
	case optionKey{unix.SOL_SOCKET, unix.SO_ACCEPTCONN}:
		if t.listener != nil {
			return int32Value(1), 0
		}
	case optionKey{unix.SOL_SOCKET, unix.SO_LINGER}:
		on := 0
		if t.lingers {
			on = 1
		}
		return append(int32Value(on), int32Value(t.linger)...), 0
	case optionKey{unix.SOL_SOCKET, unix.SO_SNDBUF}:
		if c != nil && c.out != nil {
			return int32Value(c.sendLimit()), 0
		}
	case optionKey{unix.IPPROTO_TCP, unix.TCP_MAXSEG}:
		user := t.value(level, name)
		if c == nil || c.state == stateSynSent {
			if user == 0 {
				user = 536 // TCP_MSS_DEFAULT
			}
			return int32Value(user), 0
		}
		mss := c.segmentSize()
		if user != 0 {
			mss = min(mss, user)
		}
		return int32Value(mss), 0
	case optionKey{unix.IPPROTO_TCP, unix.TCP_CONGESTION}:
		name := make([]byte, 16) // TCP_CA_NAME_MAX
		copy(name, congestionNames[0])
		if t.congestion != "" {
			clear(name)
			copy(name, t.congestion)
		}
		return name, 0
	case optionKey{unix.IPPROTO_TCP, unix.TCP_ULP}:
		return nil, 0
	case optionKey{unix.IPPROTO_TCP, unix.TCP_INFO}:
		return t.info(), 0
	case optionKey{unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT}:
		if c != nil { // of the listener's business
			return int32Value(0), 0
		}
	}
	if t.isPathMTU(level, name) {
		if c == nil {
			return nil, unix.ENOTCONN
		}
		return t.pathMTU(c.remote.Addr()), 0
	}
	return t.commonOption(level, name)
}

// segmentSize is the payload of a full segment: over the loopback interface
// half of the first window (tcp_bound_to_half_wnd), otherwise
// what an Ethernet frame holds beside the headers and the time stamps.
func (c *connection) segmentSize() int {
	most := segment
	switch six := c.remote.Addr().Is6(); {
	case c.stack.owns(c.remote.Addr()) && six:
		most = 32732
	case c.stack.owns(c.remote.Addr()):
		most = 32768
	case six:
		most -= 20 // the longer header
	}
	if c.peer == nil {
		return most
	}
	return min(most, c.peer.receiveLimit()/2)
}
