package kernel

import (
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/mqueue"
)

// notifyCookieSize is NOTIFY_COOKIE_LEN.
const notifyCookieSize = 32

// notifyThread sends what mq_notify's SIGEV_THREAD promises to a netlink socket of
// a guest's, where the thread of its C library waits: only the machine's kernel can
// write to one, and does so for a queue of its own.
func (k *Kernel) notifyThread(socket int, cookie [notifyCookieSize]byte, came bool) {
	defer unix.Close(socket)
	name, err := unix.BytePtrFromString("simterpose-" + strconv.Itoa(unix.Getpid()))
	if err != nil {
		return
	}
	attributes := [8]int64{0, 1, 1} // one message of one byte
	queue, _, errno := unix.RawSyscall6(unix.SYS_MQ_OPEN, uintptr(unsafe.Pointer(name)),
		unix.O_CREAT|unix.O_EXCL|unix.O_RDWR|unix.O_CLOEXEC, 0o600, uintptr(unsafe.Pointer(&attributes)), 0, 0)
	if errno != 0 {
		k.Log.Warn("the machine cannot notify a thread of a message", "error", errno)
		return
	}
	defer unix.Close(int(queue))
	unix.RawSyscall(unix.SYS_MQ_UNLINK, uintptr(unsafe.Pointer(name)), 0, 0)
	event := struct {
		cookie      *[notifyCookieSize]byte
		socket, how int32
		_           [48]byte
	}{&cookie, int32(socket), mqueue.ByThread, [48]byte{}}
	if _, _, errno := unix.RawSyscall(unix.SYS_MQ_NOTIFY, queue, uintptr(unsafe.Pointer(&event)), 0); errno != 0 {
		return
	}
	if came {
		unix.RawSyscall6(unix.SYS_MQ_TIMEDSEND, queue, uintptr(unsafe.Pointer(name)), 1, 0, 0, 0)
	}
	// Otherwise the end of the queue tells that there will be no notification.
}
