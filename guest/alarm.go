package guest

import (
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// alarm gives wait4(2) a timeout: a goroutine looks now and then whether it waits
// for too long, and sends the waiting thread a signal until it has ended.
type alarm struct {
	thread int
	begin  time.Time
	// until is the end of the wait under way, in nanoseconds since begin; 0 when
	// there is none.
	until   atomic.Int64
	stopped chan struct{}
}

const (
	// alarmSignal is one of those that mean nothing.
	alarmSignal = unix.Signal(50)
	// alarmPeriod is how often the alarm looks at a wait that ends late.
	alarmPeriod = 2 * time.Millisecond
)

func newAlarm() (*alarm, error) {
	// A wait that the signal ends must not start again.
	if errno := changeAction(alarmSignal, saRestart, 0); errno != 0 {
		return nil, fmt.Errorf("rt_sigaction: %w", errno)
	}
	// Nobody wants to know of stops by this.
	if errno := changeAction(unix.SIGCHLD, 0, saNoChildStop); errno != 0 {
		return nil, fmt.Errorf("rt_sigaction: %w", errno)
	}
	a := &alarm{thread: unix.Gettid(), begin: time.Now(), stopped: make(chan struct{})}
	go a.run()
	return a, nil
}

func (a *alarm) stop() { close(a.stopped) }

func (a *alarm) run() {
	tick := time.NewTicker(alarmPeriod)
	defer tick.Stop()
	for {
		select {
		case <-a.stopped:
			return
		case <-tick.C:
			if until := a.until.Load(); until != 0 && int64(time.Since(a.begin)) >= until {
				unix.Tgkill(unix.Getpid(), a.thread, alarmSignal)
			}
		}
	}
}

// wait is waitAny until a deadline, for ever if that is zero; tid is 0 when
// there are no news then.
func (a *alarm) wait(deadline time.Time) (tid int, status unix.WaitStatus, errno unix.Errno) {
	if !deadline.IsZero() {
		until := int64(deadline.Sub(a.begin))
		a.until.Store(max(until, 1))
		defer a.until.Store(0)
	}
	for {
		if tid, status, errno = waitAny(true); errno != unix.EINTR {
			return tid, status, errno
		}
		if !deadline.IsZero() && !time.Now().Before(deadline) {
			return 0, 0, 0
		}
	}
}

// Flags of sigaction(2).
const (
	saNoChildStop = 1
	saRestart     = 0x10000000
)

// changeAction clears and sets flags of a signal's action, whose handler is the
// Go runtime's.
func changeAction(signal unix.Signal, without, with uint64) unix.Errno {
	const setSize = 8
	var action struct{ handler, flags, restorer, mask uint64 }
	pointer := uintptr(unsafe.Pointer(&action))
	if _, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(signal), 0, pointer, setSize, 0, 0); errno != 0 {
		return errno
	}
	action.flags = action.flags&^without | with
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(signal), pointer, 0, setSize, 0, 0)
	return errno
}
