package fluid

import (
	"cmp"
	"math"
	"slices"
)

// rank is an element of a FatPipe constraint with what its variable takes per
// unit of penalised rate.
type rank struct {
	usage    float64
	variable Variable
}

// Solve computes the rates of the variables that a change since the last call
// can have touched, and returns them. The list is valid until the next call.
//
// The algorithm is progressive filling. Each constraint has a remaining
// capacity and a usage, the sum of weight/penalty of its variables without
// rate; remaining/usage is the level at which it is full. The constraints of
// the lowest level are saturated: their variables get level/penalty, or, when
// some of them reach their bound below that level, only those get their bound.
// What they take is subtracted everywhere, and the next round begins.
func (s *System) Solve() []Variable {
	for _, v := range s.changed {
		s.variables[v].listed = false
	}
	s.changed = s.changed[:0]
	if len(s.modified) == 0 {
		return nil
	}
	s.begin()
	for len(s.light.ids) > 0 {
		level := s.light.saturate()
		s.collectSaturated()
		if len(s.saturated) == 0 {
			// What is left of a usage whose variables all have a rate is
			// rounding.
			for _, id := range s.light.full {
				s.drop(&s.constraints[id])
			}
			continue
		}
		s.fix(level, s.lowestBound(level))
	}
	s.end()
	s.clearModified()
	return s.changed
}

// begin fills the light table with the constraints that can take something.
func (s *System) begin() {
	s.light.reset()
	s.ranks = s.ranks[:0]
	elements, variables := s.elements, s.variables
	for _, id := range s.modified {
		c := &s.constraints[id]
		c.remaining = c.bound
		c.active, c.light, c.ranks = none, none, none
		if !(c.remaining > c.bound*workPrecision) {
			continue
		}
		usage, active := 0.0, int32(none)
		for i := c.enabled; i != none; {
			e := &elements[i]
			v := &variables[e.variable]
			v.value = 0
			if e.weight > 0 {
				share := e.weight / v.penalty
				if c.sharing == Shared {
					usage += share
				} else if usage < share {
					usage = share
				}
				e.activePrev, e.activeNext = none, active
				if active != none {
					elements[active].activePrev = i
				}
				active = i
			}
			i = e.next
		}
		c.usage, c.active = usage, active
		if usage > 0 {
			c.light = s.light.add(id, c.remaining/usage)
		}
	}
}

// collectSaturated lists the variables without rate of the constraints that
// the light table found to be full first.
func (s *System) collectSaturated() {
	s.saturated = s.saturated[:0]
	for _, id := range s.light.full {
		for i := s.constraints[id].active; i != none; i = s.elements[i].activeNext {
			v := s.elements[i].variable
			if va := &s.variables[v]; !va.saturated {
				va.saturated = true
				s.saturated = append(s.saturated, v)
			}
		}
	}
}

// lowestBound is the lowest level at which a saturated variable reaches its
// bound before the given level, or a negative number.
func (s *System) lowestBound(level float64) float64 {
	lowest := -1.0
	for _, id := range s.saturated {
		v := &s.variables[id]
		if v.bound <= 0 {
			continue
		}
		if b := v.bound * v.penalty; b < level && (lowest < 0 || b < lowest) {
			lowest = b
		}
	}
	return lowest
}

// fix gives the saturated variables their rate: those that are at their bound
// if lowest is not negative, else all.
func (s *System) fix(level, lowest float64) {
	for _, id := range s.saturated {
		v := &s.variables[id]
		v.saturated = false
		switch {
		case lowest < 0:
			v.value = level / v.penalty
		case math.Abs(lowest-v.bound*v.penalty) < workPrecision:
			v.value = v.bound
		default:
			continue
		}
		for i := v.first; i < v.first+v.count; i++ {
			e := &s.elements[i]
			c := &s.constraints[e.constraint]
			if c.sharing == Shared {
				c.remaining = subtract(c.remaining, e.weight*v.value, c.bound*workPrecision)
				c.usage = subtract(c.usage, e.weight/v.penalty, workPrecision)
			} else if e.weight/v.penalty >= c.usage {
				c.usage = s.fatPipeUsage(c)
			}
			s.deactivate(i)
			if c.light == none {
				continue
			}
			if !(c.usage > workPrecision) || !(c.remaining > c.bound*workPrecision) {
				s.drop(c)
			} else {
				s.light.set(c.light, c.remaining/c.usage)
			}
		}
	}
}

func subtract(x, amount, precision float64) float64 {
	x -= amount
	if x < precision {
		return 0
	}
	return x
}

// drop takes c out of the light table, whose last entry takes its place.
func (s *System) drop(c *constraint) {
	if moved := s.light.remove(c.light); moved != none {
		s.constraints[moved].light = c.light
	}
	c.light = none
}

func (s *System) deactivate(i int32) {
	e := &s.elements[i]
	if e.activePrev == inactive {
		return
	}
	if e.activePrev != none {
		s.elements[e.activePrev].activeNext = e.activeNext
	} else {
		s.constraints[e.constraint].active = e.activeNext
	}
	if e.activeNext != none {
		s.elements[e.activeNext].activePrev = e.activePrev
	}
	e.activePrev = inactive
}

// fatPipeUsage is the largest weight/penalty among the variables of c that
// have no rate yet. It is asked for when the largest one got its rate, up to
// once per variable, so the elements are sorted once per solve.
func (s *System) fatPipeUsage(c *constraint) float64 {
	if c.ranks == none {
		c.ranks = int32(len(s.ranks))
		for i := c.enabled; i != none; i = s.elements[i].next {
			e := &s.elements[i]
			if v := &s.variables[e.variable]; v.value == 0 && e.weight > 0 {
				s.ranks = append(s.ranks, rank{e.weight / v.penalty, e.variable})
			}
		}
		c.ranked = int32(len(s.ranks))
		slices.SortFunc(s.ranks[c.ranks:], func(a, b rank) int { return cmp.Compare(b.usage, a.usage) })
	}
	for ; c.ranks < c.ranked; c.ranks++ {
		if r := s.ranks[c.ranks]; s.variables[r.variable].value == 0 {
			return r.usage
		}
	}
	return 0
}

// end lists the variables that were computed and leaves no element active.
func (s *System) end() {
	for _, id := range s.modified {
		c := &s.constraints[id]
		for c.active != none {
			s.deactivate(c.active)
		}
		c.light = none
		for i := c.enabled; i != none; i = s.elements[i].next {
			e := &s.elements[i]
			if v := &s.variables[e.variable]; e.weight > 0 && !v.listed {
				v.listed = true
				s.changed = append(s.changed, e.variable)
			}
		}
	}
}
