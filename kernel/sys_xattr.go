package kernel

import (
	"bytes"

	"golang.org/x/sys/unix"
)

// Extended attributes. The notes of owners are not for guests to see, nor to
// write.

// sysSetxattr is the calls that change extended attributes.
func sysSetxattr(t *Task) Outcome {
	attribute, errno := t.readString(t.arg(1))
	if errno == 0 && attribute == OwnerAttribute {
		return fail(unix.EOPNOTSUPP)
	}
	switch t.call.number {
	case unix.SYS_FSETXATTR, unix.SYS_FREMOVEXATTR:
		return native() // whoever has the file open for this may write to it
	case unix.SYS_LSETXATTR, unix.SYS_LREMOVEXATTR:
		return t.onExisting(false, wantWrite, true)
	}
	return t.onExisting(true, wantWrite, true)
}

// sysGetxattr is the calls that read one.
func sysGetxattr(t *Task) Outcome {
	if attribute, errno := t.readString(t.arg(1)); errno == 0 && attribute == OwnerAttribute {
		return fail(unix.ENODATA)
	}
	return native()
}

// sysListxattr is the calls that list them.
func sysListxattr(t *Task) Outcome {
	var p place
	var ok bool
	if t.call.number == unix.SYS_FLISTXATTR {
		p, ok = t.locateDescriptor(t.int(0))
	} else if name, errno := t.readString(t.arg(0)); errno == 0 {
		p, ok = t.locate(unix.AT_FDCWD, name, t.call.number == unix.SYS_LISTXATTR, false)
	}
	if !ok {
		return native()
	}
	defer p.close()
	if !takesAttributes(p.stat.Mode) {
		return native()
	}
	if errno := t.mayReach(&p); errno != 0 {
		return fail(errno)
	}
	path := descriptorPath(p.fd)
	size, err := unix.Listxattr(path, nil)
	if err != nil {
		return fail(errnoOf(err))
	}
	list := make([]byte, size)
	if size, err = unix.Listxattr(path, list); err != nil {
		return fail(errnoOf(err))
	}
	list = bytes.Replace(list[:size], []byte(OwnerAttribute+"\x00"), nil, 1)
	switch room := t.size(2); {
	case room == 0:
		return ret(len(list))
	case room < len(list):
		return fail(unix.ERANGE)
	}
	if errno := t.write(t.arg(1), list); len(list) > 0 && errno != 0 {
		return fail(errno)
	}
	return ret(len(list))
}
