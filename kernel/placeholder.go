package kernel

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// signalfdPlaceholder makes a signalfd. It shows the signals of whoever reads
// it, not of the emulator that made it.
func signalfdPlaceholder(set uint64, flags int) (int, unix.Errno) {
	fd, _, errno := unix.RawSyscall6(unix.SYS_SIGNALFD4, ^uintptr(0), uintptr(unsafe.Pointer(&set)), 8, uintptr(flags|unix.SFD_CLOEXEC), 0, 0)
	return int(fd), errno
}
