package guest

import (
	"cmp"
	"unsafe"

	"golang.org/x/sys/unix"
)

// spinSteps is how many instructions a waiting loop may be long. Go's sweeper
// that waits for another thread takes some hundred.
const spinSteps = 8192

// Spin looks at a thread that makes no call. If it runs in a circle, which it can
// only leave when another thread changes memory, Spin stops it in a place of the
// circle that depends on nothing but the circle: so it does not matter how often
// the machine has let it run round. It is then stopped as by Stop. Else it runs
// on.
//
// A thread runs in a circle when, instruction by instruction, all its registers
// come back to the same values. Single steps cost some microseconds each.
func Spin(tid int) bool {
	if !Stop(tid) {
		return false
	}
	s := stepper{tid: tid, harmless: map[uint64]bool{}}
	if s.circle() {
		return true
	}
	ptraceDetach(tid, s.signal)
	return false
}

// stepper lets a stopped thread do single instructions.
type stepper struct {
	tid      int
	signal   unix.Signal     // to be passed on, when it ended the steps
	harmless map[uint64]bool // addresses of instructions that make no call
}

// circle goes round once to see that there is a circle and which of its states is
// the least, and then on to that one.
func (s *stepper) circle() bool {
	start, ok := s.state()
	least := start
	at := start
	for range spinSteps {
		if !ok || !s.step(at[0]) {
			return false
		}
		if at, ok = s.state(); ok && at == start {
			break
		}
		if compareStates(at, least) < 0 {
			least = at
		}
	}
	if at != start {
		return false
	}
	for range spinSteps {
		if at == least {
			return true
		}
		if !s.step(at[0]) {
			return false
		}
		if at, ok = s.state(); !ok {
			return false
		}
	}
	return false
}

// registerState is what tells one moment of a loop from another: the instruction
// pointer first, then the other registers and the flags.
type registerState [18]uint64

func (s *stepper) state() (registerState, bool) {
	var r unix.PtraceRegs
	errno := ptraceGetRegisters(s.tid, &r)
	return registerState{
		r.Rip, r.Rsp, r.Rax, r.Rbx, r.Rcx, r.Rdx, r.Rsi, r.Rdi, r.Rbp,
		r.R8, r.R9, r.R10, r.R11, r.R12, r.R13, r.R14, r.R15, r.Eflags,
	}, errno == 0
}

func compareStates(a, b registerState) int {
	for i := range a {
		if c := cmp.Compare(a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

// step does the instruction at an address, unless it is a system call: that would
// not end before the emulator answers it.
func (s *stepper) step(address uint64) bool {
	if !s.harmless[address] {
		var code [2]byte
		if _, errno := ReadMemory(s.tid, address, code[:]); errno != 0 || code == [2]byte{0x0f, 0x05} || code == [2]byte{0xcd, 0x80} {
			return false
		}
		s.harmless[address] = true
	}
	if ptraceStep(s.tid, 0) != 0 {
		return false
	}
	var raw uint32
	for {
		_, _, errno := unix.Syscall6(unix.SYS_WAIT4, uintptr(s.tid), uintptr(unsafe.Pointer(&raw)), unix.WALL, 0, 0, 0)
		if errno == 0 {
			break
		}
		if errno != unix.EINTR {
			return false
		}
	}
	status := unix.WaitStatus(raw)
	if !status.Stopped() {
		return false
	}
	if signal := passedOn(status); signal != unix.SIGTRAP {
		s.signal = signal
		return false
	}
	return true
}
