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

// stopEvent is the ptrace event of a stop, 0 when the status is not a stop by
// an event. unix.PTRACE_EVENT_STOP is 128.
func stopEvent(s unix.WaitStatus) int {
	if !s.Stopped() {
		return 0
	}
	return int(uint32(s) >> 16)
}
