package sysvipc

import (
	"math"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/waiter"
)

// Limits of linux/msg.h.
const (
	// MessageMost is how many bytes a message may have (MSGMAX).
	MessageMost = 8192
	queueBytes  = 16384 // MSGMNB
	queues      = 32000 // MSGMNI
)

// Flags of msgrcv(2).
const (
	NoError = 0o10000
	Except  = 0o20000
	Copy    = 0o40000
)

// Message is one in a queue. It is not changed.
type Message struct {
	Type int64
	Text []byte
}

// Queue is what msgget gives.
type Queue struct {
	Permissions
	Sent, Received, Changed int64 // msg_stime, msg_rtime, msg_ctime
	Sender, Receiver        int   // msg_lspid, msg_lrpid
	Bytes, Most             int   // msg_cbytes, msg_qbytes

	messages  []*Message
	senders   []*sendWait
	receivers []*receiveWait
}

func (q *Queue) permissions() *Permissions { return &q.Permissions }

// Len is the number of messages.
func (q *Queue) Len() int { return len(q.messages) }

type sendWait struct {
	*waiter.Call
	caller  Caller
	message *Message
}

type receiveWait struct {
	*waiter.Call
	caller  Caller
	want    Wanted
	matches func(*Message) bool
}

// Wanted says what msgrcv(2) is to give.
type Wanted struct {
	Type  int64
	Size  int
	Flags int
}

// Queues are a host's.
type Queues struct{ table[*Queue] }

// NewQueues returns no queues.
func NewQueues() *Queues { return &Queues{newTable[*Queue](queues)} }

// Get is msgget(2).
func (s *Queues) Get(c *Caller, key int32, flags int) (int, unix.Errno) {
	return s.get(c, key, flags, func(*Queue) unix.Errno { return 0 }, func(p Permissions) (*Queue, unix.Errno) {
		return &Queue{Permissions: p, Changed: c.Now, Most: queueBytes}, 0
	})
}

func (q *Queue) fits(m *Message) bool {
	return len(m.Text)+q.Bytes <= q.Most && 1+len(q.messages) <= q.Most
}

// Send is msgsnd(2) but for the waiting: with EINPROGRESS, w is woken when it is
// over.
func (s *Queues) Send(c *Caller, id int, m *Message, flags int, w *waiter.Call) unix.Errno {
	q, errno := s.find(id)
	if errno != 0 {
		return errno
	}
	if !q.allows(c, write) {
		return unix.EACCES
	}
	if !q.fits(m) {
		if flags&NoWait != 0 {
			return unix.EAGAIN
		}
		wait := &sendWait{w, *c, m}
		q.senders = append(q.senders, wait)
		w.Waits(func() { q.senders = slices.DeleteFunc(q.senders, func(o *sendWait) bool { return o == wait }) })
		return unix.EINPROGRESS
	}
	q.put(c, m)
	return 0
}

// put gives a message to the first receiver that waits for it, or keeps it.
func (q *Queue) put(c *Caller, m *Message) {
	q.Sender, q.Sent = c.PID, c.Now
	for i := 0; i < len(q.receivers); {
		r := q.receivers[i]
		if !r.matches(m) {
			i++
			continue
		}
		q.receivers = slices.Delete(q.receivers, i, i+1)
		if len(m.Text) > r.want.Size && r.want.Flags&NoError == 0 {
			r.Finish(unix.E2BIG)
			continue
		}
		q.Receiver, q.Received = r.caller.PID, c.Now
		r.Result = m
		r.Finish(0)
		return
	}
	q.messages = append(q.messages, m)
	q.Bytes += len(m.Text)
}

// matcher tells which messages are wanted (testmsg in ipc/msg.c).
func (w Wanted) matcher() func(*Message) bool {
	kind := w.Type
	switch {
	case kind == 0:
		return func(*Message) bool { return true }
	case kind < 0:
		most := -max(kind, -math.MaxInt64)
		return func(m *Message) bool { return m.Type <= most }
	case w.Flags&Except != 0:
		return func(m *Message) bool { return m.Type != kind }
	}
	return func(m *Message) bool { return m.Type == kind }
}

// choose is the index of the message that is wanted, -1 if there is none.
func (q *Queue) choose(w Wanted) int {
	if w.Flags&Copy != 0 {
		if w.Type < 0 || w.Type >= int64(len(q.messages)) {
			return -1
		}
		return int(w.Type)
	}
	matches := w.matcher()
	best := -1
	for i, m := range q.messages {
		if matches(m) && (best < 0 || m.Type < q.messages[best].Type) {
			best = i
			if w.Type >= 0 {
				break // only a negative type asks for the least one
			}
		}
	}
	return best
}

// Receive is msgrcv(2) but for the waiting: with EINPROGRESS, w is woken when it is
// over.
func (s *Queues) Receive(c *Caller, id int, want Wanted, w *waiter.Call) (*Message, unix.Errno) {
	if want.Flags&Copy != 0 && (want.Flags&Except != 0 || want.Flags&NoWait == 0) {
		return nil, unix.EINVAL
	}
	q, errno := s.find(id)
	if errno != 0 {
		return nil, errno
	}
	if !q.allows(c, read) {
		return nil, unix.EACCES
	}
	i := q.choose(want)
	if i < 0 {
		if want.Flags&NoWait != 0 {
			return nil, unix.ENOMSG
		}
		wait := &receiveWait{w, *c, want, want.matcher()}
		q.receivers = append(q.receivers, wait)
		w.Waits(func() {
			q.receivers = slices.DeleteFunc(q.receivers, func(o *receiveWait) bool { return o == wait })
		})
		return nil, unix.EINPROGRESS
	}
	m := q.messages[i]
	if len(m.Text) > want.Size && want.Flags&NoError == 0 {
		return nil, unix.E2BIG
	}
	if want.Flags&Copy != 0 {
		return m, 0
	}
	q.messages = slices.Delete(q.messages, i, i+1)
	q.Bytes -= len(m.Text)
	q.Receiver, q.Received = c.PID, c.Now
	q.letSend(c.Now)
	return m, 0
}

// letSend carries out the sends that fit now.
func (q *Queue) letSend(now int64) {
	for i := 0; i < len(q.senders); {
		w := q.senders[i]
		if !q.fits(w.message) {
			i++
			continue
		}
		q.senders = slices.Delete(q.senders, i, i+1)
		w.caller.Now = now
		q.put(&w.caller, w.message)
		w.Finish(0)
	}
}

// Find is the queue for a STAT command, as Semaphores.Find.
func (s *Queues) Find(c *Caller, id int, index, anybody bool) (*Queue, int, unix.Errno) {
	q, errno := s.find(id)
	if index {
		q, errno = s.at(id)
	}
	if errno != 0 {
		return nil, 0, errno
	}
	if !anybody && !q.allows(c, read) {
		return nil, 0, unix.EACCES
	}
	return q, q.id, 0
}

func (s *Queues) controlled(c *Caller, id int) (*Queue, unix.Errno) {
	q, errno := s.find(id)
	if errno == 0 && !q.controls(c) {
		errno = unix.EPERM
	}
	return q, errno
}

// Change is IPC_SET. Those who wait and may no longer do so get EACCES.
func (s *Queues) Change(c *Caller, id int, uid, gid, mode uint32, most int) unix.Errno {
	q, errno := s.controlled(c, id)
	if errno != 0 {
		return errno
	}
	if most > queueBytes && !c.Resource {
		return unix.EPERM
	}
	q.set(uid, gid, mode)
	q.Most, q.Changed = most, c.Now
	q.receivers = slices.DeleteFunc(q.receivers, func(w *receiveWait) bool {
		if q.allows(&w.caller, read) {
			return false
		}
		w.Finish(unix.EACCES)
		return true
	})
	q.senders = slices.DeleteFunc(q.senders, func(w *sendWait) bool {
		if q.allows(&w.caller, write) {
			return false
		}
		w.Finish(unix.EACCES)
		return true
	})
	q.letSend(c.Now)
	return 0
}

// Remove is IPC_RMID.
func (s *Queues) Remove(c *Caller, id int) unix.Errno {
	q, errno := s.controlled(c, id)
	if errno != 0 {
		return errno
	}
	s.remove(q)
	senders, receivers := q.senders, q.receivers
	q.senders, q.receivers = nil, nil
	for _, w := range receivers {
		w.Finish(unix.EIDRM)
	}
	for _, w := range senders {
		w.Finish(unix.EIDRM)
	}
	return 0
}

// Limits are the fields of struct msginfo: IPC_INFO's or, with used, MSG_INFO's.
func (s *Queues) Limits(used bool) (fields []int32, highest int) {
	const pool, mapSize, headers = queues * queueBytes / 1024, queueBytes, queueBytes
	n := [3]int{pool, mapSize, headers}
	if used {
		n = [3]int{len(s.byIndex)}
		for _, q := range s.byIndex {
			n[1] += len(q.messages)
			n[2] += q.Bytes
		}
	}
	const segmentSize, segments = 16, 0xffff
	return []int32{
		int32(n[0]), int32(n[1]), MessageMost, queueBytes, queues, segmentSize, int32(n[2]), segments,
	}, s.highest()
}
