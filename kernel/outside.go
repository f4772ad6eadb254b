package kernel

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/waiter"
)

// outsideFile is a file from outside of the experiment that a guest watches: a
// person's terminal. Only the machine knows when it is ready, so it is asked before
// simulated time moves on, when a guest looks, and when the emulator has nothing
// else to do.
type outsideFile struct {
	kernel     *Kernel
	number     int // in the table that it belongs to
	descriptor int // a copy, of the emulator's
	queue      waiter.Queue
	// told is what those who watch have been told that the file is ready for,
	// and queued how many bytes could be read then.
	told   waiter.Mask
	queued int
}

func (f *outsideFile) Queue() *waiter.Queue { return &f.queue }
func (f *outsideFile) Release()             { unix.Close(f.descriptor) }

func (f *outsideFile) Readiness() waiter.Mask {
	const all = waiter.In | waiter.RdNorm | waiter.Out | waiter.WrNorm | waiter.Pri | waiter.RdHup
	ready := pollMachine(f.descriptor, all)
	f.told &= ready
	return ready
}

// news is what the file has become ready for since it was last asked for news:
// more to read is news too. Netlink sockets do not tell how much there is.
func (f *outsideFile) news() (news, ready waiter.Mask) {
	ready = f.Readiness()
	news = ready &^ f.told
	queued := f.readable()
	if queued > f.queued {
		news |= ready & (waiter.In | waiter.RdNorm)
	}
	f.told, f.queued = ready, queued
	return news, ready
}

func (f *outsideFile) readable() int {
	n, err := unix.IoctlGetInt(f.descriptor, unix.TIOCINQ)
	if err != nil {
		return 0
	}
	return n
}

// settleOutside takes note of what guests have read, before a call that may bring
// more.
func (k *Kernel) settleOutside() {
	for _, f := range k.outsideFiles {
		f.Readiness()
		f.queued = min(f.queued, f.readable())
	}
}

// pollMachine asks the machine's kernel about a descriptor of the emulator.
func pollMachine(fd int, events waiter.Mask) waiter.Mask {
	fds := []unix.PollFd{{Fd: int32(fd), Events: int16(events)}}
	for {
		if _, err := unix.Poll(fds, 0); err != unix.EINTR {
			return waiter.Mask(uint16(fds[0].Revents))
		}
	}
}

// outsideFile is the watched file behind a native descriptor, of which fd is a
// copy that the function takes over.
func (t *Task) outsideFile(number, fd int) *outsideFile {
	if f := t.files.watched(number); f != nil {
		unix.Close(fd)
		return f
	}
	k := t.kernel()
	f := &outsideFile{kernel: k, number: number, descriptor: fd}
	t.files.outside = append(t.files.outside, f)
	k.outsideFiles = append(k.outsideFiles, f)
	if k.Outside != nil {
		k.Outside(t, number)
	}
	return f
}

// watched returns the watched file behind a native descriptor, or nil.
func (d *descriptorTable) watched(number int) *outsideFile {
	for _, f := range d.outside {
		if f.number == number {
			return f
		}
	}
	return nil
}

// watchOutside makes the task's turn come when a native descriptor becomes ready.
func (t *Task) watchOutside(number int, events waiter.Mask) {
	if fd, errno := t.machine().TakeDescriptor(t, number); errno == 0 {
		t.watch(t.outsideFile(number, fd).Queue(), events)
	}
}

// closeOutside forgets the watched files behind descriptors that are closed.
func (d *descriptorTable) closeOutside(closed func(number int) bool) {
	if len(d.outside) == 0 {
		return
	}
	d.outside = slices.DeleteFunc(d.outside, func(f *outsideFile) bool {
		if !closed(f.number) {
			return false
		}
		k := f.kernel
		k.epoll.Forget(f)
		k.outsideFiles = slices.DeleteFunc(k.outsideFiles, func(o *outsideFile) bool { return o == f })
		f.Release()
		return true
	})
}

// WatchesOutside tells whether guests watch files of the machine.
func (k *Kernel) WatchesOutside() bool { return len(k.outsideFiles) > 0 }

// AskOutside wakes those who watch files of the machine that have become ready,
// or, if again, that are: for nothing else will happen.
func (k *Kernel) AskOutside(again bool) {
	for _, f := range k.outsideFiles {
		if f.queue.Empty() {
			continue
		}
		news, ready := f.news()
		if again {
			news |= ready &^ (waiter.Out | waiter.WrNorm)
		}
		if news != 0 {
			f.queue.Notify(news)
		}
	}
	if again {
		for _, h := range k.hosts {
			h.askMachineFiles()
		}
	}
}
