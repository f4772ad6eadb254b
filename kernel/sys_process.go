package kernel

import (
	"encoding/binary"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/waiter"
)

// Processes and threads: making, waiting for, ending.

// cloneArguments are what matters here of clone's arguments.
type cloneArguments struct {
	flags    uint64
	pidfd    uint64 // where CLONE_PIDFD stores the number
	childTID uint64
}

func (t *Task) cloneArguments() (c cloneArguments) {
	switch t.call.number {
	case unix.SYS_CLONE:
		c = cloneArguments{flags: t.arg(0) &^ 0xff, pidfd: t.arg(2), childTID: t.arg(3)}
	case unix.SYS_CLONE3:
		var b [24]byte // struct clone_args
		if t.read(t.arg(0), b[:]) == 0 {
			word := binary.LittleEndian.Uint64
			c = cloneArguments{flags: word(b[:]), pidfd: word(b[8:]), childTID: word(b[16:])}
		}
	case unix.SYS_VFORK:
		c.flags = unix.CLONE_VFORK | unix.CLONE_VM
	}
	return c
}

func sysClone(t *Task) Outcome {
	c := t.cloneArguments() // before the caller can change its memory
	if c.flags&unix.CLONE_UNTRACED != 0 {
		// Nobody would be told of the child, which would run at once.
		return t.kernel().refuse(t, "clone with CLONE_UNTRACED", unix.EINVAL)
	}
	if c.flags&unix.CLONE_NEWCGROUP != 0 {
		return t.kernel().refuse(t, "clone with CLONE_NEWCGROUP", unix.EPERM)
	}
	t.call.state = c
	return Outcome{Kind: Clone}
}

// sysUnshare keeps guests from namespaces of control groups: there they could
// mount these, whose files are the machine's.
func sysUnshare(t *Task) Outcome {
	if t.flags(0)&unix.CLONE_NEWCGROUP != 0 {
		return t.kernel().refuse(t, "unshare with CLONE_NEWCGROUP", unix.EPERM)
	}
	return native()
}

// firstPID is the number of a host's first process, which is the emulator's.
const firstPID = 1

// sysProcessMemory is process_vm_readv and process_vm_writev of the first process.
func sysProcessMemory(t *Task) Outcome {
	if t.int(0) == firstPID {
		return fail(unix.EPERM)
	}
	return native()
}

// sysExecve leaves to the kernel what will fail for want of a file: shells try
// each folder of PATH, and an exec that is watched costs much more.
func sysExecve(t *Task) Outcome {
	t.host().settleWrites(t.files, -1)
	directory, name := unix.AT_FDCWD, t.arg(0)
	if t.call.number == unix.SYS_EXECVEAT {
		directory, name = t.int(0), t.arg(1)
	}
	file, errno := t.readString(name)
	if errno != 0 {
		return native()
	}
	t.becoming, t.becomingSecure = t.cred.exec(programFile{})
	if full, errno := t.absolute(directory, file); errno == 0 && !strings.HasPrefix(full, "/proc/") {
		if _, errno := t.host().stat(full); errno == unix.ENOENT || errno == unix.ENOTDIR {
			return native()
		}
	}
	follow, empty := true, false
	if t.call.number == unix.SYS_EXECVEAT {
		follow, empty = t.flags(4)&unix.AT_SYMLINK_NOFOLLOW == 0, t.flags(4)&unix.AT_EMPTY_PATH != 0
	}
	if p, ok := t.locate(directory, file, follow, empty); ok {
		errno := t.prepareProgram(&p)
		p.close()
		if errno != 0 {
			return fail(errno)
		}
	}
	return Outcome{Kind: Exec}
}

func sysExit(t *Task) Outcome {
	if len(t.process.tasks) == 1 {
		return sysExitGroup(t)
	}
	t.host().settleWrites(t.files, -1)
	t.wakeRobust()
	return Outcome{Kind: ExitThread}
}

func sysExitGroup(t *Task) Outcome {
	t.host().settleWrites(t.files, -1)
	t.process.exitStatus = unix.WaitStatus(t.flags(0) & 0xff << 8)
	t.wakeRobust()
	return Outcome{Kind: ExitProcess}
}

func sysSetTIDAddress(t *Task) Outcome {
	t.clearChildTID = t.arg(0)
	return native()
}

// sysWait is wait4 and waitid: the kernel carries them out as soon as they would
// not wait.
func sysWait(t *Task) Outcome {
	p := t.process
	p.reapGone()
	options, kind, id := t.flags(2), unix.P_ALL, t.int(0)
	if t.call.number == unix.SYS_WAITID {
		options, kind, id = t.flags(3), t.int(0), t.int(1)
	} else {
		switch {
		case id > 0:
			kind = unix.P_PID
		case id == 0:
			kind = unix.P_PGID
		case id < -1:
			kind, id = unix.P_PGID, -id
		}
	}
	candidates := false
	for _, c := range p.children {
		if !t.matches(c, kind, id) {
			continue
		}
		candidates = true
		if c.zombie || c.stopped && options&unix.WUNTRACED != 0 || c.wasContinued && options&unix.WCONTINUED != 0 {
			c.wasContinued = false
			return t.wait()
		}
	}
	if !candidates || options&unix.WNOHANG != 0 {
		return t.wait()
	}
	t.parking.waitsFor = "the end of a child"
	t.watch(&p.childEvents, waiter.In)
	return t.park(erestartsys)
}

// wait lets the kernel carry a wait call out, but for the usage that it tells.
func (t *Task) wait() Outcome {
	if t.waitUsage() != 0 {
		return Outcome{Kind: Carry}
	}
	return native()
}

// matches tells whether wait's arguments mean a child.
func (t *Task) matches(c *Process, kind, id int) bool {
	switch kind {
	case unix.P_PID:
		return c.PID == id
	case unix.P_PIDFD:
		if d := t.description(id); d != nil {
			f, ok := d.file.(*pidfd)
			return ok && f.process == c
		}
		return false
	case unix.P_PGID:
		leader := t.TID
		if id > 0 {
			if p := t.host().processes[id]; p != nil {
				leader = p.TID
			} else {
				return true // its leader is gone; the kernel knows the group
			}
		}
		want, _ := t.machine().ProcessGroup(leader)
		got, errno := t.machine().ProcessGroup(c.TID)
		return errno == 0 && got == want
	}
	return true
}

// pidfd is the file of pidfd_open(2): ready when the process is dead.
type pidfd struct{ process *Process }

func (f *pidfd) Queue() *waiter.Queue { return &f.process.ended }
func (f *pidfd) Release()             {}

func (f *pidfd) Readiness() waiter.Mask {
	if f.process.zombie {
		return waiter.In | waiter.RdNorm
	}
	return 0
}

func sysPidfdOpen(t *Task) Outcome {
	p := t.host().processes[t.int(0)]
	if p == nil || p.zombie && p.parent == nil {
		return native() // which knows the errno
	}
	fd, err := unix.PidfdOpen(p.TID, t.flags(1)&^unix.PIDFD_NONBLOCK)
	if err != nil {
		return fail(err.(unix.Errno))
	}
	return t.installAnswer(&pidfd{p}, fd, t.flags(1)&unix.PIDFD_NONBLOCK|unix.O_CLOEXEC)
}

// sysPidfdGetfd copies a descriptor of another process.
func sysPidfdGetfd(t *Task) Outcome {
	if t.flags(2) != 0 {
		return fail(unix.EINVAL)
	}
	d := t.description(t.int(0))
	if d == nil {
		return fail(unix.EBADF)
	}
	f, ok := d.file.(*pidfd)
	switch {
	case !ok:
		return fail(unix.EBADF)
	case f.process.zombie || len(f.process.tasks) == 0:
		return fail(unix.ESRCH)
	case !t.mayTrace(f.process):
		return fail(unix.EPERM)
	}
	of := f.process.tasks[0]
	fd, errno := t.machine().TakeDescriptor(of, t.int(1))
	if errno != 0 {
		return fail(errno)
	}
	defer unix.Close(fd)
	number, errno := t.machine().AddDescriptor(t, fd, -1, true)
	if errno != 0 {
		return fail(errno)
	}
	t.files.set(number, of.files.get(t.int(1)))
	return ret(number)
}

// mayTrace tells whether the task may look into a process (ptrace(2), PTRACE_MODE_ATTACH).
func (t *Task) mayTrace(p *Process) bool {
	if p == t.process || t.cred.capable(capSysPtrace) {
		return true
	}
	c := p.left
	if len(p.tasks) > 0 {
		c = p.tasks[0].cred
	}
	return !p.undumpable && t.cred.uid == c.uid && t.cred.uid == c.euid && t.cred.uid == c.suid &&
		t.cred.gid == c.gid && t.cred.gid == c.egid && t.cred.gid == c.sgid && c.permitted.subsetOf(t.cred.permitted)
}

func sysPtrace(t *Task) Outcome { return t.kernel().refuse(t, "ptrace", unix.EPERM) }
