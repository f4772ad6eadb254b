package fluid

import "errors"

// ErrOff tells that a resource is turned off.
var ErrOff = errors.New("turned off")

// CPU is the processor of a host, as SimGrid's model Cas01 has it: its cores
// are one resource that the computations share, none of which gets more than
// the cores that it has threads for.
type CPU struct {
	model      *Model
	constraint Constraint
	cores      float64
	speed      float64 // of a core, flop/s
	scale      float64
	off        bool
}

// threadsOf is the number of threads of a computation, whose penalty it sets.
func threadsOf(a *Action) float64 { return 1 / a.penalty }

// NewCPU adds a processor of the given number of cores, each of speed flop/s.
func (m *Model) NewCPU(cores int, speed float64) *CPU {
	return &CPU{
		model: m, constraint: m.system.AddConstraint(float64(cores)*speed, Shared),
		cores: float64(cores), speed: speed, scale: 1,
	}
}

// Speed is what a core does now, in flop/s.
func (c *CPU) Speed() float64 { return c.speed * c.scale }

// On tells whether the processor is turned on.
func (c *CPU) On() bool { return !c.off }

// Load is what all computations do now, in flop/s.
func (c *CPU) Load() float64 { return c.model.system.Load(c.constraint) }

// Execute starts a computation of flops on each of a number of threads. A
// bound above 0 limits a computation of one thread to so many flop/s; as in
// SimGrid 3.32 it does not hold for more threads.
func (c *CPU) Execute(a *Action, flops float64, threads int, bound float64) error {
	if c.off {
		return ErrOff
	}
	n := float64(threads)
	if threads > 1 {
		bound = 0
	}
	c.model.Start(a, Work{Amount: n * flops, Penalty: 1 / n, Bound: c.bound(n, bound), Uses: 1})
	a.Limit = bound
	a.Use(c.constraint, 1)
	c.model.engine.touch()
	return nil
}

// bound is the most that a computation of n threads with a limit of its own
// may do now.
func (c *CPU) bound(n, limit float64) float64 {
	bound := n * c.scale * c.speed
	if limit > 0 && limit < bound {
		bound = limit
	}
	return bound
}

// SetSpeed changes what a core does, in flop/s. Work that was done stays done.
func (c *CPU) SetSpeed(speed float64) {
	c.speed = speed
	c.changed()
}

// SetScale changes the part of its speed that the processor has, as a speed
// profile gives it.
func (c *CPU) SetScale(scale float64) {
	c.scale = scale
	c.changed()
}

func (c *CPU) changed() {
	s := &c.model.system
	s.SetConstraintBound(c.constraint, c.cores*c.scale*c.speed)
	for _, v := range s.AppendUsers(nil, c.constraint) {
		a := c.model.Action(v)
		s.SetBound(v, c.bound(threadsOf(a), a.Limit))
	}
	c.model.engine.touch()
}

// TurnOff fails the computations and lets none start.
func (c *CPU) TurnOff() {
	c.off = true
	c.model.FailUsers(c.constraint)
}

// TurnOn lets computations start again.
func (c *CPU) TurnOn() { c.off = false }
