package socketfilter

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

func program(t *testing.T, list ...bpf.Instruction) (b []byte) {
	t.Helper()
	raw, err := bpf.Assemble(list)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range raw {
		b = binary.LittleEndian.AppendUint16(b, r.Op)
		b = append(b, r.Jt, r.Jf)
		b = binary.LittleEndian.AppendUint32(b, r.K)
	}
	return b
}

func TestKeep(t *testing.T) {
	var s Slot
	// What begins with 7 passes, cut to 3 bytes.
	errno, _ := s.Set(unix.SO_ATTACH_FILTER, program(t, bpf.LoadAbsolute{Off: 0, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 7, SkipTrue: 1}, bpf.RetConstant{Val: 3}, bpf.RetConstant{Val: 0}))
	if errno != 0 {
		t.Fatal(errno)
	}
	for _, c := range []struct {
		packet      []byte
		least, want int
	}{{[]byte{7, 1, 2, 3}, 0, 3}, {[]byte{7, 1}, 0, 2}, {[]byte{8, 1}, 0, 0}, {nil, 0, 0}, {[]byte{7, 1, 2, 3, 4, 5}, 5, 5}} {
		if got := s.Keep(c.packet, c.least); got != c.want {
			t.Errorf("of %v, at least %d: %d bytes pass, want %d", c.packet, c.least, got, c.want)
		}
	}
}

func TestBadPrograms(t *testing.T) {
	end := bpf.RetConstant{Val: 1}
	for name, p := range map[string][]byte{
		"empty":                nil,
		"no end":               program(t, bpf.LoadConstant{Val: 1}),
		"jump out":             program(t, bpf.Jump{Skip: 5}, end),
		"unknown instruction":  append([]byte{0xff, 0xff, 0, 0, 0, 0, 0, 0}, program(t, end)...),
		"division by zero":     program(t, bpf.ALUOpConstant{Op: bpf.ALUOpDiv, Val: 0}, end),
		"a lower layer's head": program(t, bpf.LoadAbsolute{Off: 0xfff00000, Size: 1}, end),
	} {
		if _, errno := Parse(p); errno != unix.EINVAL {
			t.Errorf("%s: %v", name, errno)
		}
	}
}
