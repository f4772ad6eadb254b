package guest

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Container is one simulated host's place on the machine: its namespaces, and
// the agent that starts its guests.
type Container struct {
	realm    *Realm
	listener listener // the notifier's
	agent    agent
	clock    *Clock
	sent     uint64 // the ptracer's count of what may have sent a signal to a guest
}

// atFdcwd is AT_FDCWD as an argument.
const atFdcwd = ^uint64(99)

// mountAttributesSize is the size of struct mount_attr (mount_setattr(2)).
const mountAttributesSize = 32

// Mount is a mount(2) to carry out in a new container, in order.
type Mount struct {
	Source, Target, Type string // without a Source nothing is mounted, only made
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
	// Keep are folders that stay visible although a mount hides them, or show
	// elsewhere.
	Keep []Kept
	// Directory is where relative paths of mounts begin.
	Directory string
	Mounts    []Mount
	// Folders are made after the mounts.
	Folders []Folder
	// ReadOnly are mounts of the machine that guests may not write to.
	ReadOnly []string
	// Links are made once the mounts are there.
	Links []Link
	// Settings are written before anything else, by path: files of /proc/sys.
	Settings []Setting
	// Netlink are rtnetlink requests, each a whole message, which set the
	// host's network interfaces up.
	Netlink [][]byte
	// OuterNetlink makes requests for the network namespace that all
	// containers share as their outside, given the number of the new one's
	// first process there.
	OuterNetlink func(pid int) [][]byte
	Clock        *Clock
}

// Folder is a folder to make, with permissions that no umask lessens.
type Folder struct {
	Path string
	Mode uint32
}

// Link is a symbolic link to make.
type Link struct{ Path, Target string }

// Kept is a folder of the machine and the path at which a container sees it.
type Kept struct {
	Folder, At string
	// Writable folders may be changed by guests.
	Writable bool
}

// Setting is a value of sysctl(8).
type Setting struct{ Path, Value string }

// set adds calls that write a setting, if the kernel has it.
func (l *list) set(s Setting) {
	const descriptor = 3 // the first free one of an agent
	l.add(goOn, "open "+s.Path, unix.SYS_OPEN, l.string(s.Path), unix.O_WRONLY, 0)
	l.add(goOn, "write "+s.Path, unix.SYS_WRITE, descriptor, l.string(s.Value), uint64(len(s.Value)))
	l.add(goOn, "close "+s.Path, unix.SYS_CLOSE, descriptor)
}

// NewContainer creates the namespaces of a host.
func (r *Realm) NewContainer(c ContainerConfig) (*Container, error) {
	container, outerPID, err := r.newContainer()
	if err != nil {
		return nil, fmt.Errorf("host %s: %w", c.Hostname, err)
	}
	container.clock = c.Clock
	if len(c.Settings) > 0 {
		var l list
		for _, s := range c.Settings {
			l.set(s)
		}
		if _, err := r.perform(&container.agent, &l); err != nil {
			return nil, fmt.Errorf("host %s: %w", c.Hostname, err)
		}
	}
	if c.OuterNetlink != nil {
		if err := r.netlink(&r.root, c.OuterNetlink(outerPID)); err != nil {
			return nil, fmt.Errorf("host %s: %w", c.Hostname, err)
		}
	}
	var l list
	l.add(mustSucceed, "setsid", unix.SYS_SETSID)
	l.add(mustSucceed, "sethostname", unix.SYS_SETHOSTNAME, l.string(c.Hostname), uint64(len(c.Hostname)))
	l.limit()
	const firstFree = 3 // the agent has standard input, output and error
	for _, k := range c.Keep {
		l.add(mustSucceed, "keep "+k.Folder, unix.SYS_OPEN_TREE, atFdcwd, l.string(k.Folder),
			unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	}
	if c.Directory != "" {
		l.add(mustSucceed, "chdir "+c.Directory, unix.SYS_CHDIR, l.string(c.Directory))
	}
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
		if m.Source == "" {
			continue
		}
		var data uint64
		if m.Data != "" {
			data = l.string(m.Data)
		}
		l.add(flags, "mount "+m.Target, unix.SYS_MOUNT, l.string(m.Source), target, l.string(m.Type), m.Flags, data)
	}
	for _, k := range c.Links {
		l.add(mustSucceed, "link "+k.Path, unix.SYS_SYMLINK, l.string(k.Target), l.string(k.Path))
	}
	for _, f := range c.Folders {
		target := l.string(f.Path)
		l.add(goOn, "mkdir "+f.Path, unix.SYS_MKDIR, target, 0o755)
		l.add(mustSucceed, "chmod "+f.Path, unix.SYS_CHMOD, target, uint64(f.Mode))
	}
	attributes := l.data(binary.LittleEndian.AppendUint64(nil, unix.MOUNT_ATTR_RDONLY)) // struct mount_attr's attr_set
	l.data(make([]byte, mountAttributesSize-8))
	for _, m := range c.ReadOnly {
		// A mount that an ordinary user may not even reach needs no protection.
		l.add(goOn, "make read-only "+m, unix.SYS_MOUNT_SETATTR, atFdcwd, l.string(m), 0, attributes, mountAttributesSize)
	}
	l.add(mustSucceed, "chdir /", unix.SYS_CHDIR, l.string("/"))
	for i, k := range c.Keep {
		for j, r := range k.At {
			if j > 0 && r == '/' {
				l.add(goOn, "mkdir", unix.SYS_MKDIR, l.string(k.At[:j]), 0o755)
			}
		}
		l.add(goOn, "mkdir", unix.SYS_MKDIR, l.string(k.At), 0o755)
		l.add(mustSucceed, "keep "+k.At, unix.SYS_MOVE_MOUNT, uint64(firstFree+i), l.string(""), atFdcwd, l.string(k.At), unix.MOVE_MOUNT_F_EMPTY_PATH)
		l.add(mustSucceed, "close", unix.SYS_CLOSE, uint64(firstFree+i))
		if !k.Writable {
			l.add(mustSucceed, "make read-only "+k.At, unix.SYS_MOUNT_SETATTR, atFdcwd, l.string(k.At), unix.AT_RECURSIVE, attributes, mountAttributesSize)
		}
	}
	if _, err := r.perform(&container.agent, &l); err != nil {
		return nil, fmt.Errorf("host %s: %w", c.Hostname, err)
	}
	if err := container.lockMounts(); err != nil {
		return nil, fmt.Errorf("host %s: %w", c.Hostname, err)
	}
	if err := r.netlink(&container.agent, c.Netlink); err != nil {
		return nil, fmt.Errorf("host %s: %w", c.Hostname, err)
	}
	return container, nil
}

// birth waits for the child that a host's agent's list makes: its first call
// tells it, in either order with the agent's own.
func (c *Container) birth(l *list) (child agent, err error) {
	r, parent := c.realm, &c.agent
	parentDone := false
	for child.tid == 0 || !parentDone {
		n, errno := r.interceptor.receive(c, patience)
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
			child = agent{tid: int(n.pid), container: c, id: n.id}
		case int(n.pid) == parent.tid:
			c.Continue(n.id)
		default:
			r.stash = append(r.stash, stashed{c, *n})
		}
	}
	return child, nil
}

// netlink sends requests to rtnetlink in an agent's network namespace and checks
// that each is acknowledged.
func (r *Realm) netlink(a *agent, requests [][]byte) error {
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
	if _, err := r.perform(a, &l); err != nil {
		return err
	}
	for i, address := range answers {
		// struct nlmsghdr, then the error of struct nlmsgerr.
		var answer [20]byte
		if _, errno := ReadMemory(a.tid, address, answer[:]); errno != 0 {
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

	result uint64 // where execve's result is put when it fails
}

// ExecError is why a new process's execve has failed; the process is about to
// end.
func (s Started) ExecError() unix.Errno {
	var word [8]byte
	if _, errno := ReadMemory(s.TID, s.result, word[:]); errno != 0 {
		return errno
	}
	return unix.Errno(-int64(binary.LittleEndian.Uint64(word[:])))
}

// Launch starts a process and returns when it is about to exec its program.
func (c *Container) Launch(p Program) (Started, error) {
	r := c.realm
	var l list
	l.add(mustSucceed|inChild, "fork", unix.SYS_CLONE, uint64(unix.SIGCHLD), 0, 0, 0, 0)
	l.add(mustSucceed, "get descriptors", agentCall)
	l.add(mustSucceed, "setsid", unix.SYS_SETSID)
	// Who may not trace the agent is not shown what it is either (ptrace(2)).
	l.add(mustSucceed, "give up tracing", unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, unix.CAP_SYS_PTRACE)
	l.add(mustSucceed, "chdir "+p.Directory, unix.SYS_CHDIR, l.string(p.Directory))
	l.add(goOn, "umask", unix.SYS_UMASK, 0o022)
	exec := len(l.calls)
	l.add(goOn, "execve "+p.Path, unix.SYS_EXECVE, l.string(p.Path), l.strings(p.Argv), l.strings(p.Environment))
	// When execve fails: as a shell ends.
	l.add(goOn, "exit", unix.SYS_EXIT_GROUP, 127)
	if err := r.hand(&c.agent, &l); err != nil {
		return Started{}, err
	}
	child, err := c.birth(&l)
	if err != nil {
		return Started{}, err
	}
	started := Started{TID: child.tid, result: resultAddress(exec)}
	for i, f := range p.Files {
		if _, errno := c.AddDescriptor(child.id, int(f.Fd()), i, false); errno != 0 {
			return Started{}, fmt.Errorf("give %s its descriptors: %w", p.Path, errno)
		}
	}
	if started.PID, err = NamespacePID(child.tid); err != nil {
		return Started{}, err
	}
	if errno := c.Answer(child.id, 0, 0); errno != 0 {
		return Started{}, errno
	}
	for {
		n, errno := r.interceptor.receive(c, patience)
		switch {
		case errno != 0:
			return Started{}, errno
		case n == nil:
			return Started{}, fmt.Errorf("start %s: its process does not answer", p.Path)
		case int(n.pid) != child.tid:
			r.stash = append(r.stash, stashed{c, *n})
			continue
		case n.number == unix.SYS_EXECVE:
			started.Exec = n.id
			return started, r.Watch(child.tid)
		case n.number == unix.SYS_EXIT_GROUP, n.number == agentCall:
			c.Answer(n.id, 0, unix.ENOSYS)
			return Started{}, fmt.Errorf("start %s in folder %s: not possible", p.Path, p.Directory)
		}
		c.Continue(n.id)
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

// descriptor copies one of the agent's own descriptors into the emulator.
func (c *Container) descriptor(number int) (int, error) {
	pidfd, err := unix.PidfdOpen(c.agent.tid, 0)
	if err != nil {
		return -1, fmt.Errorf("pidfd_open: %w", err)
	}
	defer unix.Close(pidfd)
	fd, err := unix.PidfdGetfd(pidfd, number, 0)
	if err != nil {
		return -1, fmt.Errorf("pidfd_getfd: %w", err)
	}
	return fd, nil
}

// NetworkSocket opens a socket in the container's network namespace, for
// questions about interfaces (netdevice(7)). It is an Internet socket: others do
// not know of addresses (SIOCGIFADDR).
func (c *Container) NetworkSocket() (int, error) {
	var l list
	l.add(mustSucceed, "open a socket", unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	return c.opened(&l)
}

// OpenSetting opens a file of /proc/sys/net for reading, which tells of the
// container's network namespace whoever reads it.
func (c *Container) OpenSetting(path string) (int, error) {
	var l list
	l.add(mustSucceed, "open "+path, unix.SYS_OPEN, l.string(path), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	return c.opened(&l)
}

// opened is the descriptor that the agent's list opens.
func (c *Container) opened(open *list) (int, error) {
	const descriptor = 3 // the first free one of an agent
	if _, err := c.realm.perform(&c.agent, open); err != nil {
		return -1, err
	}
	fd, err := c.descriptor(descriptor)
	if err != nil {
		return -1, err
	}
	var shut list
	shut.add(mustSucceed, "close", unix.SYS_CLOSE, descriptor)
	_, err = c.realm.perform(&c.agent, &shut)
	return fd, err
}

// PID is the number of the container's first process on the machine, by which
// its namespaces are found in /proc.
func (c *Container) PID() int { return c.agent.tid }

// Root is the path by which the emulator sees the host's files.
func (c *Container) Root() string { return "/proc/" + strconv.Itoa(c.agent.tid) + "/root" }
