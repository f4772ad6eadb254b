package fluid

// Precision constants of SimGrid 3.32 (src/kernel/lmm/System.cpp); its results
// depend on them, so they are not to be tuned.
const (
	// workPrecision is the amount of work, and the relative amount of a
	// resource, that counts as nothing (maxmin/precision).
	workPrecision = 1e-5
	// TimePrecision is the duration in seconds within which two dates are the
	// same instant (surf/precision).
	TimePrecision = 1e-9
)

// Constraint names a resource of a System.
type Constraint int32

// Variable names an activity of a System.
type Variable int32

// none ends lists of indices.
const none = -1

// inactive marks an element that is not in its constraint's active list.
const inactive = -2

// Sharing says how a resource's capacity limits what flows through it.
type Sharing uint8

const (
	// Shared limits the sum of what flows.
	Shared Sharing = iota
	// FatPipe limits each flow by itself.
	FatPipe
)

// System is a set of constraints and variables and computes the variables'
// rates. The zero value is an empty system. Indices of freed variables are
// used again.
type System struct {
	constraints []constraint
	variables   []variable
	elements    []element

	freeVariables []Variable
	freeBlocks    [blockClasses][]int32 // starts of free runs of elements, by size class

	modified []Constraint // to be solved again, in the order in which they were reached
	visit    uint32       // marks variables reached since the last Solve
	path     []pathStep   // scratch of mark

	changed   []Variable // result of Solve
	light     lightTable
	saturated []Variable
	ranks     []rank // scratch of the FatPipe constraints
}

type constraint struct {
	bound     float64
	remaining float64
	usage     float64

	enabled       int32 // first element of an enabled variable
	disabled      int32 // first and last element of the others
	disabledLast  int32
	active        int32 // first element whose variable has no rate yet in this solve
	light         int32 // position in the light table, or none
	limit         int32 // of concurrent variables; negative: none
	concurrency   int32
	ranks, ranked int32 // FatPipe: elements by decreasing usage, in System.ranks
	sharing       Sharing
	modified      bool
}

type variable struct {
	penalty float64 // 0: disabled
	staged  float64 // penalty to take when the concurrency limit allows it
	bound   float64 // <= 0: none
	value   float64

	first     int32 // its elements are a run
	count     int32
	class     uint8 // of the run
	saturated bool
	listed    bool // in changed
	visited   uint32
}

// element is the use of a constraint by a variable. The list fields link the
// elements of the constraint: those of enabled variables or those of disabled
// ones, and during a solve those that have no rate yet.
type element struct {
	weight     float64
	constraint Constraint
	variable   Variable
	next, prev int32
	activeNext int32
	activePrev int32
}

// blockClasses is the number of sizes of runs of elements: 1, 2, 3, 4, then
// four sizes in each doubling.
const blockClasses = 64

func blockClass(n int) (class uint8, size int) {
	if n <= 4 {
		return uint8(max(n, 1) - 1), max(n, 1)
	}
	class, size = 3, 4
	for step := 1; ; step *= 2 {
		for range 4 {
			class++
			size += step
			if size >= n {
				return class, size
			}
		}
	}
}

// AddConstraint adds a resource of the given capacity.
func (s *System) AddConstraint(bound float64, sharing Sharing) Constraint {
	s.constraints = append(s.constraints, constraint{
		bound: bound, sharing: sharing, limit: none,
		enabled: none, disabled: none, disabledLast: none, active: none, light: none,
	})
	return Constraint(len(s.constraints) - 1)
}

// AddVariable adds an activity that will use at most uses constraints. A
// penalty of 0 leaves it disabled: it has no rate and takes nothing. A bound
// of 0 or less is no bound.
func (s *System) AddVariable(penalty, bound float64, uses int) Variable {
	class, size := blockClass(uses)
	var first int32
	if free := s.freeBlocks[class]; len(free) > 0 {
		first = free[len(free)-1]
		s.freeBlocks[class] = free[:len(free)-1]
	} else {
		first = int32(len(s.elements))
		for range size {
			s.elements = append(s.elements, element{})
		}
	}
	v := variable{penalty: penalty, bound: bound, first: first, class: class, visited: s.visit - 1}
	if n := len(s.freeVariables); n > 0 {
		id := s.freeVariables[n-1]
		s.freeVariables = s.freeVariables[:n-1]
		v.listed = s.variables[id].listed
		s.variables[id] = v
		return id
	}
	s.variables = append(s.variables, v)
	return Variable(len(s.variables) - 1)
}

// Use makes v take weight of c for each unit of its rate. Using a constraint
// again adds to the weight; on a FatPipe the larger weight holds.
func (s *System) Use(v Variable, c Constraint, weight float64) {
	va := &s.variables[v]
	for i := va.first; i < va.first+va.count; i++ {
		e := &s.elements[i]
		if e.constraint != c {
			continue
		}
		enabled := va.penalty > 0
		if enabled {
			s.constraints[c].concurrency -= e.concurrency()
		}
		if s.constraints[c].sharing == FatPipe {
			e.weight = max(e.weight, weight)
		} else {
			e.weight += weight
		}
		if enabled {
			s.admit(v, e)
		}
		s.mark(c)
		return
	}
	if _, size := blockClass(int(va.count) + 1); size > s.blockSize(va.class) {
		panic("fluid: variable uses more constraints than announced")
	}
	i := va.first + va.count
	va.count++
	s.elements[i] = element{
		weight: weight, constraint: c, variable: v,
		next: none, prev: none, activeNext: none, activePrev: inactive,
	}
	if va.penalty > 0 {
		s.linkEnabled(i)
		s.admit(v, &s.elements[i])
		s.mark(c)
	} else {
		s.linkDisabled(i)
	}
}

func (s *System) blockSize(class uint8) int {
	if class < 4 {
		return int(class) + 1
	}
	n := int(class) - 4
	return 4<<(n/4) + (n%4+1)<<(n/4)
}

// admit counts e against its constraint's concurrency limit and stages its
// variable when the limit is exceeded.
func (s *System) admit(v Variable, e *element) {
	c := &s.constraints[e.constraint]
	c.concurrency += e.concurrency()
	if c.limit >= 0 && c.concurrency > c.limit {
		penalty := s.variables[v].penalty
		s.disable(v)
		s.variables[v].staged = penalty
	}
}

// concurrency is what e counts towards a limit: cross-traffic does not.
func (e *element) concurrency() int32 {
	if e.weight >= 1 {
		return 1
	}
	return 0
}

// Free removes v from the system.
func (s *System) Free(v Variable) {
	va := &s.variables[v]
	s.markVariable(v)
	enabled := va.penalty > 0
	for i := va.first; i < va.first+va.count; i++ {
		e := &s.elements[i]
		c := &s.constraints[e.constraint]
		if enabled {
			c.concurrency -= e.concurrency()
			s.unlinkEnabled(i)
		} else {
			s.unlinkDisabled(i)
		}
	}
	for i := va.first; i < va.first+va.count; i++ {
		s.promote(s.elements[i].constraint)
	}
	s.freeBlocks[va.class] = append(s.freeBlocks[va.class], va.first)
	va.count, va.penalty, va.staged = 0, 0, 0
	s.freeVariables = append(s.freeVariables, v)
}

// Value is v's rate at the last Solve.
func (s *System) Value(v Variable) float64 { return s.variables[v].value }

// Penalty is v's penalty, 0 when it is disabled.
func (s *System) Penalty(v Variable) float64 { return s.variables[v].penalty }

// Bound is the capacity of c.
func (s *System) Bound(c Constraint) float64 { return s.constraints[c].bound }

// Load is what flows through c: the sum, on a FatPipe the largest.
func (s *System) Load(c Constraint) float64 {
	load := 0.0
	for i := s.constraints[c].enabled; i != none; i = s.elements[i].next {
		e := &s.elements[i]
		flow := e.weight * s.variables[e.variable].value
		if s.constraints[c].sharing == FatPipe {
			load = max(load, flow)
		} else {
			load += flow
		}
	}
	return load
}

// AppendUsers appends the variables that use c, the enabled ones first.
func (s *System) AppendUsers(list []Variable, c Constraint) []Variable {
	for i := s.constraints[c].enabled; i != none; i = s.elements[i].next {
		list = append(list, s.elements[i].variable)
	}
	for i := s.constraints[c].disabled; i != none; i = s.elements[i].next {
		list = append(list, s.elements[i].variable)
	}
	return list
}

// SetConstraintBound changes the capacity of c.
func (s *System) SetConstraintBound(c Constraint, bound float64) {
	s.constraints[c].bound = bound
	s.mark(c)
}

// SetConcurrencyLimit lets at most limit variables use c at a time, those of
// weight below 1 not counted; the others wait, disabled, in order. A negative
// limit is none. It must be set before c is used.
func (s *System) SetConcurrencyLimit(c Constraint, limit int) {
	s.constraints[c].limit = int32(limit)
}

// SetBound changes v's bound.
func (s *System) SetBound(v Variable, bound float64) {
	va := &s.variables[v]
	if va.bound == bound {
		return
	}
	va.bound = bound
	s.markVariable(v)
}

// SetPenalty changes v's penalty; 0 disables it.
func (s *System) SetPenalty(v Variable, penalty float64) {
	va := &s.variables[v]
	switch {
	case penalty < 0:
		panic("fluid: negative penalty")
	case penalty == 0:
		va.staged = 0
		if va.penalty > 0 {
			s.disable(v)
			for i := va.first; i < va.first+va.count; i++ {
				s.promote(s.elements[i].constraint)
			}
		}
	case va.penalty == penalty:
	case va.penalty > 0:
		va.penalty = penalty
		s.markVariable(v)
	default:
		va.staged = penalty
		if s.hasSlack(v) {
			s.enable(v)
		}
	}
}

// hasSlack tells whether no constraint of v is at its concurrency limit.
func (s *System) hasSlack(v Variable) bool {
	va := &s.variables[v]
	for i := va.first; i < va.first+va.count; i++ {
		c := &s.constraints[s.elements[i].constraint]
		if c.limit >= 0 && c.concurrency >= c.limit {
			return false
		}
	}
	return true
}

func (s *System) enable(v Variable) {
	va := &s.variables[v]
	va.penalty, va.staged = va.staged, 0
	for i := va.first; i < va.first+va.count; i++ {
		s.unlinkDisabled(i)
		s.linkEnabled(i)
		s.constraints[s.elements[i].constraint].concurrency += s.elements[i].concurrency()
	}
	s.markVariable(v)
}

func (s *System) disable(v Variable) {
	va := &s.variables[v]
	s.markVariable(v)
	for i := va.first; i < va.first+va.count; i++ {
		s.unlinkEnabled(i)
		s.linkDisabled(i)
		s.constraints[s.elements[i].constraint].concurrency -= s.elements[i].concurrency()
	}
	va.penalty, va.staged, va.value = 0, 0, 0
}

// promote enables variables that waited for room in c.
func (s *System) promote(id Constraint) {
	c := &s.constraints[id]
	if c.limit < 0 {
		return
	}
	for i := c.disabled; i != none && c.concurrency < c.limit; {
		next := s.elements[i].next
		if v := s.elements[i].variable; s.variables[v].staged > 0 && s.hasSlack(v) {
			s.enable(v)
		}
		i = next
	}
}

func (s *System) linkEnabled(i int32) {
	e := &s.elements[i]
	c := &s.constraints[e.constraint]
	e.prev, e.next = none, c.enabled
	if c.enabled != none {
		s.elements[c.enabled].prev = i
	}
	c.enabled = i
}

func (s *System) unlinkEnabled(i int32) {
	e := &s.elements[i]
	if e.prev != none {
		s.elements[e.prev].next = e.next
	} else {
		s.constraints[e.constraint].enabled = e.next
	}
	if e.next != none {
		s.elements[e.next].prev = e.prev
	}
}

func (s *System) linkDisabled(i int32) {
	e := &s.elements[i]
	c := &s.constraints[e.constraint]
	e.prev, e.next = c.disabledLast, none
	if c.disabledLast != none {
		s.elements[c.disabledLast].next = i
	} else {
		c.disabled = i
	}
	c.disabledLast = i
}

func (s *System) unlinkDisabled(i int32) {
	e := &s.elements[i]
	c := &s.constraints[e.constraint]
	if e.prev != none {
		s.elements[e.prev].next = e.next
	} else {
		c.disabled = e.next
	}
	if e.next != none {
		s.elements[e.next].prev = e.prev
	} else {
		c.disabledLast = e.prev
	}
}
