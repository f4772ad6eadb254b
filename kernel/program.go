package kernel

import (
	"encoding/binary"
	"os"

	"golang.org/x/sys/unix"
)

// Whom a program runs as: set-id bits and capabilities of its file act on the
// emulated credentials, never on the machine's.

// Identity is what a new program is told of its user in its auxiliary vector.
type Identity struct {
	UID, EUID, GID, EGID uint32
	// Secure programs have more privileges than their caller (AT_SECURE).
	Secure bool
}

// Becoming is the identity of the program that the task is about to execute.
func (t *Task) Becoming() Identity {
	c := t.cred
	if t.becoming != nil {
		c = t.becoming
	}
	return Identity{c.uid, c.euid, c.gid, c.egid, t.becomingSecure}
}

// becomeProgram is the task's side of a successful exec.
func (t *Task) becomeProgram() {
	if t.becoming != nil {
		t.process.undumpable = t.becoming.euid != t.becoming.uid || t.becoming.egid != t.becoming.gid
		t.cred = t.becoming
	}
	t.becoming, t.becomingSecure = nil, false
}

// prepareProgram works out the credentials that a program will have, or says why
// the task may not execute it.
func (t *Task) prepareProgram(p *place) unix.Errno {
	if errno := t.mayReach(p); errno != 0 {
		return errno
	}
	if !t.cred.overrides() {
		if errno := t.permits(p, wantExecute); errno != 0 {
			return errno
		}
	}
	f := programFile{mode: p.stat.Mode}
	if f.mode&(modeSetUID|modeSetGID) != 0 || t.cred.uid != 0 {
		f.owner = t.host().ownerOf(p.fd, &p.stat)
		f.setID = actsSetID(p.fd)
		f.readCapabilities(p.fd)
		if (f.attached || f.mode&(modeSetUID|modeSetGID) != 0) && isScript(p.fd) {
			f = programFile{} // its interpreter's file counts
		}
	}
	t.becoming, t.becomingSecure = t.cred.exec(f)
	return 0
}

// actsSetID tells whether set-id bits act on the file's mount.
func actsSetID(fd int) bool {
	var s unix.Statfs_t
	return unix.Fstatfs(fd, &s) == nil && s.Flags&unix.ST_NOSUID == 0
}

func isScript(fd int) bool {
	file, err := os.Open(descriptorPath(fd))
	if err != nil {
		return false
	}
	defer file.Close()
	var mark [2]byte
	n, _ := file.Read(mark[:])
	return n == len(mark) && string(mark[:]) == "#!"
}

// readCapabilities reads a file's capabilities (struct vfs_cap_data).
func (f *programFile) readCapabilities(fd int) {
	const revisionMask, effective = 0xff000000, 1
	var b [24]byte
	n, err := unix.Getxattr(descriptorPath(fd), "security.capability", b[:])
	if err != nil || n < 20 {
		return
	}
	word := func(i int) capabilities { return capabilities(binary.LittleEndian.Uint32(b[4*i:])) }
	if revision := word(0) & revisionMask; revision != 0x02000000 && revision != 0x03000000 {
		return
	}
	f.attached = true
	f.effective = word(0)&effective != 0
	f.permitted = (word(1) | word(3)<<32) & allCapabilities
	f.inheritable = (word(2) | word(4)<<32) & allCapabilities
}
