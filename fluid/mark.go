package fluid

// pathStep is where mark's walk stands in a constraint: at an element of its
// enabled list, and before one of the uses of that element's variable.
type pathStep struct {
	element int32
	use     int32
}

// mark notes that c, and whatever shares variables with it directly or through
// others, must be solved again. The walk is depth first, which fixes the order
// of the constraints in modified and with it the order of additions in Solve.
func (s *System) mark(c Constraint) {
	if s.constraints[c].modified {
		return
	}
	s.push(c)
	for len(s.path) > 0 {
		p := &s.path[len(s.path)-1]
		if p.element == none {
			s.path = s.path[:len(s.path)-1]
			continue
		}
		v := &s.variables[s.elements[p.element].variable]
		if v.visited == s.visit || p.use == v.count {
			v.visited = s.visit
			p.element = s.elements[p.element].next
			p.use = 0
			continue
		}
		next := s.elements[v.first+p.use].constraint
		p.use++
		if !s.constraints[next].modified {
			s.push(next)
		}
	}
}

func (s *System) push(c Constraint) {
	s.constraints[c].modified = true
	s.modified = append(s.modified, c)
	s.path = append(s.path, pathStep{element: s.constraints[c].enabled})
}

// markVariable marks the constraints of v if it is enabled; a disabled
// variable takes nothing from anyone.
func (s *System) markVariable(v Variable) {
	va := &s.variables[v]
	if va.penalty <= 0 {
		return
	}
	for i := va.first; i < va.first+va.count; i++ {
		s.mark(s.elements[i].constraint)
	}
}

// Dirty tells whether something changed since the last Solve.
func (s *System) Dirty() bool { return len(s.modified) > 0 }

// clearModified ends a solve.
func (s *System) clearModified() {
	for _, c := range s.modified {
		s.constraints[c].modified = false
	}
	s.modified = s.modified[:0]
	s.visit++
	if s.visit == 0 {
		for i := range s.variables {
			s.variables[i].visited = ^uint32(0)
		}
	}
}
