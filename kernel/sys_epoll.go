package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/epoll"
	"github.com/simterpose/simterpose/kernel/eventfd"
	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

func sysEpollCreate(t *Task) Outcome {
	flags := 0
	if t.call.number == unix.SYS_EPOLL_CREATE1 {
		flags = t.flags(0)
		if flags&^unix.EPOLL_CLOEXEC != 0 {
			return fail(unix.EINVAL)
		}
	} else if t.int(0) <= 0 {
		return fail(unix.EINVAL)
	}
	placeholder, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return fail(unix.ENFILE)
	}
	return t.installAnswer(t.kernel().epoll.New(), placeholder, flags)
}

// epollOf finds the instance behind a number.
func (t *Task) epollOf(number int) (*epoll.Instance, unix.Errno) {
	d := t.description(number)
	if d == nil {
		fd, errno := t.machine().TakeDescriptor(t, number)
		if errno != 0 {
			return nil, unix.EBADF
		}
		unix.Close(fd)
		return nil, unix.EINVAL
	}
	i, ok := d.file.(*epoll.Instance)
	if !ok {
		return nil, unix.EINVAL
	}
	return i, 0
}

// pollable is the file to watch behind a number.
func (t *Task) pollable(number int) (socket.File, unix.Errno) {
	if d := t.description(number); d != nil {
		return d.file, 0
	}
	fd, errno := t.machine().TakeDescriptor(t, number)
	if errno != 0 {
		return nil, unix.EBADF
	}
	var s unix.Stat_t
	if err := unix.Fstat(fd, &s); err != nil {
		unix.Close(fd)
		return nil, unix.EBADF
	}
	kind := s.Mode & unix.S_IFMT
	if kind == unix.S_IFREG || kind == unix.S_IFDIR || kind == unix.S_IFCHR && s.Rdev>>8 == 1 {
		unix.Close(fd)
		return nil, unix.EPERM // files that are always ready, /dev/null and its like
	}
	return t.outsideFile(number, fd), 0
}

func sysEpollCtl(t *Task) Outcome {
	operation := t.int(1)
	var event epoll.Event
	if operation != unix.EPOLL_CTL_DEL {
		var b [epoll.EventSize]byte
		if errno := t.read(t.arg(3), b[:]); errno != 0 {
			return fail(errno)
		}
		event = epoll.Event{Events: binary.LittleEndian.Uint32(b[:]), Data: binary.LittleEndian.Uint64(b[4:])}
	}
	instance, errno := t.epollOf(t.int(0))
	if errno != 0 {
		return fail(errno)
	}
	file, errno := t.pollable(t.int(2))
	if errno != 0 {
		return fail(errno)
	}
	switch operation {
	case unix.EPOLL_CTL_ADD:
		return fail(instance.Add(t.int(2), file, event))
	case unix.EPOLL_CTL_MOD:
		return fail(instance.Modify(t.int(2), file, event))
	case unix.EPOLL_CTL_DEL:
		return fail(instance.Delete(t.int(2), file))
	}
	return fail(unix.EINVAL)
}

// sysEpollWait is epoll_wait, epoll_pwait and epoll_pwait2.
func sysEpollWait(t *Task) Outcome {
	const most = 1 << 16
	count := t.int(2)
	if count <= 0 || count > 1<<31/epoll.EventSize {
		return fail(unix.EINVAL)
	}
	instance, errno := t.epollOf(t.int(0))
	if errno != 0 {
		return fail(errno)
	}
	if t.first() {
		timeout := int64(-1)
		switch {
		case t.call.number == unix.SYS_EPOLL_PWAIT2:
			if t.arg(3) != 0 {
				if timeout, errno = t.readTimespec(t.arg(3)); errno != 0 {
					return fail(errno)
				}
			}
		case t.int(3) >= 0:
			timeout = int64(t.int(3)) * 1_000_000
		}
		t.pollTimeout(timeout)
		if t.call.number != unix.SYS_EPOLL_WAIT {
			if errno := t.setMask(t.arg(4), t.arg(5)); errno != 0 {
				return fail(errno)
			}
		}
	}
	k := t.kernel()
	if n := min(count, most); n > len(k.events) {
		k.events = make([]epoll.Event, n)
	}
	events := k.events[:min(count, most)]
	k.AskOutside(false)
	n := instance.Wait(events)
	if n == 0 && !t.expired() {
		t.parking.waitsFor = "epoll"
		t.watch(instance.Waiters(), waiter.In)
		if t.call.idling { // without a timeout there is no EINTR
			return t.park(0)
		}
		return t.park(unix.EINTR)
	}
	b := k.bytes(epoll.EventSize * n)
	for i, e := range events[:n] {
		binary.LittleEndian.PutUint32(b[epoll.EventSize*i:], e.Events)
		binary.LittleEndian.PutUint64(b[epoll.EventSize*i+4:], e.Data)
	}
	if errno := t.write(t.arg(1), b); errno != 0 {
		return fail(errno)
	}
	return ret(n)
}

func sysEventfd(t *Task) Outcome {
	flags := 0
	if t.call.number == unix.SYS_EVENTFD2 {
		flags = t.flags(1)
		if flags&^(unix.EFD_CLOEXEC|unix.EFD_NONBLOCK|unix.EFD_SEMAPHORE) != 0 {
			return fail(unix.EINVAL)
		}
	}
	placeholder, err := unix.Eventfd(0, unix.EFD_CLOEXEC|flags&unix.EFD_NONBLOCK)
	if err != nil {
		return fail(unix.ENFILE)
	}
	return t.installAnswer(eventfd.New(uint32(t.arg(0)), flags&unix.EFD_SEMAPHORE != 0), placeholder, flags)
}
