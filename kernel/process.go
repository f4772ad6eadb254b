package kernel

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/mqueue"
	"github.com/simterpose/simterpose/kernel/sysvipc"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
)

// Process is a thread group.
type Process struct {
	TID  int    // of its leader, the machine's number
	PID  int    // as its host's guests see it
	Name string // the experiment's name for it and its descendants

	host     *Host
	tasks    []*Task // in order of creation; the leader first while it lives
	parent   *Process
	children []*Process // in order of creation
	space    uint64     // its address space; shared after vfork and CLONE_VM
	// vforkParent sleeps in the kernel until this process execs or ends.
	vforkParent *Task

	// children changed state; notified with waiter.In.
	childEvents waiter.Queue
	// ended is notified when the process is dead, for its pidfds.
	ended   waiter.Queue
	zombie  bool
	stopped bool // by a signal, and its parent may not know yet
	// signalled: a signal was sent that may not have been delivered.
	signalled bool
	// wasContinued: by SIGCONT, and its parent has not asked since.
	wasContinued bool

	signalDescriptors []*signalDescriptor
	undumpable        bool            // prctl's PR_SET_DUMPABLE
	root              string          // where chroot has moved it, as its host sees that; empty for nowhere
	status            unix.WaitStatus // once it is a zombie
	known             bool            // the status is known
	left              *credentials    // those of its last thread, once it is a zombie

	exitStatus  unix.WaitStatus // announced by exit_group or exit
	intervals   realTimer       // ITIMER_REAL and alarm
	timers      map[int]*posixTimer
	nextTimer   int
	held        []*posixTimer // whose signals wait to be taken
	virtual     cpuTimer      // ITIMER_VIRTUAL
	profiling   cpuTimer      // ITIMER_PROF
	cpu         cpuAccount
	childrenCPU int64 // of the children waited for, in nanoseconds
	limit       cpuLimit
	fault       sigaction // the guest's own action of SIGSEGV, where rdtsc is trapped
	affinity    []byte    // of the simulated cores; nil: all
	start       sim.Time
	undoer      *sysvipc.Undoer // of semaphores; nil: nothing to undo
	attached    *sysvipc.Space  // shared memory
	notified    []*mqueue.Queue // of which the process has asked to be told

	// Data and Used, processor time that is accounted for, belong to the
	// emulator.
	Data any
	Used time.Duration
}

// Host is the process's host.
func (p *Process) Host() *Host { return p.host }

// Tasks are the process's threads, in order of creation.
func (p *Process) Tasks() []*Task { return p.tasks }

// Parent is nil for a process that the experiment started, and for orphans.
func (p *Process) Parent() *Process { return p.parent }

// Children are those that it has not waited for, in order of creation.
func (p *Process) Children() []*Process { return p.children }

// Zombie tells that the process is dead.
func (p *Process) Zombie() bool { return p.zombie }

// ExitStatus is what exit_group announced; it means nothing when a signal
// killed the process.
func (p *Process) ExitStatus() unix.WaitStatus { return p.exitStatus }

// NewProcess adds a process that the experiment starts. tid and pid are its
// numbers on the machine and on the host.
func (h *Host) NewProcess(name string, tid, pid int) *Process {
	if h.files.boot == 0 {
		h.files.boot = machineTime()
	}
	p := h.newProcess(name, tid, pid, nil)
	h.kernel.newTask(p, tid, pid, newDescriptorTable()).cred = rootCredentials
	return p
}

func (h *Host) newProcess(name string, tid, pid int, parent *Process) *Process {
	h.kernel.spaces++
	p := &Process{TID: tid, PID: pid, Name: name, host: h, parent: parent, space: h.kernel.spaces, start: h.kernel.Now(), attached: sysvipc.NewSpace()}
	if parent != nil {
		parent.children = append(parent.children, p)
	}
	p.inheritLimit(parent)
	h.processes[pid] = p
	return p
}

func (k *Kernel) newTask(p *Process, tid, id int, files *descriptorTable) *Task {
	t := &Task{TID: tid, ID: id, process: p, files: files}
	p.tasks = append(p.tasks, t)
	k.tasks[tid] = t
	p.host.threads[id] = t
	return t
}

// Execed tells that the task's execve has succeeded: it is the only thread left
// and goes on under the leader's numbers.
func (t *Task) Execed() {
	p := t.process
	k := t.kernel()
	for _, other := range slices.Clone(p.tasks) {
		if other != t {
			other.remove()
		}
	}
	delete(k.tasks, t.TID)
	delete(p.host.threads, t.ID)
	t.TID, t.ID = p.TID, p.PID
	k.tasks[t.TID] = t
	p.host.threads[t.ID] = t
	p.tasks = []*Task{t}
	t.clearChildTID = 0
	t.becomeProgram()
	if p.fault.handler != sigIgnore {
		p.fault = sigaction{}
	}
	t.restart.valid = false
	k.spaces++
	p.space = k.spaces
	p.leaveMemory()
	p.deleteTimers()
	p.flushQueues()
	t.files = t.files.unshare()
	t.files.keepOnly(t.machine().OpenNumbers(t))
}

// VforkParent returns the task that sleeps until the process execs or ends, and
// forgets it.
func (p *Process) VforkParent() *Task {
	t := p.vforkParent
	p.vforkParent = nil
	return t
}

// Cloned adds the thread or process that the task's clone, fork or vfork made,
// with its numbers on the machine and on the host.
func (t *Task) Cloned(tid, id int) *Task {
	k := t.kernel()
	c := t.call.state.(cloneArguments)
	files := t.files
	if c.flags&unix.CLONE_FILES == 0 {
		files = files.copy()
	} else {
		files.references++
	}
	process := t.process
	if c.flags&unix.CLONE_THREAD == 0 {
		parent := t.process
		if c.flags&unix.CLONE_PARENT != 0 {
			parent = t.process.parent
		}
		process = t.host().newProcess(t.process.Name, tid, id, parent)
		process.Data = t.process.Data
		process.fault = t.process.fault
		process.undumpable, process.root = t.process.undumpable, t.process.root
		if c.flags&unix.CLONE_VM != 0 {
			process.space = t.process.space
		}
		process.inheritMemory(t, c.flags&unix.CLONE_VM != 0)
		if c.flags&unix.CLONE_VFORK != 0 {
			process.vforkParent = t
		}
	}
	child := k.newTask(process, tid, id, files)
	child.cred, child.scheduling = t.cred, t.scheduling.forked()
	if c.flags&unix.CLONE_CHILD_CLEARTID != 0 {
		child.clearChildTID = c.childTID
	}
	if c.flags&unix.CLONE_PIDFD != 0 {
		if number, errno := t.readInt(c.pidfd); errno == 0 {
			t.files.set(int(number), k.newDescription(&pidfd{process: process}, 0))
		}
	}
	return child
}

// remove forgets a thread.
func (t *Task) remove() {
	if t.dead {
		return
	}
	t.dead = true
	if t.parking.parked {
		t.unpark()
	}
	t.abandon()
	t.pins.drop()
	t.host().futexes.Cancel(&t.futex)
	t.host().futexes.Exit(&t.owner)
	p := t.process
	delete(t.kernel().tasks, t.TID)
	delete(t.host().threads, t.ID)
	if i := slices.Index(p.tasks, t); i >= 0 {
		p.tasks = slices.Delete(p.tasks, i, i+1)
	}
	t.files.release()
}

// Exited tells that a thread which was not the last of its process is gone.
func (t *Task) Exited() {
	space, address := t.process.space, t.clearChildTID
	witness := t.process
	t.remove()
	if address != 0 && len(witness.tasks) > 0 {
		witness.tasks[0].wakeFutex(space, address)
	}
}

// Ended tells that the process is dead, with its status if that is known.
func (p *Process) Ended(status unix.WaitStatus, known bool) {
	if p.zombie {
		return
	}
	for len(p.tasks) > 0 {
		last := p.tasks[len(p.tasks)-1]
		p.left = last.cred
		last.remove()
	}
	p.zombie, p.status, p.known = true, status, known
	p.deleteTimers()
	p.stopInterval()
	if p.undoer != nil {
		p.undoer.Exit(p.host.Realtime() / 1_000_000_000)
	}
	p.leaveMemory()
	p.flushQueues()
	orphans := p.children
	p.children = nil
	for _, c := range orphans {
		c.orphaned()
	}
	p.ended.Notify(waiter.In)
	p.host.hungUp = p.host.hungUp || p.host.hasTerminals()
	p.host.locks.Notify(waiter.In)
	if p.parent == nil || p.parent.zombie {
		p.forget()
		return
	}
	p.tellParent()
}

// Crash forgets the host and all of its processes, which are gone without a word.
func (h *Host) Crash() {
	for _, p := range h.sortedProcesses() {
		for _, t := range p.tasks {
			for _, d := range t.files.byNumber {
				d.unpair()
			}
		}
		for len(p.tasks) > 0 {
			p.tasks[len(p.tasks)-1].remove()
		}
		p.zombie = true
		p.deleteTimers()
		p.stopInterval()
		p.forget()
	}
	for _, fd := range []int{h.root, h.NetworkSocket} {
		if fd > 0 {
			unix.Close(fd)
		}
	}
	h.kernel.hosts = slices.DeleteFunc(h.kernel.hosts, func(o *Host) bool { return o == h })
}

// orphaned gives a process whose parent has ended the one that the machine's
// kernel has given it: the nearest ancestor that is a subreaper, or the host's
// first process, which is none of ours.
func (c *Process) orphaned() {
	k := c.host.kernel
	c.parent = nil
	if tid := k.Machine.Parent(c.TID); tid > 0 {
		for _, q := range c.host.sortedProcesses() {
			if q.TID == tid && !q.zombie {
				c.parent = q
				q.children = append(q.children, c)
			}
		}
	}
	switch {
	case c.zombie && c.parent == nil:
		c.forget()
	case c.zombie:
		c.tellParent()
	default: // it may have asked for a signal (PR_SET_PDEATHSIG)
		if s, ok := k.Machine.SignalState(c.TID); ok {
			for signal := unix.Signal(1); signal <= 64; signal++ {
				if s.Pending&bit(signal) != 0 {
					k.signalled(c, nil, signal)
				}
			}
		}
	}
}

func (p *Process) forget() {
	if p.host.processes[p.PID] == p {
		delete(p.host.processes, p.PID)
	}
}

// gone tells whether a process was a zombie that a wait call has taken.
func (p *Process) gone() bool { return p.zombie && !p.host.kernel.Machine.Alive(p.TID) }

// reapGone forgets zombies that the parent's wait calls have taken.
func (p *Process) reapGone() {
	p.children = slices.DeleteFunc(p.children, func(c *Process) bool {
		if c.gone() {
			p.childrenCPU += c.cpu.used + c.childrenCPU
			c.forget()
			return true
		}
		return false
	})
}
