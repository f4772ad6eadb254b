package kernel

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ioctlBytes is ioctl(2) with a structure that is read and written.
func ioctlBytes(fd int, request uint32, structure []byte) unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(unsafe.Pointer(&structure[0])))
	return errno
}

// interfaceList is SIOCGIFCONF: the length of the list and, if asked for, as
// much of it as fits in size bytes.
func interfaceList(fd, size int, fill bool) (int, []byte, unix.Errno) {
	var conf struct {
		length int32
		_      int32
		buffer unsafe.Pointer
	}
	var list []byte
	if fill {
		list = make([]byte, max(min(size, 64<<10), 0)+1)
		conf.length = int32(len(list) - 1)
		conf.buffer = unsafe.Pointer(&list[0])
	}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), siocgifconf, uintptr(unsafe.Pointer(&conf)))
	runtime.KeepAlive(list)
	if errno != 0 {
		return 0, nil, errno
	}
	if !fill {
		return int(conf.length), nil, 0
	}
	return int(conf.length), list[:conf.length], 0
}
