package guest

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// How the ptracer gives a guest a descriptor. The guest makes a datagram socket,
// by a call that is injected before its own; the emulator sends the descriptor
// through a copy of that to the socket itself; and the guest receives it. That
// takes a little of the guest's memory for a moment.

// image is what a thread's memory holds, as far as borrowing some goes.
type image int

const (
	imageAgent  image = iota // an agent's
	imageFresh               // a program that has not begun
	imageBooted              // one that has mapped its host's clock
)

// Where memory may be borrowed, up to these addresses: in an agent's list, in the
// page of the clock behind that, and below the stack. What is there comes back.
const (
	borrowAgent = agentDataAddress + pageSize
	borrowClock = clockPageAddress + pageSize
	borrowBelow = 1024
	clockSize   = 128
)

// allSignals is the mask that blocks every signal which can be.
const allSignals = ^uint64(0)

// inject carries out another call in a thread that has stopped at one, and leaves
// it behind that. ok is false when the thread has died.
func (p *ptracer) inject(t *tracee, number int, arguments ...uint64) (result int64, ok bool) {
	if t.place == atCall {
		if ptraceGetRegisters(t.tid, &t.registers) != 0 {
			return 0, false
		}
		var errno unix.Errno
		if t.mask, errno = ptraceGetSignalMask(t.tid); errno != 0 || ptraceSetSignalMask(t.tid, allSignals) != 0 {
			return 0, false
		}
	} else if !p.again(t) {
		return 0, false
	}
	registers := t.registers
	registers.Orig_rax, registers.R9 = uint64(number), p.secret
	for i, r := range []*uint64{&registers.Rdi, &registers.Rsi, &registers.Rdx, &registers.R10, &registers.R8}[:len(arguments)] {
		*r = arguments[i]
	}
	if ptraceSetRegisters(t.tid, &registers) != 0 || !p.toCallEnd(t) || ptraceGetRegisters(t.tid, &registers) != 0 {
		return 0, false
	}
	t.place = injected
	return int64(registers.Rax), true
}

// callSize is the length of the instruction syscall.
const callSize = 2

// again stops a thread that is behind an injected call before its own once more.
func (p *ptracer) again(t *tracee) bool {
	registers := t.registers
	registers.Rip -= callSize
	registers.Rax, registers.Orig_rax = uint64(t.call.number), noCall
	if ptraceSetRegisters(t.tid, &registers) != 0 {
		return false
	}
	for ptraceContinue(t.tid, 0) == 0 {
		status, errno := waitFor(t.tid)
		switch {
		case errno != 0:
			return false
		case !status.Stopped():
			p.take(t.tid, status)
			return false
		case stopEvent(status) == unix.PTRACE_EVENT_SECCOMP:
			t.place = atCall
			return true
		case status.StopSignal() == unix.SIGSTOP || stopEvent(status) != 0 && status.StopSignal() != unix.SIGTRAP:
			t.stopAgain = true // that cannot be blocked
		}
	}
	return false
}

// rewind brings a thread that is behind an injected call before its own again.
func (p *ptracer) rewind(t *tracee) bool {
	if !p.again(t) {
		return false
	}
	p.unmask(t)
	return true
}

// leave lets a thread that is behind an injected call, with the registers that it
// is to have, run on.
func (p *ptracer) leave(t *tracee) unix.Errno {
	p.unmask(t)
	return p.resume(t, 0)
}

func (p *ptracer) unmask(t *tracee) {
	ptraceSetSignalMask(t.tid, t.mask)
	if t.stopAgain {
		t.stopAgain = false
		unix.Tgkill(t.pid, t.tid, unix.SIGSTOP)
	}
}

func (p *ptracer) addDescriptor(_ *Container, id uint64, source, number int, closeOnExec bool) (int, unix.Errno) {
	t := p.caller(id)
	if t == nil {
		return 0, unix.ENOENT
	}
	// The socket and what comes through it need two numbers, even where one is
	// free or none.
	limit, restore := raiseDescriptors(t.pid, 2)
	defer restore()
	if number >= limit {
		return 0, unix.EBADF
	}
	i := injection{p: p, t: t}
	got := i.descriptor(source, number, limit, closeOnExec)
	switch {
	case i.dead:
		return 0, unix.ENOENT
	case i.errno != 0:
		return 0, i.errno
	}
	if t.call.number == BootCall {
		t.image = imageBooted
	}
	return got, 0
}

// raiseDescriptors lets a process have some more descriptors, if its hard limit
// allows, until restore is called, and tells how many it may have itself.
func raiseDescriptors(pid, more int) (limit int, restore func()) {
	var own unix.Rlimit
	if unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &own) != nil {
		return 0, func() {}
	}
	raised := unix.Rlimit{Cur: min(own.Max, own.Cur+uint64(more)), Max: own.Max}
	unix.Prlimit(pid, unix.RLIMIT_NOFILE, &raised, nil)
	return int(own.Cur), func() { unix.Prlimit(pid, unix.RLIMIT_NOFILE, &own, nil) }
}

// injection is some calls injected one after the other; it does nothing more once
// one has failed.
type injection struct {
	p     *ptracer
	t     *tracee
	errno unix.Errno
	dead  bool
}

func (i *injection) call(number int, arguments ...uint64) int {
	if i.dead || i.errno != 0 {
		return -1
	}
	result, ok := i.p.inject(i.t, number, arguments...)
	if !ok {
		i.dead = true
	} else if result < 0 {
		i.errno = unix.Errno(-result)
	}
	return int(result)
}

// shut closes a descriptor, whatever has failed.
func (i *injection) shut(number int) {
	if !i.dead {
		_, ok := i.p.inject(i.t, unix.SYS_CLOSE, uint64(number))
		i.dead = !ok
	}
}

// descriptor gives the guest a copy of one of the emulator's descriptors.
func (i *injection) descriptor(source, number, limit int, closeOnExec bool) int {
	socket := i.call(unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if i.dead || i.errno != 0 {
		return -1
	}
	target := number
	if number < 0 {
		target = socket // the lowest that was free
	}
	if target >= limit {
		i.errno = unix.EMFILE
	} else {
		i.errno = i.p.send(i.t, socket, source)
	}
	got := i.receive(socket)
	var flags uint64
	if closeOnExec {
		flags = unix.O_CLOEXEC
	}
	if got >= 0 {
		if got != target {
			i.call(unix.SYS_DUP3, uint64(got), uint64(target), flags)
			i.shut(got)
		} else if !closeOnExec {
			i.call(unix.SYS_FCNTL, uint64(got), unix.F_SETFD, 0)
		}
	}
	if i.errno != 0 || target != socket {
		i.shut(socket)
	}
	return target
}

// send sends a descriptor to a socket of a guest, through a copy of that.
func (p *ptracer) send(t *tracee, socket, source int) unix.Errno {
	fd, errno := p.realm.TakeDescriptor(t.pid, t.tid, socket)
	if errno != 0 {
		return errno
	}
	defer unix.Close(fd)
	err := unix.Bind(fd, &unix.SockaddrUnix{}) // to a name that the kernel chooses
	if err != nil {
		return err.(unix.Errno)
	}
	self, err := unix.Getsockname(fd)
	if err == nil {
		err = unix.Sendmsg(fd, []byte{0}, unix.UnixRights(source), self, 0)
	}
	if err != nil {
		return err.(unix.Errno)
	}
	return 0
}

// parcel is struct msghdr of recvmsg(2), with what it points to, for one
// descriptor.
type parcel struct {
	name                   uint64
	nameLength             uint64
	vector, vectors        uint64
	control, controlLength uint64
	flags                  uint64
	base, length           uint64 // struct iovec
	header                 uint64 // struct cmsghdr
	kind                   uint64
	number                 int32
	_                      int32
	data                   uint64
}

// receive lets the guest receive the descriptor that lies in a socket.
func (i *injection) receive(socket int) (number int) {
	if i.dead || i.errno != 0 {
		return -1
	}
	address := i.t.borrow(int(unsafe.Sizeof(parcel{})))
	at := func(offset uintptr) uint64 { return address + uint64(offset) }
	m := parcel{
		vector: at(unsafe.Offsetof(parcel{}.base)), vectors: 1,
		control: at(unsafe.Offsetof(parcel{}.header)), controlLength: uint64(unix.CmsgSpace(4)),
		base: at(unsafe.Offsetof(parcel{}.data)), length: 1, number: -1,
	}
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(&m)), unsafe.Sizeof(m))
	before := make([]byte, len(bytes))
	if _, i.errno = ReadMemory(i.t.tid, address, before); i.errno != 0 {
		return -1
	}
	if _, i.errno = WriteMemory(i.t.tid, address, bytes); i.errno != 0 {
		return -1
	}
	i.call(unix.SYS_RECVMSG, uint64(socket), address, unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
	if i.dead || i.errno != 0 {
		return -1
	}
	if _, i.errno = ReadMemory(i.t.tid, address, bytes); i.errno == 0 && m.number < 0 {
		i.errno = unix.EMFILE // it has no number for it
	}
	WriteMemory(i.t.tid, address, before)
	return int(m.number)
}

// borrow is the address of some writable bytes of a guest's memory.
func (t *tracee) borrow(size int) uint64 {
	switch {
	case t.image == imageAgent:
		return borrowAgent - uint64(size)
	case t.image == imageBooted && size <= pageSize-clockSize:
		return borrowClock - uint64(size)
	}
	return (t.registers.Rsp - borrowBelow - uint64(size)) &^ 15
}
