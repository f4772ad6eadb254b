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
	in, errno := t.machine().TakeDescriptor(t, t.int(0))
	if errno != 0 {
		return fail(errno)
	}
	defer unix.Close(in)
	out, errno := t.machine().TakeDescriptor(t, t.int(2))
	if errno != 0 {
		return fail(errno)
	}
	defer unix.Close(out)
	t.noteWrite(t.int(2))
	from, errno := t.readOffset(t.arg(1))
	if errno != 0 {
		return fail(errno)
	}
	to, errno := t.readOffset(t.arg(3))
	if errno != 0 {
		return fail(errno)
	}
	position := int64(ownPosition)
	if to != nil {
		position = *to
	}
	t.host().noteUnsynced(t.descriptor(t.int(2)), position, int64(min(t.size(4), mostCopied)))
	n, err := unix.CopyFileRange(in, from, out, to, min(t.size(4), mostCopied), t.flags(5))
	if err == unix.EXDEV || err == unix.EOPNOTSUPP {
		n, err = t.kernel().copyFile(in, from, out, to, min(t.size(4), mostCopied))
	}
	if err != nil {
		return fail(err.(unix.Errno))
	}
	if errno := t.writeOffset(t.arg(1), from); errno != 0 {
		return fail(errno)
	}
	if errno := t.writeOffset(t.arg(3), to); errno != 0 {
		return fail(errno)
	}
	return ret(n)
}

// readOffset reads an offset that a guest keeps, nil if it uses the file's own.
func (t *Task) readOffset(address uint64) (*int64, unix.Errno) {
	if address == 0 {
		return nil, 0
	}
	value, errno := t.readWord(address)
	offset := int64(value)
	return &offset, errno
}

func (t *Task) writeOffset(address uint64, offset *int64) unix.Errno {
	if offset == nil {
		return 0
	}
	return t.writeWord(address, uint64(*offset))
}

// copyFile copies at most size bytes and moves the offsets, or the files' own.
func (k *Kernel) copyFile(in int, from *int64, out int, to *int64, size int) (copied int, err error) {
	for copied < size {
		piece := k.scratch[:min(size-copied, len(k.scratch))]
		var n int
		if from != nil {
			n, err = unix.Pread(in, piece, *from)
		} else {
			n, err = unix.Read(in, piece)
		}
		if n <= 0 || err != nil {
			break
		}
		if from != nil {
			*from += int64(n)
		}
		for piece = piece[:n]; len(piece) > 0; piece = piece[n:] {
			if to != nil {
				n, err = unix.Pwrite(out, piece, *to)
			} else {
				n, err = unix.Write(out, piece)
			}
			if err != nil {
				return copied, err
			}
			if to != nil {
				*to += int64(n)
			}
			copied += n
		}
	}
	if copied > 0 {
		err = nil
	}
	return copied, err
}
