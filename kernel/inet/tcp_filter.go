package inet

import (
	"encoding/binary"
	"time"

	"github.com/simterpose/simterpose/kernel/socket"
)

// A socket filter on TCP sees each segment, header and data. What it does not let
// pass is as if lost: it is sent again later (tcp_v4_rcv, sk_filter_trim_cap).

// Flags of a TCP header (RFC 9293).
const (
	flagFin = 1
	flagSyn = 2
	flagAck = 16
)

// segmentHeader is the size of a TCP header with time stamps.
const segmentHeader = 32

// appendSegment writes a segment of c's.
func (c *connection) appendSegment(b []byte, flags byte, at int64) []byte {
	b = binary.BigEndian.AppendUint16(b, c.local.Port())
	b = binary.BigEndian.AppendUint16(b, c.remote.Port())
	b = binary.BigEndian.AppendUint32(b, uint32(at)) // sequence number
	acknowledged := uint32(0)
	if flags&flagAck != 0 && c.in != nil {
		acknowledged = uint32(c.in.arrived) + 1
	}
	b = binary.BigEndian.AppendUint32(b, acknowledged)
	const words = segmentHeader / 4
	b = append(b, words<<4, flags, 0xff, 0xff, 0, 0, 0, 0) // window, checksum, urgent pointer
	const nop, stamps, stampsSize = 1, 8, 10
	b = append(b, nop, nop, stamps, stampsSize)
	return append(b, 0, 0, 0, 0, 0, 0, 0, 0)
}

// passes tells whether a socket's filter lets a segment without data pass that the
// other end, c, has sent.
func (b *base) passes(c *connection, flags byte, at int64) bool {
	return !b.filter.Attached() || b.filter.Keep(c.appendSegment(nil, flags, at), segmentHeader) > 0
}

// sift tells how many of the n next bytes of the flow the receiver's filter lets
// pass before one that it does not.
func (f *flow) sift(n int) (passed int) {
	filter := &f.to.opts().filter
	if !filter.Attached() {
		return n
	}
	for passed < n {
		size := min(n-passed, segment)
		b := f.from.appendSegment(make([]byte, 0, segmentHeader+size), flagAck, f.arrived+int64(passed)+1)
		data := make(socket.ByteSink, 0, size)
		if _, errno := f.buffer.copyTo(&data, int(f.arrived-f.read)+passed, size, true); errno != 0 {
			return n
		}
		kept := filter.Keep(append(b, data...), segmentHeader) - segmentHeader
		passed += max(kept, 0)
		if kept < size {
			break
		}
	}
	return passed
}

// arriveSifted is the arrival of n bytes of which the receiver's filter may drop
// some. They arrive again after a time that doubles; what comes behind them waits.
func (f *flow) arriveSifted(n int) {
	f.dropped += n
	if !f.again.Scheduled() {
		f.sendDropped()
	}
}

func (f *flow) sendDropped() {
	if f.dead {
		return
	}
	n := f.sift(min(f.dropped, f.flying()))
	f.dropped -= n
	if n > 0 {
		f.drops = 0
		f.deliver(n)
	}
	if f.dropped == 0 || f.dead {
		return
	}
	queue := f.from.stack.network.queue
	f.again.Fire = f.sendDropped
	wait := (f.from.roundTrip() + 200*time.Millisecond) << f.drops
	queue.Schedule(&f.again, queue.Now().Add(min(wait, 120*time.Second)))
	f.drops = min(f.drops+1, 15)
	f.from.stack.counters.retransmissions++
}
