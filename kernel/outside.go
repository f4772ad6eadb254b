package kernel

import (
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/waiter"
)

// outsideFile is a file of the machine's that a guest watches with epoll: a
// terminal, an inotify or a netlink descriptor. Only the machine knows when it
// is ready, so it is asked whenever the emulator has nothing else to do, and
// after each call of the process that may have changed it.
type outsideFile struct {
	key        outsideKey
	descriptor int
	queue      waiter.Queue
}

// outsideKey names a descriptor of a table.
type outsideKey struct {
	table  *descriptorTable
	number int
}

func (f *outsideFile) Queue() *waiter.Queue { return &f.queue }
func (f *outsideFile) Release()             { unix.Close(f.descriptor) }

func (f *outsideFile) Readiness() waiter.Mask {
	fds := []unix.PollFd{{Fd: int32(f.descriptor), Events: unix.POLLIN | unix.POLLOUT | unix.POLLPRI | unix.POLLRDHUP}}
	for {
		if _, err := unix.Poll(fds, 0); err != unix.EINTR {
			return waiter.Mask(uint16(fds[0].Revents))
		}
	}
}

// outsideFile is the watched file behind a native descriptor, of which fd is a
// copy that the function takes over.
func (t *Task) outsideFile(number, fd int) *outsideFile {
	k := t.kernel()
	key := outsideKey{t.files, number}
	for _, f := range k.outsideFiles {
		if f.key == key {
			unix.Close(fd)
			return f
		}
	}
	f := &outsideFile{key: key, descriptor: fd}
	k.outsideFiles = append(k.outsideFiles, f)
	k.outside(t, number)
	return f
}

// closeOutside forgets the watched file behind a native descriptor that is
// closed.
func (d *descriptorTable) closeOutside(k *Kernel, number int) {
	for i, f := range k.outsideFiles {
		if f.key == (outsideKey{d, number}) {
			k.epoll.Forget(f)
			f.Release()
			k.outsideFiles = append(k.outsideFiles[:i], k.outsideFiles[i+1:]...)
			return
		}
	}
}

// AskOutside wakes those who watch files of the machine that are ready. It
// tells whether any was.
func (k *Kernel) AskOutside() (ready bool) {
	for _, f := range k.outsideFiles {
		if f.queue.Empty() {
			continue
		}
		if now := f.Readiness() &^ waiter.Out; now != 0 {
			f.queue.Notify(now)
			ready = true
		}
	}
	return ready
}
