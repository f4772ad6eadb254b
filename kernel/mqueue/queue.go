// Package mqueue is POSIX message queues of the emulated kernel (mq_overview(7)):
// messages with priorities, and the calls that wait for them.
//
// A message for which somebody waits goes to the first of them, and a free place
// to the first that waits to send: see waiter.Call.
package mqueue

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/waiter"
)

// Priorities is how many there are (MQ_PRIO_MAX).
const Priorities = 32768

// Values of sigev_notify (sigevent(3type)).
const (
	BySignal = 0
	ByNone   = 1
	ByThread = 2
)

// Message is one in a queue. It is not changed.
type Message struct {
	Priority uint32
	Text     []byte
}

// Queue is a message queue.
type Queue struct {
	Name           string
	Messages, Size int // the most of them, and of one's bytes (mq_attr)
	Mode           uint32
	UID, GID       uint32
	Notification   *Notification // nil if nobody asked for one

	list      []*Message // greatest priority first, oldest first
	bytes     int
	senders   []*sender
	receivers []*waiter.Call
	ready     waiter.Queue
}

// Notification is what a process has asked for by mq_notify(2).
type Notification struct {
	Owner  any
	PID    int
	How    int // SIGEV_SIGNAL, SIGEV_NONE or SIGEV_THREAD
	Signal int
	// Notify tells the owner that a message has come; Removed that none will be
	// told any more. Either may be nil.
	Notify  func(by Sender)
	Removed func()
}

// Sender is who sends a message.
type Sender struct{ PID, UID int }

type sender struct {
	*waiter.Call
	by      Sender
	message *Message
}

// Len is the number of messages.
func (q *Queue) Len() int { return len(q.list) }

// Send is mq_timedsend(2) but for the waiting: with EINPROGRESS, the call is woken
// when it is over. Without a call it does not wait: EAGAIN.
func (q *Queue) Send(by Sender, m *Message, c *waiter.Call) unix.Errno {
	if len(m.Text) > q.Size {
		return unix.EMSGSIZE
	}
	if len(q.list) >= q.Messages {
		if c == nil {
			return unix.EAGAIN
		}
		s := &sender{c, by, m}
		q.senders = append(q.senders, s)
		c.Waits(func() { q.senders = slices.DeleteFunc(q.senders, func(o *sender) bool { return o == s }) })
		return unix.EINPROGRESS
	}
	if len(q.receivers) > 0 {
		r := q.receivers[0]
		q.receivers = q.receivers[1:]
		r.Result = m
		r.Finish(0)
		return 0
	}
	q.put(m)
	if n := q.Notification; n != nil && len(q.list) == 1 {
		q.Notification = nil
		if n.Notify != nil {
			n.Notify(by)
		}
	}
	return 0
}

func (q *Queue) put(m *Message) {
	at := slices.IndexFunc(q.list, func(o *Message) bool { return o.Priority < m.Priority })
	if at < 0 {
		at = len(q.list)
	}
	q.list = slices.Insert(q.list, at, m)
	q.bytes += len(m.Text)
	q.ready.Notify(waiter.In | waiter.RdNorm)
}

// Receive is mq_timedreceive(2) but for the waiting: with EINPROGRESS, the call is
// woken when it is over, with a *Message. Without a call it does not wait: EAGAIN.
func (q *Queue) Receive(size int, c *waiter.Call) (*Message, unix.Errno) {
	if size < q.Size {
		return nil, unix.EMSGSIZE
	}
	if len(q.list) == 0 {
		if c == nil {
			return nil, unix.EAGAIN
		}
		q.receivers = append(q.receivers, c)
		c.Waits(func() { q.receivers = slices.DeleteFunc(q.receivers, func(o *waiter.Call) bool { return o == c }) })
		return nil, unix.EINPROGRESS
	}
	m := q.list[0]
	q.list = slices.Delete(q.list, 0, 1)
	q.bytes -= len(m.Text)
	if len(q.senders) > 0 {
		s := q.senders[0]
		q.senders = q.senders[1:]
		q.put(s.message)
		s.Finish(0)
	} else {
		q.ready.Notify(waiter.Out | waiter.WrNorm)
	}
	return m, 0
}

// Flush gives up a notification of an owner's, because it has closed the queue.
func (q *Queue) Flush(owner any) {
	n := q.Notification
	if n == nil || n.Owner != owner {
		return
	}
	q.Notification = nil
	if n.Removed != nil {
		n.Removed()
	}
}
