package guest

import (
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
	listener int
	root     agent
	command  *exec.Cmd
	vdso     vdsoImage
	watch    int // epoll of the pidfds of all guest processes
	watched  map[int32]int
	rootMap  bool // all user and group ids are mapped, not only root

	event notification
	reply response
	// stash are guests' calls that came while an agent worked.
	stash []notification
}

// agent is a process that carries out lists of calls.
type agent struct {
	tid int
	id  uint64 // of the notification that waits for the next list
}

// Start creates the realm. All guests will run on the given processor, and so
// does the calling OS thread from now on: a switch between two processes on one
// processor costs a tenth of one between two. settings are those of the
// namespaces that lie outside all containers.
func Start(native Native, processor int, settings ...Setting) (*Realm, error) {
	runtime.LockOSThread()
	program, err := filter(native)
	if err != nil {
		return nil, err
	}
	image, err := agentELF(program)
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
	r.command = &exec.Cmd{
		Path: "/proc/self/fd/" + strconv.Itoa(memory),
		Args: []string{"simterpose-agent"},
		Env:  []string{},
		Dir:  "/",
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
		return nil, namespaceError(err)
	}
	if r.watch, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, r.abandon(fmt.Errorf("epoll_create1: %w", err))
	}
	if err := r.takeListener(); err != nil {
		return nil, r.abandon(err)
	}
	n, errno := r.receive(patience)
	if errno != 0 || n == nil || n.number != agentCall {
		return nil, r.abandon(fmt.Errorf("the first agent does not answer (%v)", errno))
	}
	r.root = agent{tid: int(n.pid), id: n.id}
	return r, r.prepareRoot(settings)
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

// takeListener takes the listener of the filter that the first agent has
// installed. The agent then sleeps in its first agentCall; nothing tells when
// it has got so far but the descriptor itself.
func (r *Realm) takeListener() error {
	const listenerNumber = 3 // after standard input, output and error
	pidfd, err := unix.PidfdOpen(r.command.Process.Pid, 0)
	if err != nil {
		return &MissingError{"pidfd_open failed: " + err.Error(), "run on Linux 5.19 or newer"}
	}
	defer unix.Close(pidfd)
	for deadline := time.Now().Add(patience); ; {
		r.listener, err = unix.PidfdGetfd(pidfd, listenerNumber, 0)
		if err == nil {
			break
		}
		if time.Now().After(deadline) || err != unix.EBADF {
			return &MissingError{
				"seccomp user notification is not possible here (" + err.Error() + ")",
				"use Linux 5.19 or newer, or a container that allows seccomp",
			}
		}
		time.Sleep(50 * time.Microsecond)
	}
	// Wake the emulator and the guests on the processor they share; kernels
	// before 6.6 do not have it and do so by themselves most of the time.
	unix.RawSyscall(unix.SYS_IOCTL, uintptr(r.listener), unix.SECCOMP_IOCTL_NOTIF_SET_FLAGS, unix.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
	return nil
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
	if r.listener > 0 {
		unix.Close(r.listener)
	}
	if r.watch > 0 {
		unix.Close(r.watch)
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
	l.add(mustSucceed, "close the listener", unix.SYS_CLOSE, 3)
	l.add(mustSucceed, "make mounts private", unix.SYS_MOUNT, l.string("none"), l.string("/"), 0, unix.MS_REC|unix.MS_PRIVATE, 0)
	l.add(mustSucceed, "personality", unix.SYS_PERSONALITY, 0x0040000) // ADDR_NO_RANDOMIZE
	for _, s := range settings {
		l.set(s)
	}
	if _, err := r.perform(&r.root, &l); err != nil {
		return r.abandon(fmt.Errorf("prepare the namespaces: %w", err))
	}
	return nil
}

// receive waits at most timeout for a notification; nil without an error means
// that there was none. The result is overwritten by the next call.
func (r *Realm) receive(timeout time.Duration) (*notification, unix.Errno) {
	for deadline := time.Now().Add(timeout); ; {
		left := time.Until(deadline)
		if left < 0 {
			return nil, 0
		}
		// A death is told by Wait; a signal of the Go runtime means nothing.
		ready, errno := r.poll(min(left, time.Millisecond))
		if errno != 0 {
			return nil, errno
		}
		if ready&pollListener != 0 {
			if n, errno := r.take(); n != nil || errno != 0 {
				return n, errno
			}
		}
	}
}

// take receives the notification that poll has announced.
func (r *Realm) take() (*notification, unix.Errno) {
	r.event = notification{}
	_, errno := ioctlBlocking(r.listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&r.event))
	switch errno {
	case 0:
		return &r.event, 0
	case unix.ENOENT, unix.EINTR: // the guest died between the two calls
		return nil, 0
	}
	return nil, errno
}

// patience is how long an agent may take for a call. Creating namespaces waits
// while the kernel takes those of an earlier run down, seconds for hundreds.
const patience = 60 * time.Second

const (
	pollListener = 1
	pollDeath    = 2
)

// poll waits for a notification or the death of a watched process. A negative
// timeout means none.
func (r *Realm) poll(timeout time.Duration) (ready int, errno unix.Errno) {
	fds := [2]unix.PollFd{
		{Fd: int32(r.listener), Events: unix.POLLIN},
		{Fd: int32(r.watch), Events: unix.POLLIN},
	}
	var limit *unix.Timespec
	if timeout >= 0 {
		ts := unix.NsecToTimespec(int64(timeout))
		limit = &ts
	}
	_, _, errno = unix.Syscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&fds)), 2, uintptr(unsafe.Pointer(limit)), 0, 0, 0)
	if errno == unix.EINTR {
		return 0, 0
	}
	if fds[0].Revents&unix.POLLIN != 0 {
		ready |= pollListener
	}
	if fds[1].Revents&unix.POLLIN != 0 {
		ready |= pollDeath
	}
	return ready, errno
}

// perform lets an agent carry out a list of calls and returns their results.
// The error is the first call that had to succeed and did not.
func (r *Realm) perform(a *agent, l *list) ([]int64, error) {
	if err := r.hand(a, l); err != nil {
		return nil, err
	}
	for {
		n, errno := r.receive(patience)
		if errno != 0 {
			return nil, fmt.Errorf("seccomp notification: %w", errno)
		}
		if n == nil {
			return nil, errors.New("an agent does not answer")
		}
		if int(n.pid) != a.tid {
			r.stash = append(r.stash, *n)
			continue
		}
		if n.number == agentCall {
			a.id = n.id
			return r.results(a, l)
		}
		r.Continue(n.id)
	}
}

// hand gives an agent its next list and lets it begin.
func (r *Realm) hand(a *agent, l *list) error {
	data, err := l.encode()
	if err != nil {
		return err
	}
	if _, errno := WriteMemory(a.tid, agentDataAddress, data); errno != 0 {
		return fmt.Errorf("write an agent's memory: %w", errno)
	}
	if errno := r.Answer(a.id, 0, 0); errno != 0 {
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
		results[i] = words[listWords+callWords*i+7]
		if c.flags&mustSucceed != 0 && results[i] < 0 && results[i] > -4096 {
			return results, fmt.Errorf("%s: %w", c.name, unix.Errno(-results[i]))
		}
		if c.flags&inChild != 0 && results[i] != 0 {
			return results[:i+1], nil
		}
	}
	return results, nil
}

// Answer ends a guest's call with a value, or with errno when that is not 0.
// ENOENT means that the guest has gone meanwhile.
func (r *Realm) Answer(id uint64, value int64, errno unix.Errno) unix.Errno {
	r.reply = response{id: id, value: value, error: -int32(errno)}
	_, e := ioctl(r.listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r.reply))
	return e
}

// Continue lets the kernel carry out a guest's call.
func (r *Realm) Continue(id uint64) unix.Errno {
	r.reply = response{id: id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	_, e := ioctl(r.listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r.reply))
	return e
}

// AnswerDescriptor installs a copy of one of the emulator's descriptors in the
// guest and answers its call with the number it got there. These are two steps,
// not SECCOMP_ADDFD_FLAG_SEND's one: when a signal of the Go runtime interrupts
// that (Linux 6.18), the guest may be answered without a descriptor.
func (r *Realm) AnswerDescriptor(id uint64, source int, closeOnExec bool) (number int, errno unix.Errno) {
	if number, errno = r.AddDescriptor(id, source, -1, closeOnExec); errno != 0 {
		return 0, errno
	}
	return number, r.Answer(id, int64(number), 0)
}

// AddDescriptor installs a copy of one of the emulator's descriptors in a guest
// whose call is not answered yet, with the given number, or the lowest free one
// when number is negative.
func (r *Realm) AddDescriptor(id uint64, source, number int, closeOnExec bool) (int, unix.Errno) {
	a := addDescriptor{id: id, source: uint32(source)}
	if number >= 0 {
		a.flags = unix.SECCOMP_ADDFD_FLAG_SETFD
		a.number = uint32(number)
	}
	if closeOnExec {
		a.newFlags = unix.O_CLOEXEC
	}
	return ioctl(r.listener, unix.SECCOMP_IOCTL_NOTIF_ADDFD, unsafe.Pointer(&a))
}

// NamespacePID returns a thread's number in the innermost PID namespace, its
// thread group's, and its parent's as the emulator sees it.
func NamespacePID(tid int) (pid int, err error) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "NSpid:" {
			return strconv.Atoi(fields[len(fields)-1])
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no NSpid", tid)
}
