package fluid

import "slices"

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
	// AsSimGrid reproduces what SimGrid 3.32 does wrong when it chooses what to
	// solve again: a variable that is enabled or changes its penalty has only
	// its first constraint looked at. If that was marked before, the others
	// keep their old shares, and may carry more than their capacity. It must
	// be set before variables are added.
	AsSimGrid bool

	constraints []constraint
	lists       [][]user // of users of the constraints that ever had more than one
	limit       int32    // of the variables that use a constraint at a time
	using       []int32  // by constraint, how many do; nil without a limit
	variables   []variable
	elements    []element

	freeVariables []Variable
	freeBlocks    [blockClasses][]int32 // starts of free runs of elements, by size class
	disabled      []Variable            // in no order
	staged        []Variable            // wait for room, in order

	modified []Constraint // to be solved again, in the order in which they were reached
	visit    uint32       // marks variables reached since the last Solve
	path     []pathStep   // scratch of mark

	changed   []Variable // result of Solve
	light     lightTable
	saturated []Variable
	ranks     []rank // scratch of the FatPipe constraints
	ranked    []span // of those whose users are sorted, in ranks
}

// constraint fills a cache line, and holds the only user of a resource that is
// not shared: on large platforms, waiting for memory is most of what an event
// costs.
type constraint struct {
	remaining float64
	usage     float64
	bound     float64
	only      [1]user // while list is none; see users
	list      int32   // index in System.lists, or none
	gone      int32   // users that left and are still in the list
	light     int32   // position in the light table, or none
	sorted    int32   // FatPipe: index in System.ranked, or none
	owner     int32   // for the system's user
	sharing   Sharing
	modified  bool
}

// user is an enabled variable that uses a constraint. A constraint's users lie
// side by side because solving reads all of them several times; one that leaves
// is marked, and the list is packed when half of it is marked.
type user struct {
	weight   float64
	variable Variable // none: gone
	element  int32
}

// variable fits a cache line too.
type variable struct {
	penalty float64 // 0: disabled
	value   float64
	bound   float64 // <= 0: none
	staged  float64 // penalty to take when the concurrency limit allows it

	first     int32 // its elements are a run
	count     int32
	visited   uint32
	idle      int32 // position in disabled, or none
	class     uint8 // of the run
	saturated bool
	fixed     bool // has its rate in this solve
	listed    bool // in changed

	action *Action // of a Model, which is who sets it
}

// element is the use of a constraint by a variable.
type element struct {
	weight     float64
	constraint Constraint
	slot       int32 // in the constraint's users, or none
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
		bound: bound, only: [1]user{{variable: none}}, list: none, light: none, sorted: none, sharing: sharing,
	})
	if s.using != nil {
		s.using = append(s.using, 0)
	}
	return Constraint(len(s.constraints) - 1)
}

// SetOwner notes what c is for the system's user; see Action.AppendOwners.
func (s *System) SetOwner(c Constraint, owner int32) { s.constraints[c].owner = owner }

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
	v := variable{penalty: penalty, bound: bound, first: first, class: class, visited: s.visit - 1, idle: none}
	id := Variable(len(s.variables))
	if n := len(s.freeVariables); n > 0 {
		id = s.freeVariables[n-1]
		s.freeVariables = s.freeVariables[:n-1]
		v.listed = s.variables[id].listed
		s.variables[id] = v
	} else {
		s.variables = append(s.variables, v)
	}
	if penalty <= 0 {
		s.setIdle(id)
	}
	return id
}

// setIdle puts a disabled variable in the list of those.
func (s *System) setIdle(v Variable) {
	s.variables[v].idle = int32(len(s.disabled))
	s.disabled = append(s.disabled, v)
}

// setBusy takes v out of it.
func (s *System) setBusy(v Variable) {
	va := &s.variables[v]
	last := s.disabled[len(s.disabled)-1]
	s.disabled[va.idle] = last
	s.variables[last].idle = va.idle
	s.disabled = s.disabled[:len(s.disabled)-1]
	va.idle = none
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
		if va.penalty > 0 {
			s.leave(e)
		}
		if s.constraints[c].sharing == FatPipe {
			e.weight = max(e.weight, weight)
		} else {
			e.weight += weight
		}
		if va.penalty > 0 {
			s.users(&s.constraints[c])[e.slot].weight = e.weight
			s.admit(v, e)
		}
		s.mark(c)
		return
	}
	s.UseOnce(v, c, weight)
}

// UseOnce is Use for a constraint that v does not use yet, which it does not
// check.
func (s *System) UseOnce(v Variable, c Constraint, weight float64) {
	va := &s.variables[v]
	if int(va.count) == s.blockSize(va.class) {
		panic("fluid: variable uses more constraints than announced")
	}
	i := va.first + va.count
	va.count++
	s.elements[i] = element{weight: weight, constraint: c, slot: none}
	if va.penalty > 0 {
		s.link(v, i)
		s.admit(v, &s.elements[i])
		s.mark(c)
	} else if s.AsSimGrid && weight > 0 {
		s.mark(c)
		s.mark(s.elements[va.first].constraint)
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
	if s.using == nil {
		return
	}
	using := &s.using[e.constraint]
	*using += e.concurrency()
	if *using > s.limit {
		penalty := s.variables[v].penalty
		s.disable(v)
		s.stage(v, penalty)
	}
}

// leave undoes admit's counting.
func (s *System) leave(e *element) {
	if s.using != nil {
		s.using[e.constraint] -= e.concurrency()
	}
}

// concurrency is what e counts towards a limit: cross-traffic does not.
func (e *element) concurrency() int32 {
	if e.weight >= 1 {
		return 1
	}
	return 0
}

// stage lets v wait for room with the penalty that it is to have.
func (s *System) stage(v Variable, penalty float64) {
	s.variables[v].staged = penalty
	if !slices.Contains(s.staged, v) {
		s.staged = append(s.staged, v)
	}
}

// unstage lets v wait no more.
func (s *System) unstage(v Variable) {
	s.variables[v].staged = 0
	if i := slices.Index(s.staged, v); i >= 0 {
		s.staged = slices.Delete(s.staged, i, i+1)
	}
}

// Free removes v from the system.
func (s *System) Free(v Variable) {
	va := &s.variables[v]
	if va.penalty > 0 {
		s.disable(v)
		s.promote()
	} else if va.staged > 0 {
		s.unstage(v)
	}
	s.setBusy(v)
	s.freeBlocks[va.class] = append(s.freeBlocks[va.class], va.first)
	va.count = 0
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
	for _, u := range s.users(&s.constraints[c]) {
		if u.variable == none {
			continue
		}
		flow := u.weight * s.variables[u.variable].value
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
	for _, u := range slices.Backward(s.users(&s.constraints[c])) {
		if u.variable != none {
			list = append(list, u.variable)
		}
	}
	enabled := len(list)
	for _, v := range s.disabled {
		va := &s.variables[v]
		for _, e := range s.elements[va.first : va.first+va.count] {
			if e.constraint == c {
				list = append(list, v)
			}
		}
	}
	slices.Sort(list[enabled:])
	return list
}

// SetConstraintBound changes the capacity of c.
func (s *System) SetConstraintBound(c Constraint, bound float64) {
	s.constraints[c].bound = bound
	s.mark(c)
}

// LimitConcurrency lets at most limit variables use a constraint at a time,
// those of weight below 1 not counted; the others wait, disabled, in order. It
// must be called before constraints are added.
func (s *System) LimitConcurrency(limit int) {
	if len(s.constraints) > 0 {
		panic("fluid: concurrency limited after constraints were added")
	}
	s.limit, s.using = int32(limit), []int32{}
}

// SetBound changes v's bound.
func (s *System) SetBound(v Variable, bound float64) {
	va := &s.variables[v]
	if va.bound == bound {
		return
	}
	va.bound = bound
	if va.penalty > 0 || s.AsSimGrid {
		for _, e := range s.elements[va.first : va.first+va.count] {
			s.mark(e.constraint)
		}
	}
}

// SetPenalty changes v's penalty; 0 disables it.
func (s *System) SetPenalty(v Variable, penalty float64) {
	va := &s.variables[v]
	switch {
	case penalty < 0:
		panic("fluid: negative penalty")
	case penalty == 0:
		if va.staged > 0 {
			s.unstage(v)
		}
		if va.penalty > 0 {
			s.disable(v)
			s.promote()
		}
	case va.penalty == penalty:
	case va.penalty > 0:
		va.penalty = penalty
		s.markVariable(v)
	case s.hasSlack(v):
		if va.staged > 0 {
			s.unstage(v)
		}
		s.enable(v, penalty)
	default:
		s.stage(v, penalty)
	}
}

// hasSlack tells whether no constraint of v is at its concurrency limit.
func (s *System) hasSlack(v Variable) bool {
	if s.using == nil {
		return true
	}
	va := &s.variables[v]
	for _, e := range s.elements[va.first : va.first+va.count] {
		if s.using[e.constraint] >= s.limit {
			return false
		}
	}
	return true
}

func (s *System) enable(v Variable, penalty float64) {
	s.setBusy(v)
	va := &s.variables[v]
	va.penalty = penalty
	for i := va.first; i < va.first+va.count; i++ {
		s.link(v, i)
		if s.using != nil {
			e := &s.elements[i]
			s.using[e.constraint] += e.concurrency()
		}
	}
	s.markVariable(v)
}

func (s *System) disable(v Variable) {
	va := &s.variables[v]
	s.markVariable(v)
	for i := va.first; i < va.first+va.count; i++ {
		e := &s.elements[i]
		s.unlink(e)
		s.leave(e)
	}
	va.penalty, va.value = 0, 0
	s.setIdle(v)
}

// promote enables variables that waited for room and have it now.
func (s *System) promote() {
	for i := 0; i < len(s.staged); {
		v := s.staged[i]
		if !s.hasSlack(v) {
			i++
			continue
		}
		penalty := s.variables[v].staged
		s.unstage(v)
		s.enable(v, penalty)
	}
}

// users are the enabled variables that use c, the oldest first, some of them
// gone.
func (s *System) users(c *constraint) []user {
	if c.list == none {
		return c.only[:]
	}
	return s.lists[c.list]
}

// link puts element i of v among the users of its constraint.
func (s *System) link(v Variable, i int32) {
	e := &s.elements[i]
	c := &s.constraints[e.constraint]
	u := user{e.weight, v, i}
	if c.list == none {
		if c.only[0].variable == none {
			e.slot = 0
			c.only[0] = u
			return
		}
		c.list = int32(len(s.lists))
		if len(s.lists) == cap(s.lists) { // double, which leaves less garbage
			s.lists = slices.Grow(s.lists, len(s.lists)+1)
		}
		s.lists = append(s.lists, c.only[:1:1])
	}
	list := &s.lists[c.list]
	e.slot = int32(len(*list))
	*list = append(*list, u)
}

func (s *System) unlink(e *element) {
	if e.slot == none {
		return
	}
	c := &s.constraints[e.constraint]
	if c.list == none {
		c.only[0].variable = none
		e.slot = none
		return
	}
	list := &s.lists[c.list]
	if last := int32(len(*list)) - 1; e.slot == last {
		*list = (*list)[:last]
	} else {
		(*list)[e.slot].variable = none
		if c.gone++; c.gone > 8 && int(c.gone) > len(*list)/2 {
			*list = s.pack(*list)
			c.gone = 0
		}
	}
	e.slot = none
}

// pack takes those that left out of a list of users.
func (s *System) pack(list []user) []user {
	kept := list[:0]
	for _, u := range list {
		if u.variable != none {
			s.elements[u.element].slot = int32(len(kept))
			kept = append(kept, u)
		}
	}
	return kept
}
