package kernel

import (
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/pipe"
)

// Opening a descriptor again by its name in /proc or /dev (proc(5)). For most
// descriptors the machine's kernel does what is right, placeholder or not: a
// file is opened anew, sockets and their like cannot be (ENXIO). Pipes and the
// random devices have their contents here.

// standardStreams are the links that /dev has to a process's first descriptors.
var standardStreams = map[string]string{
	"/dev/stdin":  "/proc/self/fd/0",
	"/dev/stdout": "/proc/self/fd/1",
	"/dev/stderr": "/proc/self/fd/2",
}

// maximumLinks is how many symbolic links a path may have (MAXSYMLINKS).
const maximumLinks = 40

// followed is where a path leads in the end, as far as there are links on it; ok tells
// whether that is in one of the kernel's own trees: /dev or /proc.
func (t *Task) followed(full string) (name string, ok bool) {
	for range maximumLinks {
		full = t.ownFolder(full, true)
		next, found := t.firstLink(full)
		if !found {
			return full, inKernelTree(full)
		}
		full = next
	}
	return "", false
}

// firstLink replaces the first link on a path.
func (t *Task) firstLink(full string) (next string, found bool) {
	for i := 1; i <= len(full); i++ {
		if i < len(full) && full[i] != '/' {
			continue
		}
		link := full[:i]
		target, errno := t.host().readLink(link)
		if errno != 0 {
			continue
		}
		if owner, _ := t.namedDescriptor(link); owner != nil || strings.Contains(target, ":[") {
			break // it leads to no name
		}
		if !path.IsAbs(target) {
			target = path.Join(path.Dir(link), target)
		}
		return path.Join(target, full[i:]), true
	}
	return "", false
}

// namedDescriptor reads paths like /dev/fd/3 and /proc/12/task/13/fd/3.
func (t *Task) namedDescriptor(full string) (owner *Task, number int) {
	if target, ok := standardStreams[full]; ok {
		full = target
	}
	if rest, ok := strings.CutPrefix(full, "/dev/fd/"); ok {
		full = "/proc/self/fd/" + rest
	}
	rest, ok := strings.CutPrefix(full, "/proc/")
	if !ok {
		return nil, 0
	}
	parts := strings.Split(rest, "/")
	if len(parts) == 5 && parts[1] == "task" {
		parts = parts[2:]
	}
	if len(parts) != 3 || parts[1] != "fd" {
		return nil, 0
	}
	number, err := strconv.Atoi(parts[2])
	if err != nil {
		return nil, 0
	}
	switch parts[0] {
	case "self":
		return t, number // the leader's descriptors, which are all its threads'
	case "thread-self":
		return t, number
	}
	id, err := strconv.Atoi(parts[0])
	if err != nil {
		return nil, 0
	}
	return t.host().threads[id], number
}

// throughProcess tells of a path that leads through a process's root or working folder.
func throughProcess(full string) bool {
	return strings.HasPrefix(full, "/proc/") && (strings.Contains(full, "/root/") || strings.Contains(full, "/cwd/"))
}

func inKernelTree(full string) bool {
	return strings.HasPrefix(full, "/proc/") || strings.HasPrefix(full, "/dev/")
}

// readLink reads a symbolic link of the host's: EINVAL when it is none.
func (h *Host) readLink(name string) (string, unix.Errno) {
	fd, errno := h.open(name, unix.O_PATH|unix.O_NOFOLLOW)
	if errno != 0 {
		return "", errno
	}
	defer unix.Close(fd)
	var b [unix.PathMax]byte
	n, err := unix.Readlinkat(fd, "", b[:])
	if err != nil {
		return "", unix.EINVAL
	}
	return string(b[:n]), 0
}

// reopen opens the file behind another descriptor anew, or leaves that to the
// machine's kernel.
func (t *Task) reopen(owner *Task, number, flags int) Outcome {
	d := owner.files.get(number)
	if d == nil {
		return native()
	}
	link := owner.descriptor(number).path()
	switch f := d.file.(type) {
	case *randomFile:
		return t.openRandom("/dev/urandom", flags)
	case fifoEnd:
		return t.openFIFO(f.identity, link, flags, openOwn)
	case *pipe.End:
		mode := flags & unix.O_ACCMODE
		// A pipe without a name waits for no other side (fifo_open).
		end, errno := f.Pipe().Open(mode != unix.O_WRONLY, mode != unix.O_RDONLY, flags&unix.O_NONBLOCK != 0)
		if errno != 0 && errno != unix.EAGAIN {
			return fail(errno)
		}
		placeholder, errno := openPipePlaceholder(openOwn, link, flags)
		if errno != 0 {
			end.Release()
			return fail(errno)
		}
		return t.installAnswer(end, placeholder, flags)
	}
	return native()
}

// openOwn opens a path as the emulator sees it.
func openOwn(name string, flags int) (int, unix.Errno) {
	fd, err := unix.Open(name, flags|unix.O_CLOEXEC, 0)
	if err != nil {
		errno, _ := err.(unix.Errno)
		return -1, errno
	}
	return fd, 0
}

// openPipePlaceholder opens a pipe of the machine's in the mode that flags ask
// for. It waits for nobody: somebody has both ends open meanwhile.
func openPipePlaceholder(open func(name string, flags int) (int, unix.Errno), name string, flags int) (int, unix.Errno) {
	both, errno := open(name, unix.O_RDWR|unix.O_NONBLOCK)
	if errno == 0 {
		defer unix.Close(both)
	}
	const kept = unix.O_ACCMODE | unix.O_APPEND
	fd, errno := open(name, flags&kept|unix.O_NONBLOCK)
	if errno != 0 || flags&unix.O_NONBLOCK != 0 {
		return fd, errno
	}
	if err := unix.SetNonblock(fd, false); err != nil {
		unix.Close(fd)
		return -1, unix.EIO
	}
	return fd, 0
}
