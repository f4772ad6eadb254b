package kernel

import (
	"encoding/binary"
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// Setting and adjusting a host's calendar clock.

// sysSettimeofday also takes a time zone, which x86-64 keeps and nothing reads.
func sysSettimeofday(t *Task) Outcome {
	if t.arg(0) == 0 {
		return ret(0)
	}
	var b [16]byte
	if errno := t.read(t.arg(0), b[:]); errno != 0 {
		return fail(errno)
	}
	v, errno := timespec(b[:], 1000)
	if errno != 0 {
		return fail(errno)
	}
	return t.setCalendar(v)
}

func sysClockSettime(t *Task) Outcome {
	if t.int(0) != unix.CLOCK_REALTIME {
		return fail(unix.EINVAL)
	}
	v, errno := t.readTimespec(t.arg(1))
	if errno != 0 {
		return fail(errno)
	}
	return t.setCalendar(v)
}

func (t *Task) setCalendar(v int64) Outcome {
	if !t.cred.capable(capSysTime) {
		return fail(unix.EPERM)
	}
	if !t.host().settable(v) {
		return fail(unix.EINVAL)
	}
	t.host().clearAdjustment()
	t.host().setCalendar(v)
	return ret(0)
}

// settable tells whether the calendar clock can be set to a reading: not to one
// before the host's start, nor to one too far ahead.
func (h *Host) settable(v int64) bool { return v >= h.uptime() && v < lastReading }

// clearAdjustment is what a step of the clock makes of what adjusts it
// (ntp_clear in the kernel): nothing is known of its error any more. chronyd
// finds out so whether the kernel knows ADJ_SETOFFSET.
func (h *Host) clearAdjustment() {
	c := &h.clock
	c.slewing, c.offset, c.chunk = 0, 0, 0
	h.Unsynchronized()
	h.scheduleClock()
	h.setRate()
}

// Modes of adjtimex(2) (linux/timex.h).
const (
	adjOffset     = 0x0001
	adjFrequency  = 0x0002
	adjMaxError   = 0x0004
	adjEstError   = 0x0008
	adjStatus     = 0x0010
	adjTimeConst  = 0x0020
	adjTAI        = 0x0080
	adjSetOffset  = 0x0100
	adjMicro      = 0x1000
	adjNano       = 0x2000
	adjTick       = 0x4000
	adjSingleshot = 0x8000 // with adjOffset: adjtime(3)
	adjReadOnly   = 0x2000 // with adjSingleshot

	statusPLL      = 0x0001
	statusUnsync   = 0x0040
	statusNano     = 0x2000
	statusWritable = 0x00ff

	maxFrequency = 500 << 16 // MAXFREQ_SCALED: 500 ppm
)

// Offsets in struct timex.
const (
	timexModes     = 0
	timexOffset    = 8
	timexFrequency = 16
	timexMaxError  = 24
	timexEstError  = 32
	timexStatus    = 40
	timexConstant  = 48
	timexPrecision = 56
	timexTolerance = 64
	timexTime      = 72
	timexTick      = 88
	timexTAI       = 160
	timexSize      = 208
)

// sysAdjtimex is adjtimex and clock_adjtime.
func sysAdjtimex(t *Task) Outcome {
	address := t.arg(0)
	if t.call.number == unix.SYS_CLOCK_ADJTIME {
		address = t.arg(1)
		switch id := t.int(0); {
		case id == unix.CLOCK_REALTIME:
		case func() bool { _, errno := t.clock(id); return errno == 0 }():
			return fail(unix.EOPNOTSUPP)
		default:
			return fail(unix.EINVAL)
		}
	}
	var b [timexSize]byte
	if errno := t.read(address, b[:]); errno != 0 {
		return fail(errno)
	}
	modes := binary.LittleEndian.Uint32(b[timexModes:])
	if modes != 0 && modes != adjOffset|adjSingleshot|adjReadOnly && !t.cred.capable(capSysTime) {
		return fail(unix.EPERM)
	}
	old, errno := t.host().adjust(modes, b[:])
	if errno != 0 {
		return fail(errno)
	}
	t.host().clock.tell(b[:], old)
	at := t.host().Realtime()
	copy(b[timexTime:], appendTimeval(nil, at))
	if t.host().clock.nano {
		copy(b[timexTime:], appendTimespec(nil, at))
	}
	if errno := t.write(address, b[:]); errno != 0 {
		return fail(errno)
	}
	const timeOK, timeError = 0, 5
	if t.host().clock.status&statusUnsync != 0 {
		return ret(timeError)
	}
	return ret(timeOK)
}

// adjust carries out what a struct timex asks for. It returns what its field
// offset is to show.
func (h *Host) adjust(modes uint32, b []byte) (offset int64, errno unix.Errno) {
	c := &h.clock
	word := func(at int) int64 { return int64(binary.LittleEndian.Uint64(b[at:])) }
	if modes&adjSingleshot != 0 {
		if modes&adjOffset == 0 {
			return 0, unix.EINVAL
		}
		old := c.slewing / 1000
		if modes&adjReadOnly == 0 {
			const most = math.MaxInt64 / 1000
			h.slew(max(-most, min(most, word(timexOffset))) * 1000)
		}
		return old, 0
	}
	if modes&adjTick != 0 && (word(timexTick) < 9_000 || word(timexTick) > 11_000) {
		return 0, unix.EINVAL
	}
	if modes&adjSetOffset != 0 {
		unit := int64(1000)
		if modes&adjNano != 0 {
			unit = 1
		}
		part := word(timexTime + 8)
		if part < 0 || part >= 1_000_000_000/unit {
			return 0, unix.EINVAL
		}
		seconds := word(timexTime)
		if seconds > lastReading/1_000_000_000 || seconds < -lastReading/1_000_000_000 {
			return 0, unix.EINVAL
		}
		reading := h.Realtime() + seconds*1_000_000_000 + part*unit
		if !h.settable(reading) {
			return 0, unix.EINVAL
		}
		h.clearAdjustment()
		h.setCalendar(reading)
	}
	if modes&adjStatus != 0 {
		status := int32(binary.LittleEndian.Uint32(b[timexStatus:]))
		c.status = c.status&^statusWritable | status&statusWritable
	}
	if modes&adjNano != 0 && modes&adjSetOffset == 0 {
		c.nano = true
	}
	if modes&adjMicro != 0 {
		c.nano = false
	}
	if modes&adjFrequency != 0 {
		c.frequency = max(-maxFrequency, min(maxFrequency, word(timexFrequency)))
	}
	if modes&adjMaxError != 0 {
		c.maxError = max(0, word(timexMaxError))
	}
	if modes&adjEstError != 0 {
		c.estError = max(0, word(timexEstError))
	}
	if modes&adjTimeConst != 0 {
		c.constant = max(0, word(timexConstant))
		if !c.nano {
			c.constant += 4
		}
		c.constant = min(c.constant, 10) // MAXTC
	}
	if modes&adjTAI != 0 && word(timexConstant) >= 0 {
		c.tai = int32(word(timexConstant))
	}
	if modes&adjTick != 0 {
		c.tick = word(timexTick)
	}
	if modes&adjOffset != 0 && c.status&statusPLL != 0 {
		unit := int64(time.Microsecond)
		if c.nano {
			unit = 1
		}
		h.phase(word(timexOffset), unit)
	}
	if modes&(adjFrequency|adjTick) != 0 {
		h.setRate()
	}
	shown := c.offset + c.chunk
	if !c.nano {
		shown /= 1000
	}
	return shown, 0
}

// tell fills a struct timex in, but for the time.
func (c *clockState) tell(b []byte, offset int64) {
	clear(b[timexOffset:timexTime])
	clear(b[timexTick:])
	put := func(at int, v int64) { binary.LittleEndian.PutUint64(b[at:], uint64(v)) }
	put(timexOffset, offset)
	put(timexFrequency, c.frequency)
	put(timexMaxError, c.maxError)
	put(timexEstError, c.estError)
	status := c.status
	if c.nano {
		status |= statusNano
	}
	binary.LittleEndian.PutUint32(b[timexStatus:], uint32(status))
	put(timexConstant, c.constant)
	put(timexPrecision, 1)
	put(timexTolerance, maxFrequency)
	put(timexTick, c.tick)
	binary.LittleEndian.PutUint32(b[timexTAI:], uint32(c.tai))
}
