package inet

import (
	"encoding/binary"

	"github.com/simterpose/simterpose/sim"
)

// infoSize is sizeof(struct tcp_info) in Linux 6.1.
const infoSize = 240

// info is TCP_INFO: what the network model knows, in the fields that programs
// read (linux/tcp.h).
func (t *tcpSocket) info() []byte {
	v := make([]byte, infoSize)
	v[0] = byte(t.state())
	v[5] = 1 | 2 | 4 // tcpi_options: timestamps, SACK, window scale
	v[6] = 7<<4 | 7
	if c := t.connection; c != nil {
		if c.synBytes {
			v[5] |= 32 // TCPI_OPT_SYN_DATA
		}
		v[7] = byte(c.fastFailure << 1) // behind tcpi_delivery_rate_app_limited
	}
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
	in, out := c.in, c.out
	out.settle()
	mss := int64(c.segmentSize())
	trip := max(1, c.roundTrip().Microseconds()) // none is too short to be known
	window := int64(10)                          // segments (RFC 6928)
	if out.direction != nil {
		window = max(2, int64(out.direction.Window())/mss)
	}
	segments := func(n int64) int64 { return (n + mss - 1) / mss }
	since := func(t sim.Time) int64 { return c.stack.now().Sub(t).Milliseconds() }
	v[3] = byte(c.keepAlive.probes)
	put32(8, max(200_000, 200_000+trip))
	put32(12, 40_000) // ato
	put32(16, mss)    // snd_mss
	put32(20, mss)    // rcv_mss
	put32(24, segments(out.sent-out.acked))
	put32(44, since(out.lastSent)) // last_data_sent, ms
	put32(52, since(c.heard))      // last_data_recv
	put32(56, since(c.heard))      // last_ack_recv
	copy(v[60:64], t.pathMTU(c.remote.Addr()))
	put32(64, int64(c.receiveLimit())) // rcv_ssthresh
	put32(68, trip)                    // rtt
	put32(72, trip/2)                  // rttvar
	put32(76, 1<<31-1)                 // snd_ssthresh
	put32(80, window)                  // snd_cwnd
	put32(84, mss)                     // advmss
	put32(88, 3)                       // reordering
	put32(96, int64(c.receiveLimit())) // rcv_space
	rate := window * mss * 1_000_000 / trip
	put64(104, rate) // pacing_rate
	put64(160, min(rate, out.sent*1_000_000/trip))
	put64(112, -1) // max_pacing_rate
	acked := out.acked
	if !c.passive && c.state != stateSynSent {
		acked++ // the SYN
	}
	put64(120, acked)
	put64(128, in.arrived)
	put32(136, segments(out.sent)+2) // and the handshake
	put32(140, segments(in.arrived)+2)
	put32(144, int64(out.unsent()))
	put32(148, trip) // min_rtt
	put32(152, segments(in.arrived))
	put32(156, segments(out.sent))
	put32(192, segments(out.acked)) // delivered
	put64(200, out.sent)
	put32(228, max(0, out.edge-out.sent)) // snd_wnd
	put32(232, max(0, in.announced-in.arrived))
	return v
}
