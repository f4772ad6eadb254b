package mqueue

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

// Descriptor is an open queue: a socket.Reader.
type Descriptor struct {
	Of            *Queue
	Reads, Writes bool // which calls it is open for

	position int
}

// Open gives a new descriptor of the queue.
func (q *Queue) Open(reads, writes bool) *Descriptor {
	return &Descriptor{Of: q, Reads: reads, Writes: writes}
}

// Describe names the queue for messages.
func (d *Descriptor) Describe() string { return "message queue " + d.Of.Name }

// Queue implements socket.File.
func (d *Descriptor) Queue() *waiter.Queue { return &d.Of.ready }

// Release implements socket.File.
func (d *Descriptor) Release() {}

// Readiness implements socket.File.
func (d *Descriptor) Readiness() (m waiter.Mask) {
	if d.Of.Len() > 0 {
		m |= waiter.In | waiter.RdNorm
	}
	if d.Of.Len() < d.Of.Messages {
		m |= waiter.Out | waiter.WrNorm
	}
	return m
}

// Read tells about the queue, as read(2) does.
func (d *Descriptor) Read(dst socket.Sink) (int, unix.Errno) {
	if !d.Reads {
		return 0, unix.EBADF
	}
	signal, pid, how := 0, 0, 0
	if n := d.Of.Notification; n != nil {
		pid, how = n.PID, n.How
		if n.How == BySignal {
			signal = n.Signal
		}
	}
	text := fmt.Sprintf("QSIZE:%-10d NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n", d.Of.bytes, how, signal, pid)
	n, err := dst.Write([]byte(text)[min(d.position, len(text)):min(d.position+dst.Len(), len(text))])
	d.position += n
	if err != nil {
		return n, unix.EFAULT
	}
	return n, 0
}
