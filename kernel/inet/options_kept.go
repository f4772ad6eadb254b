package inet

import "golang.org/x/sys/unix"

// What the kernel keeps of an option's value when it is not the value itself.

// lowWater is SO_RCVLOWAT.
func lowWater(_ *base, v int) (int, unix.Errno) {
	if v < 0 {
		v = receiveBufferMost / 2
	}
	return max(v, 1), 0
}

// upTo bounds a value.
func upTo(most int) func(*base, int) (int, unix.Errno) {
	return func(_ *base, v int) (int, unix.Errno) { return min(v, most), 0 }
}

// asClient is TCP_FASTOPEN_CONNECT, which net.ipv4.tcp_fastopen must allow.
func asClient(b *base, v int) (int, unix.Errno) {
	if b.stack.fastOpen()&fastOpenClient == 0 {
		return 0, unix.EOPNOTSUPP
	}
	return v, 0
}

// linger2 is TCP_LINGER2 in seconds: 0 means the default, at most 120 are kept
// (TCP_FIN_TIMEOUT_MAX).
func linger2(_ *base, v int) (int, unix.Errno) {
	switch {
	case v < 0:
		return -1, 0
	case v == 0:
		return int(lingerTime.Seconds()), 0
	}
	return min(v, 120), 0
}

// deferral is TCP_DEFER_ACCEPT in seconds, which the kernel keeps as a number
// of retransmissions: 1, 3, 7, ... seconds, at most 120 from one to the next
// (secs_to_retrans, retrans_to_secs).
func deferral(_ *base, v int) (int, unix.Errno) {
	if v <= 0 {
		return 0, 0
	}
	total, step := 1, 1
	for range 254 {
		if total >= v {
			break
		}
		step = min(2*step, 120)
		total += step
	}
	return total, 0
}

// clamp is TCP_WINDOW_CLAMP: half of the least receive buffer, at least.
func clamp(_ *base, v int) (int, unix.Errno) {
	if v == 0 {
		return 0, 0
	}
	return max(v, receiveBufferLow/2), 0
}

// service is IP_TOS: a byte, in which a stream's congestion notification bits
// are the kernel's.
func service(b *base, v int) (int, unix.Errno) {
	if v &= 0xff; b.kind == unix.SOCK_STREAM {
		v &^= 3
	}
	return v, 0
}

// class is IPV6_TCLASS.
func class(b *base, v int) (int, unix.Errno) {
	if v == -1 {
		return 0, 0
	}
	return service(b, v)
}

func ttlOf(_ *base, v int) (int, unix.Errno) {
	switch v {
	case -1:
		return defaultTTL, 0
	case 0:
		return 0, unix.EINVAL
	}
	return v, 0
}

func hopsOf(_ *base, v int) (int, unix.Errno) {
	if v == -1 {
		return defaultTTL, 0
	}
	return v, 0
}

func multicastTTL(b *base, v int) (int, unix.Errno) {
	switch {
	case b.kind == unix.SOCK_STREAM:
		return 0, unix.EINVAL
	case v == -1:
		return 1, 0
	}
	return v, 0
}

func multicastHops(b *base, v int) (int, unix.Errno) {
	switch {
	case b.kind == unix.SOCK_STREAM:
		return 0, unix.ENOPROTOOPT
	case v == -1:
		return 1, 0
	}
	return v, 0
}

func rawOnly(b *base, v int) (int, unix.Errno) {
	if b.kind != unix.SOCK_RAW {
		return 0, unix.ENOPROTOOPT
	}
	return v, 0
}

func datagramOnly(b *base, v int) (int, unix.Errno) {
	if b.kind == unix.SOCK_STREAM {
		return 0, unix.EINVAL
	}
	return v, 0
}
