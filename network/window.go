package network

import "math"

// window is TCP's congestion window in model tcp: what may flow in a round
// trip. A round ends when the window has flowed and the round trip since its
// beginning is over. In slow start a window that has flowed earlier makes the
// sender wait and doubles; what a window holds flows at the link's full share,
// as bursts do. At its largest it no longer stops anything: the rate of the
// activity is then bounded by window per round trip.
type window struct {
	size  float64 // bytes
	most  float64 // bytes
	used  float64 // bytes in this round
	began float64 // date of the round's begin
	left  float64 // date at which the last byte had flowed
	fixed bool    // never limits: other models, and the loopback
}

func (w *window) open(d *Direction) {
	w.size, w.most = initialWindow, math.Inf(1)
	w.left = math.Inf(-1)
	n := d.network
	if !n.Model.tcp || d.path.roundTrip <= 0 {
		w.size = math.Max(n.Model.Gamma, initialWindow)
		w.most, w.fixed = w.size, true
		return
	}
	w.most = math.Max(n.Model.Gamma, initialWindow)
	if loss := d.path.lost(); loss > 0 {
		w.most = math.Max(mss, math.Min(w.most, squareRoot(loss)*mss))
		w.size = math.Min(w.size, w.most)
	}
}

// squareRoot is the mean window in segments under a probability of loss:
// Mathis, Semke, Mahdavi and Ott, The macroscopic behavior of the TCP
// congestion avoidance algorithm, CCR 27(3), 1997, with an acknowledgement for
// each segment.
func squareRoot(loss float64) float64 { return math.Sqrt(1.5) / math.Sqrt(loss) }

// rate is the limit of the direction's activity, 0 for none. The activity is
// bounded by the largest window per twice the latency already.
func (w *window) rate(d *Direction) float64 {
	if d.path.lost() <= 0 || d.path.roundTrip <= 0 {
		return 0
	}
	return w.most / d.path.roundTrip
}

// restart begins a round after an idle time; one longer than a retransmission
// timeout closes the window to its initial size (RFC 5681, section 4.1).
func (w *window) restart(d *Direction) {
	now := d.network.engine.Now()
	if !w.fixed && now-w.left > d.timeout() {
		w.size = math.Min(initialWindow, w.most)
	}
	w.round(now)
}

func (w *window) round(now float64) { w.used, w.began = 0, now }

func (w *window) grow() { w.size = math.Min(2*w.size, w.most) }

// allows tells whether n more bytes may flow in this round.
func (w *window) allows(n int) bool { return w.size >= w.most || w.used+float64(n) <= w.size }

// limit returns how many of n bytes may flow next; 0 when the round has to
// end first. A round in which the window was not the limit is followed by the
// next without a wait.
func (w *window) limit(n int, d *Direction) int {
	if w.size >= w.most {
		return n
	}
	now := d.network.engine.Now()
	if w.used >= w.size && now >= w.opens(d) {
		w.round(now)
	}
	n = min(n, int(w.size-w.used))
	w.used += float64(n)
	return n
}

// opens is the date at which the next round begins.
func (w *window) opens(d *Direction) float64 { return w.began + d.path.roundTrip }

// timeout is TCP's retransmission timeout, in seconds, for a steady round trip.
func (d *Direction) timeout() float64 { return d.path.roundTrip + minimalRTO }

// recovery draws what losses among the first segments of a burst cost: a round
// trip when three segments after the lost one give duplicate acknowledgements
// (fast retransmit), a timeout else, doubled for each retransmission that is
// lost too. Later losses are in the rate's bound.
func (d *Direction) recovery() float64 {
	loss := d.path.lost()
	if loss <= 0 {
		return 0
	}
	n := d.network
	segments := (min(d.pending, int(d.window.size)) + mss - 1) / mss
	for i := range segments {
		if n.draw(d.path) >= loss {
			continue
		}
		delay, timeout := d.path.roundTrip, d.timeout()
		if i+3 >= segments {
			delay = timeout
		}
		for n.draw(d.path) < loss && timeout < 120 {
			timeout *= 2
			delay += timeout
		}
		return delay
	}
	return 0
}
