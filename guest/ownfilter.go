package guest

import (
	"crypto/rand"
	"encoding/binary"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Guests may put themselves under seccomp filters of their own, which would see
// the calls that the ptracer injects, too, and might kill for them. So what a
// guest installs begins with instructions that let those through: their sixth
// argument, which they do not have, is a secret. Whoever guesses it is out of his
// own filter, and still under ours.

const programHead = 5 // instructions

// head is what the ptracer puts before a guest's filter.
func (p *ptracer) head() []byte {
	const sixth = dataArguments + 8*5
	program, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: sixth, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(p.secret), SkipTrue: 3},
		bpf.LoadAbsolute{Off: sixth + 4, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(p.secret >> 32), SkipTrue: 1},
		bpf.RetConstant{Val: uint32(unix.SECCOMP_RET_ALLOW)},
	})
	if err != nil || len(program) != programHead {
		panic("guest: the head of a filter")
	}
	return encodeProgram(program)
}

func newSecret() (secret uint64) {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}

// filterArgument finds where a thread's call takes a filter from, in the
// registers before the call; nil if it installs none.
func (t *tracee) filterArgument() *uint64 {
	a := &t.call.arguments
	switch {
	case t.call.number == unix.SYS_SECCOMP && a[0] == unix.SECCOMP_SET_MODE_FILTER,
		t.call.number == unix.SYS_PRCTL && a[0] == unix.PR_SET_SECCOMP && a[1] == unix.SECCOMP_MODE_FILTER:
		return &t.registers.Rdx
	}
	return nil
}

// installFilter carries out a call by which a thread puts itself under a filter.
// It returns false when the filter cannot be changed, and the call is still to be
// carried out.
func (p *ptracer) installFilter(t *tracee) bool {
	if t.call.number != unix.SYS_SECCOMP && t.call.number != unix.SYS_PRCTL || ptraceGetRegisters(t.tid, &t.registers) != 0 {
		return false
	}
	argument := t.filterArgument()
	if argument == nil {
		return false
	}
	const fprogSize, most = 16, 4096 // struct sock_fprog; BPF_MAXINSNS
	var prog [fprogSize]byte
	if _, errno := ReadMemory(t.tid, *argument, prog[:]); errno != 0 {
		return false
	}
	length := int(binary.LittleEndian.Uint16(prog[:]))
	if length == 0 || length > most-programHead {
		return false
	}
	head := p.head()
	content := make([]byte, fprogSize+len(head)+8*length)
	if _, errno := ReadMemory(t.tid, binary.LittleEndian.Uint64(prog[8:]), content[fprogSize+len(head):]); errno != 0 {
		return false
	}
	copy(content[fprogSize:], head)
	before := make([]byte, len(content))
	address := t.borrow(len(content))
	binary.LittleEndian.PutUint16(content, uint16(length+programHead))
	binary.LittleEndian.PutUint64(content[8:], address+fprogSize)
	if _, errno := ReadMemory(t.tid, address, before); errno != 0 {
		return false
	}
	if _, errno := WriteMemory(t.tid, address, content); errno != 0 {
		return false
	}
	own := *argument
	*argument = address
	if ptraceSetRegisters(t.tid, &t.registers) != 0 || !p.toCallEnd(t) || ptraceGetRegisters(t.tid, &t.registers) != 0 {
		return true // it has died
	}
	WriteMemory(t.tid, address, before)
	*argument = own
	ptraceSetRegisters(t.tid, &t.registers)
	p.resume(t, 0)
	return true
}
