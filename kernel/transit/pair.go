package transit

import (
	"math"

	"golang.org/x/sys/unix"
)

// Pair is the real socket behind an emulated one, and what it is connected to.
type Pair struct {
	depot           *Depot
	guest, emulator int // descriptors of the emulator's
	capacity        int
	owed            *Hold // waits for what the guest writes now
	// staged is the number of bytes that the guest has written before it may,
	// and stager whoever has to do with them.
	staged int
	stager any
}

// wantedBuffer is what the kernel is asked to let a guest write at once, in
// bytes. An ordinary user gets net.core.wmem_max.
const wantedBuffer = 4 << 20

// NewPair makes a pair; flags are SOCK_NONBLOCK or none.
func (d *Depot) NewPair(flags int) (*Pair, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	p := &Pair{depot: d, guest: fds[0], emulator: fds[1]}
	unix.SetNonblock(p.emulator, true)
	if flags&unix.SOCK_NONBLOCK != 0 {
		unix.SetNonblock(p.guest, true)
	}
	for _, fd := range fds {
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, wantedBuffer) != nil {
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, wantedBuffer)
		}
	}
	buffer, err := unix.GetsockoptInt(fds[0], unix.SOL_SOCKET, unix.SO_SNDBUF)
	if err != nil {
		p.Close()
		return nil, err
	}
	// The kernel counts whole pages and its own records: for writes of Least
	// bytes and more, a fourth at most.
	p.capacity = buffer - buffer/4
	if d.pairs == nil {
		d.pairs = map[*Pair]bool{}
	}
	d.pairs[p] = true
	return p, nil
}

// Least is the size of a write that is worth the way through the machine's
// kernel, in bytes. Below, two copies by the emulator take less time than two
// moves of pages.
const Least = 16 << 10

// Guest is the emulator's descriptor of the guest's end.
func (p *Pair) Guest() int { return p.guest }

// Capacity is the number of bytes that one call of a guest can write or read.
func (p *Pair) Capacity() int { return p.capacity }

// Stage notes that the guest has written n bytes of which none may be read yet.
func (p *Pair) Stage(n int, stager any) { p.staged, p.stager = n, stager }

// Staged is the number of bytes that Stage told of and that no Hold has taken.
func (p *Pair) Staged() (n int, stager any) { return p.staged, p.stager }

// Discard throws away what was staged.
func (p *Pair) Discard() {
	discard(p.emulator, p.staged)
	p.staged, p.stager = 0, nil
}

// Settle fetches what the guest has written.
func (p *Pair) Settle() {
	if p.owed != nil {
		p.owed.settle()
	}
}

// discard reads at most n bytes of a socket and forgets them.
func discard(fd, n int) {
	var b [4096]byte
	for n > 0 {
		k, _, err := unix.Recvfrom(fd, b[:min(n, len(b))], unix.MSG_DONTWAIT)
		if err == unix.EINTR {
			continue
		}
		if err != nil || k == 0 {
			return
		}
		n -= k
	}
}

// Close closes the emulator's descriptors. What the guest has written stays for
// the Hold that expects it.
func (p *Pair) Close() {
	p.Settle()
	delete(p.depot.pairs, p)
	unix.Close(p.guest)
	unix.Close(p.emulator)
}

// clear throws away what the guest was to read and did not: it was killed, or
// its memory was not there.
func (p *Pair) clear() {
	// The kernel's count of what was sent and not yet read.
	if n, err := unix.IoctlGetInt(p.emulator, unix.SIOCOUTQ); err != nil || n == 0 {
		return
	}
	discard(p.guest, math.MaxInt)
}

// TakeBack takes n bytes that were moved to where the guest reads them.
func (p *Pair) TakeBack(n int) []byte {
	b := make([]byte, n)
	for got := 0; got < n; {
		k, _, err := unix.Recvfrom(p.guest, b[got:], unix.MSG_DONTWAIT)
		if err == unix.EINTR {
			continue
		}
		if err != nil || k == 0 {
			panic("transit: a socket does not have what was moved to it")
		}
		got += k
	}
	return b
}
