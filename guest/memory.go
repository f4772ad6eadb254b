package guest

import (
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ReadMemory copies len(p) bytes from the guest's memory at address
// (process_vm_readv(2)). A short count is returned with EFAULT; ESRCH means
// that the guest is gone.
func ReadMemory(tid int, address uint64, p []byte) (int, unix.Errno) {
	return transfer(unix.SYS_PROCESS_VM_READV, tid, address, p)
}

// WriteMemory copies p to the guest's memory at address (process_vm_writev(2)),
// which must be writable for the guest. Errors are ReadMemory's.
func WriteMemory(tid int, address uint64, p []byte) (int, unix.Errno) {
	return transfer(unix.SYS_PROCESS_VM_WRITEV, tid, address, p)
}

func transfer(call uintptr, tid int, address uint64, p []byte) (int, unix.Errno) {
	if len(p) == 0 {
		return 0, 0
	}
	local := unix.Iovec{Base: unsafe.SliceData(p), Len: uint64(len(p))}
	remote := unix.RemoteIovec{Base: uintptr(address), Len: len(p)}
	n, _, errno := unix.RawSyscall6(call, uintptr(tid),
		uintptr(unsafe.Pointer(&local)), 1, uintptr(unsafe.Pointer(&remote)), 1, 0)
	switch {
	case errno != 0:
		return 0, errno
	case int(n) < len(p):
		return int(n), unix.EFAULT
	}
	return int(n), 0
}

// PatchMemory is WriteMemory for memory that the guest may only read, too
// (/proc/PID/mem in proc(5)).
func PatchMemory(tid int, address uint64, p []byte) unix.Errno {
	if _, errno := WriteMemory(tid, address, p); errno != unix.EFAULT {
		return errno
	}
	memory, err := os.OpenFile("/proc/"+strconv.Itoa(tid)+"/mem", os.O_WRONLY, 0)
	if err != nil {
		return unix.ESRCH
	}
	defer memory.Close()
	if _, err := memory.WriteAt(p, int64(address)); err != nil {
		return unix.EFAULT
	}
	return 0
}
