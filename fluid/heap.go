package fluid

import (
	"math"
	"math/bits"
)

// dated is what a heap orders. Four of them fill a cache line. Dates are not
// negative, so their bits have the order of the dates.
type dated struct {
	date  uint64 // bits of a float64
	order uint64 // sequence number, then variable
}

func (d dated) variable() Variable { return Variable(uint32(d.order)) }

// after is 1 if d comes after e, else 0. It has no branches, because nobody
// could predict them.
func (d dated) after(e dated) int {
	_, borrow := bits.Sub64(e.order, d.order, 0)
	_, borrow = bits.Sub64(e.date, d.date, borrow)
	return int(borrow)
}

// never fills the places of the last four children that are not used.
var never = dated{math.MaxUint64, math.MaxUint64}

// heap is a queue of variables by date, those of the same date in order of
// insertion. It has four children a node, which lie in one cache line, because
// the root is the fourth entry and the others before it are not used. Positions
// lie apart from the actions, which are large and many.
type heap struct {
	entries   []dated // a multiple of four, padded with never
	positions []int32 // by variable: index in entries; 0: not there; else see queue
	count     int
	// risen are the variables, or none, that rose by a level when the last entry
	// was removed. If that was the first one, they rose to the root and to the
	// levels below.
	risen [4]Variable
}

const root = 3

func firstChild(i int) int { return 4*i - 8 }

func parentOf(i int) int { return i/4 + 2 }

// next is the date of the first entry, +Inf when there is none.
func (h *heap) next() float64 {
	if h.count == 0 {
		return math.Inf(1)
	}
	return math.Float64frombits(h.entries[root].date)
}

// first is the variable of the first entry; there must be one.
func (h *heap) first() Variable { return h.entries[root].variable() }

// insert adds d, whose variable is not there.
func (h *heap) insert(d dated) {
	i := root + h.count
	h.count++
	if i >= len(h.entries) {
		h.entries = append(h.entries, never, never, never, never)
	}
	h.up(i, d)
}

// move puts d in the place of the entry at position i.
func (h *heap) move(i int, d dated) {
	if i > root && h.entries[parentOf(i)].after(d) == 1 {
		h.up(i, d)
	} else {
		h.down(i, d)
	}
}

// remove takes out the entry at position i.
func (h *heap) remove(i int) {
	h.positions[h.entries[i].variable()] = 0
	h.count--
	last := root + h.count
	d := h.entries[last]
	h.entries[last] = never
	if i != last {
		h.move(i, d)
	}
}

// takeAll takes all entries out and appends them to a list.
func (h *heap) takeAll(list []dated) []dated {
	if h.count > 0 {
		list = append(list, h.entries[root:root+h.count]...)
	}
	h.entries, h.count = h.entries[:0], 0
	return list
}

// up puts d at position i or nearer to the root.
func (h *heap) up(i int, d dated) {
	for i > root {
		parent := parentOf(i)
		if h.entries[parent].after(d) == 0 {
			break
		}
		h.put(i, h.entries[parent])
		i = parent
	}
	h.put(i, d)
}

// down puts d at position i or farther from the root.
func (h *heap) down(i int, d dated) {
	h.risen = [4]Variable{none, none, none, none}
	last := root + h.count
	for step := 0; ; step++ {
		first := firstChild(i)
		if first >= last {
			break
		}
		children := h.children(i)
		k := least(children)
		if d.after(children[k]) == 0 {
			break
		}
		if step < len(h.risen) {
			h.risen[step] = children[k].variable()
		}
		h.put(i, children[k])
		i = first + k
	}
	h.put(i, d)
}

// children are those of the entry at position i; some may be never.
func (h *heap) children(i int) *[4]dated { return (*[4]dated)(h.entries[firstChild(i):]) }

// least is the position of the earliest.
func least(c *[4]dated) int {
	left, right := c[0].after(c[1]), 2+c[2].after(c[3])
	return (left + (right-left)*c[left&3].after(c[right&3])) & 3
}

func (h *heap) put(i int, d dated) {
	h.entries[i] = d
	h.positions[d.variable()] = int32(i)
}
