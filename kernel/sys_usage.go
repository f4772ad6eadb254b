package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// What processes and threads have used: times, getrusage, and what wait tells.

// ticks are clock_t's hundredths of a second.
func ticks(nanoseconds int64) uint64 { return uint64(nanoseconds / 10_000_000) }

func sysTimes(t *Task) Outcome {
	if t.arg(0) != 0 {
		p := t.process
		p.reapGone()
		var b [32]byte // struct tms
		binary.LittleEndian.PutUint64(b[0:], ticks(p.cpu.used))
		binary.LittleEndian.PutUint64(b[16:], ticks(p.childrenCPU))
		if errno := t.write(t.arg(0), b[:]); errno != 0 {
			return fail(errno)
		}
	}
	// The kernel counts from shortly before it wraps at boot; from 0 here.
	return ret(int(ticks(t.host().uptime())))
}

// rusage is a struct rusage.
type rusage [144]byte

// usage tells of processor time, all of which counts as the user's. What
// memory is really used is not repeatable.
func usage(cpu int64) (b rusage) {
	copy(b[:], appendTimeval(nil, cpu))
	const maxResident = 4 << 10 // kB
	binary.LittleEndian.PutUint64(b[32:], maxResident)
	return b
}

func sysGetrusage(t *Task) Outcome {
	var cpu int64
	switch t.int(0) {
	case unix.RUSAGE_SELF:
		cpu = t.process.cpu.used
	case unix.RUSAGE_CHILDREN:
		t.process.reapGone()
		cpu = t.process.childrenCPU
	case unix.RUSAGE_THREAD:
		cpu = t.cpu.used
	default:
		return fail(unix.EINVAL)
	}
	b := usage(cpu)
	return fail(t.write(t.arg(1), b[:]))
}

// waitUsage is where wait4 or waitid are to store what a child has used; 0 if
// they are not asked.
func (t *Task) waitUsage() uint64 {
	if t.call.number == unix.SYS_WAITID {
		return t.arg(4)
	}
	return t.arg(3)
}

// carriedWait corrects what the machine's kernel has stored of the child that
// a wait call has returned.
func (t *Task) carriedWait(result int64) {
	address := t.waitUsage()
	if result < 0 || result == 0 && t.call.number != unix.SYS_WAITID {
		return
	}
	pid := int(result)
	if t.call.number == unix.SYS_WAITID {
		const siPID = 12
		var errno unix.Errno
		id, errno := t.readInt(t.arg(2) + siPID)
		if t.arg(2) == 0 || errno != 0 || id == 0 {
			return
		}
		pid = int(id)
	}
	var cpu int64
	if c := t.host().processes[pid]; c != nil {
		cpu = c.cpu.used + c.childrenCPU
	}
	b := usage(cpu)
	t.write(address, b[:])
}

// Carried must be called when the machine's kernel has carried out a call with
// the outcome Carry, with its result, before the guest goes on.
func (t *Task) Carried(result int64) {
	switch t.call.number {
	case unix.SYS_WAIT4, unix.SYS_WAITID:
		t.carriedWait(result)
	case unix.SYS_RT_SIGACTION:
		t.carriedAction()
	case unix.SYS_CHROOT:
		t.carriedChroot(result)
	case unix.SYS_MINCORE:
		if result == 0 {
			t.carriedMincore()
		}
	case unix.SYS_SHMGET, unix.SYS_SHMAT, unix.SYS_SHMDT, unix.SYS_SHMCTL:
		t.carriedMemory(result)
	case unix.SYS_SOCKET:
		if result >= 0 {
			t.takeUp(int(result), netlinkFile)
		}
	case unix.SYS_OPEN, unix.SYS_OPENAT, unix.SYS_OPENAT2:
		if result >= 0 {
			t.takeUpOpened(int(result))
		}
	case unix.SYS_IOCTL:
		if result >= 0 {
			t.takeUp(int(result), terminalFile)
		}
	}
}
