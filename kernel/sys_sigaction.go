package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// sigaction stops at the emulator where guests compute ahead of simulated time: a
// signal that came before must find the old handler.
//
// Where guests' rdtsc is trapped, SIGSEGV has a handler below the guest's own
// (guest/tsc_amd64.s), and must not be blocked: a fault whose signal is blocked
// kills. Otherwise these calls do not stop at the emulator.

// TSC is the trap of rdtsc, as the emulated kernel must know it.
type TSC struct {
	Handler uint64 // address of the handler of SIGSEGV in guests; 0: rdtsc is not trapped
	Page    uint64 // address of the page that it lies in
}

// sigaction is the kernel's struct sigaction.
type sigaction struct {
	handler, flags, restorer, mask uint64
}

const sigactionSize = 32

func decodeSigaction(b []byte) sigaction {
	word := binary.LittleEndian.Uint64
	return sigaction{word(b), word(b[8:]), word(b[16:]), word(b[24:])}
}

func (a sigaction) encode() (b [sigactionSize]byte) {
	for i, v := range []uint64{a.handler, a.flags, a.restorer, a.mask} {
		binary.LittleEndian.PutUint64(b[8*i:], v)
	}
	return b
}

const (
	saSigInfo   = 4 // without it the kernel does not say why
	saRestorer  = 0x04000000
	saOnStack   = 0x08000000
	saResetHand = 0x80000000
	onlyOnce    = 1 << 63 // in the restorer, beside the guest's handler (guest/tsc_amd64.s)
	sigIgnore   = 1
	segvBit     = uint64(1) << (unix.SIGSEGV - 1)
	sigsetBytes = 8
)

// actionState is what sigaction keeps until the kernel has carried it out.
type actionState struct {
	original [sigactionSize]byte
	old      sigaction
}

func sysSigaction(t *Task) Outcome {
	tsc := t.kernel().TSC
	given, asked := t.arg(1), t.arg(2)
	if given != 0 && t.kernel().Ahead && t.hasSignal() {
		return Outcome{Kind: Interrupted, Errno: erestartnointr}
	}
	if tsc.Handler == 0 || t.arg(3) != sigsetBytes {
		return native()
	}
	if given&^4095 == tsc.Page { // the handler itself, which gives up
		if t.int(0) == int(unix.SIGSEGV) {
			t.process.fault = sigaction{}
		}
		return native()
	}
	if given == 0 {
		if t.int(0) != int(unix.SIGSEGV) {
			return native()
		}
		b := t.process.fault.encode()
		return fail(t.write(asked, b[:]))
	}
	var b [sigactionSize]byte
	if errno := t.read(given, b[:]); errno != 0 {
		return fail(errno)
	}
	a := decodeSigaction(b[:])
	if t.int(0) != int(unix.SIGSEGV) {
		if a.mask&segvBit == 0 {
			return native()
		}
		a.mask &^= segvBit
		changed := a.encode()
		// A copy that the C library, or the Go runtime, has made on its stack.
		t.machine().PatchMemory(t.TID, given, changed[:])
		return native()
	}
	t.call.state = &actionState{b, t.process.fault}
	t.process.fault = a
	ours := sigaction{tsc.Handler, a.flags | saRestorer | saSigInfo, a.handler, a.mask &^ segvBit}
	if a.handler <= sigIgnore {
		ours.flags |= saOnStack
	} else if a.flags&saResetHand != 0 {
		ours.flags &^= saResetHand
		ours.restorer |= onlyOnce
	}
	changed := ours.encode()
	if errno := t.machine().PatchMemory(t.TID, given, changed[:]); errno != 0 {
		return fail(errno)
	}
	return Outcome{Kind: Carry}
}

// carriedAction puts the caller's memory in order after sigaction.
func (t *Task) carriedAction() {
	s, ok := t.call.state.(*actionState)
	if !ok {
		return
	}
	t.machine().PatchMemory(t.TID, t.arg(1), s.original[:])
	if t.arg(2) != 0 {
		b := s.old.encode()
		t.write(t.arg(2), b[:])
	}
}

// sysSigprocmask never lets SIGSEGV be blocked while rdtsc is trapped.
func sysSigprocmask(t *Task) Outcome {
	if t.kernel().TSC.Handler == 0 || t.arg(1) == 0 || t.int(0) == unix.SIG_UNBLOCK || t.arg(3) != sigsetBytes {
		return native()
	}
	if set, errno := t.readWord(t.arg(1)); errno == 0 && set&segvBit != 0 {
		var b [sigsetBytes]byte
		binary.LittleEndian.PutUint64(b[:], set&^segvBit)
		t.machine().PatchMemory(t.TID, t.arg(1), b[:])
	}
	return native()
}

// setTSC is prctl's PR_SET_TSC and PR_GET_TSC: a guest may ask for faults, but
// never gets the machine's counter back.
func (t *Task) setTSC() (o Outcome, done bool) {
	const get, set, enable = 25, 26, 1
	if t.kernel().TSC.Handler == 0 {
		return o, false
	}
	switch t.int(0) {
	case get:
		return fail(t.writeInt(t.arg(1), enable)), true
	case set:
		if t.arg(2) == t.kernel().TSC.Page { // the program's start
			return native(), true
		}
		return ret(0), true
	}
	return o, false
}
