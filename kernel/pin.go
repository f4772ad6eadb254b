package kernel

// pins are the descriptions that a call uses. While it waits it holds them, as
// fdget does on Linux: closing the descriptor in another thread does not end the
// open file before the call is over.
type pins struct {
	list []pin
	// next is where the one that is asked for next probably lies: a call that
	// goes on asks for the same ones in the same order.
	next int
	held bool
}

type pin struct {
	number      int
	description *description
}

// begin prepares for the handler's next run.
func (p *pins) begin() {
	p.next = 0
	if !p.held {
		p.list = p.list[:0]
	}
}

// find returns what a call that has waited found behind a number before.
func (p *pins) find(number int) (*description, bool) {
	if !p.held {
		return nil, false
	}
	n := len(p.list)
	for i := range n {
		at := (p.next + i) % n
		if p.list[at].number == number {
			p.next = at + 1
			return p.list[at].description, true
		}
	}
	return nil, false
}

func (p *pins) add(number int, d *description) {
	if p.held && d != nil {
		d.acquire()
	}
	p.list = append(p.list, pin{number, d})
}

// hold keeps the descriptions until drop.
func (p *pins) hold() {
	if p.held {
		return
	}
	p.held = true
	for _, pin := range p.list {
		if pin.description != nil {
			pin.description.acquire()
		}
	}
}

// drop ends the call.
func (p *pins) drop() {
	list := p.list
	p.list = p.list[:0]
	if p.held {
		p.held = false
		for _, pin := range list {
			if pin.description != nil {
				pin.description.release()
			}
		}
	}
}
