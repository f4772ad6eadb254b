package interception

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// mechanism is a way to intercept calls.
type mechanism struct {
	name, about string
	// measured is the subject whose cost is the mechanism's: call, clock or tsc.
	measured string
	// launcher and option are the program that intercepts, from folder c; preload,
	// the library that a program is made to load.
	launcher, option, preload string
	// apart tells to put the program on another processor than who answers.
	apart bool
	// only is where the mechanism does not go by launchers alone.
	only func(*laboratory, subject) (command, error)
}

// mechanisms are in the order of the table.
var mechanisms = []mechanism{
	{
		name: "ptrace", about: "PTRACE_SYSCALL: a tracer is told of the entry and the exit of every call",
		measured: "call", launcher: "tracer", option: "syscall",
	},
	{
		name: "ptrace + seccomp", about: "RET_TRACE: a filter in the kernel picks the calls that stop, once, for the tracer",
		measured: "call", launcher: "tracer", option: "seccomp",
	},
	{
		name: "user notification", about: "RET_USER_NOTIF: the filter hands calls to another process, on the same processor; what simterpose does",
		measured: "call", launcher: "notify", option: "-",
	},
	{
		name: "notification, apart", about: "RET_USER_NOTIF to a process on another processor",
		measured: "call", launcher: "notify", option: "-", apart: true,
	},
	{
		name: "SIGSYS handler", about: "RET_TRAP: the filter raises a signal in the program, where a handler was put that answers",
		measured: "call", launcher: "inject", option: "sigsys",
	},
	{
		name: "SIGSEGV handler", about: "PR_SET_TSC: the processor refuses rdtsc, and a handler that was put into the program answers; simterpose's tsc: simulated",
		measured: "tsc", launcher: "inject", option: "tsc",
	},
	{
		name: "uprobes", about: "breakpoints of the kernel in the functions of files, which a counter is told of",
		measured: "call", launcher: "uprobe", only: probed,
	},
	{
		name: "LD_PRELOAD", about: "a library whose functions come before the C library's",
		measured: "call", launcher: "pinned", option: "-", preload: "preload",
	},
	{
		name: "GOT/PLT patching", about: "the tables by which a program calls its libraries are overwritten",
		measured: "call", launcher: "pinned", option: "-", preload: "got",
	},
	{
		name: "vDSO rewriting", about: "the kernel's clock functions in the program's memory are overwritten; simterpose does that too",
		measured: "clock", launcher: "inject", option: "vdso",
	},
	{
		name: "Valgrind", about: "the program's instructions are translated, and its calls with them (--tool=none --trace-syscalls=yes)",
		measured: "call", launcher: "pinned", option: "-", only: valgrind,
	},
}

// native is what all are compared with.
var native = mechanism{name: "native", launcher: "pinned", option: "-"}

// subject is a program, what it does and how often.
type subject struct {
	program, what, function string
	calls                   int
	// counted tells that who can only watch shall count the calls.
	counted bool
}

// laboratory has what runs need.
type laboratory struct {
	*programs
	own, other int // processors; other is -1 if there is only one
	goSubject  []string
}

// arguments of a subject's command.
func (l *laboratory) arguments(s subject) ([]string, error) {
	if s.program == goProgram {
		return append(l.goSubject[:len(l.goSubject):len(l.goSubject)], s.what, strconv.Itoa(s.calls)), nil
	}
	path, err := l.path(s.program)
	return []string{path, s.what, strconv.Itoa(s.calls)}, err
}

// launch is the command that lets a mechanism intercept the calls of a subject.
func (m *mechanism) launch(l *laboratory, s subject) (command, error) {
	if m.only != nil {
		return m.only(l, s)
	}
	c, err := l.launch(m.launcher, m.option, m.apart, s)
	if err == nil && m.preload != "" {
		var library string
		library, err = l.path(m.preload)
		c.environment = []string{"LD_PRELOAD=" + library}
	}
	return c, err
}

func (l *laboratory) launch(launcher, option string, apart bool, s subject, between ...string) (command, error) {
	path, err := l.path(launcher)
	arguments, err2 := l.arguments(s)
	if err := errors.Join(err, err2); err != nil {
		return command{}, err
	}
	processor := l.own
	if apart {
		if processor = l.other; processor < 0 {
			return command{}, errors.New("only one processor may be used here")
		}
	}
	all := append([]string{path, option, strconv.Itoa(l.own), strconv.Itoa(processor)}, between...)
	return command{arguments: append(all, arguments...)}, nil
}

// valgrind is asked for a line for each call only where they are counted, since
// writing them costs more than the calls.
func valgrind(l *laboratory, s subject) (command, error) {
	path, err := exec.LookPath("valgrind")
	if err != nil {
		return command{}, errors.New("no valgrind here (on Debian: apt-get install valgrind)")
	}
	options := []string{path, "-q", "--tool=none", "--trace-children=yes"}
	if s.counted {
		if err := os.RemoveAll(l.logs()); err != nil {
			return command{}, err
		}
		// Whoever runs it writes there.
		if err := errors.Join(os.Mkdir(l.logs(), 0o755), os.Chmod(l.logs(), 0o777)); err != nil {
			return command{}, err
		}
		options = append(options, "--trace-syscalls=yes", fmt.Sprintf("--log-file=%s/%%p", l.logs()))
	}
	return l.launch("pinned", "-", false, s, options...)
}

// logs is the folder of Valgrind's logs.
func (l *laboratory) logs() string { return filepath.Join(l.folder, "logs") }
