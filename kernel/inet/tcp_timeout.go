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
	if ms := c.opts().value(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT); ms > 0 {
		return time.Duration(ms) * time.Millisecond
	}
	return retransmissionLimit
}

// watch makes sure that the connection ends when what is on the way does not
// arrive: the route was cut, or the other host is off. The timer runs only
// while something is on the way.
func (f *flow) watch() {
	queue := f.from.stack.network.queue
	if f.timer.Scheduled() {
		return
	}
	if f.timer.Fire == nil {
		f.timer.Fire = f.timeout
	}
	f.progress = queue.Now()
	queue.Schedule(&f.timer, f.progress.Add(f.from.patience()))
}

// timeout ends the connection unless something arrived meanwhile.
func (f *flow) timeout() {
	if f.dead || f.flying == 0 {
		return
	}
	queue := f.from.stack.network.queue
	if end := f.progress.Add(f.from.patience()); end > queue.Now() {
		queue.Schedule(&f.timer, end)
		return
	}
	f.from.breakOff(errTimedOut)
}

// acknowledged is the last segment of the handshake at the server's end. With
// TCP_DEFER_ACCEPT (tcp(7)) the connection waits for data, for some time.
func (c *connection) acknowledged() {
	seconds := c.options.value(unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT)
	if seconds == 0 || c.state != stateSynReceived {
		c.established()
		return
	}
	queue := c.stack.network.queue
	c.watch = &sim.Event{Fire: c.accepted}
	queue.Schedule(c.watch, queue.Now().Add(time.Duration(seconds)*time.Second))
}

// accepted is the end of TCP_DEFER_ACCEPT.
func (c *connection) accepted() {
	c.watch = nil
	c.established()
}
