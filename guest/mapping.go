package guest

import (
	"bytes"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Mapping is an area of a guest's memory.
type Mapping struct {
	Start, End, Offset  uint64
	Shared              bool
	Major, Minor, Inode uint64 // of the file, 0 if there is none
}

// mappingQuery is struct procmap_query (linux/fs.h).
type mappingQuery struct {
	size, flags, address         uint64
	start, end, permissions      uint64
	pageSize, offset, inode      uint64
	major, minor                 uint32
	nameSize, buildSize          uint32
	nameAddress, buildIDsAddress uint64
}

// The ioctl of /proc/PID/maps, since Linux 6.11, and its VMA_SHARED.
const (
	queryMapping  = 0xc0686611 // PROCMAP_QUERY
	mappingShared = 8
)

// MappingAt finds what is mapped at an address. Guests ask for it at each call on
// a futex that processes share, so it must not take long.
func MappingAt(tid int, address uint64) (m Mapping, ok bool) {
	maps := "/proc/" + strconv.Itoa(tid) + "/maps"
	fd, err := unix.Open(maps, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return m, false
	}
	defer unix.Close(fd)
	q := mappingQuery{size: uint64(unsafe.Sizeof(mappingQuery{})), address: address}
	switch _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), queryMapping, uintptr(unsafe.Pointer(&q))); errno {
	case 0:
		return Mapping{q.start, q.end, q.offset, q.permissions&mappingShared != 0, uint64(q.major), uint64(q.minor), q.inode}, true
	case unix.ENOTTY:
		text, err := os.ReadFile(maps)
		if err != nil {
			return m, false
		}
		return findMapping(text, address)
	}
	return m, false
}

// findMapping finds an address in the text of /proc/PID/maps (proc(5)).
func findMapping(text []byte, address uint64) (m Mapping, ok bool) {
	for line := range bytes.Lines(text) {
		from, rest, _ := bytes.Cut(line, []byte("-"))
		to, rest, _ := bytes.Cut(rest, []byte(" "))
		if m.Start, m.End = number(from, 16), number(to, 16); address < m.Start || address >= m.End {
			continue
		}
		fields := bytes.Fields(rest) // permissions, offset, device, inode, name
		if len(fields) < 4 {
			return m, false
		}
		major, minor, _ := bytes.Cut(fields[2], []byte(":"))
		m.Shared = bytes.HasSuffix(fields[0], []byte("s"))
		m.Offset, m.Inode = number(fields[1], 16), number(fields[3], 10)
		m.Major, m.Minor = number(major, 16), number(minor, 16)
		return m, true
	}
	return m, false
}

func number(text []byte, base int) uint64 {
	n, _ := strconv.ParseUint(string(text), base, 64)
	return n
}
