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
		t.lingers = binary.LittleEndian.Uint32(value) != 0
		t.linger = int(int32(binary.LittleEndian.Uint32(value[4:])))
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
	case optionKey{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY}:
		if t.bound != nil || t.connection != nil {
			return unix.EINVAL
		}
	}
	if level == unix.IPPROTO_UDP {
		return unix.ENOPROTOOPT
	}
	errno := t.setCommon(level, name, value)
	if errno == 0 {
		b := t.bound
		if b == nil && t.connection != nil {
			b = t.connection.binding
		}
		if b != nil {
			b.reuseAddress, b.reusePort = t.reuseAddress(), t.reusePort()
		}
		if c := t.connection; c != nil && c.in != nil && name == unix.SO_RCVBUF && level == unix.SOL_SOCKET {
			c.in.push()
		}
	}
	return errno
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
		if c == nil || c.state == stateSynSent {
			return int32Value(536), 0 // TCP_MSS_DEFAULT
		}
		mss := c.segmentSize()
		if v := t.value(level, name); v != 0 {
			mss = min(mss, v)
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
	case optionKey{unix.IPPROTO_TCP, tcpInfo}:
		return t.info(), 0
	case optionKey{unix.IPPROTO_IP, unix.IP_MTU}, optionKey{unix.IPPROTO_IPV6, unix.IPV6_MTU}:
		if c == nil {
			return nil, unix.ENOTCONN
		}
		return t.pathMTU(c.remote.Addr()), 0
	}
	if level == unix.IPPROTO_UDP {
		return nil, unix.ENOPROTOOPT
	}
	return t.commonOption(level, name)
}

// segmentSize is the payload of a full segment: less over the loopback
// interface's MTU of 65536 than the 65483 of an IPv4 connection, which is the
// largest that Linux uses there.
func (c *connection) segmentSize() int {
	switch {
	case c.stack.owns(c.remote.Addr()) && c.remote.Addr().Is4():
		return 65483
	case c.stack.owns(c.remote.Addr()):
		return 65463
	case c.remote.Addr().Is4():
		return segment
	}
	return segment - 20
}

// infoSize is sizeof(struct tcp_info) in Linux 6.1.
const infoSize = 240

// info is TCP_INFO: what the network model knows, in the fields that programs
// read (linux/tcp.h).
func (t *tcpSocket) info() []byte {
	v := make([]byte, infoSize)
	v[0] = byte(t.state())
	v[5] = 1 | 2 | 4 // tcpi_options: timestamps, SACK, window scale
	v[6] = 7<<4 | 7
	put32 := func(at int, n int64) { binary.LittleEndian.PutUint32(v[at:], uint32(n)) }
	put64 := func(at int, n int64) { binary.LittleEndian.PutUint64(v[at:], uint64(n)) }
	put32(8, 1_000_000) // rto, us
	if l := t.listener; l != nil {
		put32(24, int64(len(l.ready))) // unacked: the accept queue
		put32(28, int64(l.backlog))    // sacked: its limit
		return v
	}
	c := t.connection
	if c == nil || c.out == nil {
		return v
	}
	mss := int64(c.segmentSize())
	from, to := c.stack.ends(c.local.Addr(), c.remote.Addr())
	trip := c.stack.network.carrier.RoundTrip(from, to).Microseconds()
	window := int64(10) // segments (RFC 6928)
	if c.out.direction != nil {
		window = max(2, int64(c.out.direction.Window())/mss)
	}
	segments := func(n int64) int64 { return (n + mss - 1) / mss }
	put32(8, max(200_000, 200_000+trip))
	put32(12, 40_000) // ato
	put32(16, mss)    // snd_mss
	put32(20, mss)    // rcv_mss
	put32(24, segments(int64(c.out.flying)))
	put32(60, 1500) // pmtu
	put32(64, 1<<31-1)
	put32(68, trip)   // rtt
	put32(72, trip/2) // rttvar
	put32(76, 1<<31-1)
	put32(80, window)
	put32(84, mss) // advmss
	put32(88, 3)   // reordering
	put32(96, int64(c.receiveLimit()))
	if trip > 0 {
		rate := window * mss * 1_000_000 / trip
		put64(104, rate) // pacing_rate
		put64(160, min(rate, c.bytesOut*1_000_000/trip))
	}
	put64(112, -1) // max_pacing_rate
	put64(120, c.bytesOut-int64(c.out.flying))
	put64(128, c.bytesIn)
	put32(136, segments(c.bytesOut)+2)
	put32(140, segments(c.bytesIn)+2)
	put32(144, int64(c.out.unsent))
	put32(148, trip) // min_rtt
	put32(152, segments(c.bytesIn))
	put32(156, segments(c.bytesOut))
	put64(200, c.bytesOut)
	put32(228, int64(c.peer.receiveLimit()-c.out.readable)) // snd_wnd
	return v
}
