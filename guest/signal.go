package guest

import (
	"encoding/binary"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// SendSignal sends a signal as the kernel would: to a process, or to its thread
// tid when that is not 0.
func (r *Realm) SendSignal(pid, tid int, signal unix.Signal) unix.Errno {
	var err error
	if tid == 0 {
		err = unix.Kill(pid, signal)
	} else {
		err = unix.Tgkill(pid, tid, signal)
	}
	if err != nil {
		return err.(unix.Errno)
	}
	r.interceptor.signalled(pid, tid, signal)
	return 0
}

// SendTimerSignal sends a signal that looks as if a POSIX timer had sent it,
// with its number, overruns and value.
func (r *Realm) SendTimerSignal(pid, tid int, signal unix.Signal, timer, overrun int, value uint64) unix.Errno {
	const siTimer = -2
	info := signalInfo(signal, siTimer, timer, overrun, value)
	var errno unix.Errno
	if tid == 0 {
		_, _, errno = unix.RawSyscall(unix.SYS_RT_SIGQUEUEINFO, uintptr(pid), uintptr(signal), uintptr(unsafe.Pointer(&info)))
	} else {
		_, _, errno = unix.RawSyscall6(unix.SYS_RT_TGSIGQUEUEINFO, uintptr(pid), uintptr(tid), uintptr(signal), uintptr(unsafe.Pointer(&info)), 0, 0)
	}
	if errno == 0 {
		r.interceptor.signalled(pid, tid, signal)
	}
	return errno
}

// SendMessageSignal sends a signal that looks as if a message that sender sent
// had come to a POSIX queue. pid and sender are the container's numbers. The
// signal comes from inside the container: of what comes from outside of a PID
// namespace the kernel hides the sender.
func (c *Container) SendMessageSignal(pid int, signal unix.Signal, sender, user int, value uint64) error {
	const siMesgq = -3
	info := signalInfo(signal, siMesgq, sender, user, value)
	var l list
	l.add(goOn, "rt_sigqueueinfo", unix.SYS_RT_SIGQUEUEINFO, uint64(pid), uint64(signal), l.data(info[:]))
	_, err := c.realm.perform(&c.agent, &l)
	return err
}

// signalInfo is a siginfo_t: signal, errno, code, then two numbers and a value.
func signalInfo(signal unix.Signal, code int32, first, second int, value uint64) (info [128]byte) {
	binary.LittleEndian.PutUint32(info[0:], uint32(signal))
	binary.LittleEndian.PutUint32(info[8:], uint32(code))
	binary.LittleEndian.PutUint32(info[16:], uint32(first))
	binary.LittleEndian.PutUint32(info[20:], uint32(second))
	binary.LittleEndian.PutUint64(info[24:], value)
	return info
}

// Signals are sets of signals, bit n-1 for signal n, of a thread.
type Signals struct {
	Pending, Blocked, Ignored, Caught uint64
	Dead                              bool
}

// statusField is the value of a line of proc(5)'s status; empty if there is none.
func statusField(status []byte, name string) string {
	_, rest, _ := strings.Cut("\n"+string(status), "\n"+name+":")
	value, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(value)
}

// readSignals reads a thread's sets from proc(5)'s status.
func readSignals(tid int) (s Signals, ok bool) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/status")
	if err != nil {
		return s, false
	}
	for line := range strings.Lines(string(status)) {
		if !strings.HasPrefix(line, "S") {
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		if name == "State" {
			state := strings.TrimSpace(value)
			s.Dead = strings.HasPrefix(state, "Z") || strings.HasPrefix(state, "X")
		}
		set, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		if err != nil {
			continue
		}
		switch name {
		case "SigPnd", "ShdPnd":
			s.Pending |= set
		case "SigBlk":
			s.Blocked = set
		case "SigIgn":
			s.Ignored = set
		case "SigCgt":
			s.Caught = set
		}
	}
	return s, true
}

// RobustList is the head of a thread's list of robust futexes, 0 if it has
// none (get_robust_list(2)).
func RobustList(tid int) uint64 {
	var head, size uint64
	_, _, errno := unix.RawSyscall(unix.SYS_GET_ROBUST_LIST, uintptr(tid), uintptr(unsafe.Pointer(&head)), uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		return 0
	}
	return head
}

// OpenNumbers lists a thread's open descriptors.
func OpenNumbers(tid int) []int {
	entries, err := os.ReadDir("/proc/" + strconv.Itoa(tid) + "/fd")
	if err != nil {
		return nil
	}
	numbers := make([]int, 0, len(entries))
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil {
			numbers = append(numbers, n)
		}
	}
	return numbers
}
