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

// Wait waits at most timeout (for ever if negative) for news and puts it into
// e. A guest's call comes before a death that is told at the same time.
func (r *Realm) Wait(e *Event, timeout time.Duration) error {
	*e = Event{}
	if len(r.stash) > 0 {
		e.called(&r.stash[0].notification)
		r.stash = r.stash[1:]
		return nil
	}
	ready, errno := r.poll(timeout)
	if errno != 0 {
		return fmt.Errorf("poll: %w", errno)
	}
	if ready&pollCurrent != 0 {
		if told, err := r.current.tell(e); told || err != nil {
			return err
		}
	}
	if ready&pollWatch != 0 {
		return r.lookAround(e)
	}
	return nil
}

// tell puts the call that a poll has announced into e.
func (c *Container) tell(e *Event) (told bool, err error) {
	n, errno := c.listener.take()
	if errno != 0 {
		return false, fmt.Errorf("seccomp notification: %w", errno)
	}
	if n == nil {
		return false, nil
	}
	e.called(n)
	return true, nil
}

// lookAround looks for calls on all hosts, and for deaths.
func (r *Realm) lookAround(e *Event) error {
	var events [16]unix.EpollEvent
	n, _ := unix.EpollWait(r.watch, events[:], 0)
	for _, v := range events[:max(n, 0)] {
		if v.Pad == watchListener && v.Events&unix.EPOLLIN != 0 {
			if told, err := r.containers[v.Fd].tell(e); told || err != nil {
				return err
			}
		}
	}
	for _, v := range events[:max(n, 0)] {
		if v.Pad == watchProcess {
			e.Kind, e.TID = Death, int(v.Fd)
			r.unwatch(e.TID)
			return nil
		}
	}
	return nil
}

const (
	pollCurrent = 1
	pollWatch   = 2
)

// What the entries of Realm.watch stand for, in epoll's data beside a number.
const (
	watchProcess  = 0
	watchListener = 1
)

// poll waits for a call on the current host, or anything else.
func (r *Realm) poll(timeout time.Duration) (ready int, errno unix.Errno) {
	fds := [2]unix.PollFd{{Fd: -1, Events: unix.POLLIN}, {Fd: int32(r.watch), Events: unix.POLLIN}}
	if r.current != nil {
		fds[0].Fd = int32(r.current.listener.fd)
	}
	errno = ppoll(fds[:], timeout)
	if fds[0].Revents&unix.POLLIN != 0 {
		ready |= pollCurrent
	}
	if fds[1].Revents&unix.POLLIN != 0 {
		ready |= pollWatch
	}
	return ready, errno
}

// Pending tells whether Wait would return at once.
func (r *Realm) Pending() bool {
	ready, _ := r.poll(0)
	return ready != 0 || len(r.stash) > 0
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
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(pid)}
	if err := unix.EpollCtl(r.watch, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		unix.Close(fd)
		return fmt.Errorf("epoll_ctl: %w", err)
	}
	r.watched[int32(pid)] = fd
	return nil
}

func (r *Realm) unwatch(pid int) {
	if fd, ok := r.watched[int32(pid)]; ok {
		unix.EpollCtl(r.watch, unix.EPOLL_CTL_DEL, fd, nil)
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
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for deadline := time.Now().Add(timeout); ; {
		n, err := unix.Poll(fds, int(time.Until(deadline)/time.Millisecond))
		if n == 1 {
			r.unwatch(pid)
			return true
		}
		if err != unix.EINTR || time.Now().After(deadline) {
			return false
		}
	}
}

// AwaitThreadDeath waits until a thread that has been let go into exit(2) is
// gone.
func AwaitThreadDeath(pid, tid int) {
	// A leader's descriptor tells its death when the other threads are gone too.
	if pid == tid {
		for unix.Tgkill(pid, tid, 0) == nil && !zombie(tid) {
			time.Sleep(20 * time.Microsecond)
		}
		return
	}
	if fd, err := unix.PidfdOpen(tid, unix.PIDFD_THREAD); err == nil { // Linux 6.9
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for {
			if n, err := unix.Poll(fds, -1); n == 1 || err != unix.EINTR {
				break
			}
		}
		unix.Close(fd)
	}
	for unix.Tgkill(pid, tid, 0) == nil && !zombie(tid) {
		time.Sleep(20 * time.Microsecond)
	}
}

func zombie(tid int) bool { return State(tid) == 'Z' }

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

// State is the state of a thread as proc(5) gives it: R runs or computes, S and
// D sleep in the kernel, T and t are stopped, Z is dead; 0 when it is gone.
func State(tid int) byte {
	if fields := statFields(tid); len(fields) > 0 {
		return fields[0][0]
	}
	return 0
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
