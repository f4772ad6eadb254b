package kernel

import (
	"fmt"

	"github.com/simterpose/simterpose/sim"
)

// loadAverage is how many threads of a host compute, on average over the last
// minute, five and fifteen (proc_loadavg(5)). Linux looks every five seconds and
// a tick, and keeps fixed-point numbers (include/linux/sched/loadavg.h); those of
// instants that have passed are computed when something changes or asks.
type loadAverage struct {
	computing int
	next      sim.Time // when to look next
	averages  [3]uint64
}

const (
	loadInterval = 5_000_000_000 + clockCoarse
	loadShift    = 11
	loadOne      = 1 << loadShift
)

// loadDecay are 1/exp(5 s / period) of the three periods.
var loadDecay = [3]uint64{1884, 2014, 2037}

// Computing tells how many of the host's threads have something to compute from
// now on. The machine's emulator says so; with the CPU model none it is none.
func (h *Host) Computing(threads int) {
	h.load.advance(h.kernel.Now())
	h.load.computing = threads
}

// advance looks at all instants up to now.
func (l *loadAverage) advance(now sim.Time) {
	for l.next <= now {
		before := l.averages
		for i, decay := range loadDecay {
			l.averages[i] = averageLoad(l.averages[i], decay, uint64(l.computing)*loadOne)
		}
		l.next += loadInterval
		if l.averages == before && l.next <= now { // and so it stays
			l.next += (now - l.next) / loadInterval * loadInterval
		}
	}
}

// averageLoad is calc_load of include/linux/sched/loadavg.h.
func averageLoad(load, decay, active uint64) uint64 {
	next := load*decay + active*(loadOne-decay)
	if active >= load {
		next += loadOne - 1
	}
	return next / loadOne
}

// loadavg is the content of /proc/loadavg for a process, which runs as it reads.
func (h *Host) loadavg(pid int) string {
	h.load.advance(h.kernel.Now())
	text := ""
	for _, average := range h.load.averages {
		average += loadOne / 200
		text += fmt.Sprintf("%d.%02d ", average>>loadShift, average%loadOne*100>>loadShift)
	}
	return fmt.Sprintf("%s%d/%d %d\n", text, 1+h.load.computing, len(h.threads), pid)
}

// sysinfoLoads are the averages as sysinfo(2) has them.
func (h *Host) sysinfoLoads() (loads [3]uint64) {
	h.load.advance(h.kernel.Now())
	for i, average := range h.load.averages {
		loads[i] = average << (16 - loadShift)
	}
	return loads
}
