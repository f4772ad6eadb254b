package kernel

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/simterpose/simterpose/sim"
)

// Files of /proc that tell times of processes, and of the machine since its boot.

// timeReport gives those files of /proc that tell times, or how the machine's
// kernel schedules.
func (t *Task) timeReport(name string) (string, bool) {
	h := t.host()
	switch name {
	case "/proc/schedstat":
		return h.schedstat(), true
	case "/proc/timer_list", "/proc/sched_debug":
		return fmt.Sprintf("Timer List Version: v0.9\nHRTIMER_MAX_CLOCK_BASES: 8\nnow at %d nsecs\n", h.uptime()), true
	case "/proc/sys/kernel/random/boot_id":
		if h.bootID == "" {
			h.bootID = h.uuid()
		}
		return h.bootID + "\n", true
	case "/proc/sys/kernel/random/uuid":
		return h.uuid() + "\n", true
	}
	f, ok := t.procFile(name)
	if !ok || f.process == nil {
		return "", false
	}
	p, thread := f.process, f.thread
	if f.whole {
		thread = nil
	}
	used := p.cpu.used
	if thread != nil {
		used = thread.cpu.used
	}
	switch f.file {
	case "stat":
		if thread != nil {
			name = fmt.Sprintf("/proc/%d/task/%d/stat", p.PID, thread.ID)
		} else {
			name = fmt.Sprintf("/proc/%d/stat", p.PID)
		}
		p.reapGone()
		times := processTimes{used: used, children: p.childrenCPU, start: p.start, runs: p.runs(thread), stopped: p.stopped}
		switch {
		case thread != nil:
			times.scheduling = thread.scheduling
		case len(p.tasks) > 0:
			times.scheduling = p.tasks[0].scheduling
		}
		return h.processStat(name, p.PID, times)
	case "statm":
		return h.statm(p.PID)
	case "autogroup":
		return oneGroup, true
	case "schedstat":
		return fmt.Sprintf("%d 0 0\n", used), true
	case "sched":
		return schedText(p.Name, p.PID, len(p.tasks), h.uptime(), used), true
	}
	return "", false
}

// oneGroup is proc(5)'s autogroup of each process.
const oneGroup = "/autogroup-1 nice 0\n"

// schedText is proc(5)'s sched, with times in nanoseconds.
func schedText(name string, pid, threads int, now, used int64) string {
	return fmt.Sprintf("%s (%d, #threads: %d)\n%s\nse.exec_start : %.6f\nse.vruntime : %.6f\nse.sum_exec_runtime : %.6f\n",
		name, pid, threads, strings.Repeat("-", 67), float64(now)/1e6, float64(used)/1e6, float64(used)/1e6)
}

// processTimes are the times in proc(5)'s stat, in nanoseconds.
type processTimes struct {
	used, children int64
	start          sim.Time
	runs, stopped  bool
	scheduling     scheduling
	stranger       bool // no guest: where its memory lies depends on the machine
}

// runs tells whether the process, or one thread of it, is not waiting: on the
// machine whoever reads the file sleeps.
func (p *Process) runs(thread *Task) bool {
	for _, t := range p.tasks {
		if (thread == nil || t == thread) && !t.parking.parked && !p.stopped {
			return true
		}
	}
	return false
}

// seenState is what guests see of a thread's state in proc(5)'s stat: not that
// the emulator has stopped it.
func seenState(machine string, stopped bool) string {
	switch {
	case machine != "t":
		return machine
	case stopped:
		return "T"
	}
	return "S"
}

// processStat is proc(5)'s stat of a process, or of a thread: the machine's,
// with the times of the simulation and without what differs from run to run.
func (h *Host) processStat(name string, pid int, times processTimes) (string, bool) {
	text, ok := h.read(name)
	end := strings.LastIndexByte(text, ')')
	if !ok || end < 0 {
		return "", false
	}
	// Fields are numbered as in the manual page; the third is the first here.
	fields := strings.Fields(text[end+1:])
	set := func(number int, v uint64) {
		if number-3 < len(fields) {
			fields[number-3] = strconv.FormatUint(v, 10)
		}
	}
	const (
		flags, minorFaults, majorFaults            = 9, 10, 12
		userTime, systemTime, children, childrenIn = 14, 15, 16, 17
		startTime, resident, processor             = 22, 24, 39
		delays, guestTime, childrenGuestTime       = 42, 43, 44
		startCode, startStack, startData, exitCode = 26, 28, 45, 52
	)
	for _, number := range []int{
		minorFaults, minorFaults + 1, majorFaults, majorFaults + 1, systemTime, childrenIn, processor, delays, guestTime, childrenGuestTime,
	} {
		set(number, 0)
	}
	set(userTime, ticks(times.used))
	set(children, ticks(times.children))
	set(resident, pages(h.memoryInUse(pid).resident()))
	if n, err := strconv.ParseUint(fields[flags-3], 10, 64); err == nil {
		// That a right was used on the machine says nothing of the host.
		const superPrivileged = 0x100 // PF_SUPERPRIV
		set(flags, n&^superPrivileged)
	}
	set(startTime, ticks(int64(max(0, times.start-h.booted))))
	if times.stranger { // as Linux answers who may not trace the process
		for number := startCode; number < exitCode; number++ {
			switch {
			case number < startStack:
				set(number, 1)
			case number < startStack+3 || number >= startData:
				set(number, 0)
			}
		}
	}
	const priority, nice, realtimePriority, policy = 18, 19, 40, 41
	fields[priority-3], fields[nice-3] = strconv.Itoa(times.scheduling.shown()), strconv.Itoa(times.scheduling.nice)
	set(realtimePriority, uint64(times.scheduling.priority))
	set(policy, uint64(times.scheduling.policy))
	fields[0] = seenState(fields[0], times.stopped)
	if times.runs && fields[0] == "S" {
		fields[0] = "R"
	}
	return string(text[:end+1]) + " " + strings.Join(fields, " ") + "\n", true
}

func (h *Host) schedstat() string {
	const perTick = clockCoarse // jiffies
	var b strings.Builder
	fmt.Fprintf(&b, "version 17\ntimestamp %d\n", h.uptime()/perTick)
	for i := range h.Cores {
		fmt.Fprintf(&b, "cpu%d 0 0 0 0 0 0 %d 0 0\n", i, h.busy/int64(h.Cores))
	}
	return b.String()
}

// uuid is a random one (RFC 9562, version 4).
func (h *Host) uuid() string {
	var b [16]byte
	h.Random.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
