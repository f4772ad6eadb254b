package fluid

// dated is what a heap orders.
type dated struct {
	date     float64
	sequence uint64
	action   *Action
}

func (d dated) before(e dated) bool {
	return d.date < e.date || d.date == e.date && d.sequence < e.sequence
}

// heap is a queue of actions by date, those of the same date in order of
// insertion. It has four children a node, which keeps the entries compared in
// one or two cache lines.
type heap struct {
	entries  []dated
	sequence uint64
}

// schedule inserts a or moves it.
func (h *heap) schedule(a *Action, date float64) {
	h.sequence++
	d := dated{date, h.sequence, a}
	if a.position == 0 {
		h.entries = append(h.entries, d)
		h.up(len(h.entries)-1, d)
		return
	}
	i := int(a.position) - 1
	if d.before(h.entries[i]) {
		h.up(i, d)
	} else {
		h.down(i, d)
	}
}

func (h *heap) cancel(a *Action) {
	if a.position == 0 {
		return
	}
	i := int(a.position) - 1
	a.position = 0
	last := len(h.entries) - 1
	d := h.entries[last]
	h.entries[last] = dated{}
	h.entries = h.entries[:last]
	if i == last {
		return
	}
	if i > 0 && d.before(h.entries[(i-1)/4]) {
		h.up(i, d)
	} else {
		h.down(i, d)
	}
}

// up puts d at position i or nearer to the root.
func (h *heap) up(i int, d dated) {
	for i > 0 {
		parent := (i - 1) / 4
		if !d.before(h.entries[parent]) {
			break
		}
		h.entries[i] = h.entries[parent]
		h.entries[i].action.position = int32(i + 1)
		i = parent
	}
	h.entries[i] = d
	d.action.position = int32(i + 1)
}

// down puts d at position i or farther from the root.
func (h *heap) down(i int, d dated) {
	for {
		first := 4*i + 1
		if first >= len(h.entries) {
			break
		}
		least := first
		for child := first + 1; child < min(first+4, len(h.entries)); child++ {
			if h.entries[child].before(h.entries[least]) {
				least = child
			}
		}
		if !h.entries[least].before(d) {
			break
		}
		h.entries[i] = h.entries[least]
		h.entries[i].action.position = int32(i + 1)
		i = least
	}
	h.entries[i] = d
	d.action.position = int32(i + 1)
}
