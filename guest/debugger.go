package guest

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Restart is the errno with which a call that a signal interrupts is made again
// (ERESTARTSYS of linux/errno.h). Without a signal or a stop to come the guest would
// see it.
const Restart = unix.Errno(512)

// Debugger is the number of the thread that traces a thread from outside, 0 if none
// does.
func Debugger(tid int) int {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/status")
	if err != nil {
		return 0
	}
	tracer := statusField(status, "TracerPid")
	if tracer == "0" {
		return 0
	}
	number, err := strconv.Atoi(tracer)
	if err != nil || threadGroup(number) == os.Getpid() {
		return 0
	}
	return number
}

// DebuggerStops tells that a debugger waits for a thread to stop while the thread
// waits for an answer, and returns the number of the thread's call. What the debugger
// did does not end that wait (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV). Attaching tells
// that the debugger came while the thread waited.
//
// PTRACE_ATTACH (gdb) leaves a SIGSTOP to be seen. PTRACE_INTERRUPT (strace) leaves
// nothing; but then strace waits: for any thread when it attaches, and for this one
// when it wants to let go.
func DebuggerStops(tid, debugger int, attaching bool) (number int, ok bool) {
	if threadState(tid) != 'D' {
		return 0, false
	}
	s, ok := readSignals(tid)
	const stop = 1 << (unix.SIGSTOP - 1)
	if !ok || s.Pending&stop == 0 {
		waits, arguments := currentCall(debugger)
		if waits != unix.SYS_WAIT4 || len(arguments) == 0 {
			return 0, false
		}
		if n := int(int32(arguments[0])); n != tid && !(attaching && n == -1) {
			return 0, false
		}
	}
	number, _ = currentCall(tid)
	return number, number >= 0
}

// currentCall is the system call in which a thread waits, -1 if it is in none, or this
// process may not know.
func currentCall(tid int) (number int, arguments []uint64) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/syscall")
	if err != nil {
		return -1, nil
	}
	fields := strings.Fields(string(text))
	if number, err = strconv.Atoi(fields[0]); err != nil {
		return -1, nil
	}
	for _, f := range fields[1:] {
		a, err := strconv.ParseUint(f, 0, 64)
		if err != nil {
			return -1, nil
		}
		arguments = append(arguments, a)
	}
	return number, arguments
}
