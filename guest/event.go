package guest

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Kind says what a guest did.
type Kind int

const (
	// Nothing happened within the time given.
	Nothing Kind = iota
	// Call: a thread stopped at a system call.
	Call
	// Death: a process is gone.
	Death
)

// Event is news from a guest.
type Event struct {
	Kind Kind
	// TID is the thread that calls, or the process that died.
	TID int
	// ID names the call; it is valid until it is answered.
	ID uint64
	// Number and Arguments are the call's; Foreign tells that it came through
	// another architecture's entry (32-bit code).
	Number    int
	Arguments [6]uint64
	Foreign   bool
	// InstructionPointer is where the thread goes on.
	InstructionPointer uint64
}

func (e *Event) called(n *notification) {
	*e = Event{
		Kind: Call, TID: int(n.pid), ID: n.id, Number: int(n.number), Arguments: n.arguments,
		Foreign: n.architecture != auditArchX8664, InstructionPointer: n.instructionPointer,
	}
}

// Watch makes the death of a process known to Wait.
func (r *Realm) Watch(pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return fmt.Errorf("pidfd_open: %w", err)
	}
	if err := r.interceptor.watch(pid, fd); err != nil {
		unix.Close(fd)
		return err
	}
	r.watched[int32(pid)] = fd
	return nil
}

func (r *Realm) unwatch(pid int) {
	if fd, ok := r.watched[int32(pid)]; ok {
		r.interceptor.unwatch(pid, fd)
		unix.Close(fd)
		delete(r.watched, int32(pid))
	}
}

// AwaitDeath waits until a watched process is gone: a zombie or less. It
// returns false when that takes longer than timeout.
func (r *Realm) AwaitDeath(pid int, timeout time.Duration) bool {
	fd, ok := r.watched[int32(pid)]
	if !ok {
		return true
	}
	if !r.interceptor.awaitDeath(pid, fd, timeout) {
		return false
	}
	r.unwatch(pid)
	return true
}

// Exiting tells that a thread is on its way out: PF_EXITING of linux/sched.h, in
// the seventh field after the name of proc(5)'s stat.
func Exiting(tid int) bool {
	const exiting = 4
	fields := statFields(tid)
	if len(fields) < 7 {
		return true
	}
	flags, err := strconv.ParseUint(fields[6], 10, 64)
	return err != nil || flags&exiting != 0
}

// Parent is the number of a process's parent, 0 if the process is gone.
func Parent(tid int) int {
	fields := statFields(tid)
	if len(fields) < 2 {
		return 0
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0
	}
	return parent
}

// threadState is the state of a thread as proc(5) gives it, 0 when it is gone.
func threadState(tid int) byte {
	if fields := statFields(tid); len(fields) > 0 {
		return fields[0][0]
	}
	return 0
}

// Asleep tells whether a thread that is in state S sleeps indeed. The kernel says S
// also of one that was preempted when it was about to sleep, or found that it need
// not (do_wait, while it takes a zombie): such a thread is in the queue of its
// processor, and waits for no function of the kernel.
func Asleep(tid int) bool {
	place, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/wchan")
	return err == nil && len(place) > 0 && string(place) != "0"
}

// ThreadName is what a thread calls itself, or its program; "a thread" when it is
// gone.
func ThreadName(tid int) string {
	name, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/comm")
	if err != nil {
		return "a thread"
	}
	return strings.TrimSpace(string(name))
}

// ProcessorTime is how long a thread has run so far, from proc(5)'s schedstat; 0
// when it is gone.
func ProcessorTime(tid int) time.Duration {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/task/" + strconv.Itoa(tid) + "/schedstat")
	if err != nil {
		return 0
	}
	ran, _, _ := strings.Cut(string(stat), " ")
	ns, _ := strconv.ParseInt(ran, 10, 64)
	return time.Duration(ns)
}

// statFields are the fields of proc(5)'s stat after the name, which may hold
// anything.
func statFields(tid int) []string {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/stat")
	if err != nil {
		return nil
	}
	return strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
}

// TakeDescriptor copies a guest's descriptor into the emulator. pid is the
// number of a process's leader, tid of the thread whose table is meant.
func (r *Realm) TakeDescriptor(pid, tid, number int) (int, unix.Errno) {
	fd, ok := r.watched[int32(pid)]
	if !ok {
		own, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			return -1, unix.ESRCH
		}
		defer unix.Close(own)
		fd = own
	}
	n, _, errno := unix.RawSyscall(unix.SYS_PIDFD_GETFD, uintptr(fd), uintptr(number), 0)
	return int(n), errno
}
