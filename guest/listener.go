package guest

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// listener receives the calls at which one host's guests stop, and answers them
// (seccomp_unotify(2)). Each host has its own: the kernel keeps the calls that
// wait for an answer in one list for each listener, and searches it for every
// answer and at every poll.
type listener struct {
	fd    int
	event notification
	reply response
}

// take receives the notification that poll has announced; nil without an error
// means that the guest died meanwhile. The result is overwritten by the next
// call.
func (l *listener) take() (*notification, unix.Errno) {
	l.event = notification{}
	_, errno := ioctlBlocking(l.fd, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&l.event))
	switch errno {
	case 0:
		return &l.event, 0
	case unix.ENOENT, unix.EINTR: // the guest died between the two calls
		return nil, 0
	}
	return nil, errno
}

// receive waits at most timeout for a notification; nil without an error means
// that there was none.
func (l *listener) receive(timeout time.Duration) (*notification, unix.Errno) {
	for deadline := time.Now().Add(timeout); ; {
		left := time.Until(deadline)
		if left < 0 {
			return nil, 0
		}
		// A signal of the Go runtime ends the wait too, and means nothing.
		ready, errno := l.poll(left)
		if errno != 0 {
			return nil, errno
		}
		if ready {
			if n, errno := l.take(); n != nil || errno != 0 {
				return n, errno
			}
		}
	}
}

// poll waits at most timeout for a notification.
func (l *listener) poll(timeout time.Duration) (ready bool, errno unix.Errno) {
	fds := [1]unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLIN}}
	errno = ppoll(fds[:], timeout)
	return fds[0].Revents&unix.POLLIN != 0, errno
}

// answer ends a call with a value, or with errno when that is not 0. ENOENT
// means that the guest has gone meanwhile.
func (l *listener) answer(id uint64, value int64, errno unix.Errno) unix.Errno {
	l.reply = response{id: id, value: value, error: -int32(errno)}
	_, e := ioctl(l.fd, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&l.reply))
	return e
}

// proceed lets the kernel carry out a call.
func (l *listener) proceed(id uint64) unix.Errno {
	l.reply = response{id: id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	_, e := ioctl(l.fd, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&l.reply))
	return e
}

func (l *listener) addDescriptor(id uint64, source, number int, closeOnExec bool) (int, unix.Errno) {
	a := addDescriptor{id: id, source: uint32(source)}
	if number >= 0 {
		a.flags = unix.SECCOMP_ADDFD_FLAG_SETFD
		a.number = uint32(number)
	}
	if closeOnExec {
		a.newFlags = unix.O_CLOEXEC
	}
	return ioctl(l.fd, unix.SECCOMP_IOCTL_NOTIF_ADDFD, unsafe.Pointer(&a))
}

// ppoll is ppoll(2) without a mask; a negative timeout means none. A wait that
// a signal ends is over without anything being ready.
func ppoll(fds []unix.PollFd, timeout time.Duration) unix.Errno {
	var limit *unix.Timespec
	if timeout >= 0 {
		ts := unix.NsecToTimespec(int64(timeout))
		limit = &ts
	}
	_, _, errno := unix.Syscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&fds[0])), uintptr(len(fds)), uintptr(unsafe.Pointer(limit)), 0, 0, 0)
	if errno == unix.EINTR {
		for i := range fds {
			fds[i].Revents = 0
		}
		return 0
	}
	return errno
}
