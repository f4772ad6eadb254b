package guest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The agent's memory, also in agent_amd64.s: one page of code, and data pages
// that begin with the list of calls to carry out. The rest of the data holds
// what the calls' arguments point to.
const (
	agentCodeAddress = 0x100000
	agentDataAddress = 0x200000
	agentDataSize    = 256 << 10
	agentBytes       = 16 << 10 // offset of the bytes; the list has room for 226 calls
	agentCall        = 100000

	callWords  = 9
	callResult = 7
	listWords  = 8
	toldOffset = 8 // of the word that says how the agent tells of a finished list
)

// agent is a process that carries out lists of calls.
type agent struct {
	tid int
	// container is the host whose agent it is, nil for the first one.
	container *Container
	id        uint64 // of the notification that waits for a host's agent's next list
}

// What happens after a call of a list.
const (
	goOn        = 0
	mustSucceed = 1 // a failure ends the list
	inChild     = 2 // the list goes on in the child that the call makes
)

// call is one entry of an agent's list.
type call struct {
	number    int
	arguments [6]uint64
	flags     uint64
	name      string // for error messages
}

// list collects the calls that an agent is to carry out and the bytes that
// they point to.
type list struct {
	calls []call
	bytes []byte
}

func (l *list) add(flags uint64, name string, number int, arguments ...uint64) {
	c := call{number: number, flags: flags, name: name}
	copy(c.arguments[:], arguments)
	l.calls = append(l.calls, c)
}

// data puts b into the agent's memory and returns its address there.
func (l *list) data(b []byte) uint64 {
	for len(l.bytes)%8 != 0 {
		l.bytes = append(l.bytes, 0)
	}
	address := agentDataAddress + agentBytes + uint64(len(l.bytes))
	l.bytes = append(l.bytes, b...)
	return address
}

func (l *list) string(s string) uint64 { return l.data(append([]byte(s), 0)) }

// strings puts a NULL-terminated array of strings into the agent's memory.
func (l *list) strings(list []string) uint64 {
	array := make([]byte, 0, 8*len(list)+8)
	for _, s := range list {
		array = binary.LittleEndian.AppendUint64(array, l.string(s))
	}
	return l.data(binary.LittleEndian.AppendUint64(array, 0))
}

// encode gives the data pages' content. bySocket is how the first agent tells
// that a list is finished.
func (l *list) encode(bySocket bool) ([]byte, error) {
	if agentBytes < 8*(listWords+callWords*len(l.calls)) || agentBytes+len(l.bytes) > agentDataSize {
		return nil, fmt.Errorf("arguments and environment of %d bytes are more than the %d that fit", len(l.bytes), agentDataSize-agentBytes)
	}
	b := make([]byte, 0, agentBytes+len(l.bytes))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(l.calls)))
	b = append(b, make([]byte, 8*(listWords-1))...)
	if bySocket {
		b[toldOffset] = 1
	}
	for _, c := range l.calls {
		b = binary.LittleEndian.AppendUint64(b, uint64(c.number))
		for _, a := range c.arguments {
			b = binary.LittleEndian.AppendUint64(b, a)
		}
		b = binary.LittleEndian.AppendUint64(b, 0)
		b = binary.LittleEndian.AppendUint64(b, c.flags)
	}
	b = append(b, make([]byte, agentBytes-len(b))...)
	return append(b, l.bytes...), nil
}

// resultAddress is where an agent puts the result of a list's call.
func resultAddress(index int) uint64 {
	return agentDataAddress + 8*uint64(listWords+callWords*index+callResult)
}

// filterCall adds the call that puts the process under the filter. With flags it
// makes a descriptor of its listener.
func (l *list) filterCall(program []bpf.RawInstruction, flags uint64) {
	prog := binary.LittleEndian.AppendUint64(nil, uint64(len(program))) // struct sock_fprog
	prog = binary.LittleEndian.AppendUint64(prog, l.data(encodeProgram(program)))
	// The machine's set-id programs mean nothing to guests: the emulator knows who
	// they are.
	l.add(mustSucceed, "no new privileges", unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1)
	l.add(mustSucceed, "seccomp", unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, l.data(prog))
}

// encodeProgram writes instructions as struct sock_filter.
func encodeProgram(program []bpf.RawInstruction) []byte {
	code := make([]byte, 0, 8*len(program))
	for _, i := range program {
		code = binary.LittleEndian.AppendUint16(code, i.Op)
		code = append(code, i.Jt, i.Jf)
		code = binary.LittleEndian.AppendUint32(code, i.K)
	}
	return code
}

// agentELF returns the program of the first agent: its code and an empty list.
func agentELF() ([]byte, error) {
	var l list
	data, err := l.encode(true)
	if err != nil {
		return nil, err
	}
	start, end := agentText()
	const headers, codeOffset, dataOffset = 64 + 2*56, 0x1000, 0x2000
	text := text(start, end)
	var b bytes.Buffer
	header := elf.Header64{
		Ident:     [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:      uint16(elf.ET_EXEC),
		Machine:   uint16(elf.EM_X86_64),
		Version:   uint32(elf.EV_CURRENT),
		Entry:     agentCodeAddress,
		Phoff:     64,
		Ehsize:    64,
		Phentsize: 56,
		Phnum:     2,
	}
	segments := []elf.Prog64{
		{
			Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Off: codeOffset,
			Vaddr: agentCodeAddress, Filesz: uint64(len(text)), Memsz: uint64(len(text)), Align: 0x1000,
		},
		{
			Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W), Off: dataOffset,
			Vaddr: agentDataAddress, Filesz: uint64(len(data)), Memsz: agentDataSize, Align: 0x1000,
		},
	}
	for _, part := range []any{header, segments} {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			return nil, err
		}
	}
	b.Write(make([]byte, codeOffset-headers))
	b.Write(text)
	b.Write(make([]byte, dataOffset-b.Len()))
	b.Write(data)
	return b.Bytes(), nil
}
