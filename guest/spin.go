package guest

import (
	"cmp"
	"slices"

	"golang.org/x/sys/unix"
)

// SpinSteps is how many instructions a waiting loop may be long. Go's sweeper
// that waits for another thread takes some hundred.
const SpinSteps = 8192

// spinRounds is how often a thread has to go round before it is believed. One that
// counts in memory shows it in the flags: the parities of consecutive numbers
// never are the same sequence three times in a row.
const spinRounds = 3

func (n *notifier) spin(tid, steps int) bool {
	if !n.stop(tid) {
		return false
	}
	s := stepper{tid: tid, steps: steps, harmless: map[uint64]bool{}}
	if s.circle() {
		return true
	}
	ptraceDetach(tid, s.signal)
	return false
}

// stepper lets a stopped thread do single instructions.
type stepper struct {
	tid      int
	steps    int              // of a round, at most
	signal   unix.Signal      // to be passed on, when it ended the steps
	harmless map[uint64]bool  // addresses of instructions that make no call
	ended    *unix.WaitStatus // how the thread died, or stopped for its process
}

// circle goes round to see that there is a circle and which of its states is the
// least, and then on to that one.
func (s *stepper) circle() bool {
	if s.inCall() {
		return false
	}
	first, ok := s.round()
	if !ok {
		return false
	}
	floats, ok := s.floats()
	if !ok {
		return false
	}
	for range spinRounds - 1 {
		for _, state := range first {
			if at, ok := s.state(); !ok || at != state || !s.step(at[0]) {
				return false
			}
		}
		if again, ok := s.floats(); !ok || again != floats {
			return false
		}
	}
	least := slices.MinFunc(first, compareStates)
	for _, state := range first {
		if state == least {
			return true
		}
		if !s.step(state[0]) {
			return false
		}
	}
	panic("guest: a circle without its least state")
}

// inCall tells whether the thread was stopped in a system call rather than in the
// program. It would make the call again at the first step, which then would not end
// before the emulator answers.
func (s *stepper) inCall() bool {
	var r unix.PtraceRegs
	return ptraceGetRegisters(s.tid, &r) != 0 || r.Orig_rax != noCall
}

// round does one round: the states until the first one comes again.
func (s *stepper) round() (states []registerState, ok bool) {
	for range s.steps {
		at, ok := s.state()
		if !ok {
			return nil, false
		}
		if len(states) > 0 && at == states[0] {
			return states, true
		}
		states = append(states, at)
		if !s.step(at[0]) {
			return nil, false
		}
	}
	return nil, false
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

// floats are the registers for floating point numbers and vectors.
func (s *stepper) floats() (floatState, bool) {
	var f floatState
	errno := ptraceGetFloats(s.tid, &f)
	return f, errno == 0
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
	status, errno := waitFor(s.tid)
	if errno != 0 {
		return false
	}
	if !status.Stopped() {
		s.ended = &status
		return false
	}
	if signal := passedOn(status); signal != unix.SIGTRAP {
		s.signal = signal
		return false
	}
	return true
}
