package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// Priorities and scheduling policies (sched(7)). They are noted, checked and told, and
// change nothing: a host's threads get its processors in turn. On the machine all
// guests have the emulator's own priority.

// scheduling is a thread's policy.
type scheduling struct {
	policy, priority, nice int
	resetOnFork            bool
}

// Policies and flags of linux/sched.h.
const (
	schedNormal      = 0
	schedFIFO        = 1
	schedRR          = 2
	schedBatch       = 3
	schedIdle        = 5
	schedDeadline    = 6
	schedResetOnFork = 0x40000000

	attrResetOnFork = 1
	attrKeepPolicy  = 8
	attrKeepParams  = 16
	attrKnown       = 0x7f

	leastNice, mostNice   = -20, 19
	mostPriority          = 99
	attrSize, attrSizeOld = 56, 48
	attrSizeLimit         = 4096 // a page
)

func realtime(policy int) bool { return policy == schedFIFO || policy == schedRR }

// forked is the scheduling of a new thread.
func (s scheduling) forked() scheduling {
	if !s.resetOnFork {
		return s
	}
	if realtime(s.policy) {
		s.policy, s.priority, s.nice = schedNormal, 0, 0
	}
	s.nice, s.resetOnFork = max(s.nice, 0), false
	return s
}

// shown is the priority that proc(5)'s stat has.
func (s scheduling) shown() int {
	if realtime(s.policy) {
		return -1 - s.priority
	}
	return 20 + s.nice
}

// thread is the one that a call of the sched family names; 0 is the caller.
func (t *Task) thread(id int) *Task {
	if id == 0 {
		return t
	}
	return t.host().threads[id]
}

// limitOf is a task's limit of a resource, 0 if it cannot be asked for.
func limitOf(t *Task, resource int) int {
	var limit unix.Rlimit
	if unix.Prlimit(t.process.TID, resource, nil, &limit) != nil {
		return 0
	}
	return int(min(limit.Cur, mostPriority))
}

// mayNice tells whether a task may have such a nice value, without privilege.
func (t *Task) mayNice(nice int) bool { return 20-nice <= limitOf(t, unix.RLIMIT_NICE) }

// sameOwner tells whether the task may change another one's scheduling.
func (t *Task) sameOwner(o *Task) bool {
	return t.cred.euid == o.cred.euid || t.cred.euid == o.cred.uid
}

// ranked are the threads that setpriority and getpriority name.
func (t *Task) ranked(which, who int) (list []*Task, errno unix.Errno) {
	switch which {
	case unix.PRIO_PROCESS:
		if o := t.thread(who); o != nil {
			list = append(list, o)
		}
	case unix.PRIO_PGRP:
		if who == 0 {
			who = t.process.group()
		}
		for _, p := range t.host().sortedProcesses() {
			if p.group() == who {
				list = append(list, p.tasks...)
			}
		}
	case unix.PRIO_USER:
		user := uint32(who)
		if who == 0 {
			user = t.cred.uid
		}
		for _, p := range t.host().sortedProcesses() {
			for _, o := range p.tasks {
				if o.cred.uid == user {
					list = append(list, o)
				}
			}
		}
	default:
		return nil, unix.EINVAL
	}
	if len(list) == 0 {
		return nil, unix.ESRCH
	}
	return list, 0
}

func sysSetpriority(t *Task) Outcome {
	list, errno := t.ranked(t.int(0), t.int(1))
	if errno != 0 {
		return fail(errno)
	}
	nice := min(max(t.int(2), leastNice), mostNice)
	privileged := t.cred.capable(capSysNice)
	for _, o := range list {
		switch {
		case !privileged && !t.sameOwner(o):
			errno = unix.EPERM
		case nice < o.scheduling.nice && !privileged && !o.mayNice(nice):
			errno = unix.EACCES
		default:
			o.scheduling.nice = nice
		}
	}
	return fail(errno)
}

func sysGetpriority(t *Task) Outcome {
	list, errno := t.ranked(t.int(0), t.int(1))
	if errno != 0 {
		return fail(errno)
	}
	best := 0
	for _, o := range list {
		best = max(best, 20-o.scheduling.nice)
	}
	return ret(best)
}

// sysSchedSet is sched_setscheduler and sched_setparam.
func sysSchedSet(t *Task) Outcome {
	id, policy, param := t.int(0), t.int(1), t.arg(2)
	keep := t.call.number == unix.SYS_SCHED_SETPARAM
	if keep {
		policy, param = 0, t.arg(1)
	}
	if id < 0 || policy < 0 || param == 0 {
		return fail(unix.EINVAL)
	}
	priority, errno := t.readInt(param)
	if errno != 0 {
		return fail(errno)
	}
	o := t.thread(id)
	if o == nil {
		return fail(unix.ESRCH)
	}
	want := o.scheduling
	want.priority = int(int32(priority))
	if !keep {
		want.policy, want.resetOnFork = policy&^schedResetOnFork, policy&schedResetOnFork != 0
	}
	return t.schedule(o, want)
}

// schedule gives a thread a policy, if the task may.
func (t *Task) schedule(o *Task, want scheduling) Outcome {
	now := o.scheduling
	switch {
	case want.policy == schedDeadline:
		return t.kernel().refuse(t, "the scheduling policy SCHED_DEADLINE", unix.EPERM)
	case want.policy != schedNormal && want.policy != schedBatch && want.policy != schedIdle && !realtime(want.policy),
		want.priority < 0, want.priority > mostPriority, realtime(want.policy) != (want.priority != 0):
		return fail(unix.EINVAL)
	}
	privilege := !t.sameOwner(o) || now.resetOnFork && !want.resetOnFork
	switch {
	case realtime(want.policy):
		limit := limitOf(o, unix.RLIMIT_RTPRIO)
		privilege = privilege || want.policy != now.policy && limit == 0 || want.priority > now.priority && want.priority > limit
	case want.nice < now.nice:
		privilege = privilege || !o.mayNice(want.nice)
	}
	if now.policy == schedIdle && want.policy != schedIdle {
		privilege = privilege || !o.mayNice(now.nice)
	}
	if privilege && !t.cred.capable(capSysNice) {
		return fail(unix.EPERM)
	}
	o.scheduling = want
	return ret(0)
}

func sysSchedGetscheduler(t *Task) Outcome {
	id := t.int(0)
	if id < 0 {
		return fail(unix.EINVAL)
	}
	o := t.thread(id)
	if o == nil {
		return fail(unix.ESRCH)
	}
	policy := o.scheduling.policy
	if o.scheduling.resetOnFork {
		policy |= schedResetOnFork
	}
	return ret(policy)
}

func sysSchedGetparam(t *Task) Outcome {
	id := t.int(0)
	if id < 0 || t.arg(1) == 0 {
		return fail(unix.EINVAL)
	}
	o := t.thread(id)
	if o == nil {
		return fail(unix.ESRCH)
	}
	return fail(t.writeInt(t.arg(1), uint32(o.scheduling.priority)))
}

func sysSchedSetattr(t *Task) Outcome {
	id := t.int(0)
	if id < 0 || t.arg(1) == 0 || t.arg(2) != 0 {
		return fail(unix.EINVAL)
	}
	length, errno := t.readInt(t.arg(1))
	if errno != 0 {
		return fail(errno)
	}
	size := int(length)
	if size == 0 {
		size = attrSizeOld
	}
	if size < attrSizeOld || size > attrSizeLimit {
		t.writeInt(t.arg(1), attrSize)
		return fail(unix.E2BIG)
	}
	b := make([]byte, max(size, attrSize))
	if errno := t.read(t.arg(1), b[:size]); errno != 0 {
		return fail(errno)
	}
	for _, more := range b[attrSize:] {
		if more != 0 {
			t.writeInt(t.arg(1), attrSize)
			return fail(unix.E2BIG)
		}
	}
	policy, flags := int(int32(binary.LittleEndian.Uint32(b[4:]))), binary.LittleEndian.Uint64(b[8:])
	if policy < 0 || flags&^attrKnown != 0 {
		return fail(unix.EINVAL)
	}
	o := t.thread(id)
	if o == nil {
		return fail(unix.ESRCH)
	}
	want := o.scheduling
	want.resetOnFork = flags&attrResetOnFork != 0
	if flags&attrKeepPolicy == 0 {
		want.policy = policy
	}
	if flags&attrKeepParams == 0 {
		want.priority = int(int32(binary.LittleEndian.Uint32(b[20:])))
		if !realtime(want.policy) {
			want.nice = min(max(int(int32(binary.LittleEndian.Uint32(b[16:]))), leastNice), mostNice)
		}
	}
	return t.schedule(o, want)
}

func sysSchedGetattr(t *Task) Outcome {
	id, size := t.int(0), int(uint32(t.arg(2)))
	if id < 0 || t.arg(1) == 0 || size < attrSizeOld || size > attrSizeLimit || t.arg(3) != 0 {
		return fail(unix.EINVAL)
	}
	o := t.thread(id)
	if o == nil {
		return fail(unix.ESRCH)
	}
	s := o.scheduling
	b := make([]byte, attrSize)
	binary.LittleEndian.PutUint32(b, uint32(min(size, attrSize)))
	binary.LittleEndian.PutUint32(b[4:], uint32(s.policy))
	if s.resetOnFork {
		binary.LittleEndian.PutUint64(b[8:], attrResetOnFork)
	}
	if realtime(s.policy) {
		binary.LittleEndian.PutUint32(b[20:], uint32(s.priority))
	} else {
		binary.LittleEndian.PutUint32(b[16:], uint32(s.nice))
		const slice = 2_800_000 // nanoseconds, as of one processor
		binary.LittleEndian.PutUint64(b[24:], slice)
	}
	return fail(t.write(t.arg(1), b[:min(size, attrSize)]))
}
