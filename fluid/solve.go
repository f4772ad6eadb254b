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

// span is a part of System.ranks.
type span struct{ from, to int }

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
	s.clearModified()
	return s.changed
}

// begin fills the light table with the constraints that can take something,
// and lists their variables.
func (s *System) begin() {
	s.light.reset()
	s.ranks, s.ranked = s.ranks[:0], s.ranked[:0]
	for _, id := range s.modified {
		c := &s.constraints[id]
		c.remaining = c.bound
		if !(c.remaining > c.bound*workPrecision) {
			for _, u := range s.users(c) {
				if u.variable != none && u.weight > 0 {
					s.list(u.variable)
				}
			}
			continue
		}
		c.usage = s.beginUsage(c)
		if c.usage > 0 {
			c.light = s.light.add(id, c.remaining/c.usage)
		}
	}
}

// beginUsage adds up what the users of c take, the newest first as SimGrid.
func (s *System) beginUsage(c *constraint) float64 {
	usage, variables := 0.0, s.variables
	users := s.users(c)
	for i := len(users) - 1; i >= 0; i-- {
		u := &users[i]
		if u.variable == none {
			continue
		}
		v := &variables[u.variable]
		v.value, v.fixed = 0, false
		if u.weight <= 0 {
			continue
		}
		if !v.listed {
			v.listed = true
			s.changed = append(s.changed, u.variable)
		}
		share := u.weight / v.penalty
		if c.sharing == Shared {
			usage += share
		} else if usage < share {
			usage = share
		}
	}
	return usage
}

func (s *System) list(id Variable) {
	if v := &s.variables[id]; !v.listed {
		v.listed = true
		s.changed = append(s.changed, id)
	}
}

// collectSaturated lists the variables without rate of the constraints that
// the light table found to be full first.
func (s *System) collectSaturated() {
	s.saturated = s.saturated[:0]
	for _, id := range s.light.full {
		for _, u := range s.users(&s.constraints[id]) {
			if u.variable == none || u.weight <= 0 {
				continue
			}
			if v := &s.variables[u.variable]; !v.fixed && !v.saturated {
				v.saturated = true
				s.saturated = append(s.saturated, u.variable)
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
	constraints := s.constraints
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
		v.fixed = true
		value, penalty := v.value, v.penalty
		elements := s.elements[v.first : v.first+v.count]
		for i := range elements {
			e := &elements[i]
			c := &constraints[e.constraint]
			if c.light == none {
				continue // full, or not to be solved
			}
			precision := c.bound * workPrecision
			if c.sharing == Shared {
				c.remaining = subtract(c.remaining, e.weight*value, precision)
				c.usage = subtract(c.usage, e.weight/penalty, workPrecision)
			} else if e.weight/penalty >= c.usage {
				c.usage = s.fatPipeUsage(c)
			}
			if c.usage > workPrecision && c.remaining > precision {
				s.light.set(c.light, c.remaining/c.usage)
			} else {
				s.drop(c)
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

// fatPipeUsage is the largest weight/penalty among the variables of c that
// have no rate yet. It is asked for when the largest one got its rate, up to
// once per variable, so the users are sorted once per solve.
func (s *System) fatPipeUsage(c *constraint) float64 {
	if c.sorted == none {
		c.sorted = int32(len(s.ranked))
		from := len(s.ranks)
		for _, u := range s.users(c) {
			if u.variable == none || u.weight <= 0 {
				continue
			}
			if v := &s.variables[u.variable]; v.value == 0 {
				s.ranks = append(s.ranks, rank{u.weight / v.penalty, u.variable})
			}
		}
		slices.SortFunc(s.ranks[from:], func(a, b rank) int { return cmp.Compare(b.usage, a.usage) })
		s.ranked = append(s.ranked, span{from, len(s.ranks)})
	}
	left := &s.ranked[c.sorted]
	for ; left.from < left.to; left.from++ {
		if r := s.ranks[left.from]; s.variables[r.variable].value == 0 {
			return r.usage
		}
	}
	return 0
}
