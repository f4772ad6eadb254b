package guest

import (
	"encoding/binary"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// lockerPID is the number of the process that lockMounts makes for a moment. It
// is chosen, so that guests' numbers begin where they would without it.
const lockerPID = 300

// lockMounts lets a host's guests, who are root of it, neither remove its mounts
// nor make them writable: what lies below is the machine's. The kernel locks the
// mounts of a mount namespace that another user namespace takes over
// (mount_namespaces(7)); so a child with a user namespace of its own gets a copy
// of them all, and the host's agent moves into that. The host's capabilities are
// as before, as its user namespace is.
func (c *Container) lockMounts() error {
	r := c.realm
	var l list
	arguments := make([]uint64, 11) // struct clone_args
	arguments[0] = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_PIDFD
	arguments[1] = l.data(make([]byte, 8)) // pidfd
	arguments[4] = uint64(unix.SIGCHLD)
	arguments[8], arguments[9] = l.data(binary.LittleEndian.AppendUint64(nil, lockerPID)), 1 // set_tid
	var words []byte
	for _, a := range arguments {
		words = binary.LittleEndian.AppendUint64(words, a)
	}
	l.add(mustSucceed|inChild, "lock the mounts", unix.SYS_CLONE3, l.data(words), uint64(len(words)))
	l.add(goOn, "wait for the end", agentCall)
	if err := r.hand(&c.agent, &l); err != nil {
		return err
	}
	child, err := c.birth(&l)
	if err != nil {
		return err
	}
	const descriptor = 3 // the first free one of an agent
	var move list
	move.add(mustSucceed, "move to the locked mounts", unix.SYS_SETNS, descriptor, unix.CLONE_NEWNS)
	move.add(mustSucceed, "close a pidfd", unix.SYS_CLOSE, descriptor)
	if _, err := r.perform(&c.agent, &move); err != nil {
		return err
	}
	if err := r.kill(child.tid); err != nil {
		return err
	}
	var reap list
	reap.add(mustSucceed, "wait4", unix.SYS_WAIT4, lockerPID, 0, unix.WALL, 0)
	_, err = r.perform(&c.agent, &reap)
	return err
}

// kill kills one of the realm's processes and waits for its death.
func (r *Realm) kill(tid int) error {
	pidfd, err := unix.PidfdOpen(tid, 0)
	if err != nil {
		return fmt.Errorf("pidfd_open: %w", err)
	}
	defer unix.Close(pidfd)
	if err := unix.Kill(tid, unix.SIGKILL); err != nil {
		return fmt.Errorf("kill a host's agent: %w", err)
	}
	// The first process of a PID namespace goes last, after those that only the
	// emulator can collect because it has them attached.
	for deadline := time.Now().Add(patience); ; {
		r.interceptor.reap()
		fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
		if errno := ppoll(fds, 100*time.Microsecond); errno != 0 {
			return fmt.Errorf("poll: %w", errno)
		}
		if fds[0].Revents != 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("a host's processes do not end")
		}
	}
}
