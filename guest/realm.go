package guest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// MissingError says what the machine lacks to run guests.
type MissingError struct {
	What string // what is missing
	How  string // how to get it
}

func (e *MissingError) Error() string { return e.What + "; " + e.How }

// Realm is the world of one experiment's guests.
type Realm struct {
	program     []bpf.RawInstruction // the filter
	filterFlags uint64
	root        agent
	socket      *os.File // to the first agent
	command     *exec.Cmd
	vdso        vdsoImage
	rootMap     bool // all user and group ids are mapped, not only root

	interceptor interceptor
	chosen      Interceptor
	reason      *MissingError // why the preferred one is not possible
	watched     map[int32]int // pidfds of guests' processes
	containers  []*Container
	// stash are guests' calls that came while an agent worked.
	stash []stashed
}

// stashed is a call that nobody has asked for yet.
type stashed struct {
	container *Container
	notification
}

// Start creates the realm. All guests will run on the given processor, and so
// does the calling OS thread from now on: a switch between two processes on one
// processor costs a tenth of one between two. settings are those of the
// namespaces that lie outside all containers.
func Start(native Native, interceptor Interceptor, processor int, settings ...Setting) (*Realm, error) {
	runtime.LockOSThread()
	image, err := agentELF()
	if err != nil {
		return nil, err
	}
	memory, err := unix.MemfdCreate("simterpose-agent", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, &MissingError{"memfd_create failed: " + err.Error(), "run on Linux 5.19 or newer"}
	}
	defer unix.Close(memory)
	if _, err := unix.Write(memory, image); err != nil {
		return nil, fmt.Errorf("write the agent: %w", err)
	}
	var set unix.CPUSet
	set.Set(processor)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("pin to processor %d: %w", processor, err)
	}
	// Waiting for a ptrace stop is a short sleep (see Attached.wait).
	unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)

	r := &Realm{watched: map[int32]int{}}
	if r.vdso, err = readVDSO(); err != nil {
		return nil, err
	}
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socketpair: %w", err)
	}
	r.socket = os.NewFile(uintptr(ends[0]), "agent")
	theirs := os.NewFile(uintptr(ends[1]), "agent")
	defer theirs.Close()
	r.command = &exec.Cmd{
		Stdin: theirs,
		Path:  "/proc/self/fd/" + strconv.Itoa(memory),
		Args:  []string{"simterpose-agent"},
		Env:   []string{},
		Dir:   "/",
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
			Pdeathsig:  unix.SIGKILL,
			Setsid:     true,
		},
	}
	attr := r.command.SysProcAttr
	if os.Geteuid() == 0 {
		// The service users of the machine's packages exist for guests too.
		r.rootMap = true
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 65536}}
		attr.GidMappings = attr.UidMappings
		attr.GidMappingsEnableSetgroups = true
	} else {
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	if err := r.command.Start(); err != nil {
		r.socket.Close()
		return nil, namespaceError(err)
	}
	r.root.tid = r.command.Process.Pid
	if err := r.awaitRoot(); err != nil {
		return nil, r.abandon(err)
	}
	if err := r.prepareRoot(settings); err != nil {
		return nil, r.abandon(err)
	}
	if err := r.intercept(interceptor, native); err != nil {
		return nil, r.abandon(err)
	}
	return r, nil
}

// namespaceError explains why the namespaces could not be created.
func namespaceError(err error) error {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return &MissingError{
			"this machine does not let ordinary users create user namespaces (" + err.Error() + ")",
			"allow it: sysctl kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0",
		}
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EUSERS):
		return &MissingError{
			"the machine's limit of namespaces is reached (" + err.Error() + ")",
			"raise it: sysctl user.max_user_namespaces user.max_pid_namespaces user.max_net_namespaces",
		}
	case errors.Is(err, unix.EINVAL):
		return &MissingError{"this kernel lacks a kind of namespace", "use one with user, PID, network, mount, IPC and UTS namespaces"}
	}
	return fmt.Errorf("start the first agent: %w", err)
}

// abandon kills everything and passes err on.
func (r *Realm) abandon(err error) error {
	r.Close()
	return err
}

// Close kills every guest and waits until they are gone.
func (r *Realm) Close() {
	r.command.Process.Kill()
	r.reapAttached()
	r.command.Wait()
	r.socket.Close()
	if r.interceptor != nil {
		r.interceptor.close()
	}
}

// reapAttached collects threads that died while under ptrace: the namespace's
// first process cannot go before they have.
func (r *Realm) reapAttached() {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WALL|unix.WNOHANG, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || pid == r.command.Process.Pid {
			return
		}
		if pid == 0 {
			time.Sleep(100 * time.Microsecond)
			if r.command.ProcessState != nil {
				return
			}
			continue
		}
	}
}

// prepareRoot makes the first agent's mounts private, so that nothing done in
// a container reaches the machine.
func (r *Realm) prepareRoot(settings []Setting) error {
	var l list
	// What this process has got from its parent would be the guests' too.
	const firstUnknown = 3
	l.add(goOn, "close descriptors", unix.SYS_CLOSE_RANGE, firstUnknown, uint64(^uint32(0)), 0)
	l.add(mustSucceed, "make mounts private", unix.SYS_MOUNT, l.string("none"), l.string("/"), 0, unix.MS_REC|unix.MS_PRIVATE, 0)
	l.add(mustSucceed, "personality", unix.SYS_PERSONALITY, 0x0040000) // ADDR_NO_RANDOMIZE
	for _, s := range settings {
		l.set(s)
	}
	if _, err := r.perform(&r.root, &l); err != nil {
		return fmt.Errorf("prepare the namespaces: %w", err)
	}
	return nil
}

// UseSmallPages keeps guests' memory from being put into huge pages, which depends
// on how fragmented the machine's is and shows in proc(5). It must be called before
// containers are created; kernels that cannot do it have no huge pages.
func (r *Realm) UseSmallPages() error {
	var l list
	l.add(goOn, "prctl", unix.SYS_PRCTL, unix.PR_SET_THP_DISABLE, 1, 0, 0, 0)
	_, err := r.perform(&r.root, &l)
	return err
}

// patience is how long an agent may take for a call. Creating namespaces waits
// while the kernel takes those of an earlier run down, seconds for hundreds.
const patience = 60 * time.Second

// perform lets an agent carry out a list of calls and returns their results.
// The error is the first call that had to succeed and did not.
func (r *Realm) perform(a *agent, l *list) ([]int64, error) {
	if err := r.hand(a, l); err != nil {
		return nil, err
	}
	await := r.awaitRoot
	if a.container != nil {
		await = a.container.awaitAgent
	}
	if err := await(); err != nil {
		return nil, err
	}
	return r.results(a, l)
}

// awaitAgent waits until a host's agent has finished its list.
func (c *Container) awaitAgent() error {
	for {
		n, errno := c.realm.interceptor.receive(c, patience)
		switch {
		case errno != 0:
			return fmt.Errorf("seccomp notification: %w", errno)
		case n == nil:
			return errors.New("a host's agent does not answer")
		case int(n.pid) != c.agent.tid:
			c.realm.stash = append(c.realm.stash, stashed{c, *n})
		case n.number == agentCall:
			c.agent.id = n.id
			return nil
		default:
			c.Continue(n.id)
		}
	}
}

// awaitRoot waits until the first agent has finished its list.
func (r *Realm) awaitRoot() error {
	fd := int(r.socket.Fd())
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if errno := ppoll(fds, time.Until(deadline)); errno != 0 {
			return fmt.Errorf("poll: %w", errno)
		}
		if fds[0].Revents != 0 {
			var b [1]byte
			if n, err := unix.Read(fd, b[:]); n == 1 {
				return nil
			} else if err != unix.EINTR {
				return errors.New("the first agent has ended")
			}
		}
	}
	return errors.New("the first agent does not answer")
}

// hand gives an agent its next list and lets it begin.
func (r *Realm) hand(a *agent, l *list) error {
	data, err := l.encode(a.container == nil)
	if err != nil {
		return err
	}
	if _, errno := WriteMemory(a.tid, agentDataAddress, data); errno != 0 {
		return fmt.Errorf("write an agent's memory: %w", errno)
	}
	if a.container == nil {
		_, err := r.socket.Write([]byte{0})
		return err
	}
	if errno := a.container.Answer(a.id, 0, 0); errno != 0 {
		return fmt.Errorf("answer an agent: %w", errno)
	}
	return nil
}

// results reads the results of a finished list.
func (r *Realm) results(a *agent, l *list) ([]int64, error) {
	words := make([]int64, listWords+callWords*len(l.calls))
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), 8*len(words))
	if _, errno := ReadMemory(a.tid, agentDataAddress, bytes); errno != 0 {
		return nil, fmt.Errorf("read an agent's memory: %w", errno)
	}
	results := make([]int64, len(l.calls))
	for i, c := range l.calls {
		results[i] = words[listWords+callWords*i+callResult]
		if c.flags&mustSucceed != 0 && results[i] < 0 && results[i] > -4096 {
			return results, fmt.Errorf("%s: %w", c.name, unix.Errno(-results[i]))
		}
		if c.flags&inChild != 0 && results[i] != 0 {
			return results[:i+1], nil
		}
	}
	return results, nil
}

// result is the result of the i-th call of an agent's list.
func (r *Realm) result(a *agent, i int) (int64, error) {
	var b [8]byte
	if _, errno := ReadMemory(a.tid, resultAddress(i), b[:]); errno != 0 {
		return 0, fmt.Errorf("read an agent's memory: %w", errno)
	}
	return int64(binary.LittleEndian.Uint64(b[:])), nil
}

// NamespacePID returns a thread's number in the innermost PID namespace, its
// thread group's, and its parent's as the emulator sees it.
func NamespacePID(tid int) (pid int, err error) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/status")
	if err != nil {
		return 0, err
	}
	numbers := strings.Fields(statusField(status, "NSpid"))
	if len(numbers) == 0 {
		return 0, fmt.Errorf("/proc/%d/status has no NSpid", tid)
	}
	return strconv.Atoi(numbers[len(numbers)-1])
}
