package kernel

import (
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
)

// User and group ids: credentials(7). The rules are those of kernel/sys.c.

func sysGetuid(t *Task) Outcome  { return ret(int(t.cred.uid)) }
func sysGeteuid(t *Task) Outcome { return ret(int(t.cred.euid)) }
func sysGetgid(t *Task) Outcome  { return ret(int(t.cred.gid)) }
func sysGetegid(t *Task) Outcome { return ret(int(t.cred.egid)) }

func sysGetresuid(t *Task) Outcome { return t.writeIDs(t.cred.uid, t.cred.euid, t.cred.suid) }
func sysGetresgid(t *Task) Outcome { return t.writeIDs(t.cred.gid, t.cred.egid, t.cred.sgid) }

func (t *Task) writeIDs(ids ...uint32) Outcome {
	for i, id := range ids {
		if errno := t.writeInt(t.arg(i), id); errno != 0 {
			return fail(errno)
		}
	}
	return ret(0)
}

// id is an argument of type uid_t or gid_t.
func (t *Task) id(i int) uint32 { return uint32(t.arg(i)) }

func (t *Task) commit(c *credentials) Outcome {
	t.cred = c
	return ret(0)
}

// oneOf tells whether an unprivileged task may choose an id.
func oneOf(id uint32, allowed ...uint32) bool { return id == noID || slices.Contains(allowed, id) }

func sysSetuid(t *Task) Outcome {
	id, old := t.id(0), t.cred
	n := old.copy()
	switch {
	case id == noID:
		return fail(unix.EINVAL)
	case old.capable(capSetuid):
		n.uid, n.suid = id, id
	case id != old.uid && id != old.suid:
		return fail(unix.EPERM)
	}
	n.euid, n.fsuid = id, id
	n.changeUser(old)
	return t.commit(n)
}

func sysSetgid(t *Task) Outcome {
	id, old := t.id(0), t.cred
	n := old.copy()
	switch {
	case id == noID:
		return fail(unix.EINVAL)
	case old.capable(capSetgid):
		n.gid, n.sgid = id, id
	case id != old.gid && id != old.sgid:
		return fail(unix.EPERM)
	}
	n.egid, n.fsgid = id, id
	return t.commit(n)
}

func sysSetreuid(t *Task) Outcome {
	real, effective, old := t.id(0), t.id(1), t.cred
	if !old.capable(capSetuid) && (!oneOf(real, old.uid, old.euid) || !oneOf(effective, old.uid, old.euid, old.suid)) {
		return fail(unix.EPERM)
	}
	n := old.copy()
	n.uid, n.euid = chosen(real, old.uid), chosen(effective, old.euid)
	if real != noID || effective != noID && effective != old.uid {
		n.suid = n.euid
	}
	n.fsuid = n.euid
	n.changeUser(old)
	return t.commit(n)
}

func sysSetregid(t *Task) Outcome {
	real, effective, old := t.id(0), t.id(1), t.cred
	if !old.capable(capSetgid) && (!oneOf(real, old.gid, old.egid) || !oneOf(effective, old.gid, old.egid, old.sgid)) {
		return fail(unix.EPERM)
	}
	n := old.copy()
	n.gid, n.egid = chosen(real, old.gid), chosen(effective, old.egid)
	if real != noID || effective != noID && effective != old.gid {
		n.sgid = n.egid
	}
	n.fsgid = n.egid
	return t.commit(n)
}

func chosen(id, old uint32) uint32 {
	if id == noID {
		return old
	}
	return id
}

func sysSetresuid(t *Task) Outcome {
	old := t.cred
	if !old.capable(capSetuid) {
		for i := range 3 {
			if !oneOf(t.id(i), old.uid, old.euid, old.suid) {
				return fail(unix.EPERM)
			}
		}
	}
	n := old.copy()
	n.uid, n.euid, n.suid = chosen(t.id(0), old.uid), chosen(t.id(1), old.euid), chosen(t.id(2), old.suid)
	n.fsuid = n.euid
	n.changeUser(old)
	return t.commit(n)
}

func sysSetresgid(t *Task) Outcome {
	old := t.cred
	if !old.capable(capSetgid) {
		for i := range 3 {
			if !oneOf(t.id(i), old.gid, old.egid, old.sgid) {
				return fail(unix.EPERM)
			}
		}
	}
	n := old.copy()
	n.gid, n.egid, n.sgid = chosen(t.id(0), old.gid), chosen(t.id(1), old.egid), chosen(t.id(2), old.sgid)
	n.fsgid = n.egid
	return t.commit(n)
}

// sysSetfsuid returns the old id, whether it may change it or not.
func sysSetfsuid(t *Task) Outcome {
	id, old := t.id(0), t.cred
	if id != noID && (oneOf(id, old.uid, old.euid, old.suid, old.fsuid) || old.capable(capSetuid)) {
		n := old.copy()
		n.fsuid = id
		n.changeFileUser(old)
		t.cred = n
	}
	return ret(int(old.fsuid))
}

func sysSetfsgid(t *Task) Outcome {
	id, old := t.id(0), t.cred
	if id != noID && (oneOf(id, old.gid, old.egid, old.sgid, old.fsgid) || old.capable(capSetgid)) {
		n := old.copy()
		n.fsgid = id
		t.cred = n
	}
	return ret(int(old.fsgid))
}

func sysGetgroups(t *Task) Outcome {
	size, groups := t.int(0), t.cred.groups
	if size < 0 || size > 0 && size < len(groups) {
		return fail(unix.EINVAL)
	}
	if size > 0 {
		b := make([]byte, 0, 4*len(groups))
		for _, g := range groups {
			b = binary.LittleEndian.AppendUint32(b, g)
		}
		if errno := t.write(t.arg(1), b); errno != 0 {
			return fail(errno)
		}
	}
	return ret(len(groups))
}

func sysSetgroups(t *Task) Outcome {
	size := t.int(0)
	if !t.cred.capable(capSetgid) {
		return fail(unix.EPERM)
	}
	if size < 0 || size > maxGroups {
		return fail(unix.EINVAL)
	}
	b := make([]byte, 4*size)
	if errno := t.read(t.arg(1), b); size > 0 && errno != 0 {
		return fail(errno)
	}
	n := t.cred.copy()
	n.groups = make([]uint32, size)
	for i := range n.groups {
		n.groups[i] = binary.LittleEndian.Uint32(b[4*i:])
		if n.groups[i] == noID {
			return fail(unix.EINVAL)
		}
	}
	slices.Sort(n.groups)
	return t.commit(n)
}

// credentials are what peers of Unix sockets learn of the task's process
// (cred_to_ucred).
func (t *Task) credentials() socket.Credentials {
	return socket.Credentials{PID: int32(t.process.PID), UID: int32(t.cred.euid), GID: int32(t.cred.egid)}
}

// maySignal tells whether the task may send signals to a process (kill(2)).
func (t *Task) maySignal(p *Process, signal unix.Signal) bool {
	if t.cred.capable(capKill) || p == t.process || len(p.tasks) == 0 {
		return true
	}
	if signal == unix.SIGCONT {
		own, err := unix.Getsid(t.TID)
		other, otherErr := unix.Getsid(p.TID)
		if err == nil && otherErr == nil && own == other {
			return true
		}
	}
	return t.cred.sameUser(p.tasks[0].cred)
}

// sameUser tells whether a user may send signals to another without a privilege.
func (c *credentials) sameUser(other *credentials) bool {
	for _, own := range []uint32{c.uid, c.euid} {
		if own == other.uid || own == other.suid {
			return true
		}
	}
	return false
}
