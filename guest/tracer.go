package guest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Witness is told what the threads of a program on the real machine do. Each
// thread stands still while it is told of.
type Witness interface {
	// Enters and Leaves are a system call's beginning and end.
	Enters(tid, number int, arguments [6]uint64)
	Leaves(tid int, result int64)
	// Clones is a new thread or process of a thread.
	Clones(parent, child int)
	// Execs is a program begun by a process.
	Execs(tid int)
	// Exits is a thread about to be gone; what it has is still there. Gone is
	// its end.
	Exits(tid int)
	Gone(tid int)
}

// tracer follows a program by ptrace(2).
type tracer struct {
	witness Witness
	first   int
	status  unix.WaitStatus
	known   map[int]bool
	// early are new threads that stopped before their parent's event came.
	early map[int]bool
}

const traced = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK |
	unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_TRACEEXIT | unix.PTRACE_O_EXITKILL

// Observe runs a program on the real machine, with this process's standard
// files, until it and all its descendants have ended, and returns its status.
func Observe(argv []string, w Witness) (unix.WaitStatus, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c := exec.Command(argv[0], argv[1:]...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := c.Start(); err != nil {
		return 0, err
	}
	t := &tracer{witness: w, first: c.Process.Pid, known: map[int]bool{}, early: map[int]bool{}}
	if _, err := unix.Wait4(t.first, nil, unix.WALL, nil); err != nil {
		return 0, fmt.Errorf("wait4: %w", err)
	}
	if errno := ptrace(unix.PTRACE_SETOPTIONS, t.first, 0, traced); errno != 0 {
		return 0, fmt.Errorf("ptrace: %w", errno)
	}
	t.known[t.first] = true
	w.Execs(t.first)
	t.goOn(t.first, 0)
	return t.status, t.follow()
}

// goOn lets a thread run to its next stop. One that has died meanwhile will be
// told of.
func (t *tracer) goOn(tid int, signal unix.Signal) {
	ptrace(unix.PTRACE_SYSCALL, tid, 0, uintptr(signal))
}

func (t *tracer) follow() error {
	for {
		var status unix.WaitStatus
		tid, err := unix.Wait4(-1, &status, unix.WALL, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ECHILD):
			return nil
		case err != nil:
			return fmt.Errorf("wait4: %w", err)
		}
		t.stopped(tid, status)
	}
}

// stopped deals with one stop, or end, of a thread.
func (t *tracer) stopped(tid int, status unix.WaitStatus) {
	if status.Exited() || status.Signaled() {
		if tid == t.first {
			t.status = status
		}
		delete(t.known, tid)
		t.witness.Gone(tid)
		return
	}
	if !t.known[tid] {
		t.early[tid] = true // until its parent tells
		return
	}
	switch event := stopEvent(status); {
	case event == unix.PTRACE_EVENT_CLONE, event == unix.PTRACE_EVENT_FORK, event == unix.PTRACE_EVENT_VFORK:
		if child, errno := ptraceEventMessage(tid); errno == 0 {
			t.known[int(child)] = true
			t.witness.Clones(tid, int(child))
			if t.early[int(child)] {
				delete(t.early, int(child))
				t.goOn(int(child), 0)
			}
		}
	case event == unix.PTRACE_EVENT_EXEC:
		t.witness.Execs(tid)
	case event == unix.PTRACE_EVENT_EXIT:
		t.witness.Exits(tid)
	case event != 0:
	case status.StopSignal() == unix.SIGTRAP|0x80:
		t.call(tid)
	case status.StopSignal() == unix.SIGSTOP, status.StopSignal() == unix.SIGTRAP:
		// A new thread's first stop.
	default:
		t.goOn(tid, status.StopSignal())
		return
	}
	t.goOn(tid, 0)
}

// call tells of a system call's beginning or end.
func (t *tracer) call(tid int) {
	var info callInfo
	if errno := ptraceGetCallInfo(tid, &info); errno != 0 {
		return // it has died
	}
	switch info.what {
	case callEntry:
		t.witness.Enters(tid, int(info.number), info.arguments)
	case callExit:
		t.witness.Leaves(tid, int64(info.number))
	}
}
