package kernel

import (
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/pipe"
	"github.com/simterpose/simterpose/kernel/waiter"
)

// Opening files. Almost all are the machine's; the exceptions are named pipes,
// which would block there, the random devices, and files that tell of the
// machine instead of the host.

func sysOpen(t *Task) Outcome {
	directory, name, flags := unix.AT_FDCWD, t.arg(0), t.flags(1)
	switch t.call.number {
	case unix.SYS_OPENAT:
		directory, name, flags = t.int(0), t.arg(1), t.flags(2)
	case unix.SYS_OPENAT2:
		how, errno := t.readWord(t.arg(2))
		if errno != 0 {
			return fail(errno)
		}
		directory, name, flags = t.int(0), t.arg(1), int(how)
	case unix.SYS_CREAT:
		flags = unix.O_CREAT | unix.O_WRONLY | unix.O_TRUNC
	}
	file, errno := t.readString(name)
	if errno != 0 {
		return native() // the kernel says what is wrong with it
	}
	if o, done := t.openOwned(directory, file, flags); done {
		return o
	}
	if flags&(unix.O_PATH|unix.O_DIRECTORY) != 0 || ordinary(file) {
		return native()
	}
	full, errno := t.absolute(directory, file)
	if errno != 0 {
		return native()
	}
	if throughProcess(full) {
		full, _ = t.followed(full)
	}
	full = path.Clean(full)
	if inKernelTree(full) {
		return t.openInKernelTree(full, flags)
	}
	s, errno := t.host().stat(full)
	if errno == 0 {
		switch s.Mode & unix.S_IFMT {
		case unix.S_IFIFO:
			return t.openFIFO(fileIdentity{s.Dev, s.Ino}, full, flags, t.host().open)
		case unix.S_IFCHR: // by a link
			return t.openDevice(s.Rdev, full, flags)
		}
	}
	if errno != 0 || s.Dev == t.host().procDevice() {
		if linked, ok := t.followed(full); ok {
			return t.openInKernelTree(linked, flags)
		}
	}
	return native()
}

// openInKernelTree opens what has a name in /dev or /proc.
func (t *Task) openInKernelTree(full string, flags int) Outcome {
	if owner, number := t.namedDescriptor(full); owner != nil {
		return t.reopen(owner, number, flags)
	}
	if o, done := t.openQueueFile(full, flags); done {
		return o
	}
	if number, ok := devices[full]; ok {
		return t.openDevice(number, full, flags)
	}
	if content, ok := t.report(full); ok && (flags&unix.O_ACCMODE == unix.O_RDONLY || path.Base(full) == "loginuid") {
		return t.openReport(full, content, flags)
	}
	if strings.HasPrefix(full, "/dev/pts/") {
		return t.openPeer()
	}
	if t.host().closedSetting(full) || path.Base(full) == "pagemap" {
		return fail(unix.EACCES)
	}
	return native()
}

// ordinary tells of paths where nobody puts named pipes; programs open most of
// their files there.
func ordinary(name string) bool {
	if name == "/etc/mtab" { // a link to /proc/self/mounts
		return false
	}
	for _, prefix := range []string{"/usr/", "/lib/", "/lib64/", "/bin/", "/etc/", "/sys/"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// fifo is a named pipe that somebody has open.
type fifo struct {
	pipe *pipe.Pipe
	open int
}

// fifoEnd is an open end of a named pipe.
type fifoEnd struct {
	*pipe.End
	host     *Host
	identity fileIdentity
}

// Release forgets the pipe with its last end: what it holds is then lost.
func (e fifoEnd) Release() {
	e.End.Release()
	f := e.host.fifos[e.identity]
	f.open--
	if f.open == 0 {
		delete(e.host.fifos, e.identity)
	}
}

// openFIFO opens a named pipe, waiting for the other end as fifo(7) says. open
// opens it on the machine.
func (t *Task) openFIFO(identity fileIdentity, name string, flags int, open func(name string, flags int) (int, unix.Errno)) Outcome {
	h := t.host()
	end, waiting := t.call.state.(fifoEnd)
	if !waiting {
		f := h.fifos[identity]
		if f == nil {
			f = &fifo{pipe: pipe.NewFIFO()}
		}
		mode := flags & unix.O_ACCMODE
		e, errno := f.pipe.Open(mode != unix.O_WRONLY, mode != unix.O_RDONLY, flags&unix.O_NONBLOCK != 0)
		if errno != 0 && errno != unix.EAGAIN {
			return fail(errno)
		}
		f.open++
		h.fifos[identity] = f
		end = fifoEnd{e, h, identity}
		t.call.state = end
		t.parking.onAbandon = end.Release
	}
	if flags&unix.O_NONBLOCK == 0 && !end.Opened() {
		t.parking.waitsFor = "the other end of " + name
		t.watch(end.Queue(), waiter.In|waiter.Out)
		return t.park(erestartsys)
	}
	t.parking.onAbandon = nil
	placeholder, errno := openPipePlaceholder(open, name, flags)
	if errno != 0 {
		end.Release()
		return fail(errno)
	}
	return t.installAnswer(end, placeholder, flags)
}
