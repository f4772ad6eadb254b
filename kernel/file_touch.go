package kernel

import (
	"encoding/binary"
	"path"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/sim"
)

// Calls that make, change or remove files by name: what they have changed is
// looked at when the kernel has carried them out.

// touch is a file that a call may have changed.
type touch struct {
	name   string // from the host's root
	follow bool
	at     sim.Time
	before unix.Stat_t
	was    bool // the file was there before
	wrote  bool // the call changes the content
	times  *setTimes
}

// setTimes are the times that utimensat sets; nil ones stay.
type setTimes struct{ access, modify *int64 }

// touchesFiles marks the calls that touchFiles is for.
var touchesFiles = func() (list [512]bool) {
	for _, n := range []int{
		unix.SYS_OPEN, unix.SYS_OPENAT, unix.SYS_OPENAT2, unix.SYS_CREAT, unix.SYS_MKDIR, unix.SYS_MKDIRAT, unix.SYS_MKNOD, unix.SYS_MKNODAT,
		unix.SYS_SYMLINK, unix.SYS_SYMLINKAT, unix.SYS_LINK, unix.SYS_LINKAT, unix.SYS_UNLINK, unix.SYS_UNLINKAT, unix.SYS_RMDIR,
		unix.SYS_RENAME, unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2, unix.SYS_TRUNCATE, unix.SYS_CHMOD, unix.SYS_FCHMODAT, unix.SYS_FCHMODAT2,
		unix.SYS_CHOWN, unix.SYS_LCHOWN, unix.SYS_FCHOWNAT, unix.SYS_UTIME, unix.SYS_UTIMES, unix.SYS_FUTIMESAT, unix.SYS_UTIMENSAT,
	} {
		list[n] = true
	}
	return list
}()

// touchFiles notes which files the call may change.
func (t *Task) touchFiles() {
	n := t.call.number
	switch n {
	case unix.SYS_OPEN, unix.SYS_CREAT, unix.SYS_OPENAT, unix.SYS_OPENAT2:
		directory, argument, flags := unix.AT_FDCWD, t.arg(0), t.flags(1)
		switch n {
		case unix.SYS_CREAT:
			flags = unix.O_CREAT | unix.O_TRUNC
		case unix.SYS_OPENAT:
			directory, argument, flags = t.int(0), t.arg(1), t.flags(2)
		case unix.SYS_OPENAT2:
			how, _ := t.readWord(t.arg(2))
			directory, argument, flags = t.int(0), t.arg(1), int(how)
		}
		if flags&(unix.O_CREAT|unix.O_TRUNC) != 0 {
			t.touch(directory, argument, true, flags&unix.O_TRUNC != 0, nil)
		}
	case unix.SYS_MKDIR, unix.SYS_MKNOD, unix.SYS_UNLINK, unix.SYS_RMDIR, unix.SYS_LCHOWN:
		t.touch(unix.AT_FDCWD, t.arg(0), false, false, nil)
	case unix.SYS_MKDIRAT, unix.SYS_MKNODAT, unix.SYS_UNLINKAT, unix.SYS_FCHOWNAT:
		t.touch(t.int(0), t.arg(1), false, false, nil)
	case unix.SYS_CHMOD, unix.SYS_CHOWN:
		t.touch(unix.AT_FDCWD, t.arg(0), true, false, nil)
	case unix.SYS_FCHMODAT, unix.SYS_FCHMODAT2:
		t.touch(t.int(0), t.arg(1), true, false, nil)
	case unix.SYS_TRUNCATE:
		t.touch(unix.AT_FDCWD, t.arg(0), true, true, nil)
	case unix.SYS_SYMLINK:
		t.touch(unix.AT_FDCWD, t.arg(1), false, false, nil)
	case unix.SYS_SYMLINKAT:
		t.touch(t.int(1), t.arg(2), false, false, nil)
	case unix.SYS_LINK, unix.SYS_RENAME:
		t.touch(unix.AT_FDCWD, t.arg(0), false, false, nil)
		t.touch(unix.AT_FDCWD, t.arg(1), false, false, nil)
	case unix.SYS_LINKAT, unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2:
		t.touch(t.int(0), t.arg(1), false, false, nil)
		t.touch(t.int(2), t.arg(3), false, false, nil)
	default:
		t.touchTimes()
	}
}

// touchTimes is touchFiles for the calls that set times.
func (t *Task) touchTimes() {
	directory, argument, times, follow := unix.AT_FDCWD, t.arg(0), t.arg(1), true
	unit := int64(1000)
	switch t.call.number {
	case unix.SYS_FUTIMESAT:
		directory, argument, times = t.int(0), t.arg(1), t.arg(2)
	case unix.SYS_UTIMENSAT:
		directory, argument, times, unit = t.int(0), t.arg(1), t.arg(2), 1
		follow = t.flags(3)&unix.AT_SYMLINK_NOFOLLOW == 0
	case unix.SYS_UTIME:
		unit = 0 // whole seconds
	}
	now := t.host().Realtime()
	set := &setTimes{&now, &now}
	if times != 0 {
		var b [32]byte
		size := 32
		if unit == 0 {
			size = 16
		}
		if t.read(times, b[:size]) != 0 {
			return
		}
		value := func(i int) *int64 {
			if unit == 0 {
				v := int64(binary.LittleEndian.Uint64(b[8*i:])) * 1_000_000_000
				return &v
			}
			v, part := int64(binary.LittleEndian.Uint64(b[16*i:]))*1_000_000_000, int64(binary.LittleEndian.Uint64(b[16*i+8:]))
			switch {
			case unit == 1 && part == unix.UTIME_NOW:
				return &now
			case unit == 1 && part == unix.UTIME_OMIT:
				return nil
			}
			v += part * unit
			return &v
		}
		set.access, set.modify = value(0), value(1)
	}
	t.touch(directory, argument, follow, false, set)
}

// touch notes one file. Without a name the descriptor is meant.
func (t *Task) touch(directory int, argument uint64, follow, wrote bool, times *setTimes) {
	name := ""
	if argument != 0 {
		var errno unix.Errno
		if name, errno = t.readString(argument); errno != 0 {
			return
		}
	}
	full, errno := t.absolute(directory, name)
	if errno != 0 {
		return
	}
	u := touch{name: full, follow: follow, at: t.now(), wrote: wrote, times: times}
	u.was = t.host().statName(full, follow, &u.before)
	t.touched = append(t.touched, u)
}

// statName is stat of a name on the host.
func (h *Host) statName(name string, follow bool, s *unix.Stat_t) bool {
	flags := unix.O_PATH
	if !follow {
		flags |= unix.O_NOFOLLOW
	}
	fd, errno := h.open(name, flags)
	if errno != 0 {
		return false
	}
	defer unix.Close(fd)
	return unix.Fstat(fd, s) == nil
}

// settleTouched looks at what the task's last call has changed.
func (t *Task) settleTouched() {
	h := t.host()
	for i := range t.touched {
		u := &t.touched[i]
		var s unix.Stat_t
		is := h.statName(u.name, u.follow, &s)
		same := is && u.was && s.Ino == u.before.Ino && s.Dev == u.before.Dev
		if u.was && !same && u.before.Nlink <= 1 {
			// Removed, replaced, or moved: the kernel may use the number again.
			// A file that was moved is found by its new name below.
			if _, moved := t.movedTo(u); !moved {
				delete(h.files.times, fileIdentity{u.before.Dev, u.before.Ino})
				h.newFiles.removed(fileIdentity{u.before.Dev, u.before.Ino})
			}
		}
		switch {
		case !is:
		case !u.was && t.call.number != unix.SYS_RENAME && t.call.number != unix.SYS_RENAMEAT && t.call.number != unix.SYS_RENAMEAT2 &&
			t.call.number != unix.SYS_LINK && t.call.number != unix.SYS_LINKAT:
			delete(h.files.times, fileIdentity{s.Dev, s.Ino})
			h.changed(&s, u.at, true)
		default:
			opened := u.wrote && (u.before.Size != 0 || s.Mtim != u.before.Mtim)
			e := h.changed(&s, u.at, opened)
			if u.times != nil && e != nil && (s.Mtim != u.before.Mtim || s.Atim != u.before.Atim || s.Ctim != u.before.Ctim) {
				if u.times.access != nil {
					e.access = *u.times.access
				}
				if u.times.modify != nil {
					e.modify, e.at = *u.times.modify, u.at
				}
			}
		}
		if u.was != is || is && !same {
			var folder unix.Stat_t
			if h.statName(path.Dir(path.Clean(u.name)), true, &folder) {
				h.changed(&folder, u.at, true)
			}
		}
	}
	t.touched = t.touched[:0]
}

// movedTo finds the new name of a file that a rename has moved.
func (t *Task) movedTo(u *touch) (name string, ok bool) {
	for i := range t.touched {
		other := &t.touched[i]
		var s unix.Stat_t
		if other.name != u.name && t.host().statName(other.name, false, &s) && s.Ino == u.before.Ino && s.Dev == u.before.Dev {
			return other.name, true
		}
	}
	return "", false
}
