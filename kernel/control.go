package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
)

// Ancillary data: descriptors and credentials that cross Unix sockets
// (unix(7), cmsg(3)).

// passed is a descriptor on its way from one process to another.
type passed struct {
	description *description // nil: a native file
	descriptor  int          // a copy of the sender's descriptor, in the emulator
	references  int
}

func (p *passed) hold() { p.references++ }

func (p *passed) drop() {
	p.references--
	if p.references > 0 {
		return
	}
	unix.Close(p.descriptor)
	if p.description != nil {
		p.description.release()
	}
}

// dropFiles gives up descriptors that nobody will receive.
func (t *Task) dropFiles(m *socket.Message) {
	for _, f := range m.Files {
		f.(*passed).drop()
	}
	m.Files = nil
}

const controlHeader = 16 // struct cmsghdr

func controlAlign(n int) int { return (n + 7) &^ 7 }

// takeControl takes SCM_RIGHTS out of a sender's ancillary data and leaves the
// rest to the socket.
func (t *Task) takeControl(m *socket.Message, control []byte) unix.Errno {
	for len(control) >= controlHeader {
		size := int(binary.LittleEndian.Uint64(control))
		if size < controlHeader || size > len(control) {
			return unix.EINVAL
		}
		level, kind := int(int32(binary.LittleEndian.Uint32(control[8:]))), int(int32(binary.LittleEndian.Uint32(control[12:])))
		data := control[controlHeader:size]
		switch {
		case level == unix.SOL_SOCKET && kind == unix.SCM_RIGHTS:
			const most = 253 // SCM_MAX_FD
			if len(data)%4 != 0 || len(data)/4 > most {
				t.dropFiles(m)
				return unix.EINVAL
			}
			for ; len(data) > 0; data = data[4:] {
				number := int(int32(binary.LittleEndian.Uint32(data)))
				fd, errno := t.machine().TakeDescriptor(t, number)
				if errno != 0 {
					t.dropFiles(m)
					return unix.EBADF
				}
				p := &passed{references: 1, descriptor: fd, description: t.description(number)}
				if p.description != nil {
					p.description.acquire()
				}
				m.Files = append(m.Files, p)
			}
		default:
			m.Control = append(m.Control, control[:min(controlAlign(size), len(control))]...)
		}
		control = control[min(controlAlign(size), len(control)):]
	}
	return 0
}

// cutControl shortens ancillary data to what a receiver has room for: the last
// record may lose some of its data, or its padding (put_cmsg).
func cutControl(control []byte, room int) (shortened []byte, cut bool) {
	if len(control) <= room {
		return control, false
	}
	for rest := control; len(rest) > 0; {
		length := int(binary.LittleEndian.Uint64(rest))
		space := controlAlign(length)
		if room < controlHeader {
			return shortened, true
		}
		if room < length {
			binary.LittleEndian.PutUint64(rest, uint64(room))
			cut = true
		}
		kept := min(space, room)
		shortened = append(shortened, rest[:kept]...)
		room -= kept
		rest = rest[space:]
	}
	return shortened, cut
}

// giveControl makes a receiver's ancillary data, of at most size bytes,
// installing the descriptors that came.
func (t *Task) giveControl(m *socket.Message, size, flags int) []byte {
	control, cut := cutControl(m.Control, size)
	if cut {
		m.Flags |= unix.MSG_CTRUNC
	}
	if len(m.Files) == 0 {
		return control
	}
	room := (size - len(control) - controlHeader) / 4
	if room < len(m.Files) {
		m.Flags |= unix.MSG_CTRUNC
	}
	var numbers []byte
	for i, f := range m.Files {
		p := f.(*passed)
		if i < room {
			number, errno := t.machine().AddDescriptor(t, p.descriptor, -1, flags&unix.MSG_CMSG_CLOEXEC != 0)
			if errno == 0 {
				t.files.set(number, p.description)
				numbers = binary.LittleEndian.AppendUint32(numbers, uint32(number))
			} else {
				m.Flags |= unix.MSG_CTRUNC
			}
		}
		p.drop()
	}
	m.Files = nil
	if len(numbers) == 0 {
		return control
	}
	control = binary.LittleEndian.AppendUint64(control, uint64(controlHeader+len(numbers)))
	control = binary.LittleEndian.AppendUint32(control, unix.SOL_SOCKET)
	control = binary.LittleEndian.AppendUint32(control, unix.SCM_RIGHTS)
	control = append(control, numbers...)
	for len(control)%8 != 0 && len(control) < size {
		control = append(control, 0)
	}
	return control
}
