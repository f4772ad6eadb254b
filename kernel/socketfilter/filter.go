// Package socketfilter is the classic BPF programs that guests attach to sockets
// (SO_ATTACH_FILTER in socket(7)): which packets a socket gets, and how much of
// each.
package socketfilter

import (
	"encoding/binary"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// InstructionSize is that of struct sock_filter, and most is BPF_MAXINSNS.
const (
	InstructionSize = 8
	most            = 4096
)

// Filter is a program. A nil one lets everything pass.
type Filter struct{ machine *bpf.VM }

// Parse reads a program of struct sock_filter's; EINVAL when Linux would not take
// it, or when it asks for what packets here do not have.
func Parse(program []byte) (*Filter, unix.Errno) {
	count := len(program) / InstructionSize
	if count == 0 || count > most {
		return nil, unix.EINVAL
	}
	list := make([]bpf.Instruction, count)
	for i := range list {
		b := program[InstructionSize*i:]
		raw := bpf.RawInstruction{
			Op: binary.LittleEndian.Uint16(b), Jt: b[2], Jf: b[3], K: binary.LittleEndian.Uint32(b[4:]),
		}
		instruction, ok := simplify(raw.Disassemble())
		if !ok {
			return nil, unix.EINVAL
		}
		list[i] = instruction
	}
	machine, err := bpf.NewVM(list)
	if err != nil {
		return nil, unix.EINVAL
	}
	return &Filter{machine}, 0
}

// simplify replaces what the machine does not know by what it is here. ok is false
// for what is not known.
func simplify(i bpf.Instruction) (simple bpf.Instruction, ok bool) {
	switch i := i.(type) {
	case bpf.RawInstruction:
		return nil, false
	case bpf.LoadExtension:
		switch i.Num {
		case bpf.ExtLen:
			return i, true
		case bpf.ExtType, bpf.ExtCPUID, bpf.ExtQueue, bpf.ExtRXHash, bpf.ExtVLANTag, bpf.ExtVLANTagPresent:
			return bpf.LoadConstant{Dst: bpf.RegA}, true
		}
		return nil, false
	case bpf.LoadAbsolute:
		const headers = 0x80000000 // of lower layers (SKF_NET_OFF, SKF_LL_OFF)
		return i, i.Off < headers
	}
	return i, true
}

// Run is how many of a packet's bytes the program lets pass, or what else it
// returns.
func (f *Filter) Run(packet []byte) int {
	n, err := f.machine.Run(packet)
	if err != nil {
		return 0
	}
	return n
}

// Slot is a socket's place for a filter.
type Slot struct {
	filter *Filter
	locked bool
}

// Set carries out an option of SOL_SOCKET. Of SO_ATTACH_FILTER, value is the
// program itself. known is false when the option is another one.
func (s *Slot) Set(name int, value []byte) (errno unix.Errno, known bool) {
	switch name {
	case unix.SO_ATTACH_FILTER:
		if s.locked {
			return unix.EPERM, true
		}
		f, errno := Parse(value)
		if errno == 0 {
			s.filter = f
		}
		return errno, true
	case unix.SO_DETACH_FILTER:
		switch {
		case s.locked:
			return unix.EPERM, true
		case s.filter == nil:
			return unix.ENOENT, true
		}
		s.filter = nil
		return 0, true
	case unix.SO_LOCK_FILTER:
		if len(value) < 4 {
			return unix.EINVAL, true
		}
		lock := binary.LittleEndian.Uint32(value) != 0
		if s.locked && !lock {
			return unix.EPERM, true
		}
		s.locked = lock
		return 0, true
	}
	return 0, false
}

// Locked is SO_LOCK_FILTER.
func (s *Slot) Locked() bool { return s.locked }

// Attached tells whether there is a filter.
func (s *Slot) Attached() bool { return s.filter != nil }

// Keep is how many bytes of a packet the socket gets, of which the first least are
// never cut off; 0: it does not get it.
func (s *Slot) Keep(packet []byte, least int) int {
	n := s.filter.Run(packet)
	if n == 0 {
		return 0
	}
	return min(max(n, least), len(packet))
}
