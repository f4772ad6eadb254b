package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// Capabilities, and what prctl(2) tells and sets of credentials.

// capabilityWords is the number of 32-bit words of a set in a version of
// struct __user_cap_header_struct; 0 for a version that does not exist.
func capabilityWords(version uint32) int {
	switch version {
	case unix.LINUX_CAPABILITY_VERSION_1:
		return 1
	case unix.LINUX_CAPABILITY_VERSION_2, unix.LINUX_CAPABILITY_VERSION_3:
		return 2
	}
	return 0
}

// capabilityHeader reads the first argument of capget and capset.
func (t *Task) capabilityHeader() (words int, pid int32, errno unix.Errno) {
	var b [8]byte
	if errno := t.read(t.arg(0), b[:4]); errno != 0 {
		return 0, 0, errno
	}
	words = capabilityWords(binary.LittleEndian.Uint32(b[:]))
	if words == 0 {
		if errno := t.writeInt(t.arg(0), unix.LINUX_CAPABILITY_VERSION_3); errno != 0 {
			return 0, 0, errno
		}
		return 0, 0, unix.EINVAL
	}
	if errno := t.read(t.arg(0)+4, b[4:]); errno != 0 {
		return 0, 0, errno
	}
	return words, int32(binary.LittleEndian.Uint32(b[4:])), 0
}

func sysCapget(t *Task) Outcome {
	words, pid, errno := t.capabilityHeader()
	switch {
	case t.arg(1) == 0 && errno == unix.EINVAL:
		return ret(0)
	case errno != 0:
		return fail(errno)
	case pid < 0:
		return fail(unix.EINVAL)
	}
	of := t
	if pid != 0 {
		if of = t.host().threads[int(pid)]; of == nil {
			return fail(unix.ESRCH)
		}
	}
	var b []byte
	for i := range words {
		for _, set := range []capabilities{of.cred.effective, of.cred.permitted, of.cred.inheritable} {
			b = binary.LittleEndian.AppendUint32(b, uint32(set>>(32*i)))
		}
	}
	return fail(t.write(t.arg(1), b))
}

func sysCapset(t *Task) Outcome {
	words, pid, errno := t.capabilityHeader()
	if errno != 0 {
		return fail(errno)
	}
	if pid != 0 && int(pid) != t.ID {
		return fail(unix.EPERM)
	}
	var b [24]byte
	if errno := t.read(t.arg(1), b[:12*words]); errno != 0 {
		return fail(errno)
	}
	var sets [3]capabilities
	for i := range words {
		for j := range sets {
			sets[j] |= capabilities(binary.LittleEndian.Uint32(b[12*i+4*j:])) << (32 * i)
		}
	}
	old := t.cred
	n := old.copy()
	n.effective, n.permitted, n.inheritable = sets[0]&allCapabilities, sets[1]&allCapabilities, sets[2]&allCapabilities
	if !old.capable(capSetpcap) && !n.inheritable.subsetOf(old.inheritable|old.permitted) ||
		!n.inheritable.subsetOf(old.inheritable|old.bounding) ||
		!n.permitted.subsetOf(old.permitted) || !n.effective.subsetOf(n.permitted) {
		return fail(unix.EPERM)
	}
	n.ambient &= n.permitted & n.inheritable
	return t.commit(n)
}

func sysPrctl(t *Task) Outcome {
	if o, done := t.setTSC(); done {
		return o
	}
	old := t.cred
	switch t.int(0) {
	case unix.PR_GET_DUMPABLE:
		return ret(t.process.dumpable())
	case unix.PR_SET_DUMPABLE:
		// Really all guests stay as they are: the emulator looks into them.
		if t.arg(1) > 1 {
			return fail(unix.EINVAL)
		}
		t.process.undumpable = t.arg(1) == 0
		return ret(0)
	case unix.PR_CAPBSET_READ:
		if t.arg(1) > capLast {
			return fail(unix.EINVAL)
		}
		return ret(truth(old.bounding.has(int(t.arg(1)))))
	case unix.PR_CAPBSET_DROP:
		if !old.capable(capSetpcap) {
			return fail(unix.EPERM)
		}
		if t.arg(1) > capLast {
			return fail(unix.EINVAL)
		}
		n := old.copy()
		n.bounding &^= 1 << t.arg(1)
		return t.commit(n)
	case unix.PR_GET_SECUREBITS:
		return ret(int(old.securebits))
	case unix.PR_SET_SECUREBITS:
		bits := uint32(t.arg(1))
		if old.securebits&secureAllLocks>>1&(old.securebits^bits) != 0 || old.securebits&secureAllLocks&^bits != 0 ||
			t.arg(1)&^(secureAllBits|secureAllLocks) != 0 || !old.capable(capSetpcap) {
			return fail(unix.EPERM)
		}
		n := old.copy()
		n.securebits = bits
		return t.commit(n)
	case unix.PR_GET_KEEPCAPS:
		return ret(truth(old.securebits&secureKeepCaps != 0))
	case unix.PR_SET_KEEPCAPS:
		if t.arg(1) > 1 {
			return fail(unix.EINVAL)
		}
		if old.securebits&secureKeepCapsLock != 0 {
			return fail(unix.EPERM)
		}
		n := old.copy()
		n.securebits = n.securebits&^secureKeepCaps | uint32(t.arg(1))*secureKeepCaps
		return t.commit(n)
	case unix.PR_CAP_AMBIENT:
		return t.ambient()
	case unix.PR_SET_NO_NEW_PRIVS:
		if t.arg(1) != 1 || t.arg(2)|t.arg(3)|t.arg(4) != 0 {
			return fail(unix.EINVAL)
		}
		n := old.copy()
		n.noNewPrivs = true
		return t.commit(n)
	case unix.PR_GET_NO_NEW_PRIVS:
		if t.arg(1)|t.arg(2)|t.arg(3)|t.arg(4) != 0 {
			return fail(unix.EINVAL)
		}
		return ret(truth(old.noNewPrivs))
	}
	return native()
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// ambient is prctl's PR_CAP_AMBIENT.
func (t *Task) ambient() Outcome {
	old, number := t.cred, t.arg(2)
	n := old.copy()
	if t.arg(3)|t.arg(4) != 0 {
		return fail(unix.EINVAL)
	}
	if t.arg(1) == unix.PR_CAP_AMBIENT_CLEAR_ALL {
		if number != 0 {
			return fail(unix.EINVAL)
		}
		n.ambient = 0
		return t.commit(n)
	}
	if number > capLast {
		return fail(unix.EINVAL)
	}
	switch t.arg(1) {
	case unix.PR_CAP_AMBIENT_IS_SET:
		return ret(truth(old.ambient.has(int(number))))
	case unix.PR_CAP_AMBIENT_RAISE:
		if !old.permitted.has(int(number)) || !old.inheritable.has(int(number)) || old.securebits&secureNoCapAmbientRaise != 0 {
			return fail(unix.EPERM)
		}
		n.ambient |= 1 << number
	case unix.PR_CAP_AMBIENT_LOWER:
		n.ambient &^= 1 << number
	default:
		return fail(unix.EINVAL)
	}
	return t.commit(n)
}

// dumpable is PR_GET_DUMPABLE's answer (SUID_DUMP_USER or SUID_DUMP_DISABLE).
func (p *Process) dumpable() int { return truth(!p.undumpable) }
