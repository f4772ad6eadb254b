package replay

import (
	"github.com/simterpose/simterpose/fluid"
	"github.com/simterpose/simterpose/network"
)

// detachedBelow is the size from which a sender waits until its message has
// arrived (smpi/send-is-detached-thresh of SimGrid 3.32), in bytes.
const detachedBelow = 65536

// envelope is what SMPI adds to each message: tag, destination, communicator.
const envelope = 16

// request is a message to be sent or received.
type request struct {
	owner    *rank
	sends    bool
	peer     int // anyone if negative
	tag      int // any if negative and not internal
	internal bool
	size     float64
	detached bool // the sender does not wait
	done     bool
	comm     network.Comm // of the sender
	match    *request
}

// mailbox holds what was posted to a rank and has found no counterpart.
type mailbox struct{ sends, receives []*request }

// agree tells whether a message is what a receiver asks for.
func agree(send, receive *request) bool {
	return send.internal == receive.internal &&
		(receive.peer < 0 || receive.peer == send.owner.number) &&
		(receive.tag < 0 && !receive.internal || receive.tag == send.tag)
}

// take removes and returns the first request that agrees, nil without one.
func take(list *[]*request, agrees func(*request) bool) *request {
	for i, q := range *list {
		if agrees(q) {
			*list = append((*list)[:i:i], (*list)[i+1:]...)
			return q
		}
	}
	return nil
}

// post hands in a request. A message crosses the network from when both its ends
// are posted.
func (r *ranks) post(q *request) error {
	if q.sends {
		box := &r.boxes[q.peer]
		q.detached = q.size < detachedBelow
		if receive := take(&box.receives, func(o *request) bool { return agree(q, o) }); receive != nil {
			return r.cross(q, receive)
		}
		box.sends = append(box.sends, q)
		return nil
	}
	box := &r.boxes[q.owner.number]
	if send := take(&box.sends, func(o *request) bool { return agree(o, q) }); send != nil {
		return r.cross(send, q)
	}
	box.receives = append(box.receives, q)
	return nil
}

// cross starts the communication of two requests.
func (r *ranks) cross(send, receive *request) error {
	send.match = receive
	send.comm.Ended = func(_ *network.Comm, how fluid.State) {
		if how == fluid.Failed {
			r.fail(send)
			return
		}
		send.done, receive.done = true, true
		r.wake(receive.owner)
		r.wake(send.owner)
	}
	return r.network.Communicate(&send.comm, send.owner.host, receive.owner.host, send.size+envelope, 0)
}

// finished tells whether the owner need not wait for a request any more.
func (q *request) finished() bool { return q.done || q.sends && q.detached }
