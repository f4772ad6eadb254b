package kernel

import (
	"encoding/binary"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Calls that send signals. The machine's kernel sends them, with the sender's
// identity, and what they do to tasks that wait here is looked at afterwards.
// But a process that dies of a signal would do so while the sender already runs
// on, and the sender would learn of it sooner or later: those are killed, and
// their end awaited, before the call goes on.

func sysKill(t *Task) Outcome {
	pid, signal := t.int(0), unix.Signal(t.int(1))
	if !t.cred.capable(capKill) {
		if o, done := t.killAsOther(pid, signal); done {
			return o
		}
	}
	switch {
	case signal < 1 || signal > 64:
		return native()
	case pid > 0:
		if p := t.host().processes[pid]; p != nil {
			return t.sendSignals(signalSent{process: p, signal: signal})
		}
		return native()
	}
	var members []signalSent
	for _, p := range t.meant(pid) {
		members = append(members, signalSent{process: p, signal: signal})
	}
	return t.sendSignals(members...)
}

// meant are the processes of a group, or with -1 all but the caller's.
func (t *Task) meant(pid int) (list []*Process) {
	group := -pid
	if group == 0 {
		group = t.process.group()
	}
	for _, p := range t.host().sortedProcesses() {
		if pid == -1 && p != t.process || pid != -1 && p.group() == group {
			list = append(list, p)
		}
	}
	return list
}

// killAsOther is kill for a task that may not signal every process. done is
// false when the kernel would allow what Linux allows.
func (t *Task) killAsOther(pid int, signal unix.Signal) (o Outcome, done bool) {
	const first = 1 // the host's init, which is no guest
	if pid > 0 {
		p := t.host().processes[pid]
		if pid == first || p != nil && !t.maySignal(p, signal) {
			return fail(unix.EPERM), true
		}
		return Outcome{}, false
	}
	var allowed []*Process
	all := t.meant(pid)
	for _, p := range all {
		if t.maySignal(p, signal) {
			allowed = append(allowed, p)
		}
	}
	switch {
	case len(allowed) == len(all) && pid != -1:
		return Outcome{}, false
	case len(allowed) == 0:
		return fail(unix.EPERM), true
	case signal < 0 || signal > 64:
		return fail(unix.EINVAL), true
	}
	for _, p := range allowed {
		if signal > 0 {
			p.Signal(signal)
		}
	}
	return ret(0), true
}

// sysTgkill is tgkill, tkill, rt_sigqueueinfo, rt_tgsigqueueinfo and
// pidfd_send_signal.
func sysTgkill(t *Task) Outcome {
	h := t.host()
	var p *Process
	var thread *Task
	var signal int
	valid := true
	switch t.call.number {
	case unix.SYS_TGKILL:
		thread, signal = h.threads[t.int(1)], t.int(2)
		valid = thread != nil && thread.process.PID == t.int(0)
	case unix.SYS_TKILL:
		thread, signal = h.threads[t.int(0)], t.int(1)
	case unix.SYS_RT_TGSIGQUEUEINFO:
		thread, signal = h.threads[t.int(1)], t.int(2)
		valid = thread != nil && thread.process.PID == t.int(0) && t.queueable(t.arg(3))
	case unix.SYS_RT_SIGQUEUEINFO:
		p, signal = h.processes[t.int(0)], t.int(1)
		valid = t.queueable(t.arg(2))
	case unix.SYS_PIDFD_SEND_SIGNAL:
		if d := t.description(t.int(0)); d != nil {
			if f, ok := d.file.(*pidfd); ok {
				p, signal = f.process, t.int(1)
				valid = t.arg(3) == 0 && (t.arg(2) == 0 || t.queueable(t.arg(2)))
			}
		}
	}
	if thread != nil {
		p = thread.process
	}
	if p != nil && !t.maySignal(p, unix.Signal(signal)) {
		return fail(unix.EPERM)
	}
	if p == nil || signal < 1 || signal > 64 || !valid {
		return native()
	}
	return t.sendSignals(signalSent{process: p, thread: thread, signal: unix.Signal(signal)})
}

// queueable tells whether a siginfo_t may be sent to another process
// (rt_sigqueueinfo(2)).
func (t *Task) queueable(address uint64) bool {
	const siTkill = -6
	var b [12]byte // signal, errno, code
	if t.read(address, b[:]) != 0 {
		return false
	}
	code := int32(binary.LittleEndian.Uint32(b[8:]))
	return code < 0 && code != siTkill
}

// sendSignals sends signals when the call's cost is over: until then a process
// may change what they do to it.
func (t *Task) sendSignals(signals ...signalSent) Outcome {
	t.call.state = signals
	return Outcome{Kind: Deferred}
}

// Act carries out a deferred call and tells what is left to do: to let the
// machine's kernel carry it out, or to answer it.
func (t *Task) Act() Outcome {
	k := t.kernel()
	signals := t.call.state.([]signalSent)
	left := signals[:0]
	killed := false
	for _, s := range signals {
		if s.process == t.process || !k.fatal(s) || !t.maySignal(s.process, s.signal) {
			left = append(left, s)
			continue
		}
		// Nobody will see who sent it.
		if k.Machine.SendSignal(s.process, s.thread, s.signal) == 0 {
			k.Doomed(s.process)
			killed = true
		}
	}
	if killed && len(left) == 0 {
		return ret(0)
	}
	t.afterwards = append(t.afterwards, left...)
	return native()
}

// fatal tells whether a signal that is not sent yet will end its process
// whatever its threads do (complete_signal): its action is to end it without
// dumping core, and a thread can take it.
func (k *Kernel) fatal(s signalSent) bool {
	p := s.process
	if p.zombie || p.stopped && s.signal != unix.SIGKILL {
		return false
	}
	if s.signal == unix.SIGKILL {
		return true
	}
	if bit(s.signal)&(ignoredByDefault|stopsByDefault|dumpsCore) != 0 {
		return false
	}
	candidates := p.tasks
	if s.thread != nil {
		candidates = []*Task{s.thread}
	}
	for _, t := range candidates {
		if state, ok := k.Machine.SignalState(t.TID); ok && !state.Dead {
			if bit(s.signal)&(state.Caught|state.Ignored) != 0 {
				return false
			}
			if bit(s.signal)&(state.Blocked|t.blocked(state)) == 0 {
				return true
			}
		}
	}
	return false
}

// group is the number of the process group, as its host's guests see it; 0 when
// the process is gone.
func (p *Process) group() int {
	fields := statusFields(p.TID, "NSpgid:")
	if len(fields) == 0 {
		return 0
	}
	group, _ := strconv.Atoi(fields[len(fields)-1])
	return group
}

// statusFields are the values of a line of proc(5)'s status.
func statusFields(tid int, name string) []string {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/status")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == name {
			return fields[1:]
		}
	}
	return nil
}
