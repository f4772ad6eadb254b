package fluid

import "math"

// State is how far an Action has come.
type State uint8

const (
	// Idle is an action that was never started, or that ended and was told so.
	Idle State = iota
	// Latent is an action in its latency phase: it takes nothing yet.
	Latent
	// Running is an action that does its work.
	Running
	// Finished is an action that has done all its work.
	Finished
	// Failed is an action whose resource was turned off.
	Failed
)

// Action is one activity: an amount of work that a Model lets flow through
// resources. It may be embedded and used again after it has ended. The zero
// value is idle.
type Action struct {
	// Ended is called when the action has finished or failed, with the clock
	// at that instant. The action is Idle after the call, unless the call gave
	// a finished action more work with Extend: then it goes on at its rate.
	Ended func(a *Action, how State)
	// Owner is what the action belongs to, for its user.
	Owner any
	// Limit is a limit of the rate, for its user, who computes bounds from it.
	Limit float64

	model     *Model
	variable  Variable
	state     State
	suspended bool
	listed    int32 // Rounded models: position in running plus one

	penalty   float64
	factor    float64
	remaining float64
	updated   float64 // date to which remaining belongs
	rate      float64 // since updated
}

// Work describes an action to start. Sizes and rates are in the model's unit of
// work (flops, bytes) and per second.
type Work struct {
	// Amount of work.
	Amount float64
	// Latency in seconds before the work begins.
	Latency float64
	// Penalty divides the action's share; see System. It holds once the
	// latency is over.
	Penalty float64
	// First is the penalty of an action without latency until SetPenalty is
	// called, if it is not Penalty; 0 means Penalty.
	First float64
	// Bound limits the allocated rate; none if <= 0.
	Bound float64
	// Factor is what the action does per unit of allocated rate; 0 means 1.
	Factor float64
	// Uses is the largest number of resources that the action will use.
	Uses int
	// Instant makes an action without resources end when its latency is over.
	Instant bool
}

// Start begins a. The resources it takes are then given with Use. It panics if
// a has not ended.
func (m *Model) Start(a *Action, w Work) {
	if a.state != Idle {
		panic("fluid: action started twice")
	}
	now := m.engine.now
	*a = Action{
		Ended: a.Ended, Owner: a.Owner, Limit: a.Limit, model: m, state: Running,
		penalty: w.Penalty, factor: w.Factor, remaining: w.Amount, updated: now,
	}
	if a.factor == 0 {
		a.factor = 1
	}
	penalty := w.Penalty
	if w.Latency > 0 {
		penalty = 0
	} else if w.First > 0 {
		penalty = w.First
	}
	a.variable = m.system.AddVariable(penalty, w.Bound, w.Uses)
	if w.Latency > 0 || w.Instant {
		m.queue.schedule(a.variable, now+max(w.Latency, 0))
	}
	if w.Instant {
		a.remaining = 0
	} else if w.Latency > 0 {
		a.state = Latent
	}
	m.system.variables[a.variable].action = a
	if m.rounded {
		m.running = append(m.running, a)
		a.listed = int32(len(m.running))
	}
}

// Use makes a take weight of c per unit of its allocated rate.
func (a *Action) Use(c Constraint, weight float64) { a.model.system.Use(a.variable, c, weight) }

// AppendOwners appends the owners of the resources that a takes.
func (a *Action) AppendOwners(list []int32) []int32 {
	s := &a.model.system
	v := &s.variables[a.variable]
	for _, e := range s.elements[v.first : v.first+v.count] {
		list = append(list, s.constraints[e.constraint].owner)
	}
	return list
}

// State is how far a has come.
func (a *Action) State() State { return a.state }

// Active tells whether a was started and has not ended.
func (a *Action) Active() bool { return a.state == Latent || a.state == Running }

// Suspended tells whether a is suspended.
func (a *Action) Suspended() bool { return a.suspended }

// Rate is the work done per second since the last change.
func (a *Action) Rate() float64 {
	if a.state != Running {
		return 0
	}
	return a.model.system.Value(a.variable) * a.factor
}

// Remaining is the work that is left now.
func (a *Action) Remaining() float64 {
	if a.state == Running && !a.model.rounded {
		return subtract(a.remaining, a.rate*(a.model.engine.now-a.updated), workPrecision*TimePrecision)
	}
	return a.remaining
}

// progress brings the work left up to now and notes the rate from now on.
func (a *Action) progress(now float64) {
	if a.remaining > 0 {
		a.remaining = subtract(a.remaining, a.rate*(now-a.updated), workPrecision*TimePrecision)
	}
	a.updated = now
	a.rate = a.model.system.Value(a.variable) * a.factor
}

// predict puts the date at which a will have ended in the queue, if nothing
// changes.
func (a *Action) predict(now float64) {
	if a.rate > 0 {
		date := now
		if a.remaining > 0 {
			date += a.remaining / a.rate
		}
		if !math.IsInf(date, 1) {
			a.model.queue.schedule(a.variable, date)
			return
		}
	}
	a.model.queue.cancel(a.variable)
}

// Extend gives a more work. A running action goes on at its rate without the
// shares being computed again.
func (a *Action) Extend(amount float64) {
	switch a.state {
	case Latent:
		a.remaining += amount
	case Running, Finished:
		if a.model.rounded {
			a.remaining += amount
			a.state = Running
			return
		}
		if a.state == Running {
			a.progress(a.model.engine.now)
		}
		a.state = Running
		a.remaining += amount
		if !a.suspended && a.model.system.Penalty(a.variable) > 0 {
			a.predict(a.model.engine.now)
		}
	default:
		panic("fluid: work added to an action that is not active")
	}
	a.model.engine.touch()
}

// SetFactor changes what a does per unit of its allocated rate.
func (a *Action) SetFactor(factor float64) {
	switch a.state {
	case Running:
		a.progress(a.model.engine.now)
		a.rate *= factor / a.factor
		a.predict(a.model.engine.now)
		a.model.engine.touch()
	case Finished: // Extend will go on at the new rate
		a.rate *= factor / a.factor
	}
	a.factor = factor
}

// SetPenalty changes a's penalty. One that is in its latency phase takes it up
// afterwards. (SimGrid 3.32 lets it take its share at once, without progress;
// it then gets no date of completion before something else changes.)
func (a *Action) SetPenalty(penalty float64) {
	a.penalty = penalty
	if (a.state == Running || a.state == Latent && a.model.system.AsSimGrid) && !a.suspended {
		a.model.system.SetPenalty(a.variable, penalty)
		a.model.engine.touch()
	}
}

// Penalty is the penalty that was set, whatever the phase.
func (a *Action) Penalty() float64 { return a.penalty }

// SetBound changes the limit of a's allocated rate; none if <= 0.
func (a *Action) SetBound(bound float64) {
	if a.Active() {
		a.model.system.SetBound(a.variable, bound)
		a.model.engine.touch()
	}
}

// Suspend stops a until Resume. It keeps its latency phase's date.
func (a *Action) Suspend() {
	if !a.Active() || a.suspended {
		return
	}
	a.suspended = true
	if a.state == Running {
		if !a.model.rounded {
			a.progress(a.model.engine.now)
			a.rate = 0
			a.model.queue.cancel(a.variable)
		}
		a.model.system.SetPenalty(a.variable, 0)
		a.model.engine.touch()
	}
}

// Resume lets a suspended action go on.
func (a *Action) Resume() {
	if !a.Active() || !a.suspended {
		return
	}
	a.suspended = false
	if a.state == Running {
		a.updated = a.model.engine.now
		a.model.system.SetPenalty(a.variable, a.penalty)
		a.model.engine.touch()
	}
}

// Cancel ends a without telling: Ended is not called.
func (a *Action) Cancel() {
	if a.state == Idle {
		return
	}
	a.model.release(a)
	a.model.engine.touch()
}

// Fail ends a as failed; Ended is called when the engine has dealt with the
// instant.
func (a *Action) Fail() {
	if a.Active() {
		a.model.end(a, Failed)
		a.model.engine.touch()
	}
}
