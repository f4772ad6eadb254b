package inet

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/sim"
)

// retransmissionLimit is how long Linux tries to send the same data: 15
// doublings (net.ipv4.tcp_retries2) from a timeout of 200 ms, at most 120 s
// each, give 924.6 s (ip-sysctl).
const retransmissionLimit = 924600 * time.Millisecond

// patience is how long this end waits for an acknowledgement.
func (c *connection) patience() time.Duration {
	if limit := c.userTimeout(); limit > 0 {
		return limit
	}
	return retransmissionLimit
}

// userTimeout is TCP_USER_TIMEOUT, 0 when it is not set.
func (c *connection) userTimeout() time.Duration {
	return time.Duration(c.opts().value(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)) * time.Millisecond
}

// watch makes sure that the connection ends when what is on the way does not
// arrive: the route was cut, or the other host is off. The timer runs only
// while something is on the way.
func (f *flow) watch() {
	queue := f.from.stack.network.queue
	if f.timer.Scheduled() {
		return
	}
	f.progress = queue.Now()
	queue.Schedule(&f.timer, f.progress.Add(f.from.patience()))
}

// timeout ends the connection unless something arrived meanwhile.
func (f *flow) timeout() {
	if f.dead || f.flying() == 0 {
		return
	}
	queue := f.from.stack.network.queue
	if end := f.progress.Add(f.from.patience()); end > queue.Now() {
		queue.Schedule(&f.timer, end)
		return
	}
	f.from.breakOff(errTimedOut)
}

// keepAlive probes an idle connection (RFC 1122 4.2.3.6, tcp(7)).
type keepAlive struct {
	timer  sim.Event
	of     *connection
	probes int // that were not answered
	asleep bool
}

func (k *keepAlive) stop() {
	if k.timer.Scheduled() {
		k.of.stack.network.queue.Cancel(&k.timer)
		k.of.stack.network.keepAlives--
	}
}

func (k *keepAlive) schedule(when sim.Time) {
	k.stop()
	k.of.stack.network.keepAlives++
	k.of.stack.network.queue.Schedule(&k.timer, when)
}

func (c *connection) seconds(level, name int) time.Duration {
	return time.Duration(c.opts().value(level, name)) * time.Second
}

// keep begins or ends the probing, as SO_KEEPALIVE says.
func (c *connection) keep() {
	k := &c.keepAlive
	k.of, k.asleep = c, false
	k.timer.Fire = k.fire
	if c.opts().value(unix.SOL_SOCKET, unix.SO_KEEPALIVE) == 0 || c.state == stateClosed || c.state == stateSynSent || c.peer == nil {
		k.stop()
		return
	}
	k.schedule(max(c.stack.now(), c.heard.Add(c.seconds(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE))))
}

// fire sends a probe if nothing was heard for long enough.
func (k *keepAlive) fire() {
	c := k.of
	network := c.stack.network
	network.keepAlives--
	now := c.stack.now()
	idle := c.seconds(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE)
	if end := c.heard.Add(idle); k.probes == 0 && end > now {
		k.schedule(end)
		return
	}
	if c.out.flying() > 0 { // the retransmission timer is at work
		k.schedule(now.Add(idle))
		return
	}
	if network.queue.Len() == network.keepAlives {
		// Nothing but such timers will ever happen: no route changes, no
		// guest moves, each probe would be answered, for ever. A run that
		// waits for nothing else is to end.
		k.asleep = true
		return
	}
	limit := c.userTimeout()
	if limit > 0 && k.probes > 0 && now.Sub(c.heard) >= limit ||
		limit == 0 && k.probes >= c.opts().value(unix.IPPROTO_TCP, unix.TCP_KEEPCNT) {
		c.out.reset()
		c.breakOff(errTimedOut)
		return
	}
	k.probes++
	_ = c.control(func() {
		if c.peer.state == stateClosed {
			c.answer(c.reset)
			return
		}
		c.answer(func() { c.heard, k.probes = c.stack.now(), 0 })
	})
	k.schedule(now.Add(c.seconds(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL)))
}

// wake resumes probing after something happened again.
func (k *keepAlive) wake() {
	if k.asleep {
		k.of.keep()
	}
}
