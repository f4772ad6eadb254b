package kernel

import (
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// place is a file that a guest has named, opened with O_PATH.
type place struct {
	fd   int
	stat unix.Stat_t
}

func (p *place) close() { unix.Close(p.fd) }

// locate opens what a guest names by a path, relative to a descriptor or to its
// working folder. ok is false when the machine's kernel knows better what to say: the
// path leads to nothing, or through /proc/self, or into a folder that the
// emulator does not see as the guest does.
func (t *Task) locate(directory int, name string, follow, empty bool) (p place, ok bool) {
	if name == "" {
		if !empty {
			return p, false
		}
		return t.locateDescriptor(directory)
	}
	if t.process.root != "" {
		return t.locateInRoot(directory, name, follow)
	}
	full, errno := t.absolute(directory, name)
	if errno == unix.ENAMETOOLONG {
		return t.locateDeep(directory, name, follow)
	}
	if errno != 0 {
		return p, false
	}
	full = t.ownFolder(full, follow)
	if follow {
		if p, ok, magic := t.locateMagic(path.Clean(full)); magic {
			return p, ok
		}
	}
	flags := unix.O_PATH
	if !follow {
		flags |= unix.O_NOFOLLOW
	}
	if p.fd, errno = t.host().open(full, flags); errno != 0 {
		if !follow {
			return p, false
		}
		if _, errno := t.host().readLink(full); errno == 0 || throughProcess(full) {
			if inProc, ok := t.followed(full); ok && inProc != full {
				return t.locate(unix.AT_FDCWD, inProc, follow, false)
			}
		}
		return p, false
	}
	return p, p.look()
}

// ownFolder replaces the links of /proc that lead to the reading process's folder: the
// emulator has none there. A path that ends with one is meant where links are followed.
func (t *Task) ownFolder(full string, follow bool) string {
	process := "/proc/" + strconv.Itoa(t.process.PID)
	for _, link := range []struct{ name, target string }{
		{"/proc/self", process},
		{"/proc/thread-self", process + "/task/" + strconv.Itoa(t.ID)},
		{"/proc/net", process + "/net"},
		{"/proc/mounts", process + "/mounts"},
	} {
		if rest, found := strings.CutPrefix(full, link.name); found && (strings.HasPrefix(rest, "/") || rest == "" && follow) {
			return link.target + rest
		}
	}
	return full
}

// locateInRoot is locate for a process that has called chroot. What is in its /proc,
// and what lies outside of its root, is left to the machine.
func (t *Task) locateInRoot(directory int, name string, follow bool) (p place, ok bool) {
	if !path.IsAbs(name) {
		base, errno := t.folderPath(directory)
		if errno != 0 || !Within(base, t.process.root) {
			return p, false
		}
		name = base[len(t.process.root):] + "/" + name
	}
	if strings.HasPrefix(path.Clean(name), "/proc/") {
		return p, false
	}
	root, errno := t.host().open(t.process.root, unix.O_PATH|unix.O_DIRECTORY)
	if errno != 0 {
		return p, false
	}
	defer unix.Close(root)
	flags := unix.O_PATH
	if !follow {
		flags |= unix.O_NOFOLLOW
	}
	fd, err := OpenIn(root, name, flags, 0)
	if err != nil {
		return p, false
	}
	p.fd = fd
	return p, p.look()
}

// locateDeep is locate for a folder whose own path is too long to be written down.
// Links, which would be followed from the emulator's root, are left to the machine.
func (t *Task) locateDeep(directory int, name string, follow bool) (p place, ok bool) {
	if path.IsAbs(name) {
		return p, false
	}
	folder, ok := t.locateDescriptor(directory)
	if !ok {
		return p, false
	}
	defer folder.close()
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS}
	if !follow {
		how.Flags |= unix.O_NOFOLLOW
	}
	fd, err := unix.Openat2(folder.fd, name, &how)
	if err != nil {
		return p, false
	}
	p.fd = fd
	return p, p.look()
}

// locateMagic is locate for those links of proc(5) that lead to open files
// whatever their names are, and for the links to them in /dev.
func (t *Task) locateMagic(full string) (p place, ok, magic bool) {
	if owner, number := t.namedDescriptor(full); owner != nil {
		p, ok = owner.locateDescriptor(number)
		return p, ok, true
	}
	f, found := t.procFile(full)
	of := f.task()
	if !found || of == nil {
		return p, false, false
	}
	if f.file != "exe" && f.file != "cwd" && f.file != "root" && !strings.HasPrefix(f.file, "ns/") {
		return p, false, false
	}
	fd, err := unix.Open("/proc/"+strconv.Itoa(of.TID)+"/"+f.file, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return p, false, true
	}
	p.fd = fd
	return p, p.look(), true
}

// locateDescriptor is locate for an open descriptor, or the working folder.
func (t *Task) locateDescriptor(number int) (p place, ok bool) {
	link := "/proc/" + strconv.Itoa(t.TID) + "/cwd"
	if number != unix.AT_FDCWD {
		if d := t.description(number); d != nil && !d.machines() {
			return p, false
		}
		link = t.descriptor(number).path()
	}
	fd, err := unix.Open(link, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return p, false
	}
	p.fd = fd
	return p, p.look()
}

func (p *place) look() bool {
	if unix.Fstat(p.fd, &p.stat) != nil {
		p.close()
		return false
	}
	return true
}

// locateParent opens the folder that a path's last component lies in. base is
// that component.
func (t *Task) locateParent(directory int, name string) (p place, base string, ok bool) {
	trimmed := strings.TrimRight(name, "/")
	folder, base := path.Split(trimmed)
	if trimmed == "" || base == "." || base == ".." {
		return p, "", false
	}
	if folder == "" {
		folder = "."
	}
	p, ok = t.locate(directory, folder, true, false)
	return p, base, ok
}

// Bits of what a task wants of a file, as access(2) has them.
const (
	wantExecute = unix.X_OK
	wantWrite   = unix.W_OK
	wantRead    = unix.R_OK
)

// overrides tells that a task may do as it likes with other users' files.
func (c *credentials) overrides() bool { return c.capable(capDacOverride) }

// permits tells whether the task may use a file, as generic_permission does.
func (t *Task) permits(p *place, want uint32) unix.Errno {
	return t.host().permission(t.cred, p, want)
}

func (h *Host) permission(c *credentials, p *place, want uint32) unix.Errno {
	o, mode := h.ownerOf(p.fd, &p.stat), p.stat.Mode
	bits := mode
	switch {
	case c.fsuid == o.uid:
		bits >>= 6
	case c.inGroup(o.gid):
		bits >>= 3
	}
	if want&^bits&7 == 0 {
		return 0
	}
	folder := mode&unix.S_IFMT == unix.S_IFDIR
	switch {
	case c.capable(capDacOverride) && (folder || want&wantExecute == 0 || mode&0o111 != 0),
		c.capable(capDacReadSearch) && (want == wantRead || folder && want&wantWrite == 0):
		return 0
	}
	return unix.EACCES
}

// mayReach tells whether the task may search every folder above a file, from its root
// on.
func (t *Task) mayReach(p *place) unix.Errno {
	if t.cred.overrides() || t.cred.capable(capDacReadSearch) {
		return 0
	}
	name, err := os.Readlink(descriptorPath(p.fd))
	if err != nil || !strings.HasPrefix(name, "/") {
		return 0 // a pipe or the like has none
	}
	first := 1
	if Within(name, t.process.root) {
		first = max(first, len(t.process.root))
	}
	for i := first; i < len(name); i++ {
		if name[i] != '/' {
			continue
		}
		fd, errno := t.host().open(name[:i], unix.O_PATH)
		if errno != 0 {
			return 0
		}
		above := place{fd: fd}
		if !above.look() {
			return 0
		}
		errno = t.permits(&above, wantExecute)
		above.close()
		if errno != 0 {
			return errno
		}
	}
	return 0
}
