package fluid

import (
	"math"
	"math/bits"
	"slices"
)

const (
	// nearLeast and nearMost are about how many entries are kept in order, if there
	// are so many. They fit into the nearest cache.
	nearLeast = 256
	nearMost  = 2048
	// nearPart is the number of what is near among the parts of a queue. It is
	// one less than a power of two.
	nearPart = 31
	// sampled is how many dates are looked at for each part to find its bound.
	sampled = 8
)

// queue is a queue of variables by date, those of the same date in order of
// insertion. Only what comes next is kept in order, in a heap. What is far lies
// in parts, each earlier than the one before, and in no order in them; when
// little is near, the next part joins it. So most entries are moved three times,
// however many there are, and what is moved lies side by side. A large heap
// would need memory that is in no cache at each step down.
type queue struct {
	near     heap
	parts    [nearPart][]dated
	far      int              // how many parts, from the first on, are not near
	floors   [nearPart]uint64 // what is in a part is after this date
	count    int
	added    int // since the floors were chosen
	sequence uint32
	sample   []uint64 // scratch of divide
}

// next is the date of the first entry, +Inf when there is none.
func (q *queue) next() float64 { return q.near.next() }

// first is the variable of the first entry; there must be one.
func (q *queue) first() Variable { return q.near.first() }

// schedule inserts v or moves it.
func (q *queue) schedule(v Variable, date float64) {
	if q.sequence == math.MaxUint32 {
		q.renumber()
	}
	q.sequence++
	d := dated{math.Float64bits(date), uint64(q.sequence)<<32 | uint64(v)}
	h := &q.near
	if int(v) >= len(h.positions) {
		h.positions = append(h.positions, make([]int32, int(v)+1-len(h.positions))...)
	}
	if position := h.positions[v]; position != 0 {
		q.remove(position)
	}
	q.insert(d)
	q.balance()
}

// cancel takes v out if it is there.
func (q *queue) cancel(v Variable) {
	if int(v) < len(q.near.positions) && q.near.positions[v] != 0 {
		q.remove(q.near.positions[v])
		q.balance()
	}
}

// pop takes the first entry out.
func (q *queue) pop() {
	q.remove(root)
	q.balance()
}

func (q *queue) insert(d dated) {
	q.count++
	q.added++
	part := nearPart
	if q.far > 0 {
		part = q.partOf(d.date)
	}
	if part >= q.far {
		q.near.insert(d)
		return
	}
	q.near.positions[d.variable()] = ^int32(len(q.parts[part])*(nearPart+1) + part)
	q.parts[part] = append(q.parts[part], d)
}

// partOf is the first part whose floor is before the date, or nearPart. It has
// no branches that depend on the date.
func (q *queue) partOf(date uint64) int {
	part := 0
	for step := (nearPart + 1) / 2; step > 0; step /= 2 {
		_, before := bits.Sub64(q.floors[part+step-1], date, 0)
		part += step & (int(before) - 1)
	}
	return part
}

// remove takes out the entry of a position. Those of what is far are negative
// and tell index and part.
func (q *queue) remove(position int32) {
	q.count--
	if position > 0 {
		q.near.remove(int(position))
		return
	}
	place := int(^position)
	part := &q.parts[place%(nearPart+1)]
	i, last := place/(nearPart+1), len(*part)-1
	q.near.positions[(*part)[i].variable()] = 0
	if i < last {
		(*part)[i] = (*part)[last]
		q.near.positions[(*part)[i].variable()] = position
	}
	*part = (*part)[:last]
}

// balance keeps enough near and, if it can, not too much: dates that are all the
// same cannot be divided, so that is tried once for as many additions as there
// are entries.
func (q *queue) balance() {
	for q.near.count < nearLeast && q.far > 0 {
		q.approach()
	}
	if q.near.count > nearMost && q.added > q.count {
		q.divide(q.takeAll())
	}
}

// approach makes the next part near. The last one, which has no end, is divided
// if it is large.
func (q *queue) approach() {
	q.far--
	part := q.parts[q.far]
	q.parts[q.far] = part[:0]
	if q.far == 0 && len(part) > nearMost {
		q.count -= len(part)
		q.divide(part)
		return
	}
	for _, d := range part {
		q.near.insert(d)
	}
}

// divide chooses floors between entries that were taken out, all of them after
// those that were not, and inserts them. Those that stay in the first part may
// lie where they lay.
func (q *queue) divide(entries []dated) {
	q.sample = q.sample[:0]
	const size = sampled * (nearPart + 1)
	for i := range size {
		q.sample = append(q.sample, entries[i*len(entries)/size].date)
	}
	slices.Sort(q.sample)
	for part := range q.floors {
		q.floors[part] = q.sample[size-1-(part+1)*sampled]
	}
	q.far = nearPart
	// Parts are about equal; making room at once leaves less garbage.
	for part := 1; part < nearPart; part++ {
		q.parts[part] = slices.Grow(q.parts[part], 9*len(entries)/(8*nearPart))
	}
	for _, d := range entries {
		q.insert(d)
	}
	q.added = 0
}

// takeAll takes all entries out and returns them, in the memory of the first
// part.
func (q *queue) takeAll() []dated {
	all := q.parts[0]
	for part := 1; part < q.far; part++ {
		all = append(all, q.parts[part]...)
		q.parts[part] = q.parts[part][:0]
	}
	all = q.near.takeAll(all)
	q.parts[0], q.far, q.count = all[:0], 0, 0
	return all
}

// renumber gives the entries the first sequence numbers in their order.
func (q *queue) renumber() {
	all := q.takeAll()
	slices.SortFunc(all, func(a, b dated) int { return a.after(b) - b.after(a) })
	for i, d := range all {
		q.insert(dated{d.date, uint64(i+1)<<32 | uint64(d.variable())})
	}
	q.sequence = uint32(len(all))
}
