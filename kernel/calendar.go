package kernel

import (
	"math"
	"math/bits"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/sim"
)

// Calendar is a host's calendar clock (CLOCK_REALTIME): simulated time, to which
// a wrong start, a wrong rate and what guests do to it are added. Only this
// clock may be wrong: the monotonic ones, which count from the host's start, and
// every duration are the simulation's.
type Calendar struct {
	Base sim.Time // since when At and Rate hold
	At   int64    // nanoseconds since 1970 shown at Base
	Rate int64    // what it gains in a nanosecond, in units of 2^-32 ns
}

// rateUnit is a gain of one in a billion (ppb), as a Calendar has it: 2^32/10^9.
const rateUnit = float64(1<<32) / 1e9

// rateOf is a rate given in parts per billion.
func rateOf(ppb float64) int64 { return int64(math.Round(ppb * rateUnit)) }

// Reading is what the clock shows at an instant.
func (c *Calendar) Reading(now sim.Time) int64 {
	since := int64(now - c.Base)
	if c.Rate == 0 {
		return c.At + since
	}
	high, low := bits.Mul64(uint64(since), uint64(c.Rate))
	if c.Rate < 0 { // a signed product's high word
		high -= uint64(since)
	}
	return c.At + since + int64(high<<32|low>>32)
}

// Instant is the first one, not before Base, at which the clock shows a reading. It
// never shows the last second that a reading can be.
func (c *Calendar) Instant(reading int64) sim.Time {
	ahead := reading - c.At
	if ahead <= 0 {
		return c.Base
	}
	if reading > math.MaxInt64-1_000_000_000 {
		return sim.Never
	}
	if c.Rate == 0 {
		return c.Base.Add(time.Duration(ahead))
	}
	quotient, _ := bits.Div64(uint64(ahead)>>32, uint64(ahead)<<32, uint64(1<<32+c.Rate))
	at := c.Base.Add(time.Duration(quotient))
	if at > sim.Never-2 {
		return sim.Never
	}
	for c.Reading(at) < reading {
		at++
	}
	for at > c.Base && c.Reading(at-1) >= reading {
		at--
	}
	return at
}

// clockState is a host's calendar clock with what adjusts it (adjtimex(2)).
type clockState struct {
	Calendar
	drift     int64 // of the host's oscillator, in ppb
	frequency int64 // correction, in units of 2^-16 ppm
	tick      int64 // microseconds in a tick, usually 10000
	slewing   int64 // nanoseconds that adjtime has yet to add
	offset    int64 // nanoseconds that the phase-locked loop has yet to add
	chunk     int64 // nanoseconds of offset that this second adds
	event     sim.Event
	status    int32
	constant  int64
	maxError  int64 // microseconds
	estError  int64
	tai       int32
	nano      bool // STA_NANO: offsets are in nanoseconds
	// cancels are the timerfds with TFD_TIMER_CANCEL_ON_SET.
	cancels []*timerFile
	files   []*timerFile // all that follow the calendar, in order of creation
}

// slewRate is adjtime's: 500 parts in a million.
const slewRate = 500_000 // ppb, which is nanoseconds in a second

// lastReading is the latest one that a calendar clock can be set to: Linux leaves
// room for an uptime of 30 years (TIME_SETTOD_SEC_MAX of linux/time64.h).
const lastReading = (math.MaxInt64/1_000_000_000 - 30*365*24*3600) * 1_000_000_000

// Realtime is the host's calendar time, in nanoseconds since 1970.
func (h *Host) Realtime() int64 { return h.clock.Reading(h.kernel.Now()) }

// Calendar is the host's calendar clock now.
func (h *Host) Calendar() Calendar { return h.clock.Calendar }

// Offset is how far the host's calendar clock is ahead of simulated time.
func (h *Host) Offset() time.Duration {
	return time.Duration(h.Realtime() - h.kernel.Epoch.UnixNano() - int64(h.kernel.Now()))
}

// SetOffset sets the host's calendar clock.
func (h *Host) SetOffset(d time.Duration) {
	h.setCalendar(h.kernel.Epoch.UnixNano() + int64(h.kernel.Now()) + int64(d))
}

// SetDrift makes the host's calendar clock gain a fraction, in parts per
// billion.
func (h *Host) SetDrift(ppb int64) {
	h.clock.drift = ppb
	h.setRate()
}

// Drift is what the host's oscillator gains, in parts per billion.
func (h *Host) Drift() int64 { return h.clock.drift }

// Unsynchronized makes adjtimex tell that nothing has set the clock right yet.
func (h *Host) Unsynchronized() {
	h.clock.status |= statusUnsync
	h.clock.maxError, h.clock.estError = unknownError, unknownError
}

// unknownError is NTP_PHASE_LIMIT, in microseconds.
const unknownError = 16_000_000

func (h *Host) startClock() {
	h.clock.constant = 2
	h.clock.tick = 10_000
	h.clock.At = h.kernel.Epoch.UnixNano()
	h.clock.event.Fire = h.clockSecond
}

// setCalendar sets the calendar clock: what waits for a reading of it is
// scheduled anew, and what asked to be told is.
func (h *Host) setCalendar(reading int64) {
	c := &h.clock
	c.Base, c.At = h.kernel.Now(), reading
	h.retime()
	for _, f := range c.cancels {
		f.cancel()
	}
	h.kernel.clockChanged(h)
}

// setRate applies all that makes the clock go faster or slower, from now on.
func (h *Host) setRate() {
	c := &h.clock
	now := h.kernel.Now()
	c.At, c.Base = c.Reading(now), now
	ppb := float64(c.drift) + float64(c.frequency)*1000/65536 + float64(c.tick-10_000)*100_000 + float64(c.chunk)
	switch {
	case c.slewing > 0:
		ppb += slewRate
	case c.slewing < 0:
		ppb -= slewRate
	}
	c.Rate = rateOf(ppb)
	h.retime()
	h.kernel.clockChanged(h)
}

func (k *Kernel) clockChanged(h *Host) {
	if k.ClockChanged != nil {
		k.ClockChanged(h)
	}
}

// slew makes the clock gain or lose some nanoseconds at adjtime's rate.
func (h *Host) slew(nanoseconds int64) {
	h.clock.slewing = nanoseconds
	h.scheduleClock()
	h.setRate()
}

// phase corrects the clock by an offset, in units of some nanoseconds, as the
// kernel's phase-locked loop does: each second a fraction of what is left.
func (h *Host) phase(offset, unit int64) {
	c := &h.clock
	most := 500_000_000 / unit // MAXPHASE
	c.offset = max(-most, min(most, offset)) * unit
	c.nextChunk()
	h.scheduleClock()
	h.setRate()
}

// nextChunk takes what the next second adds out of the offset
// (ntp_offset_chunk, SHIFT_PLL).
func (c *clockState) nextChunk() {
	const shiftPLL = 2
	c.chunk = c.offset / (1 << (shiftPLL + min(c.constant, 10)))
	c.offset -= c.chunk
}

// scheduleClock schedules the end of the second, or of the slew if it is sooner.
func (h *Host) scheduleClock() {
	c := &h.clock
	q := h.kernel.Queue
	if c.slewing == 0 && c.offset == 0 && c.chunk == 0 {
		q.Cancel(&c.event)
		return
	}
	wait := time.Second
	if left := max(c.slewing, -c.slewing); left != 0 && left < slewRate && c.chunk == 0 {
		wait = time.Duration(left * (1_000_000_000 / slewRate))
	}
	q.Schedule(&c.event, q.Now().Add(wait))
}

// clockSecond ends a second in which the clock was corrected, or less.
func (h *Host) clockSecond() {
	c := &h.clock
	passed := int64(h.kernel.Now() - c.Base)
	if done := passed / (1_000_000_000 / slewRate); c.slewing > 0 {
		c.slewing = max(0, c.slewing-done)
	} else {
		c.slewing = min(0, c.slewing+done)
	}
	c.nextChunk()
	h.scheduleClock()
	h.setRate()
}

// retime schedules what waits for a reading of the calendar clock at the
// instant at which it will show it now.
func (h *Host) retime() {
	c := &h.clock
	q := h.kernel.Queue
	for _, p := range h.sortedProcesses() {
		for _, t := range p.tasks {
			if t.call.calendar != 0 && t.parking.parked {
				t.call.deadline = c.Instant(t.call.calendar)
				q.Schedule(&t.parking.timer, max(q.Now(), t.call.deadline))
			}
		}
		for _, timer := range p.sortedTimers() {
			if timer.calendar != 0 && timer.event.Scheduled() {
				q.Schedule(&timer.event, max(q.Now(), c.Instant(timer.calendar)))
			}
		}
	}
	for _, f := range c.files {
		if f.calendar != 0 && f.event.Scheduled() {
			q.Schedule(&f.event, max(q.Now(), c.Instant(f.calendar)))
		}
	}
}

func (p *Process) sortedTimers() []*posixTimer {
	list := make([]*posixTimer, 0, len(p.timers))
	for _, t := range p.timers {
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b *posixTimer) int { return a.id - b.id })
	return list
}

// uptime is what the clocks that count from the host's start show, in nanoseconds.
func (h *Host) uptime() int64 { return int64(h.kernel.Now() - h.booted) }

// instant is when they show a reading.
func (h *Host) instant(reading int64) sim.Time {
	return h.booted + min(sim.Time(reading), sim.Never-1-h.booted)
}

// followsCalendar tells whether absolute times of a clock are the calendar's.
func followsCalendar(clock int) bool {
	return clock == unix.CLOCK_REALTIME || clock == unix.CLOCK_REALTIME_ALARM || clock == unix.CLOCK_TAI
}

// calendarReading turns an absolute time of a clock that follows the calendar
// into one of CLOCK_REALTIME; never 0, which means none.
func (h *Host) calendarReading(clock int, value int64) int64 {
	if clock == unix.CLOCK_TAI {
		value -= int64(h.clock.tai) * 1_000_000_000
	}
	return max(1, value)
}

// waitUntil sets the deadline of a call to an absolute time of a clock.
func (t *Task) waitUntil(clock int, value int64) {
	if !followsCalendar(clock) {
		t.call.deadline = max(t.now(), t.host().instant(value))
		return
	}
	t.call.calendar = t.host().calendarReading(clock, value)
	t.call.deadline = max(t.now(), t.host().clock.Instant(t.call.calendar))
}
