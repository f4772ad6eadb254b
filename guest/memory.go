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

// VectorMost bounds the pieces that ReadVector and WriteVector take on each side.
const VectorMost = 64

// ReadVector is ReadMemory from several pieces of the guest's memory, in order,
// into several of the emulator's. It ends with the shorter side.
func ReadVector(tid int, from []unix.RemoteIovec, to [][]byte) (int, unix.Errno) {
	return transferVector(unix.SYS_PROCESS_VM_READV, tid, from, to)
}

// WriteVector is WriteMemory to several pieces, as ReadVector is for reading.
func WriteVector(tid int, to []unix.RemoteIovec, from [][]byte) (int, unix.Errno) {
	return transferVector(unix.SYS_PROCESS_VM_WRITEV, tid, to, from)
}

func transferVector(call uintptr, tid int, remote []unix.RemoteIovec, own [][]byte) (int, unix.Errno) {
	var local [VectorMost]unix.Iovec
	remote, own = remote[:min(len(remote), VectorMost)], own[:min(len(own), VectorMost)]
	here, there := 0, 0
	for i, p := range own {
		local[i] = unix.Iovec{Base: unsafe.SliceData(p), Len: uint64(len(p))}
		here += len(p)
	}
	for _, r := range remote {
		there += r.Len
	}
	if here == 0 || there == 0 {
		return 0, 0
	}
	n, _, errno := unix.RawSyscall6(call, uintptr(tid), uintptr(unsafe.Pointer(&local)), uintptr(len(own)),
		uintptr(unsafe.Pointer(unsafe.SliceData(remote))), uintptr(len(remote)), 0)
	switch {
	case errno != 0:
		return 0, errno
	case int(n) < min(here, there):
		return int(n), unix.EFAULT
	}
	return int(n), 0
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
