package transit

import "golang.org/x/sys/unix"

// Depot is what a run has of pairs and pipes. It is usable as it is.
type Depot struct {
	pairs map[*Pair]bool
	open  map[conduit]bool // all pipes
	free  []conduit        // those that are empty
	// Lost is called when bytes that a guest was let to write have not come.
	Lost func()

	// Carried is the number of bytes that went through the machine's kernel,
	// Copied that of those that the emulator had to copy out of it or into it.
	Carried, Copied int64
}

// conduit is a pipe.
type conduit struct{ reader, writer int }

const (
	// pipeSize makes room for sixty-four buffers in a pipe, in bytes. Each
	// holds from a page to 32 KiB.
	pipeSize = 64 * 4096
	// mostPipes bounds the pages that the kernel keeps for holds. Beyond, bytes
	// are copied as in full mediation.
	mostPipes = 2048
	// mostFree bounds the pipes that are kept for later.
	mostFree = 64
)

// room tells whether there is a pipe for more bytes.
func (d *Depot) room() bool { return len(d.free) > 0 || len(d.open) < mostPipes }

func (d *Depot) take() (conduit, bool) {
	if n := len(d.free); n > 0 {
		c := d.free[n-1]
		d.free = d.free[:n-1]
		return c, true
	}
	if len(d.open) >= mostPipes {
		return conduit{}, false
	}
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return conduit{}, false
	}
	// Beyond a user's share (pipe-user-pages-soft in proc(5)) a pipe stays small.
	unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, pipeSize)
	c := conduit{fds[0], fds[1]}
	if d.open == nil {
		d.open = map[conduit]bool{}
	}
	d.open[c] = true
	return c, true
}

// put gives a pipe back; it is used again only if it is empty.
func (d *Depot) put(c conduit, empty bool) {
	if empty && len(d.free) < mostFree {
		d.free = append(d.free, c)
		return
	}
	d.close(c)
}

func (d *Depot) close(c conduit) {
	delete(d.open, c)
	unix.Close(c.reader)
	unix.Close(c.writer)
}

// Close closes everything. Neither pairs nor holds may be used any more.
func (d *Depot) Close() {
	for c := range d.open {
		d.close(c)
	}
	for p := range d.pairs {
		p.owed = nil
		p.Close()
	}
	d.free = nil
}
