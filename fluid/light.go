package fluid

import "math"

// lightBlock is the number of entries whose minimum is kept together.
const lightBlock = 64

// lightTable holds the constraints that are not full yet with their levels,
// and finds the lowest. Which constraints come first when several have the
// same level depends on their positions, as in SimGrid; keeping the minimum of
// each block spares reading the whole table in each round.
type lightTable struct {
	levels []float64
	ids    []Constraint
	lowest []float64 // by block; NaN: to be computed again
	full   []Constraint
}

func (t *lightTable) reset() {
	t.levels, t.ids, t.lowest = t.levels[:0], t.ids[:0], t.lowest[:0]
}

func (t *lightTable) add(id Constraint, level float64) int32 {
	n := len(t.ids)
	if n%lightBlock == 0 {
		t.lowest = append(t.lowest, math.NaN())
	}
	t.ids = append(t.ids, id)
	t.levels = append(t.levels, level)
	return int32(n)
}

func (t *lightTable) set(position int32, level float64) {
	t.levels[position] = level
	t.lowest[position/lightBlock] = math.NaN()
}

// remove moves the last entry to the position and returns its constraint, or
// none when the position was the last.
func (t *lightTable) remove(position int32) (moved Constraint) {
	last := int32(len(t.ids)) - 1
	moved = none
	if position != last {
		moved = t.ids[last]
		t.ids[position] = moved
		t.set(position, t.levels[last])
	}
	t.ids, t.levels = t.ids[:last], t.levels[:last]
	t.lowest = t.lowest[:(last+lightBlock-1)/lightBlock]
	if last%lightBlock != 0 {
		t.lowest[last/lightBlock] = math.NaN()
	}
	return moved
}

// saturate puts the constraints of the lowest level in full, in the order of
// their positions, and returns that level.
func (t *lightTable) saturate() float64 {
	t.full = t.full[:0]
	lowest := math.Inf(1)
	for b, low := range t.lowest {
		if low != low {
			low = math.Inf(1)
			for _, level := range t.levels[b*lightBlock : min((b+1)*lightBlock, len(t.levels))] {
				if level < low {
					low = level
				}
			}
			t.lowest[b] = low
		}
		lowest = min(lowest, low)
	}
	for b, low := range t.lowest {
		if low != lowest {
			continue
		}
		from := b * lightBlock
		for i, level := range t.levels[from:min(from+lightBlock, len(t.levels))] {
			if level == lowest {
				t.full = append(t.full, t.ids[from+i])
			}
		}
	}
	return lowest
}
