package guest

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// notifier stops guests by seccomp user notification (seccomp_unotify(2)).
type notifier struct {
	realm *Realm
	// epoll is a descriptor of all containers' listeners and of the pidfds of
	// all guest processes.
	epoll int
	// current is the container whose guest was let run last: the next call
	// most probably comes from there.
	current *Container
}

func newNotifier(r *Realm) (*notifier, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	return &notifier{realm: r, epoll: epoll}, nil
}

const (
	returnUserNotification = 0x7fc00000 // SECCOMP_RET_USER_NOTIF, not in x/sys/unix

	// With the second flag a signal that comes to a stopped guest stays pending,
	// and its call is there until it is answered.
	listenerFlags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
)

func (*notifier) filter(native Native) (program []bpf.RawInstruction, flags uint64, err error) {
	program, err = filter(native, returnUserNotification)
	return program, listenerFlags, err
}

func (n *notifier) start(c *Container, l *list, pidfd uint64) error {
	if _, err := n.realm.perform(&n.realm.root, l); err != nil {
		return err
	}
	if err := n.takeListener(c, pidfd); err != nil {
		return err
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(len(n.realm.containers)), Pad: watchListener}
	if err := unix.EpollCtl(n.epoll, unix.EPOLL_CTL_ADD, c.listener.fd, &event); err != nil {
		return fmt.Errorf("epoll_ctl: %w", err)
	}
	return nil
}

// takeListener takes the listener of a new agent, whose pidfd the first agent
// has got at an address. Nothing tells when the filter is in place but the
// descriptor itself.
func (n *notifier) takeListener(c *Container, address uint64) error {
	r := n.realm
	number, errno := r.rootNumber(address)
	if errno != 0 {
		return fmt.Errorf("read an agent's memory: %w", errno)
	}
	root, err := unix.PidfdOpen(r.root.tid, 0)
	if err != nil {
		return &MissingError{"pidfd_open failed: " + err.Error(), "run on Linux 5.19 or newer"}
	}
	defer unix.Close(root)
	child, err := unix.PidfdGetfd(root, number, 0)
	if err != nil {
		return fmt.Errorf("pidfd_getfd: %w", err)
	}
	defer unix.Close(child)
	for deadline := time.Now().Add(patience); ; {
		c.listener.fd, err = unix.PidfdGetfd(child, listenerNumber, 0)
		if err == nil {
			break
		}
		if time.Now().After(deadline) || !errors.Is(err, unix.EBADF) {
			return missingNotification(err)
		}
		pause()
	}
	// Wake the emulator and the guests on the processor they share; kernels
	// before 6.6 do not have it and do so by themselves most of the time.
	unix.RawSyscall(unix.SYS_IOCTL, uintptr(c.listener.fd), unix.SECCOMP_IOCTL_NOTIF_SET_FLAGS, unix.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
	return nil
}

func missingNotification(err error) error {
	return &MissingError{
		"seccomp user notification is not possible here (" + err.Error() + ")",
		"use Linux 5.19 or newer, or a container that allows seccomp, or --interceptor ptrace",
	}
}

func (n *notifier) receive(c *Container, timeout time.Duration) (*notification, unix.Errno) {
	return c.listener.receive(timeout)
}

func (n *notifier) answer(c *Container, id uint64, value int64, errno unix.Errno) unix.Errno {
	n.current = c
	return c.listener.answer(id, value, errno)
}

func (n *notifier) proceed(c *Container, id uint64) unix.Errno {
	n.current = c
	return c.listener.proceed(id)
}

func (n *notifier) addDescriptor(c *Container, id uint64, source, number int, closeOnExec bool) (int, unix.Errno) {
	return c.listener.addDescriptor(id, source, number, closeOnExec)
}

func (n *notifier) wait(e *Event, timeout time.Duration) error {
	ready, errno := n.poll(timeout)
	if errno != 0 {
		return fmt.Errorf("poll: %w", errno)
	}
	if ready&pollCurrent != 0 {
		if told, err := n.current.tell(e); told || err != nil {
			return err
		}
	}
	if ready&pollWatch != 0 {
		return n.lookAround(e)
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
func (n *notifier) lookAround(e *Event) error {
	var events [16]unix.EpollEvent
	count, _ := unix.EpollWait(n.epoll, events[:], 0)
	for _, v := range events[:max(count, 0)] {
		if v.Pad == watchListener && v.Events&unix.EPOLLIN != 0 {
			if told, err := n.realm.containers[v.Fd].tell(e); told || err != nil {
				return err
			}
		}
	}
	for _, v := range events[:max(count, 0)] {
		if v.Pad == watchProcess {
			e.Kind, e.TID = Death, int(v.Fd)
			n.realm.unwatch(e.TID)
			return nil
		}
	}
	return nil
}

const (
	pollCurrent = 1
	pollWatch   = 2
)

// What the entries of notifier.epoll stand for, in epoll's data beside a number.
const (
	watchProcess  = 0
	watchListener = 1
)

// poll waits for a call on the current host, or anything else.
func (n *notifier) poll(timeout time.Duration) (ready int, errno unix.Errno) {
	fds := [2]unix.PollFd{{Fd: -1, Events: unix.POLLIN}, {Fd: int32(n.epoll), Events: unix.POLLIN}}
	if n.current != nil {
		fds[0].Fd = int32(n.current.listener.fd)
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

func (n *notifier) pending() bool {
	ready, _ := n.poll(0)
	return ready != 0
}

func (n *notifier) watch(pid, pidfd int) error {
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(pid), Pad: watchProcess}
	if err := unix.EpollCtl(n.epoll, unix.EPOLL_CTL_ADD, pidfd, &event); err != nil {
		return fmt.Errorf("epoll_ctl: %w", err)
	}
	return nil
}

func (n *notifier) unwatch(_, pidfd int) { unix.EpollCtl(n.epoll, unix.EPOLL_CTL_DEL, pidfd, nil) }

func (n *notifier) awaitDeath(pid, pidfd int, timeout time.Duration) bool {
	const glance = 5 // milliseconds; most are dead by then
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	for deadline := time.Now().Add(timeout); ; {
		ready, _ := unix.Poll(fds, glance)
		if ready == 1 {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
		n.letDie(pid)
	}
}

// letDie lets the threads of a process go that are held under ptrace: only then do
// they take a signal, unless it is SIGKILL. One that died under ptrace keeps its
// process until that is noticed.
func (n *notifier) letDie(pid int) {
	for _, tid := range threadsOf(pid) {
		n.release(tid)
		n.dead(tid)
	}
}

// threadsOf are the threads of a process, none when it is gone.
func threadsOf(pid int) (tids []int) {
	tasks, _ := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
	for _, t := range tasks {
		if tid, err := strconv.Atoi(t.Name()); err == nil {
			tids = append(tids, tid)
		}
	}
	return tids
}

// reapThreads takes notice of the deaths of a process's threads but the leader and one
// more, which carries out an execve: those that died under ptrace keep it from going
// on until then. To wait for the end of a thread takes its stops as well, and that of
// execve has the leader's number.
func (n *notifier) reapThreads(pid, but int) {
	for _, tid := range threadsOf(pid) {
		if tid != pid && tid != but {
			n.dead(tid)
		}
	}
}

func (n *notifier) awaitThreadDeath(pid, tid int) {
	if fd, err := unix.PidfdOpen(tid, unix.PIDFD_THREAD); pid != tid && err == nil { // Linux 6.9
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for {
			if ready, err := unix.Poll(fds, -1); ready == 1 || err != unix.EINTR {
				break
			}
		}
		unix.Close(fd)
	}
	// A leader's descriptor tells its death when the other threads are gone too.
	awaitZombie(pid, tid)
}

// awaitZombie waits until a thread is a zombie, or gone.
func awaitZombie(pid, tid int) {
	for unix.Tgkill(pid, tid, 0) == nil && threadState(tid) != 'Z' {
		pause()
	}
}

func (n *notifier) dead(tid int) {
	unix.Waitid(unix.P_PID, tid, nil, unix.WEXITED|unix.WALL|unix.WNOHANG, nil)
}

func (n *notifier) state(tid int) byte { return threadState(tid) }

// signalled does nothing: the kernel does all at once.
func (n *notifier) signalled(int, int, unix.Signal) {}

func (n *notifier) signals(tid int) (Signals, bool) { return readSignals(tid) }

func (n *notifier) reap() {
	unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WALL|unix.WNOHANG, nil)
}

func (n *notifier) forget(c *Container) {
	unix.EpollCtl(n.epoll, unix.EPOLL_CTL_DEL, c.listener.fd, nil)
	unix.Close(c.listener.fd)
	c.listener.fd = -1
	if n.current == c {
		n.current = nil
	}
}

func (n *notifier) close() {
	for _, c := range n.realm.containers {
		if c.listener.fd >= 0 {
			unix.Close(c.listener.fd)
		}
	}
	unix.Close(n.epoll)
}
