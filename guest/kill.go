package guest

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Kill ends all processes of the container at once, and forgets it: its
// namespaces go with the last of them. pids are the guests' processes that are
// watched.
func (c *Container) Kill(pids []int) error {
	r := c.realm
	for _, pid := range pids {
		r.unwatch(pid)
	}
	pidfd, err := unix.PidfdOpen(c.agent.tid, 0)
	if err != nil {
		return fmt.Errorf("pidfd_open: %w", err)
	}
	defer unix.Close(pidfd)
	if err := unix.Kill(c.agent.tid, unix.SIGKILL); err != nil {
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
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("a host's processes do not end")
		}
	}
	c.forget()
	var l list
	l.add(goOn, "wait4", unix.SYS_WAIT4, ^uint64(0), 0, unix.WALL|unix.WNOHANG, 0)
	_, err = r.perform(&r.root, &l)
	return err
}

// forget stops listening to the container.
func (c *Container) forget() {
	r := c.realm
	r.interceptor.forget(c)
	kept := r.stash[:0]
	for _, s := range r.stash {
		if s.container != c {
			kept = append(kept, s)
		}
	}
	r.stash = kept
}

// OuterNetlink makes rtnetlink requests in the network namespace that all
// containers share as their outside.
func (r *Realm) OuterNetlink(requests [][]byte) error { return r.netlink(&r.root, requests) }
