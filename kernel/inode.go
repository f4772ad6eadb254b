package kernel

import (
	"hash/fnv"
	"os"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
)

// Inode numbers that would differ from run to run: of what lies in no file system
// that guests see (pipes, sockets, namespaces, files made by memfd_create(2)), which
// the machine counts for all who run on it: a host's are counted as guests ask for
// them; of files that were made since the experiment began, and of those of /proc:
// they follow from their names.

const (
	firstNew       = 1 << 28
	firstAnonymous = 1 << 29
	firstInProc    = 1 << 30
)

// began is when the emulator did, by the machine's clock.
var began = machineTime()

// newFile is a file that was made since: its number, and what tells it from others
// that had the machine's number before.
type newFile struct {
	number uint64
	birth  unix.StatxTimestamp
}

// newFiles are those of a host, by the machine's numbers.
type newFiles struct {
	files map[fileIdentity]newFile
	used  map[uint64]bool
}

// inode is the number of an open file if it is new. Those in memory have numbers that
// repeat already.
func (n *newFiles) inode(p *place) (number uint64, ok bool) {
	if p.stat.Ctim.Nano() < began-stampSlack {
		return 0, false
	}
	born := birth(p.fd)
	if born.Sec*1_000_000_000+int64(born.Nsec) < began-stampSlack {
		return 0, false
	}
	identity := fileIdentity{p.stat.Dev, p.stat.Ino}
	f, known := n.files[identity]
	if !known || f.birth != born {
		var s unix.Statfs_t
		if unix.Fstatfs(p.fd, &s) != nil || s.Type == unix.TMPFS_MAGIC {
			return 0, false
		}
		n.removed(identity)
		name, err := os.Readlink(descriptorPath(p.fd))
		if err != nil {
			return 0, false
		}
		f = newFile{nameNumber(firstNew, name), born}
		for n.used[f.number] {
			f.number = firstNew | (f.number+1)&(firstNew-1)
		}
		n.files[identity], n.used[f.number] = f, true
	}
	return f.number, true
}

// removed forgets a file: another may get its number.
func (n *newFiles) removed(file fileIdentity) {
	delete(n.used, n.files[file].number)
	delete(n.files, file)
}

// nameNumber makes a number out of a file's name, from a first one on, which is a
// power of two, up to twice that.
func nameNumber(first uint64, name string) uint64 {
	sum := fnv.New32a()
	sum.Write([]byte(name))
	return first | uint64(sum.Sum32())&(first-1)
}

// anonymousDevices are the numbers of the machine's file systems without a name.
type anonymousDevices struct {
	memory     uint64 // of memfd_create(2) and shared memory without a name
	namespaces uint64
	others     map[uint64]bool
}

func findAnonymousDevices() (a anonymousDevices) {
	device := func(fd int, err error) uint64 {
		var s unix.Stat_t
		if err != nil || unix.Fstat(fd, &s) != nil {
			return 0
		}
		unix.Close(fd)
		return s.Dev
	}
	a.memory = device(unix.MemfdCreate("device", unix.MFD_CLOEXEC))
	a.namespaces = device(unix.Open("/proc/self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0))
	var ends [2]int
	err := unix.Pipe2(ends[:], unix.O_CLOEXEC)
	if err == nil {
		unix.Close(ends[1])
	}
	a.others = map[uint64]bool{
		device(ends[0], err): true,
		device(unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)): true,
		device(unix.Eventfd(0, unix.EFD_CLOEXEC)):                               true,
	}
	return a
}

// timeless tells of file systems whose files the machine makes and forgets as it likes.
func (a *anonymousDevices) timeless(device uint64) bool {
	return device == a.namespaces || a.others[device]
}

// inode is the number by which the host's guests know a file of the machine's.
func (h *Host) inode(device, machines uint64) uint64 {
	a := &h.kernel.anonymous
	// Those that namespaces of the machine's first processes have are the same on
	// all machines (linux/proc_ns.h).
	const firstOfLater = 0xf0000000
	switch {
	case device == a.namespaces && machines >= firstOfLater:
		return firstOfLater + uint64(h.kernel.namespaces.of(machines))
	case device == a.memory, a.others[device]:
		return firstAnonymous + uint64(h.anonymousFiles.of(fileIdentity{device, machines}))
	}
	if f, ok := h.newFiles.files[fileIdentity{device, machines}]; ok {
		return f.number
	}
	return machines
}

// procInode is the number of a file of /proc.
func procInode(name string) uint64 { return nameNumber(firstInProc, name) }

// socketInode is the inode number of an emulated socket.
func (d *descriptorTable) socketInode(number int) (inode uint64, ok bool) {
	if f := d.get(number); f != nil {
		if s, ok := f.file.(socket.Numbered); ok && s.Inode() != 0 {
			return s.Inode(), true
		}
	}
	return 0, false
}

// placeInode is the inode number of an open file that the host's guests are told.
func (h *Host) placeInode(p *place) uint64 {
	if p.stat.Dev == h.procDevice() {
		if name, err := os.Readlink(descriptorPath(p.fd)); err == nil {
			return procInode(name)
		}
	}
	if n, ok := h.newFiles.inode(p); ok {
		return n
	}
	return h.inode(p.stat.Dev, p.stat.Ino)
}
