package guest

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Container is one simulated host's place on the machine: its namespaces, and
// the agent that starts its guests.
type Container struct {
	realm *Realm
	agent agent
	clock *Clock
}

// Mount is a mount(2) to carry out in a new container, in order.
type Mount struct {
	Source, Target, Type string
	Flags                uint64
	Data                 string
	// Optional mounts may fail.
	Optional bool
	// Make creates the target first: 'd' a folder, 'f' a file.
	Make byte
}

// ContainerConfig describes a host to be.
type ContainerConfig struct {
	Hostname string
	Mounts   []Mount
	// Netlink are rtnetlink requests, each a whole message, which set the
	// host's network interfaces up.
	Netlink [][]byte
	Clock   *Clock
}

// NewContainer creates the namespaces of a host.
func (r *Realm) NewContainer(c ContainerConfig) (*Container, error) {
	var birth list
	birth.add(mustSucceed|inChild, "create the host's namespaces", unix.SYS_CLONE,
		unix.CLONE_NEWPID|unix.CLONE_NEWNET|unix.CLONE_NEWUTS|unix.CLONE_NEWIPC|unix.CLONE_NEWNS|uint64(unix.SIGCHLD), 0, 0, 0, 0)
	if err := r.hand(&r.root, &birth); err != nil {
		return nil, err
	}
	child, err := r.birth(&r.root, &birth)
	if err != nil {
		return nil, err
	}
	container := &Container{realm: r, agent: child, clock: c.Clock}

	var l list
	l.add(mustSucceed, "setsid", unix.SYS_SETSID)
	l.add(mustSucceed, "sethostname", unix.SYS_SETHOSTNAME, l.string(c.Hostname), uint64(len(c.Hostname)))
	for _, m := range c.Mounts {
		flags, target := uint64(mustSucceed), l.string(m.Target)
		if m.Optional {
			flags = goOn
		}
		switch m.Make {
		case 'd':
			l.add(goOn, "mkdir "+m.Target, unix.SYS_MKDIR, target, 0o755)
		case 'f':
			l.add(goOn, "create "+m.Target, unix.SYS_MKNOD, target, unix.S_IFREG|0o644, 0)
		}
		var data uint64
		if m.Data != "" {
			data = l.string(m.Data)
		}
		l.add(flags, "mount "+m.Target, unix.SYS_MOUNT, l.string(m.Source), target, l.string(m.Type), m.Flags, data)
	}
	if _, err := r.perform(&container.agent, &l); err != nil {
		return nil, fmt.Errorf("host %s: %w", c.Hostname, err)
	}
	return container, container.netlink(c.Netlink)
}

// birth waits for the child that an agent's list makes: its first call tells
// it, in either order with the agent's own.
func (r *Realm) birth(parent *agent, l *list) (child agent, err error) {
	parentDone := false
	for child.tid == 0 || !parentDone {
		n, errno := r.receive(5 * time.Second)
		switch {
		case errno != 0:
			return child, fmt.Errorf("seccomp notification: %w", errno)
		case n == nil:
			return child, fmt.Errorf("a new process does not answer")
		case int(n.pid) == parent.tid && n.number == agentCall:
			parent.id, parentDone = n.id, true
			if _, err := r.results(parent, l); err != nil {
				return child, err
			}
		case n.number == agentCall:
			child = agent{tid: int(n.pid), id: n.id}
		case int(n.pid) == parent.tid:
			r.Continue(n.id)
		default:
			return child, fmt.Errorf("thread %d made system call %d while a process was started", n.pid, n.number)
		}
	}
	return child, nil
}

// netlink sends requests to the kernel's rtnetlink in the container and checks
// that each is acknowledged.
func (c *Container) netlink(requests [][]byte) error {
	if len(requests) == 0 {
		return nil
	}
	const descriptor = 3 // the first free one of an agent
	var l list
	l.add(mustSucceed, "open netlink", unix.SYS_SOCKET, unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	const size = 1024
	var answers []uint64
	for _, request := range requests {
		l.add(mustSucceed, "send to netlink", unix.SYS_SENDTO, descriptor, l.data(request), uint64(len(request)), 0, 0, 0)
		answer := l.data(make([]byte, size))
		answers = append(answers, answer)
		l.add(mustSucceed, "receive from netlink", unix.SYS_RECVFROM, descriptor, answer, size, 0, 0, 0)
	}
	l.add(mustSucceed, "close netlink", unix.SYS_CLOSE, descriptor)
	if _, err := c.realm.perform(&c.agent, &l); err != nil {
		return err
	}
	for i, address := range answers {
		// struct nlmsghdr, then the error of struct nlmsgerr.
		var answer [20]byte
		if _, errno := ReadMemory(c.agent.tid, address, answer[:]); errno != 0 {
			return errno
		}
		if code := int32(uint32(answer[16]) | uint32(answer[17])<<8 | uint32(answer[18])<<16 | uint32(answer[19])<<24); code != 0 {
			return fmt.Errorf("set up the network, request %d: %w", i+1, unix.Errno(-code))
		}
	}
	return nil
}

// Clock is the clock that the host's guests read.
func (c *Container) Clock() *Clock { return c.clock }

// Program is a process to start.
type Program struct {
	Path        string // of the executable
	Argv        []string
	Environment []string
	Directory   string
	// Files become standard input, output and error.
	Files [3]*os.File
}

// Started is a new process. Its execve waits for an answer, to be given by
// Realm.Exec like any other.
type Started struct {
	TID  int
	PID  int    // as the host's processes see it
	Exec uint64 // the notification of execve
}

// Launch starts a process and returns when it is about to exec its program.
func (c *Container) Launch(p Program) (Started, error) {
	r := c.realm
	var l list
	l.add(mustSucceed|inChild, "fork", unix.SYS_CLONE, uint64(unix.SIGCHLD), 0, 0, 0, 0)
	l.add(mustSucceed, "get descriptors", agentCall)
	l.add(mustSucceed, "setsid", unix.SYS_SETSID)
	l.add(mustSucceed, "chdir "+p.Directory, unix.SYS_CHDIR, l.string(p.Directory))
	l.add(goOn, "umask", unix.SYS_UMASK, 0o022)
	l.add(mustSucceed, "execve "+p.Path, unix.SYS_EXECVE, l.string(p.Path), l.strings(p.Argv), l.strings(p.Environment))
	// The child's execve fails for good; nobody is there to answer a list.
	l.add(goOn, "exit", unix.SYS_EXIT_GROUP, 127)
	if err := r.hand(&c.agent, &l); err != nil {
		return Started{}, err
	}
	child, err := r.birth(&c.agent, &l)
	if err != nil {
		return Started{}, err
	}
	started := Started{TID: child.tid}
	for i, f := range p.Files {
		if _, errno := r.AddDescriptor(child.id, int(f.Fd()), i, false); errno != 0 {
			return Started{}, fmt.Errorf("give %s its descriptors: %w", p.Path, errno)
		}
	}
	if started.PID, err = NamespacePID(child.tid); err != nil {
		return Started{}, err
	}
	if errno := r.Answer(child.id, 0, 0); errno != 0 {
		return Started{}, errno
	}
	for {
		n, errno := r.receive(5 * time.Second)
		switch {
		case errno != 0:
			return Started{}, errno
		case n == nil || int(n.pid) != child.tid:
			return Started{}, fmt.Errorf("start %s: its process does not answer", p.Path)
		case n.number == unix.SYS_EXECVE:
			started.Exec = n.id
			return started, r.Watch(child.tid)
		case n.number == unix.SYS_EXIT_GROUP, n.number == agentCall:
			r.Answer(n.id, 0, unix.ENOSYS)
			return Started{}, fmt.Errorf("start %s in folder %s: not possible", p.Path, p.Directory)
		}
		r.Continue(n.id)
	}
}

// Reap takes the exit status of one of the container's own processes, after its
// death.
func (c *Container) Reap(pid int) (unix.WaitStatus, error) {
	var l list
	status := l.data(make([]byte, 8))
	l.add(mustSucceed, "wait4", unix.SYS_WAIT4, uint64(pid), status, unix.WALL|unix.WNOHANG, 0)
	if _, err := c.realm.perform(&c.agent, &l); err != nil {
		return 0, err
	}
	var word [4]byte
	if _, errno := ReadMemory(c.agent.tid, status, word[:]); errno != 0 {
		return 0, errno
	}
	return unix.WaitStatus(uint32(word[0]) | uint32(word[1])<<8 | uint32(word[2])<<16 | uint32(word[3])<<24), nil
}

// ReapOrphans takes the exit statuses of processes whose parents died before
// them.
func (c *Container) ReapOrphans() error {
	for {
		var l list
		l.add(goOn, "wait4", unix.SYS_WAIT4, ^uint64(0), 0, unix.WALL|unix.WNOHANG, 0)
		results, err := c.realm.perform(&c.agent, &l)
		if err != nil || results[0] <= 0 {
			return err
		}
	}
}

// PID is the number of the container's first process on the machine, by which
// its namespaces are found in /proc.
func (c *Container) PID() int { return c.agent.tid }

// Root is the path by which the emulator sees the host's files.
func (c *Container) Root() string { return "/proc/" + strconv.Itoa(c.agent.tid) + "/root" }
