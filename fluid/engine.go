package fluid

import "math"

// Engine moves a clock, in seconds, over the models that belong to it. Its
// methods are not for concurrent use.
type Engine struct {
	// Changed, if set, is called when something may have changed the date that
	// Next returns, other than AdvanceTo itself.
	Changed func()

	now       float64
	models    []*Model
	changes   timers // of the world: applied before what ends at the same date
	wakes     timers // of the engine's user: after it
	ended     []ended
	advancing bool
}

type ended struct {
	action *Action
	how    State
}

// Model is a System with the actions whose rates it computes.
type Model struct {
	// Ahead, if set, tells what its user will need when a running action ends,
	// so that it can be fetched: it appends the addresses of cache lines. It is
	// called twice for an action that will soon end: when the action and its
	// resources are in the cache, and again when what it told then is.
	Ahead func(a *Action, again bool, lines []uintptr) []uintptr

	engine *Engine
	system System
	queue  queue
	lines  []uintptr // scratch of fetch

	// A rounded model computes progress at every step of the engine, in whole
	// units of work, as SimGrid's disks do.
	rounded bool
	running []*Action
}

// NewModel adds a model to the engine. Models are dealt with in the order in
// which they were added.
func (e *Engine) NewModel() *Model {
	m := &Model{engine: e}
	e.models = append(e.models, m)
	return m
}

// System is what computes the model's rates.
func (m *Model) System() *System { return &m.system }

// Engine is the engine that the model belongs to.
func (m *Model) Engine() *Engine { return m.engine }

// Action is the action of a variable of the model's system.
func (m *Model) Action(v Variable) *Action { return m.system.variables[v].action }

// FailUsers fails every action that uses c.
func (m *Model) FailUsers(c Constraint) {
	for _, v := range m.system.AppendUsers(nil, c) {
		m.Action(v).Fail()
	}
}

// EachAction calls f with the owner of every action of the model.
func (m *Model) EachAction(f func(owner any)) {
	for i := range m.system.variables {
		if a := m.system.variables[i].action; a != nil && a.Owner != nil {
			f(a.Owner)
		}
	}
}

// Now is the engine's clock in seconds.
func (e *Engine) Now() float64 { return e.now }

// Touch tells the engine that a system was changed directly.
func (e *Engine) Touch() { e.touch() }

func (e *Engine) touch() {
	if e.Changed != nil && !e.advancing {
		e.Changed()
	}
}

// Change calls apply at the given date, before actions that end then are told
// so. It is for changes of the world: what fails at the instant at which it
// would have ended has failed.
func (e *Engine) Change(date float64, apply func()) {
	e.changes.add(max(date, e.now), apply)
	e.touch()
}

// Wake calls fn at the given date, after the actions that end then.
func (e *Engine) Wake(date float64, fn func()) {
	e.wakes.add(max(date, e.now), fn)
	e.touch()
}

// Busy tells whether there are actions that have not ended, or wakes; if not,
// only changes of the world can happen.
func (e *Engine) Busy() bool {
	for _, m := range e.models {
		if len(m.system.variables) > len(m.system.freeVariables) {
			return true
		}
	}
	return len(e.wakes.entries) > 0 || len(e.ended) > 0
}

// Next is the date of the earliest thing to happen; +Inf when there is none.
func (e *Engine) Next() float64 {
	if len(e.ended) > 0 {
		return e.now
	}
	next := min(e.changes.next(), e.wakes.next())
	for _, m := range e.models {
		next = min(next, m.next(e.now))
	}
	return max(next, e.now)
}

// AdvanceTo moves the clock to the given date through everything that happens
// until then, at its own date, and calls what is to be called.
func (e *Engine) AdvanceTo(date float64) {
	if e.advancing {
		panic("fluid: AdvanceTo called from within AdvanceTo")
	}
	e.advancing = true
	for next := e.Next(); next <= date; next = e.Next() {
		e.step(next)
	}
	e.now = max(e.now, date)
	e.advancing = false
}

// Follow moves the clock to the given date, but not past what is to happen
// before; it calls nothing. It lets activities start at a date that another
// clock has reached.
func (e *Engine) Follow(date float64) {
	if date > e.now {
		e.now = max(e.now, min(date, e.Next()))
	}
}

// step deals with the given instant, the earliest.
func (e *Engine) step(next float64) {
	e.now = next
	for e.changes.next() <= next {
		e.changes.pop()()
	}
	for _, m := range e.models {
		m.update(next)
	}
	for e.wakes.next() <= next {
		e.wakes.pop()()
	}
	e.tell()
}

// tell reports what ended, in order: the callbacks may start, extend and end
// actions.
func (e *Engine) tell() {
	for i := 0; i < len(e.ended); i++ {
		x := e.ended[i]
		a := x.action
		if a == nil || a.state != x.how {
			continue // cancelled meanwhile
		}
		m := a.model
		if x.how == Failed {
			m.release(a)
		}
		if a.Ended != nil {
			a.Ended(a, x.how)
		}
		if x.how == Finished && a.state == Finished {
			m.release(a)
		}
	}
	clear(e.ended)
	e.ended = e.ended[:0]
}

// next is the date of the earliest action to change state.
func (m *Model) next(now float64) float64 {
	changed := m.system.Solve()
	if m.rounded {
		return m.nextRounded(now)
	}
	for _, v := range changed {
		a := m.Action(v)
		if a == nil || a.state != Running || m.system.Penalty(v) <= 0 {
			continue
		}
		a.progress(now)
		a.predict(now)
	}
	return m.queue.next()
}

func (m *Model) nextRounded(now float64) float64 {
	next := math.Inf(1)
	for _, a := range m.running {
		if a.state != Running {
			continue
		}
		a.progressRounded(now)
		a.rate = m.system.Value(a.variable)
		if a.rate > 0 {
			next = min(next, now+max(a.remaining, 0)/a.rate)
		}
	}
	return next
}

// progressRounded takes off the work done since the last step, in whole units.
func (a *Action) progressRounded(now float64) {
	a.remaining -= math.RoundToEven(a.rate * (now - a.updated))
	a.updated = now
}

// update deals with the actions whose date has come.
func (m *Model) update(now float64) {
	if m.rounded {
		for _, a := range m.running {
			if a.state != Running {
				continue
			}
			a.progressRounded(now)
			if a.remaining <= 0 && m.system.Penalty(a.variable) > 0 {
				m.end(a, Finished)
			}
		}
		return
	}
	for m.queue.next()-now < TimePrecision {
		a := m.Action(m.queue.first())
		m.queue.pop()
		m.fetch()
		if a.state == Latent {
			a.state = Running
			a.updated = now
			if !a.suspended {
				m.system.SetPenalty(a.variable, a.penalty)
			}
			continue
		}
		m.end(a, Finished)
	}
}

// end notes that a has ended; what it used is given back when that is told.
func (m *Model) end(a *Action, how State) {
	m.queue.cancel(a.variable)
	a.state = how
	a.updated = m.engine.now
	if how == Finished {
		a.remaining = 0
	}
	m.engine.ended = append(m.engine.ended, ended{a, how})
}

// release gives back what a used.
func (m *Model) release(a *Action) {
	m.queue.cancel(a.variable)
	m.system.variables[a.variable].action = nil
	m.system.Free(a.variable)
	if m.rounded {
		last := len(m.running) - 1
		m.running[a.listed-1] = m.running[last]
		m.running[a.listed-1].listed = a.listed
		m.running[last] = nil
		m.running = m.running[:last]
	}
	a.state = Idle
}

// timers is a queue of functions by date, then in order of insertion.
type timers struct {
	entries  []timer
	sequence uint64
}

type timer struct {
	date     float64
	sequence uint64
	fn       func()
}

func (t *timers) next() float64 {
	if len(t.entries) == 0 {
		return math.Inf(1)
	}
	return t.entries[0].date
}

func (t timer) before(u timer) bool {
	return t.date < u.date || t.date == u.date && t.sequence < u.sequence
}

func (t *timers) add(date float64, fn func()) {
	t.sequence++
	t.entries = append(t.entries, timer{date, t.sequence, fn})
	for i := len(t.entries) - 1; i > 0; {
		parent := (i - 1) / 2
		if !t.entries[i].before(t.entries[parent]) {
			break
		}
		t.entries[i], t.entries[parent] = t.entries[parent], t.entries[i]
		i = parent
	}
}

func (t *timers) pop() func() {
	top := t.entries[0].fn
	last := len(t.entries) - 1
	t.entries[0] = t.entries[last]
	t.entries[last] = timer{}
	t.entries = t.entries[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			break
		}
		if right := child + 1; right < last && t.entries[right].before(t.entries[child]) {
			child = right
		}
		if !t.entries[child].before(t.entries[i]) {
			break
		}
		t.entries[i], t.entries[child] = t.entries[child], t.entries[i]
		i = child
	}
	return top
}
