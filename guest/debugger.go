package guest

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Restart is the errno with which a call that a signal interrupts is made again
// (ERESTARTSYS of linux/errno.h). Without a signal to come the guest would see it.
const Restart = unix.Errno(512)

// DebuggerStops tells that a debugger waits for a thread to stop while the thread
// waits for an answer, and returns the number of the thread's call. The debugger's
// SIGSTOP does not end that wait (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV).
func DebuggerStops(tid int) (number int, ok bool) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/status")
	if err != nil {
		return 0, false
	}
	tracer := statusField(status, "TracerPid")
	killable := strings.HasPrefix(statusField(status, "State"), "D")
	if tracer == "" || tracer == "0" || tracer == strconv.Itoa(os.Getpid()) || !killable {
		return 0, false
	}
	const stop = 1 << (unix.SIGSTOP - 1)
	if s, ok := readSignals(tid); !ok || s.Pending&stop == 0 {
		return 0, false
	}
	call, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/syscall")
	if err != nil {
		return 0, false
	}
	text, _, _ := strings.Cut(string(call), " ")
	number, err = strconv.Atoi(text)
	return number, err == nil
}
