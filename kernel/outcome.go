package kernel

import "golang.org/x/sys/unix"

// Kind says what the emulator has to do for a call.
type Kind int

const (
	// Answer the call with Value, or with Errno when that is not 0.
	Answer Kind = iota
	// Native: let the machine's kernel carry the call out.
	Native
	// Deferred: the call acts when its cost is over; then do what Task.Act says.
	Deferred
	// Parked: the call waits; Config.Ready tells when to call Task.Resume.
	Parked
	// Clone: let the kernel make a thread or process; then call Task.Cloned.
	Clone
	// Exec: let the kernel replace the program; then call Task.Execed.
	Exec
	// ExitThread and ExitProcess: let the kernel end it, wait until it is
	// gone, then call Task.Exited or Process.Exited.
	ExitThread
	ExitProcess
	// InterruptUnder: the call ends with EINTR and signals are delivered under
	// the mask in Value.
	InterruptUnder
	// Interrupted: the call ends with Errno because of a signal of which the
	// machine's kernel may not have told this thread.
	Interrupted
	// Carry: let the machine's kernel carry the call out, and call Task.Carried
	// before the guest goes on.
	Carry
	// Through: let the machine's kernel carry the call out if Task.Pass allows
	// that, and answer it with Value otherwise. Task.Keep forbids it.
	Through
	// Boot: answer with the descriptor of the host's clock.
	Boot
)

// Outcome is the result of handling a call.
type Outcome struct {
	Kind  Kind
	Value int64
	Errno unix.Errno
}

// Errnos of the kernel that user space never sees: they make an interrupted
// call start again (linux/errno.h).
const (
	// erestartsys restarts the call if the signal has no handler, or one with
	// SA_RESTART.
	erestartsys unix.Errno = 512
	// erestartnointr restarts the call whatever handler runs.
	erestartnointr unix.Errno = 513
	// erestartnohand restarts the call only if no handler runs.
	erestartnohand unix.Errno = 514
)

func ret(value int) Outcome              { return Outcome{Kind: Answer, Value: int64(value)} }
func fail(errno unix.Errno) Outcome      { return Outcome{Kind: Answer, Errno: errno} }
func native() Outcome                    { return Outcome{Kind: Native} }
func result(n int, e unix.Errno) Outcome { return Outcome{Kind: Answer, Value: int64(n), Errno: e} }
