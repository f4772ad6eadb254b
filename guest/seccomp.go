package guest

import (
	"fmt"
	"maps"
	"slices"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The kernel's structures of seccomp_unotify(2).
type (
	notification struct {
		id    uint64
		pid   uint32
		flags uint32
		// struct seccomp_data
		number             int32
		architecture       uint32
		instructionPointer uint64
		arguments          [6]uint64
	}
	response struct {
		id    uint64
		value int64
		error int32
		flags uint32
	}
	addDescriptor struct {
		id       uint64
		flags    uint32
		source   uint32
		number   uint32
		newFlags uint32
	}
)

// auditArchX8664 is AUDIT_ARCH_X86_64 of linux/audit.h.
const auditArchX8664 = 0xc000003e

// Offsets in struct seccomp_data.
const (
	dataNumber       = 0
	dataArchitecture = 4
	dataArguments    = 16
)

// Native tells which calls the filter lets through to the kernel. All others,
// numbers that do not exist and other architectures' calls included, stop the
// guest.
type Native struct {
	// Calls are let through whatever their arguments.
	Calls []int
	// Commands are let through when the second argument (a command of fcntl
	// or ioctl) is one of those listed.
	Commands map[int][]uint32
	// First is the same for the first argument.
	First map[int][]uint32
	// Guarded calls stop when their first argument is the number of the host's
	// agent.
	Guarded []int
}

// AgentPID is the number of a host's agent, the first process of its PID namespace.
const AgentPID = 1

// filter assembles the seccomp filter: a binary search over the call's number.
// stop is what it returns for calls that are not native.
func filter(native Native, stop uint32) ([]bpf.RawInstruction, error) {
	const allow = uint32(unix.SECCOMP_RET_ALLOW)
	program := []bpf.Instruction{
		bpf.LoadAbsolute{Off: dataArchitecture, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: auditArchX8664, SkipTrue: 1},
		bpf.RetConstant{Val: stop},
		bpf.LoadAbsolute{Off: dataNumber, Size: 4},
	}
	for _, nr := range native.Guarded {
		program = append(program,
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(nr), SkipTrue: 4},
			bpf.LoadAbsolute{Off: dataArguments, Size: 4},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: AgentPID, SkipTrue: 1},
			bpf.RetConstant{Val: stop},
			bpf.LoadAbsolute{Off: dataNumber, Size: 4})
	}
	for i, byArgument := range []map[int][]uint32{native.First, native.Commands} {
		for _, nr := range slices.Sorted(maps.Keys(byArgument)) {
			values := slices.Sorted(slices.Values(byArgument[nr]))
			program = append(program,
				bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(nr), SkipTrue: uint8(len(values) + 3)},
				bpf.LoadAbsolute{Off: uint32(dataArguments + 8*i), Size: 4})
			for i, v := range values {
				program = append(program, bpf.JumpIf{Cond: bpf.JumpEqual, Val: v, SkipTrue: uint8(len(values) - i)})
			}
			program = append(program, bpf.RetConstant{Val: stop}, bpf.RetConstant{Val: allow})
		}
	}
	// Runs of consecutive numbers with the same fate, as (first number, allow).
	type run struct {
		first uint32
		allow bool
	}
	runs := []run{{0, false}}
	calls := slices.Compact(slices.Sorted(slices.Values(native.Calls)))
	for _, nr := range calls {
		last := &runs[len(runs)-1]
		if !last.allow || last.first == ^uint32(0) {
			if last.first == uint32(nr) {
				last.allow = true
			} else {
				runs = append(runs, run{uint32(nr), true})
			}
		}
		if !slices.Contains(calls, nr+1) {
			runs = append(runs, run{uint32(nr) + 1, false})
		}
	}
	var search func(runs []run)
	search = func(runs []run) {
		if len(runs) == 1 {
			v := stop
			if runs[0].allow {
				v = allow
			}
			program = append(program, bpf.RetConstant{Val: v})
			return
		}
		middle := len(runs) / 2
		at := len(program)
		program = append(program, nil)
		search(runs[:middle])
		program[at] = bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: runs[middle].first, SkipTrue: uint8(len(program) - at - 1)}
		if len(program)-at-1 > 255 {
			panic("guest: filter too long for a conditional jump")
		}
		search(runs[middle:])
	}
	search(runs)
	raw, err := bpf.Assemble(program)
	if err != nil {
		return nil, fmt.Errorf("assemble the seccomp filter: %w", err)
	}
	return raw, nil
}

// ioctl is ioctl(2), for the calls that return at once. A signal of the Go runtime
// may interrupt even those, while another thread holds the lock of the listener.
func ioctl(fd int, request uint, argument unsafe.Pointer) (int, unix.Errno) {
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(argument))
		if errno != unix.EINTR {
			return int(n), errno
		}
	}
}

// ioctlBlocking is ioctl(2), for the calls that wait: a garbage collection does
// not wait for them.
func ioctlBlocking(fd int, request uint, argument unsafe.Pointer) (int, unix.Errno) {
	n, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(argument))
	return int(n), errno
}
