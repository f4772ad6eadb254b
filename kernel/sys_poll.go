package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
)

// poll, select and their variants with signal masks.

// pollItem is one descriptor that a call asks about.
type pollItem struct {
	number int
	events waiter.Mask
	got    waiter.Mask
}

// pollNow asks for the readiness of each item and counts those with events.
func (t *Task) pollNow(items []pollItem) (ready int) {
	for i := range items {
		item := &items[i]
		item.got = 0
		if item.number < 0 {
			continue
		}
		if d := t.description(item.number); d != nil {
			item.got = d.file.Readiness() & (item.events | waiter.Always)
		} else {
			item.got = t.pollNative(item.number, item.events)
		}
		if item.got != 0 {
			ready++
		}
	}
	return ready
}

// pollNative asks the machine's kernel about a descriptor that is not emulated.
func (t *Task) pollNative(number int, events waiter.Mask) waiter.Mask {
	if f := t.files.watched(number); f != nil {
		return f.Readiness() & (events | waiter.Always)
	}
	fd, errno := t.machine().TakeDescriptor(t, number)
	if errno != 0 {
		return waiter.Nval
	}
	defer unix.Close(fd)
	return pollMachine(fd, events)
}

// pollWait parks the task until one of the items may be ready.
func (t *Task) pollWait(items []pollItem, interrupted unix.Errno) Outcome {
	t.parking.waitsFor = "nothing but time"
	for _, item := range items {
		if item.number < 0 {
			continue
		}
		if d := t.description(item.number); d != nil {
			if t.parking.waitsOn == nil {
				t.parking.waitsOn, t.parking.waitsFor = d.file, ""
			}
			t.watch(d.file.Queue(), item.events|waiter.Always)
		} else if !t.call.idling {
			t.watchOutside(item.number, item.events|waiter.Always)
		}
	}
	if len(items) > 1 {
		t.parking.waitsFor = " and others"
	}
	return t.park(interrupted)
}

// waitTimeout sets the deadline of a wait; negative means none.
func (t *Task) waitTimeout(nanoseconds int64) {
	if t.first() && nanoseconds >= 0 {
		t.call.deadline = t.now() + min(sim.Never-t.now()-1, sim.Time(nanoseconds))
	}
}

// pollTimeout is waitTimeout for calls that programs make again and again
// until they find something.
func (t *Task) pollTimeout(nanoseconds int64) {
	t.waitTimeout(nanoseconds)
	if t.first() && nanoseconds == 0 {
		t.call.deadline += t.idlePause()
	}
}

// expired tells whether a wait's time is over.
func (t *Task) expired() bool { return t.timedOut() || t.call.deadline <= t.now() }

func sysPoll(t *Task) Outcome {
	timeout := int64(-1)
	if t.call.number == unix.SYS_PPOLL {
		if t.first() {
			if t.arg(2) != 0 {
				var errno unix.Errno
				if timeout, errno = t.readTimespec(t.arg(2)); errno != 0 {
					return fail(errno)
				}
			}
			if errno := t.setMask(t.arg(3), t.arg(4)); errno != 0 {
				return fail(errno)
			}
		}
	} else if ms := t.int(2); ms >= 0 {
		timeout = int64(ms) * 1_000_000
	}
	t.pollTimeout(timeout)

	count := t.int(1)
	if count < 0 || count > 1<<20 {
		return fail(unix.EINVAL)
	}
	b := t.kernel().bytes(8 * count)
	if errno := t.read(t.arg(0), b); errno != 0 {
		return fail(errno)
	}
	items := t.kernel().items(count)
	for i := range items {
		items[i] = pollItem{
			number: int(int32(binary.LittleEndian.Uint32(b[8*i:]))),
			events: waiter.Mask(binary.LittleEndian.Uint16(b[8*i+4:])),
		}
	}
	ready := t.pollNow(items)
	if ready == 0 && !t.expired() {
		if t.call.number == unix.SYS_PPOLL {
			t.parking.remaining = t.arg(2)
		}
		return t.pollWait(items, unix.EINTR)
	}
	for i, item := range items {
		binary.LittleEndian.PutUint16(b[8*i+6:], uint16(item.got))
	}
	if errno := t.write(t.arg(0), b); errno != 0 {
		return fail(errno)
	}
	if t.call.number == unix.SYS_PPOLL && t.arg(2) != 0 {
		if errno := t.writeTimespec(t.arg(2), t.remaining()); errno != 0 {
			return fail(errno)
		}
	}
	return ret(ready)
}

// remaining is the time left of a wait, as ppoll and select give it back.
func (t *Task) remaining() int64 {
	if t.call.deadline == sim.Never || t.call.idling {
		return 0
	}
	return max(0, int64(t.call.deadline-t.now()))
}

// What select's three sets ask for and count as ready (select(2), "POLL
// correspondence").
const (
	selectIn   = waiter.RdNorm | 0x80 | waiter.In | waiter.Hup | waiter.Err
	selectOut  = waiter.WrNorm | 0x200 | waiter.Out | waiter.Err
	selectExpt = waiter.Pri
)

func sysSelect(t *Task) Outcome {
	count := t.int(0)
	if count < 0 {
		return fail(unix.EINVAL)
	}
	count = min(count, 1<<20)
	if t.first() {
		timeout := int64(-1)
		if t.arg(4) != 0 {
			var b [16]byte
			if errno := t.read(t.arg(4), b[:]); errno != 0 {
				return fail(errno)
			}
			unit := int64(1)
			if t.call.number == unix.SYS_SELECT {
				unit = 1000
				normalizeTimeval(b[:])
			}
			var errno unix.Errno
			if timeout, errno = timespec(b[:], unit); errno != 0 {
				return fail(errno)
			}
		}
		if t.call.number == unix.SYS_PSELECT6 && t.arg(5) != 0 {
			var b [16]byte
			if errno := t.read(t.arg(5), b[:]); errno != 0 {
				return fail(errno)
			}
			if errno := t.setMask(binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])); errno != 0 {
				return fail(errno)
			}
		}
		t.pollTimeout(timeout)
	}
	size := (count + 63) / 64 * 8
	var sets [3][]byte
	all := t.kernel().bytes(3 * size)
	clear(all)
	for i := range sets {
		sets[i] = all[i*size : (i+1)*size]
		if address := t.arg(1 + i); address != 0 {
			if errno := t.read(address, sets[i]); errno != 0 {
				return fail(errno)
			}
		}
	}
	items := t.kernel().items(0)
	for n := range count {
		var events waiter.Mask
		for i, mask := range []waiter.Mask{selectIn, selectOut, selectExpt} {
			if sets[i][n/8]&(1<<(n%8)) != 0 {
				events |= mask
			}
		}
		if events != 0 {
			items = append(items, pollItem{number: n, events: events})
		}
	}
	t.kernel().pollItems = items[:0]
	t.pollNow(items)
	clear(all)
	ready := 0
	for _, item := range items {
		if item.got&waiter.Nval != 0 {
			return fail(unix.EBADF)
		}
		for i, mask := range []waiter.Mask{selectIn, selectOut, selectExpt} {
			if item.events&mask == mask && item.got&mask != 0 {
				sets[i][item.number/8] |= 1 << (item.number % 8)
				ready++
			}
		}
	}
	if ready == 0 && !t.expired() {
		t.parking.remaining, t.parking.timeval = t.arg(4), t.call.number == unix.SYS_SELECT
		return t.pollWait(items, erestartnohand)
	}
	for i := range sets {
		if address := t.arg(1 + i); address != 0 && size > 0 {
			if errno := t.write(address, sets[i]); errno != 0 {
				return fail(errno)
			}
		}
	}
	if t.arg(4) != 0 {
		b := appendTimespec(nil, t.remaining())
		if t.call.number == unix.SYS_SELECT {
			b = appendTimeval(nil, t.remaining())
		}
		if errno := t.write(t.arg(4), b); errno != 0 {
			return fail(errno)
		}
	}
	return ret(ready)
}

// normalizeTimeval carries microseconds over a million into the seconds, as
// select alone does.
func normalizeTimeval(b []byte) {
	seconds, micro := int64(binary.LittleEndian.Uint64(b)), int64(binary.LittleEndian.Uint64(b[8:]))
	if micro >= 1_000_000 && seconds >= 0 {
		binary.LittleEndian.PutUint64(b, uint64(seconds+micro/1_000_000))
		binary.LittleEndian.PutUint64(b[8:], uint64(micro%1_000_000))
	}
}

// bytes is memory for the length of one call.
func (k *Kernel) bytes(n int) []byte {
	if n > len(k.scratch) {
		return make([]byte, n)
	}
	return k.scratch[:n]
}

// items is a list for the length of one call.
func (k *Kernel) items(n int) []pollItem {
	if n > cap(k.pollItems) {
		k.pollItems = make([]pollItem, n)
	}
	return k.pollItems[:n]
}
