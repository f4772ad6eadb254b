package kernel

import "golang.org/x/sys/unix"

// mostCopied is the most that one copy_file_range copies, so that other guests do
// not wait for long: callers go on with the rest.
const mostCopied = 64 << 20

// sysCopyFileRange copies between files of the machine, of whatever file systems:
// the machine's kernel refuses that between those that differ, but which folders
// of a host lie on which depends on the machine and on who runs the emulator.
func sysCopyFileRange(t *Task) Outcome {
	if t.description(t.int(0)) != nil || t.description(t.int(2)) != nil {
		return fail(unix.EINVAL)
	}
	s := transferState{in: -1, out: -1}
	defer s.close()
	var errno unix.Errno
	if s.in, errno = t.machine().TakeDescriptor(t, t.int(0)); errno != 0 {
		return fail(errno)
	}
	if s.out, errno = t.machine().TakeDescriptor(t, t.int(2)); errno != 0 {
		return fail(errno)
	}
	t.noteWrite(t.int(2))
	from, errno := t.offsetArgument(t.arg(1))
	if errno != 0 {
		return fail(errno)
	}
	to, errno := t.offsetArgument(t.arg(3))
	if errno != 0 {
		return fail(errno)
	}
	size := min(t.size(4), mostCopied)
	if o, stop := t.diskLetsMove(t.int(0), t.int(2), from, to, size); stop {
		return o
	}
	o := t.copyRange(&s, from, to, size)
	return t.advanceOffset(t.arg(3), to, t.advanceOffset(t.arg(1), from, o))
}

func (t *Task) copyRange(s *transferState, from, to *int64, size int) Outcome {
	position := int64(ownPosition)
	if to != nil {
		position = *to
	}
	t.host().noteUnsynced(descriptor{number: s.out}, position, int64(size))
	n, err := unix.CopyFileRange(s.in, copied(from), s.out, copied(to), size, t.flags(5))
	switch err {
	case nil:
		return ret(n)
	case unix.EXDEV, unix.EOPNOTSUPP:
		return t.moveBytes(s, nil, nil, from, to, size, true)
	}
	return fail(err.(unix.Errno))
}

// copied is an offset that the call may move.
func copied(offset *int64) *int64 {
	if offset == nil {
		return nil
	}
	own := *offset
	return &own
}
