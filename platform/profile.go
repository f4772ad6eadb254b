package platform

import (
	"math"
	"math/rand/v2"
)

// Profile says how a value changes over time: a host's speed or state, a
// link's bandwidth, latency or state. It is immutable; [Profile.Events] walks
// through it.
type Profile struct {
	// Name is the file, or the place of the <trace>, that it comes from.
	Name string

	points []point
	// period is what lies between the last event and the beginning of the next
	// round, in seconds.
	period     float64
	stochastic bool
	loop       bool
}

// point is an event: a delay since the event before, in seconds, and a value.
type point struct{ delay, value distribution }

// distribution draws numbers.
type distribution struct {
	law  law
	a, b float64
}

type law uint8

const (
	constant    law = iota // a
	normal                 // mean a, standard deviation b
	uniform                // from a to b
	exponential            // rate a
)

func (d distribution) draw(random *rand.Rand) float64 {
	switch d.law {
	case normal:
		return d.a + d.b*random.NormFloat64()
	case uniform:
		return d.a + (d.b-d.a)*random.Float64()
	case exponential:
		return random.ExpFloat64() / d.a
	}
	return d.a
}

// ProfileEvent is one change of value.
type ProfileEvent struct {
	// Date is in seconds of simulated time.
	Date float64
	// Value is in the unit of what the profile drives.
	Value float64
}

// Stochastic tells whether the profile draws random numbers.
func (p *Profile) Stochastic() bool { return p.stochastic }

// Events returns a walk through the events. The random source is used by
// stochastic profiles only and may be nil for others; give each profile a
// stream of its own (sim.Source.Stream), so that it does not depend on others.
func (p *Profile) Events(source rand.Source) *ProfileEvents {
	e := &ProfileEvents{profile: p}
	for _, at := range p.points {
		if at.delay.law != constant || at.value.law != constant {
			e.random = rand.New(source)
			break
		}
	}
	return e
}

// ProfileEvents is a walk through the events of a profile.
type ProfileEvents struct {
	profile *Profile
	random  *rand.Rand
	index   int
	date    float64 // of the last event
}

// Next returns the next event, or false when the profile has ended. Events
// whose value is negative are skipped, as SimGrid does: they change nothing. A
// profile that starts over in no time ends after its first round.
func (e *ProfileEvents) Next() (ProfileEvent, bool) {
	p := e.profile
	again := 0.0
	for range 2*len(p.points) + 1 {
		if e.index == len(p.points) {
			if !p.loop || len(p.points) == 0 || e.instant() {
				break
			}
			e.index, again = 0, p.period
		}
		at := p.points[e.index]
		e.index++
		e.date += max(0, at.delay.draw(e.random)) + again
		again = 0
		if value := at.value.draw(e.random); value >= 0 && !math.IsInf(e.date, 1) {
			return ProfileEvent{e.date, value}, true
		}
	}
	return ProfileEvent{}, false
}

// instant tells whether a round takes no time, so that there would be no end
// of events at one date.
func (e *ProfileEvents) instant() bool {
	p := e.profile
	for _, at := range p.points {
		if at.delay.law != constant || at.delay.a > 0 {
			return false
		}
	}
	return p.period == 0
}
