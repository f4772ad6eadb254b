package trace

import "strings"

// hostPort is where datagrams go.
type hostPort struct {
	host string
	port uint16
}

// datagrams are those that one socket sends to one rank, in order.
type datagrams struct {
	sizes []float64
	tags  []int
	// How many have been written as sent, and as received or lost.
	sent, received int
}

// hostOf is the host on which an actor is.
func (t *Trace) hostOf(actor int) string { return t.Actors[actor][0].Name }

// receiver is the rank to which a datagram goes; ok is false when it is none.
func (p *projection) receiver(j Job, rank int, r *Record) (to int, ok bool) {
	host, _ := strings.CutSuffix(r.Name, "/4")
	if host == "localhost" {
		host = p.trace.hostOf(j.Actors[rank])
	}
	to, ok = p.ports[hostPort{host, r.Port}]
	return to, ok
}

// add notes a datagram that a rank sends to another.
func (p *projection) add(rank, to int, r *Record) {
	way, pair := [2]int{r.Socket, to}, [2]int{rank, to}
	d := p.datagrams[way]
	if d == nil {
		d = &datagrams{}
		p.datagrams[way] = d
	}
	d.sizes, d.tags = append(d.sizes, r.Amount), append(d.tags, p.tags[pair])
	p.tags[pair]++
	p.messages++
}

// nextSent is the tag of the next datagram.
func (d *datagrams) nextSent() int {
	d.sent++
	return d.tags[d.sent-1]
}

// nextReceived is the tag of the next datagram of a size: what is of another one
// was lost. The socket may not be a rank's, then d is nil.
func (d *datagrams) nextReceived(size float64) (tag int, ok bool) {
	for d != nil && d.received < len(d.sizes) {
		d.received++
		if d.sizes[d.received-1] == size {
			return d.tags[d.received-1], true
		}
	}
	return 0, false
}
