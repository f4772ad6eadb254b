package guest

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Raw requests of ptrace(2), each as its manual page names it. All act on a
// thread that this OS thread has seized.

func ptrace(request, tid int, address, data uintptr) unix.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, uintptr(request), uintptr(tid), address, data, 0, 0)
	return errno
}

func ptraceSeize(tid int, options int) unix.Errno {
	return ptrace(unix.PTRACE_SEIZE, tid, 0, uintptr(options))
}

func ptraceInterrupt(tid int) unix.Errno { return ptrace(unix.PTRACE_INTERRUPT, tid, 0, 0) }

func ptraceContinue(tid int, signal unix.Signal) unix.Errno {
	return ptrace(unix.PTRACE_CONT, tid, 0, uintptr(signal))
}

func ptraceStep(tid int, signal unix.Signal) unix.Errno {
	return ptrace(unix.PTRACE_SINGLESTEP, tid, 0, uintptr(signal))
}

// ptraceSyscall lets a thread run to the next beginning or end of a call.
func ptraceSyscall(tid int) unix.Errno { return ptrace(unix.PTRACE_SYSCALL, tid, 0, 0) }

// ptraceListen lets a thread that a signal has stopped be continued by another.
func ptraceListen(tid int) unix.Errno { return ptrace(unix.PTRACE_LISTEN, tid, 0, 0) }

func ptraceDetach(tid int, signal unix.Signal) unix.Errno {
	return ptrace(unix.PTRACE_DETACH, tid, 0, uintptr(signal))
}

func ptraceEventMessage(tid int) (uint64, unix.Errno) {
	var message uint64
	errno := ptrace(unix.PTRACE_GETEVENTMSG, tid, 0, uintptr(unsafe.Pointer(&message)))
	return message, errno
}

func ptraceGetRegisters(tid int, registers *unix.PtraceRegs) unix.Errno {
	return ptrace(unix.PTRACE_GETREGS, tid, 0, uintptr(unsafe.Pointer(registers)))
}

func ptraceSetRegisters(tid int, registers *unix.PtraceRegs) unix.Errno {
	return ptrace(unix.PTRACE_SETREGS, tid, 0, uintptr(unsafe.Pointer(registers)))
}

// floatState is user_fpregs_struct of sys/user.h.
type floatState [512]byte

func ptraceGetFloats(tid int, floats *floatState) unix.Errno {
	return ptrace(unix.PTRACE_GETFPREGS, tid, 0, uintptr(unsafe.Pointer(floats)))
}

// Offsets in struct user_regs_struct (sys/user.h).
const (
	userRax     = 80
	userOrigRax = 120
)

// ptracePoke sets one register, by its offset.
func ptracePoke(tid int, register uintptr, value uint64) unix.Errno {
	return ptrace(unix.PTRACE_POKEUSR, tid, register, uintptr(value))
}

// siginfo is siginfo_t (sigaction(2)).
type siginfo struct {
	signal, errno, code int32
	_                   int32
	rest                [112]byte
}

func ptraceGetSignalInfo(tid int, info *siginfo) unix.Errno {
	return ptrace(unix.PTRACE_GETSIGINFO, tid, 0, uintptr(unsafe.Pointer(info)))
}

func ptraceSetSignalInfo(tid int, info *siginfo) unix.Errno {
	return ptrace(unix.PTRACE_SETSIGINFO, tid, 0, uintptr(unsafe.Pointer(info)))
}

// What PTRACE_GET_SYSCALL_INFO tells of (linux/ptrace.h).
const (
	ptraceGetSyscallInfo = 0x420e
	callEntry            = 1
	callExit             = 2
)

// callInfo is struct ptrace_syscall_info of linux/ptrace.h.
type callInfo struct {
	what               uint8
	_                  [3]byte
	architecture       uint32
	instructionPointer uint64
	stackPointer       uint64
	number             uint64 // or a call's result
	arguments          [6]uint64
	data               uint32
	_                  uint32
}

func ptraceGetCallInfo(tid int, info *callInfo) unix.Errno {
	return ptrace(ptraceGetSyscallInfo, tid, unsafe.Sizeof(*info), uintptr(unsafe.Pointer(info)))
}

func ptraceGetSignalMask(tid int) (mask uint64, errno unix.Errno) {
	errno = ptrace(unix.PTRACE_GETSIGMASK, tid, 8, uintptr(unsafe.Pointer(&mask)))
	return mask, errno
}

func ptraceSetSignalMask(tid int, mask uint64) unix.Errno {
	return ptrace(unix.PTRACE_SETSIGMASK, tid, 8, uintptr(unsafe.Pointer(&mask)))
}

// wait4 is wait4(2) without blocking, for traced threads; ok is false when
// there is nothing to tell.
func wait4(tid int) (status unix.WaitStatus, ok bool, errno unix.Errno) {
	var s uint32
	n, _, errno := unix.RawSyscall6(unix.SYS_WAIT4, uintptr(tid), uintptr(unsafe.Pointer(&s)), unix.WALL|unix.WNOHANG, 0, 0, 0)
	return unix.WaitStatus(s), errno == 0 && n != 0, errno
}

// waitAny is wait4(2) for all that this OS thread traces, and its children. It
// returns 0 when there is nothing to tell.
func waitAny(block bool) (tid int, status unix.WaitStatus, errno unix.Errno) {
	var s uint32
	const options = unix.WALL | unix.WNOTHREAD
	var n uintptr
	if block {
		n, _, errno = unix.Syscall6(unix.SYS_WAIT4, ^uintptr(0), uintptr(unsafe.Pointer(&s)), options, 0, 0, 0)
	} else {
		n, _, errno = unix.RawSyscall6(unix.SYS_WAIT4, ^uintptr(0), uintptr(unsafe.Pointer(&s)), options|unix.WNOHANG, 0, 0, 0)
	}
	if errno != 0 {
		return 0, 0, errno
	}
	return int(n), unix.WaitStatus(s), 0
}

// waitFor is wait4(2) for one traced thread, until it stops or dies.
func waitFor(tid int) (unix.WaitStatus, unix.Errno) {
	var s uint32
	for {
		_, _, errno := unix.Syscall6(unix.SYS_WAIT4, uintptr(tid), uintptr(unsafe.Pointer(&s)), unix.WALL, 0, 0, 0)
		if errno != unix.EINTR {
			return unix.WaitStatus(s), errno
		}
	}
}

// stopEvent is the ptrace event of a stop, 0 when the status is not a stop by
// an event. unix.PTRACE_EVENT_STOP is 128.
func stopEvent(s unix.WaitStatus) int {
	if !s.Stopped() {
		return 0
	}
	return int(uint32(s) >> 16)
}
