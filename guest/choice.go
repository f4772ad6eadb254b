package guest

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Interceptor names a way to stop guests.
type Interceptor string

// The interceptors.
const (
	// Notify is seccomp user notification.
	Notify Interceptor = "notify"
	// Ptrace is seccomp with ptrace: for kernels and containers without user
	// notification. A call costs twice as much, and no debugger can attach to a
	// guest.
	Ptrace Interceptor = "ptrace"
	// Automatic is Notify where it is possible, else Ptrace.
	Automatic Interceptor = ""
)

// intercept sets the realm's interceptor up.
func (r *Realm) intercept(wanted Interceptor, native Native) (err error) {
	switch wanted {
	case Notify, Automatic:
		if err = r.tryNotification(); err == nil {
			r.chosen = Notify
			r.interceptor, err = newNotifier(r)
			break
		}
		missing := (*MissingError)(nil)
		if wanted == Notify || !errors.As(err, &missing) {
			return err
		}
		r.reason = missing
		fallthrough
	case Ptrace:
		r.chosen = Ptrace
		r.interceptor, err = newPtracer(r)
	default:
		panic("guest: no interceptor " + string(wanted))
	}
	if err != nil {
		return err
	}
	r.program, r.filterFlags, err = r.interceptor.filter(native)
	return err
}

// Interceptor is what stops the realm's guests, and why the one that would have
// been preferred cannot; nil if it does.
func (r *Realm) Interceptor() (chosen Interceptor, instead *MissingError) {
	return r.chosen, r.reason
}

// tryNotification makes a listener in a process that then ends: whether that is
// possible depends on the kernel, and on the filters that this process is under
// already.
func (r *Realm) tryNotification() error {
	program, err := filter(Native{}, unix.SECCOMP_RET_ALLOW)
	if err != nil {
		return err
	}
	var l list
	// They share the memory, so that the result is seen, and the parent sleeps
	// until the child has ended.
	l.add(mustSucceed|inChild, "fork", unix.SYS_CLONE, unix.CLONE_VM|unix.CLONE_VFORK|uint64(unix.SIGCHLD), 0, 0, 0, 0)
	l.filterCall(program, listenerFlags)
	tried := len(l.calls) - 1
	l.calls[tried].flags = goOn
	l.add(goOn, "exit", unix.SYS_EXIT_GROUP, 0)
	if _, err := r.perform(&r.root, &l); err != nil {
		return err
	}
	result, err := r.result(&r.root, tried)
	if err != nil {
		return err
	}
	var reap list
	reap.add(mustSucceed, "wait4", unix.SYS_WAIT4, ^uint64(0), 0, unix.WALL, 0)
	if _, err := r.perform(&r.root, &reap); err != nil {
		return fmt.Errorf("a trial of seccomp: %w", err)
	}
	if result < 0 {
		return missingNotification(unix.Errno(-result))
	}
	return nil
}
