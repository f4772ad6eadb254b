package guest

import (
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
	if err := r.kill(c.agent.tid); err != nil {
		return err
	}
	c.forget()
	var l list
	l.add(goOn, "wait4", unix.SYS_WAIT4, ^uint64(0), 0, unix.WALL|unix.WNOHANG, 0)
	_, err := r.perform(&r.root, &l)
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
