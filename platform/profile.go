package platform

import (
	"math"
	"math/rand/v2"
)

// Profile says how a value changes over time: a host's speed or state, a
// link's bandwidth, latency or state. It is immutable; [Profile.Events] walks
// through it.
type Profile struct {
	// Name is the file or the <trace> that it comes from.
	Name string

	points []point
	// period is what lies between the last event and the beginning of the next
	// round, in seconds.
	period     float64
	stochastic bool
	loop       bool
}

// point is an event of the profile's text. The date is absolute, in seconds;
// that of a stochastic profile is a delay.
type point struct {
	date, value distribution
}

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

// Never is the value of an event that changes nothing: SimGrid skips negative
// values.

// ProfileEvent is one change of value.
type ProfileEvent struct {
	// Date is in seconds of simulated time.
	Date float64
	// Value is in the unit of what the profile drives.
	Value float64
}

// Stochastic tells whether the profile needs a random stream.
func (p *Profile) Stochastic() bool { return p.stochastic }

// Events returns a walk through the events. The random source is used by
// stochastic profiles only and may be nil for others; give each profile a
// stream of its own (sim.Source.Stream), so that it does not depend on others.
func (p *Profile) Events(source rand.Source) *ProfileEvents {
	e := &ProfileEvents{profile: p}
	if p.stochastic {
		e.random = rand.New(source)
	}
	return e
}

// ProfileEvents is a walk through the events of a profile.
type ProfileEvents struct {
	profile *Profile
	random  *rand.Rand
	index   int
	start   float64 // of the current round
	date    float64 // of the last event
}

// Next returns the next event, or false when the profile has ended. Events
// whose value is negative change nothing: SimGrid writes them to place the end
// of a round, so they are skipped here. Of a profile that loops in no time,
// the walk ends.
func (e *ProfileEvents) Next() (ProfileEvent, bool) {
	for range 2*len(e.profile.points) + 1 {
		event, ok := e.step()
		if !ok || event.Value >= 0 {
			return event, ok
		}
	}
	return ProfileEvent{}, false
}

func (e *ProfileEvents) step() (ProfileEvent, bool) {
	p := e.profile
	if e.index == len(p.points) {
		if !p.loop || math.IsInf(e.date, 1) {
			return ProfileEvent{}, false
		}
		e.index, e.start = 0, e.date+p.period
	}
	if len(p.points) == 0 {
		return ProfileEvent{}, false
	}
	at := p.points[e.index]
	e.index++
	if p.stochastic {
		e.date += max(0, at.date.draw(e.random))
	} else {
		e.date = e.start + at.date.a
	}
	return ProfileEvent{Date: e.date, Value: at.value.draw(e.random)}, true
}
