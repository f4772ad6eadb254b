package kernel

import (
	"encoding/binary"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Guests' files really all belong to the one user that the guests run as. Whom
// they belong to in a host's eyes is noted beside them: in an extended
// attribute of regular files and folders, in a table for the kinds that can
// have none. What has no note is root's; what belongs to another user of the
// machine shows as it is.

// owner is whom a file belongs to.
type owner struct{ uid, gid uint32 }

const (
	// OwnerAttribute holds an OwnerNote.
	OwnerAttribute     = "user.simterpose.owner"
	ownerAttributeSize = 8
)

func (o owner) note() []byte {
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, ownerAttributeSize), o.uid)
	return binary.LittleEndian.AppendUint32(b, o.gid)
}

// OwnerNote is the note of a file that the emulator makes for a host; nil if it
// needs none.
func OwnerNote(uid, gid uint32) []byte {
	if uid == 0 && gid == 0 {
		return nil
	}
	return owner{uid, gid}.note()
}

// SetOwner notes whom an open file that belongs to the guests' user belongs to
// in a host.
func (h *Host) SetOwner(fd int, uid, gid uint32) error {
	var s unix.Stat_t
	if err := unix.Fstat(fd, &s); err != nil {
		return err
	}
	if errno := h.setOwner(fd, &s, owner{uid, gid}); errno != 0 {
		return errno
	}
	return nil
}

// notedOwner is the note of a file without attributes, of which btime tells that
// the inode is still the same file.
type notedOwner struct {
	owner
	btime unix.StatxTimestamp
}

// descriptorPath names an open descriptor of the emulator's.
func descriptorPath(fd int) string { return descriptor{number: fd}.path() }

// takesAttributes tells whether a file can have extended attributes of users.
func takesAttributes(mode uint32) bool {
	return mode&unix.S_IFMT == unix.S_IFREG || mode&unix.S_IFMT == unix.S_IFDIR
}

// ownerOf tells whom an open file belongs to in the eyes of the host's guests.
func (h *Host) ownerOf(fd int, s *unix.Stat_t) owner {
	if s.Dev == h.procDevice() {
		return h.ownerInProc(fd)
	}
	if s.Uid != h.kernel.machineUID {
		return owner{s.Uid, s.Gid}
	}
	if takesAttributes(s.Mode) {
		var b [ownerAttributeSize]byte
		if h.getAttribute(fd, s.Mode, b[:]) == ownerAttributeSize {
			return owner{binary.LittleEndian.Uint32(b[:]), binary.LittleEndian.Uint32(b[4:])}
		}
	}
	if len(h.owners) > 0 {
		if o, ok := h.owners[fileIdentity{s.Dev, s.Ino}]; ok && o.btime == birth(fd) {
			return o.owner
		}
	}
	return h.unnoted(s)
}

// unnoted is the owner of a file of guests that has no note.
func (h *Host) unnoted(s *unix.Stat_t) owner {
	if s.Gid == h.kernel.machineGID {
		return owner{}
	}
	return owner{0, s.Gid}
}

// getAttribute reads the note of a file. An ordinary user needs the right to
// read the file for it, which its mode may not give.
func (h *Host) getAttribute(fd int, mode uint32, b []byte) int {
	path := descriptorPath(fd)
	n, err := unix.Getxattr(path, OwnerAttribute, b)
	if err == unix.EACCES && unix.Chmod(path, mode&0o7777|0o400) == nil {
		n, err = unix.Getxattr(path, OwnerAttribute, b)
		unix.Chmod(path, mode&0o7777)
	}
	if err != nil {
		return 0
	}
	return n
}

// setOwner notes whom an open file belongs to. The file must belong to the
// machine's user of the guests.
func (h *Host) setOwner(fd int, s *unix.Stat_t, o owner) unix.Errno {
	if takesAttributes(s.Mode) {
		path := descriptorPath(fd)
		set := func() error {
			if o == h.unnoted(s) {
				if err := unix.Removexattr(path, OwnerAttribute); err != unix.ENODATA {
					return err
				}
				return nil
			}
			return unix.Setxattr(path, OwnerAttribute, o.note(), 0)
		}
		err := set()
		if err == unix.EACCES && unix.Chmod(path, s.Mode&0o7777|0o600) == nil {
			err = set()
			unix.Chmod(path, s.Mode&0o7777)
		}
		switch err {
		case nil:
			return 0
		case unix.EOPNOTSUPP:
		default:
			return err.(unix.Errno)
		}
	}
	if h.owners == nil {
		h.owners = map[fileIdentity]notedOwner{}
	}
	h.owners[fileIdentity{s.Dev, s.Ino}] = notedOwner{o, birth(fd)}
	return 0
}

// birth is when an open file's inode was made.
func birth(fd int) unix.StatxTimestamp {
	var s unix.Statx_t
	if unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_BTIME, &s) != nil {
		return unix.StatxTimestamp{}
	}
	return s.Btime
}

// procDevice is the device number of the host's /proc.
func (h *Host) procDevice() uint64 { return h.deviceOf(&h.proc, "/proc") }

// systemDevice is the device number of the host's /sys, which the emulator has made in
// memory.
func (h *Host) systemDevice() uint64 { return h.deviceOf(&h.system, "/sys") }

// interfacesDevice is that of the part of /sys which is the machine's own.
func (h *Host) interfacesDevice() uint64 {
	return h.deviceOf(&h.interfaces, "/sys/devices/virtual/net")
}

// queueDevice is that of /dev/mqueue, which the emulator has made in memory too.
func (h *Host) queueDevice() uint64 { return h.deviceOf(&h.queues, queueFolder) }

// deviceOf finds the device number of a folder once; 0 if there is none.
func (h *Host) deviceOf(found *uint64, folder string) uint64 {
	if *found == 0 {
		var s unix.Stat_t
		if unix.Stat(h.Root+folder, &s) == nil {
			*found = s.Dev
		}
	}
	return *found
}

// ownerInProc is the owner of a file of proc(5): those of a process belong to
// its effective user, unless it is not dumpable.
func (h *Host) ownerInProc(fd int) owner {
	name, err := os.Readlink(descriptorPath(fd))
	if err != nil {
		return owner{}
	}
	rest, _ := strings.CutPrefix(name, "/proc/")
	number, below, _ := strings.Cut(rest, "/")
	id, err := strconv.Atoi(number)
	if err != nil {
		return owner{}
	}
	t := h.threads[id]
	if t == nil || t.process.undumpable && below != "" {
		return owner{}
	}
	return owner{t.cred.euid, t.cred.egid}
}
