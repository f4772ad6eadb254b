package fluid

// pathStep is where mark's walk stands in a constraint: at one of its users,
// counted from the oldest, and before one of the uses of that variable.
type pathStep struct {
	constraint Constraint
	user       int32
	use        int32
}

// mark notes that c, and whatever shares variables with it directly or through
// others, must be solved again. The walk is depth first from the newest users,
// which fixes the order of the constraints in modified and with it the order of
// additions in Solve.
func (s *System) mark(c Constraint) {
	if s.constraints[c].modified {
		return
	}
	s.push(c)
	for len(s.path) > 0 {
		if len(s.modified) == len(s.constraints) {
			s.path = s.path[:0] // there is nothing left to find
			return
		}
		if next := s.advance(&s.path[len(s.path)-1]); next != none {
			s.push(next)
		} else {
			s.path = s.path[:len(s.path)-1]
		}
	}
}

// advance moves p to the next constraint that is not marked and returns it, or
// none at the end.
func (s *System) advance(p *pathStep) Constraint {
	users := s.users(&s.constraints[p.constraint])
	for ; p.user >= 0; p.user-- {
		id := users[p.user].variable
		if id == none {
			continue
		}
		v := &s.variables[id]
		if v.visited == s.visit {
			p.use = 0
			continue
		}
		for ; p.use < v.count; p.use++ {
			if next := s.elements[v.first+p.use].constraint; !s.constraints[next].modified {
				return next
			}
		}
		v.visited = s.visit
		p.use = 0
	}
	return none
}

func (s *System) push(c Constraint) {
	s.constraints[c].modified = true
	s.modified = append(s.modified, c)
	s.path = append(s.path, pathStep{constraint: c, user: int32(len(s.users(&s.constraints[c]))) - 1})
}

// markVariable marks the constraints of v if it is enabled; a disabled
// variable takes nothing from anyone.
func (s *System) markVariable(v Variable) {
	va := &s.variables[v]
	if va.penalty <= 0 || va.count == 0 {
		return
	}
	if s.AsSimGrid {
		s.mark(s.elements[va.first].constraint)
		return
	}
	for _, e := range s.elements[va.first : va.first+va.count] {
		s.mark(e.constraint)
	}
}

// Dirty tells whether something changed since the last Solve.
func (s *System) Dirty() bool { return len(s.modified) > 0 }

// clearModified ends a solve.
func (s *System) clearModified() {
	for _, c := range s.modified {
		s.constraints[c].modified = false
		s.constraints[c].light, s.constraints[c].sorted = none, none
	}
	s.modified = s.modified[:0]
	s.visit++
	if s.visit == 0 {
		for i := range s.variables {
			s.variables[i].visited = ^uint32(0)
		}
	}
}
