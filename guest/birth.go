package guest

import (
	"encoding/binary"
	"fmt"

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
	l.filterCall(r.program, r.filterFlags)
	l.add(mustSucceed, "wait for the emulator", agentCall)
	l.add(goOn, "close the listener", unix.SYS_CLOSE, listenerNumber)
	c = &Container{realm: r}
	if err := r.interceptor.start(c, &l, pidfd); err != nil {
		return nil, 0, err
	}
	results, err := r.results(&r.root, &l)
	if err != nil {
		return nil, 0, err
	}
	if err := r.closeInRoot(pidfd); err != nil {
		return nil, 0, err
	}
	n, errno := r.interceptor.receive(c, patience)
	if errno != 0 || n == nil || n.number != agentCall {
		return nil, 0, fmt.Errorf("a host's agent does not answer (%v)", errno)
	}
	c.agent = agent{tid: int(n.pid), container: c, id: n.id}
	// From now on it tells the listener of a finished list, not the socket.
	if _, errno := WriteMemory(c.agent.tid, agentDataAddress+toldOffset, make([]byte, 8)); errno != 0 {
		return nil, 0, fmt.Errorf("write an agent's memory: %w", errno)
	}
	c.Answer(n.id, 0, 0)
	if err := c.awaitAgent(); err != nil {
		return nil, 0, err
	}
	r.containers = append(r.containers, c)
	return c, int(results[0]), nil
}

// closeInRoot closes the descriptor whose number lies at an address of the first
// agent.
func (r *Realm) closeInRoot(address uint64) error {
	number, errno := r.rootNumber(address)
	if errno != 0 {
		return fmt.Errorf("read an agent's memory: %w", errno)
	}
	var l list
	l.add(mustSucceed, "close a pidfd", unix.SYS_CLOSE, uint64(number))
	_, err := r.perform(&r.root, &l)
	return err
}

// rootNumber is the number of a descriptor that the first agent has got at an
// address.
func (r *Realm) rootNumber(address uint64) (int, unix.Errno) {
	var b [4]byte
	_, errno := ReadMemory(r.root.tid, address, b[:])
	return int(binary.LittleEndian.Uint32(b[:])), errno
}
