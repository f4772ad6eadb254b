package kernel

import (
	"errors"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Paths are resolved as the guest would, below its host's root, for the few
// files that the emulator itself must know: named pipes, Unix sockets, and
// those of /proc and /dev that tell of the machine.

// Within tells whether a path is a folder or lies in it.
func Within(name, folder string) bool {
	return name == folder || folder == "/" || strings.HasPrefix(name, folder+"/")
}

// absolute turns a path argument, relative to a descriptor or to the working
// folder, into one from the host's root. It does not resolve links.
func (t *Task) absolute(directory int, name string) (string, unix.Errno) {
	if t.process.root != "" && name != "" {
		return t.absoluteInRoot(directory, name)
	}
	if path.IsAbs(name) {
		return name, 0
	}
	base, errno := t.folderPath(directory)
	if errno != 0 || name == "" {
		return base, errno
	}
	if len(base)+1+len(name) >= unix.PathMax {
		return "", unix.ENAMETOOLONG
	}
	return base + "/" + name, 0
}

// folderPath is the path of a descriptor, or of the working folder, from the host's
// root.
func (t *Task) folderPath(directory int) (string, unix.Errno) {
	link := "/proc/" + strconv.Itoa(t.TID) + "/cwd"
	if directory != unix.AT_FDCWD {
		link = t.descriptor(directory).path()
	}
	base, err := os.Readlink(link)
	if errors.Is(err, unix.ENAMETOOLONG) {
		return "", unix.ENAMETOOLONG
	}
	if err != nil {
		return "", unix.EBADF
	}
	return base, 0
}

// absoluteInRoot is absolute for a process that has called chroot. The links above the
// last component are resolved, since they begin at the process's root.
func (t *Task) absoluteInRoot(directory int, name string) (string, unix.Errno) {
	if name, ok := t.procInRoot(path.Clean(name)); ok {
		return name, 0
	}
	p, base, ok := t.locateParent(directory, name)
	if !ok {
		if p, ok = t.locate(directory, name, true, false); !ok {
			return "", unix.ENOENT
		}
	}
	defer p.close()
	full, err := os.Readlink(descriptorPath(p.fd))
	if err != nil {
		return "", errnoOf(err)
	}
	if base != "" {
		full = path.Join(full, base)
	}
	return full, 0
}

// procInRoot tells whether a path lies in the host's /proc, mounted in the root of a
// process that has called chroot: it is then that of the host.
func (t *Task) procInRoot(name string) (string, bool) {
	if !strings.HasPrefix(name, "/proc/") {
		return "", false
	}
	its, errno := t.host().stat(t.process.root + "/proc")
	return name, errno == 0 && its.Dev == t.host().procDevice()
}

// open opens a path of the host's, for the emulator.
func (h *Host) open(name string, flags int) (int, unix.Errno) {
	if h.root == 0 {
		root, err := unix.Open(h.Root, unix.O_PATH|unix.O_CLOEXEC|unix.O_DIRECTORY, 0)
		if err != nil {
			return -1, unix.EIO
		}
		h.root = root
	}
	fd, err := OpenIn(h.root, name, flags, 0)
	if err != nil {
		return -1, err.(unix.Errno)
	}
	return fd, 0
}

// OpenIn opens a path below the folder root, which none of its links nor its ".."
// leads out of. The error is an errno.
//
// openat2(2) gives up such a path with EAGAIN when anybody renames a file or
// mounts anything, anywhere on the machine, while the path goes by a "..": what the
// rest of the machine does must not decide, so it is asked again.
func OpenIn(root int, name string, flags int, mode uint32) (int, error) {
	how := unix.OpenHow{Flags: uint64(flags | unix.O_CLOEXEC), Mode: uint64(mode), Resolve: unix.RESOLVE_IN_ROOT}
	for {
		fd, err := unix.Openat2(root, name, &how)
		if err != unix.EAGAIN && err != unix.EINTR {
			return fd, err
		}
	}
}

// stat is stat(2) on the host, following links.
func (h *Host) stat(name string) (s unix.Stat_t, errno unix.Errno) {
	fd, errno := h.open(name, unix.O_PATH)
	if errno != 0 {
		return s, errno
	}
	defer unix.Close(fd)
	if err := unix.Fstat(fd, &s); err != nil {
		return s, errnoOf(err)
	}
	return s, 0
}

// read gives the content of a file of the host's.
func (h *Host) read(name string) (content string, ok bool) {
	fd, errno := h.open(name, unix.O_RDONLY)
	if errno != 0 {
		return "", false
	}
	file := os.NewFile(uintptr(fd), name)
	defer file.Close()
	text, err := io.ReadAll(file)
	return string(text), err == nil
}

// makeSocketFile creates the file that a bound Unix socket shows as.
func (t *Task) makeSocketFile(name string) (fileIdentity, unix.Errno) {
	directory, base := path.Split(strings.TrimRight(name, "/"))
	if base == "" {
		return fileIdentity{}, unix.EADDRINUSE
	}
	fd, errno := t.host().open(directory, unix.O_PATH|unix.O_DIRECTORY)
	if errno != 0 {
		return fileIdentity{}, errno
	}
	folder := place{fd: fd}
	if !folder.look() {
		return fileIdentity{}, unix.EIO
	}
	defer folder.close()
	if !t.cred.overrides() {
		if errno := t.mayChange(&folder); errno != 0 {
			return fileIdentity{}, errno
		}
	}
	old := unix.Umask(int(t.umask()))
	err := unix.Mknodat(fd, base, unix.S_IFSOCK|0o777, 0)
	unix.Umask(old)
	if err != nil {
		if err == unix.EEXIST {
			return fileIdentity{}, unix.EADDRINUSE
		}
		return fileIdentity{}, err.(unix.Errno)
	}
	if t.ordinaryUser() {
		if errno := t.takeNew(&folder, base); errno != 0 {
			return fileIdentity{}, errno
		}
	}
	var s unix.Stat_t
	if err := unix.Fstatat(fd, base, &s, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return fileIdentity{}, err.(unix.Errno)
	}
	return fileIdentity{s.Dev, s.Ino}, 0
}

// umask reads a thread's file mode creation mask.
func (t *Task) umask() uint32 {
	return uint32(t.statusField("Umask:", 8))
}

// statusField reads a number of proc(5)'s status; 0 when it is not there.
func (t *Task) statusField(name string, base int) uint64 {
	fields := statusFields(t.TID, name)
	if len(fields) == 0 {
		return 0
	}
	v, _ := strconv.ParseUint(fields[0], base, 64)
	return v
}
