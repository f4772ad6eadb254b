package guest

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// listenerNumber is the descriptor of the listener in a new host's agent: the
// first after standard input, output and error.
const listenerNumber = 3

// newContainer makes the namespaces of a host and its agent, under a filter and
// a listener of its own. outerPID is the agent's number in the namespace of the
// first one.
func (r *Realm) newContainer() (c *Container, outerPID int, err error) {
	var l list
	pidfd := l.data(make([]byte, 8))
	l.add(mustSucceed|inChild, "create the host's namespaces", unix.SYS_CLONE,
		unix.CLONE_NEWPID|unix.CLONE_NEWNET|unix.CLONE_NEWUTS|unix.CLONE_NEWIPC|unix.CLONE_NEWNS|unix.CLONE_PIDFD|uint64(unix.SIGCHLD),
		0, pidfd, 0, 0)
	// The child's standard input is the socket until here.
	l.add(mustSucceed, "close the socket", unix.SYS_CLOSE, 0)
	l.add(mustSucceed, "open /dev/null", unix.SYS_OPEN, l.string("/dev/null"), unix.O_RDONLY, 0)
	l.filterCall(r.program)
	l.add(mustSucceed, "wait for the emulator", agentCall)
	l.add(mustSucceed, "close the listener", unix.SYS_CLOSE, listenerNumber)
	results, err := r.perform(&r.root, &l)
	if err != nil {
		return nil, 0, err
	}
	c = &Container{realm: r}
	if err := r.takeListener(c, pidfd); err != nil {
		return nil, 0, err
	}
	n, errno := c.listener.receive(patience)
	if errno != 0 || n == nil || n.number != agentCall {
		return nil, 0, fmt.Errorf("a host's agent does not answer (%v)", errno)
	}
	c.agent = agent{tid: int(n.pid), container: c, id: n.id}
	// From now on it tells the listener of a finished list, not the socket.
	if _, errno := WriteMemory(c.agent.tid, agentDataAddress+toldOffset, make([]byte, 8)); errno != 0 {
		return nil, 0, fmt.Errorf("write an agent's memory: %w", errno)
	}
	c.listener.answer(n.id, 0, 0)
	if err := c.awaitAgent(); err != nil {
		return nil, 0, err
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(len(r.containers)), Pad: watchListener}
	if err := unix.EpollCtl(r.watch, unix.EPOLL_CTL_ADD, c.listener.fd, &event); err != nil {
		return nil, 0, fmt.Errorf("epoll_ctl: %w", err)
	}
	r.containers = append(r.containers, c)
	return c, int(results[0]), nil
}

// takeListener takes the listener of a new agent, whose pidfd the first agent
// has got at an address. Nothing tells when the filter is in place but the
// descriptor itself.
func (r *Realm) takeListener(c *Container, address uint64) error {
	var number int32
	if _, errno := ReadMemory(r.root.tid, address, unsafe.Slice((*byte)(unsafe.Pointer(&number)), 4)); errno != 0 {
		return fmt.Errorf("read an agent's memory: %w", errno)
	}
	root, err := unix.PidfdOpen(r.root.tid, 0)
	if err != nil {
		return &MissingError{"pidfd_open failed: " + err.Error(), "run on Linux 5.19 or newer"}
	}
	defer unix.Close(root)
	child, err := unix.PidfdGetfd(root, int(number), 0)
	if err != nil {
		return fmt.Errorf("pidfd_getfd: %w", err)
	}
	defer unix.Close(child)
	var l list
	l.add(mustSucceed, "close a pidfd", unix.SYS_CLOSE, uint64(number))
	if _, err := r.perform(&r.root, &l); err != nil {
		return err
	}
	for deadline := time.Now().Add(patience); ; {
		c.listener.fd, err = unix.PidfdGetfd(child, listenerNumber, 0)
		if err == nil {
			break
		}
		if time.Now().After(deadline) || !errors.Is(err, unix.EBADF) {
			return &MissingError{
				"seccomp user notification is not possible here (" + err.Error() + ")",
				"use Linux 5.19 or newer, or a container that allows seccomp",
			}
		}
		pause()
	}
	// Wake the emulator and the guests on the processor they share; kernels
	// before 6.6 do not have it and do so by themselves most of the time.
	unix.RawSyscall(unix.SYS_IOCTL, uintptr(c.listener.fd), unix.SECCOMP_IOCTL_NOTIF_SET_FLAGS, unix.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
	return nil
}
