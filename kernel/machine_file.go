package kernel

import (
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

// machineFile is an open file of the machine's that can make guests wait: a
// pseudoterminal, an inotify or a netlink descriptor. What it does is the machine's
// kernel's work; only the waiting is done here, in simulated time. Such a file
// becomes ready by what guests of its host do, and so it is asked each time that
// one of them has stopped.
type machineFile struct {
	host       *Host
	kind       machineKind
	descriptor int // a copy of the guests'
	terminalSide

	queue   waiter.Queue
	known   waiter.Mask // what it was ready for when it was asked last
	waiting int         // how many bytes it had then
}

type machineKind int

const (
	inotifyFile machineKind = iota
	netlinkFile
	terminalFile
)

func (h *Host) newMachineFile(kind machineKind, descriptor int) *machineFile {
	f := &machineFile{host: h, kind: kind, descriptor: descriptor}
	h.machineFiles = append(h.machineFiles, f)
	return f
}

// machines tells that the machine's kernel does all but the waiting.
func (d *description) machines() bool {
	_, ok := d.file.(*machineFile)
	return ok
}

// Describe names the file for messages.
func (f *machineFile) Describe() string {
	return [...]string{"inotify", "netlink", "terminal"}[f.kind]
}

// Queue implements socket.File.
func (f *machineFile) Queue() *waiter.Queue { return &f.queue }

// Release implements socket.File.
func (f *machineFile) Release() {
	f.host.machineFiles = slices.DeleteFunc(f.host.machineFiles, func(o *machineFile) bool { return o == f })
	unix.Close(f.descriptor)
	f.host.hungUp = f.host.hungUp || f.master
}

// Readiness implements socket.File.
func (f *machineFile) Readiness() waiter.Mask {
	now := f.ask()
	f.known &= now
	f.waiting = min(f.waiting, f.available())
	return now
}

func (f *machineFile) ask() waiter.Mask {
	fds := []unix.PollFd{{Fd: int32(f.descriptor), Events: pollAll}}
	for {
		if _, err := unix.Poll(fds, 0); err != unix.EINTR {
			return f.carried(waiter.Mask(uint16(fds[0].Revents)))
		}
	}
}

// pollAll are all events that files can tell.
const pollAll = unix.POLLIN | unix.POLLOUT | unix.POLLPRI | unix.POLLRDHUP | int16(waiter.RdNorm) | int16(waiter.WrNorm)

// available is how many bytes can be read, if the file can tell.
func (f *machineFile) available() int {
	if f.kind == netlinkFile {
		return 0
	}
	n, err := unix.IoctlGetInt(f.descriptor, fionread)
	if err != nil {
		n = 0
	}
	return n + len(f.output)
}

// askMachineFiles wakes those who wait for a file that is ready for something new,
// or has got more to read.
func (h *Host) askMachineFiles() {
	for _, f := range slices.Clone(h.machineFiles) {
		if f.queue.Empty() {
			continue
		}
		now, waiting := f.ask(), f.available()
		news := now &^ f.known
		if waiting > f.waiting {
			news |= now & (waiter.In | waiter.RdNorm)
		}
		f.known, f.waiting = now, waiting
		if news != 0 {
			f.queue.Notify(news)
		}
	}
}

// withoutBlocking makes the open file, which is the guests' too, not block for the
// length of an operation: no guest runs meanwhile.
func (f *machineFile) withoutBlocking(operation func() (int, error)) (int, unix.Errno) {
	flags, err := unix.FcntlInt(uintptr(f.descriptor), unix.F_GETFL, 0)
	if err != nil {
		return 0, errnoOf(err)
	}
	if flags&unix.O_NONBLOCK == 0 {
		unix.FcntlInt(uintptr(f.descriptor), unix.F_SETFL, flags|unix.O_NONBLOCK)
		defer unix.FcntlInt(uintptr(f.descriptor), unix.F_SETFL, flags)
	}
	for {
		n, err := operation()
		if err == nil {
			return n, 0
		}
		if err != unix.EINTR {
			return 0, errnoOf(err)
		}
	}
}

// Read implements socket.Reader.
func (f *machineFile) Read(dst socket.Sink) (int, unix.Errno) {
	if len(f.output) > 0 {
		return f.readOutput(dst)
	}
	b := f.host.kernel.bytes(min(dst.Len(), 64<<10))
	n, errno := f.withoutBlocking(func() (int, error) { return unix.Read(f.descriptor, b) })
	if errno != 0 {
		return 0, errno
	}
	f.known, f.waiting = f.ask(), f.available()
	if _, err := dst.Write(b[:n]); err != nil {
		return 0, unix.EFAULT
	}
	return n, 0
}

// Write implements socket.Writer.
func (f *machineFile) Write(src socket.Source) (total int, errno unix.Errno) {
	for src.Len() > 0 {
		room := f.room()
		if room <= 0 {
			break
		}
		b := f.host.kernel.bytes(min(src.Len(), room))
		n, err := src.Read(b)
		if err != nil {
			return total, unix.EFAULT
		}
		b = b[:n]
		n, errno = f.withoutBlocking(func() (int, error) { return unix.Write(f.descriptor, b) })
		if n > 0 && f.kind == terminalFile {
			f.wrote(b[:n])
		}
		total += n
		if total > 0 {
			errno = 0
		}
		if n < len(b) {
			return total, errno
		}
	}
	if total == 0 && src.Len() > 0 {
		return 0, unix.EAGAIN
	}
	return total, 0
}

// takeUp notes that a descriptor which the machine's kernel has just given the
// task is a machineFile.
func (t *Task) takeUp(number int, kind machineKind) {
	fd, errno := t.machine().TakeDescriptor(t, number)
	if errno != 0 {
		return
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		unix.Close(fd)
		return
	}
	f := t.host().newMachineFile(kind, fd)
	if kind == terminalFile && !f.isTerminal() {
		f.Release()
		return
	}
	t.files.set(number, t.kernel().newDescription(f, flags))
}

// sysInotifyInit is inotify_init and inotify_init1.
func sysInotifyInit(t *Task) Outcome {
	flags := 0
	if t.call.number == unix.SYS_INOTIFY_INIT1 {
		flags = t.flags(0)
	}
	fd, err := unix.InotifyInit1(flags | unix.IN_CLOEXEC)
	if err != nil {
		return fail(errnoOf(err))
	}
	number, errno := t.machine().AddDescriptor(t, fd, -1, flags&unix.IN_CLOEXEC != 0)
	if errno != 0 {
		unix.Close(fd)
		return fail(errno)
	}
	t.files.set(number, t.kernel().newDescription(t.host().newMachineFile(inotifyFile, fd), flags))
	return ret(number)
}

// netlinkCall is a call on a netlink socket: the machine's kernel carries it out,
// but a receive waits here until there is something.
func (t *Task) netlinkCall(d *description, f *machineFile) Outcome {
	flags := 0
	switch t.call.number {
	case unix.SYS_RECVFROM, unix.SYS_RECVMMSG:
		flags = t.flags(3)
	case unix.SYS_RECVMSG:
		flags = t.flags(2)
	default:
		return native()
	}
	if d.nonblock || flags&unix.MSG_DONTWAIT != 0 || f.Readiness()&(waiter.In|waiter.Err|waiter.Hup) != 0 {
		return native()
	}
	if timeout, err := unix.GetsockoptTimeval(f.descriptor, unix.SOL_SOCKET, unix.SO_RCVTIMEO); err == nil && timeout.Nano() > 0 {
		if t.timedOut() {
			return fail(unix.EAGAIN)
		}
		t.waitTimeout(timeout.Nano())
		return t.waitFor(f, waiter.In, unix.EINTR)
	}
	return t.waitFor(f, waiter.In, erestartsys)
}

// wordsOfStat are the fields of proc(5)'s stat of a thread behind its name.
func wordsOfStat(text string) []string {
	return strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
}

func ioctlPointer(fd int, request uintptr, p unsafe.Pointer) unix.Errno {
	_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(p))
	return errno
}
