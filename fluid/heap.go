package fluid

// dated is what a heap orders.
type dated struct {
	date     float64
	sequence uint64
	variable Variable
}

func (d dated) before(e dated) bool {
	return d.date < e.date || d.date == e.date && d.sequence < e.sequence
}

// heap is a queue of variables by date, those of the same date in order of
// insertion. It has four children a node, which keeps the entries compared in
// one or two cache lines; positions lie apart from the actions, which are large
// and many.
type heap struct {
	entries   []dated
	positions []int32 // by variable: index in entries plus one; 0: not there
	sequence  uint64
}

// schedule inserts v or moves it.
func (h *heap) schedule(v Variable, date float64) {
	h.sequence++
	d := dated{date, h.sequence, v}
	for int(v) >= len(h.positions) {
		h.positions = append(h.positions, 0)
	}
	if h.positions[v] == 0 {
		h.entries = append(h.entries, d)
		h.up(len(h.entries)-1, d)
		return
	}
	i := int(h.positions[v]) - 1
	if d.before(h.entries[i]) {
		h.up(i, d)
	} else {
		h.down(i, d)
	}
}

func (h *heap) cancel(v Variable) {
	if int(v) >= len(h.positions) || h.positions[v] == 0 {
		return
	}
	i := int(h.positions[v]) - 1
	h.positions[v] = 0
	last := len(h.entries) - 1
	d := h.entries[last]
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
		h.put(i, h.entries[parent])
		i = parent
	}
	h.put(i, d)
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
		h.put(i, h.entries[least])
		i = least
	}
	h.put(i, d)
}

func (h *heap) put(i int, d dated) {
	h.entries[i] = d
	h.positions[d.variable] = int32(i + 1)
}
