package kernel

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/sim"
)

// The machine's kernel stamps files with the machine's time. What guests are told
// is the time of their host instead: the table below has it for each file that
// has changed since the experiment began. A file that changes by a call which
// stops at the emulator (a write, a creation, a removal) has the instant of that
// call; one that changes otherwise (mmap, pwrite) that of the next look at it.
// Times of access are those of a file system mounted with noatime.

// fileTimes are the times of a file, in nanoseconds of its host's calendar, and
// what the machine showed for them.
type fileTimes struct {
	access, modify, change, birth int64
	realModify, realChange        int64
	at                            sim.Time // of the last change that is known
}

// fileClock is what a host knows of its files' times.
type fileClock struct {
	times   map[fileIdentity]*fileTimes
	written []writtenFile
	boot    int64 // the machine's time when the host's first process started
}

// writtenFile is a descriptor that was written to since anybody has looked.
type writtenFile struct {
	table  *descriptorTable
	tid    int // of a thread that has it
	number int
	at     sim.Time
}

func machineTime() int64 {
	var t unix.Timespec
	unix.ClockGettime(unix.CLOCK_REALTIME, &t)
	return t.Nano()
}

// stampSlack is the step of the clock that files are stamped with: their times
// are so much earlier than the machine's clock.
const stampSlack = 20_000_000

// KeepFileTimes takes over what a host that crashed has known.
func (h *Host) KeepFileTimes(old *Host) { h.files.times = old.files.times }

// noteWrite notes that the call writes to a native descriptor.
func (t *Task) noteWrite(number int) {
	f := &t.host().files
	for i := range f.written {
		if w := &f.written[i]; w.table == t.files && w.number == number {
			w.at = t.now()
			return
		}
	}
	f.written = append(f.written, writtenFile{t.files, t.TID, number, t.now()})
}

// settleWrites looks which files were written to, by a table's descriptors, or
// all if it is nil, of that number, or any if it is negative.
func (h *Host) settleWrites(table *descriptorTable, number int) {
	if len(h.files.written) == 0 {
		return
	}
	h.files.written = slices.DeleteFunc(h.files.written, func(w writtenFile) bool {
		if table != nil && w.table != table || number >= 0 && w.number != number {
			return false
		}
		var s unix.Stat_t
		if unix.Stat(descriptor{w.tid, w.number}.path(), &s) == nil && s.Mode&unix.S_IFMT == unix.S_IFREG {
			h.changed(&s, w.at, true)
		}
		return true
	})
}

// changed takes a file's times from the machine. at is when it changed, if it
// did; sure tells that it has.
func (h *Host) changed(s *unix.Stat_t, at sim.Time, sure bool) *fileTimes {
	modify, change := s.Mtim.Nano(), s.Ctim.Nano()
	if change < h.kernel.started-stampSlack {
		return nil
	}
	identity := fileIdentity{s.Dev, s.Ino}
	e := h.files.times[identity]
	if e == nil {
		if !sure && change <= h.files.boot {
			at = 0 // it was there when the host came up
		}
		now := h.clock.Reading(at)
		e = &fileTimes{access: now, modify: now, change: now, birth: now, realModify: modify, realChange: change, at: at}
		if !sure && !h.stamped(modify) {
			e.modify = h.old(modify)
			e.access, e.birth = e.modify, e.modify
		}
		if h.files.times == nil {
			h.files.times = map[fileIdentity]*fileTimes{}
		}
		h.files.times[identity] = e
		return e
	}
	now := h.clock.Reading(max(at, h.clock.Base))
	if (sure || modify != e.realModify) && at >= e.at {
		e.modify, e.at = now, at
	}
	if sure || change != e.realChange {
		e.change = max(e.change, now)
	}
	e.realModify, e.realChange = modify, change
	return e
}

// stamped tells whether a time was given by the machine's clock since the
// experiment began.
func (h *Host) stamped(at int64) bool {
	return at >= h.kernel.started-stampSlack && at <= machineTime()
}

// old is a time of a file that nobody has changed since the experiment began: it
// is not later than that.
func (h *Host) old(at int64) int64 { return min(at, h.kernel.Epoch.UnixNano()) }

// showTimes replaces the machine's times of a file by what the host's guests are
// to see. It returns the birth too.
func (h *Host) showTimes(s *unix.Stat_t, birth int64) int64 {
	h.settleWrites(nil, -1)
	now := h.Realtime()
	if s.Dev == h.procDevice() || h.kernel.anonymous.timeless(s.Dev) {
		s.Atim, s.Mtim, s.Ctim = unix.NsecToTimespec(now), unix.NsecToTimespec(now), unix.NsecToTimespec(now)
		return now
	}
	e := h.changed(s, h.kernel.Now(), false)
	if e == nil {
		access, modify := s.Atim.Nano(), s.Mtim.Nano()
		if access >= h.kernel.started-stampSlack {
			access = modify // read since
		}
		s.Atim, s.Mtim = unix.NsecToTimespec(h.old(access)), unix.NsecToTimespec(h.old(modify))
		s.Ctim = unix.NsecToTimespec(h.old(s.Ctim.Nano()))
		return h.old(birth)
	}
	s.Atim, s.Mtim, s.Ctim = unix.NsecToTimespec(e.access), unix.NsecToTimespec(e.modify), unix.NsecToTimespec(e.change)
	return e.birth
}

// showTimesNow is showTimes for what is no file: a pipe, a socket.
func (h *Host) showTimesNow(s *unix.Stat_t) {
	now := unix.NsecToTimespec(h.Realtime())
	s.Atim, s.Mtim, s.Ctim = now, now, now
}

// showStatx is showTimes for statx.
func (h *Host) showStatx(s *unix.Statx_t, of unix.Stat_t, emulated bool) {
	var birth int64
	if emulated {
		h.showTimesNow(&of)
	} else {
		birth = h.showTimes(&of, s.Btime.Sec*1_000_000_000+int64(s.Btime.Nsec))
	}
	put := func(to *unix.StatxTimestamp, at int64) {
		to.Sec, to.Nsec = at/1_000_000_000, uint32(at%1_000_000_000)
	}
	put(&s.Atime, of.Atim.Nano())
	put(&s.Mtime, of.Mtim.Nano())
	put(&s.Ctime, of.Ctim.Nano())
	if s.Mask&unix.STATX_BTIME != 0 {
		put(&s.Btime, birth)
	}
}
