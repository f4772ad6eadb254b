package kernel

import "golang.org/x/sys/unix"

// Machine is what the emulated kernel needs of the real one.
type Machine interface {
	// ReadMemory and WriteMemory copy between p and a guest's memory; a short
	// count comes with EFAULT, ESRCH means that the guest is gone.
	ReadMemory(tid int, address uint64, p []byte) (int, unix.Errno)
	WriteMemory(tid int, address uint64, p []byte) (int, unix.Errno)

	// ReadVector and WriteVector copy between pieces of a guest's memory and of
	// the emulator's, in order, until the shorter side ends or for some pieces;
	// a short count comes with an errno only where memory is not there.
	ReadVector(tid int, from []unix.RemoteIovec, to [][]byte) (int, unix.Errno)
	WriteVector(tid int, to []unix.RemoteIovec, from [][]byte) (int, unix.Errno)

	// PatchMemory writes to a guest's memory, even where the guest may not.
	PatchMemory(tid int, address uint64, p []byte) unix.Errno

	// AddDescriptor installs a copy of the emulator's descriptor source in the
	// guest whose call is being handled, as number or, when that is negative,
	// the lowest free one.
	AddDescriptor(t *Task, source, number int, closeOnExec bool) (int, unix.Errno)
	// TakeDescriptor copies a guest's descriptor into the emulator.
	TakeDescriptor(t *Task, number int) (int, unix.Errno)
	// OpenNumbers lists the numbers of the open descriptors of a guest.
	OpenNumbers(t *Task) []int

	// Insert lets the machine's kernel carry out another call of a guest before
	// the one that is being handled, and tells its result. No signal that the guest
	// may take must be pending. ok is false when nothing was carried out.
	Insert(t *Task, number int, arguments [3]uint64) (result int64, ok bool)

	// SendSignal sends a signal to a process, or to one of its threads, as the
	// kernel itself would.
	SendSignal(p *Process, thread *Task, signal unix.Signal) unix.Errno
	// SendTimerSignal sends a signal as a POSIX timer would.
	SendTimerSignal(p *Process, thread *Task, signal unix.Signal, timer TimerSignal) unix.Errno
	// SendMessageSignal sends a signal as a POSIX message queue would: sender and
	// user sent a message, value is what the process asked to be told.
	SendMessageSignal(p *Process, signal unix.Signal, sender, user int, value uint64)
	// SignalState tells a thread's signals; ok is false when it is gone.
	SignalState(tid int) (state SignalState, ok bool)

	// ProcessGroup and Session are the machine's numbers of a process's group
	// and session.
	ProcessGroup(tid int) (int, unix.Errno)
	// Parent is the machine's number of a process's parent, 0 if it is gone.
	Parent(tid int) int
	// Alive tells whether a process or its zombie is there.
	Alive(tid int) bool
	// RobustList is the head of a thread's list of robust futexes, 0 if none.
	RobustList(tid int) uint64
	// Mapping tells what is mapped at an address of a guest's memory.
	Mapping(tid int, address uint64) (m Mapping, ok bool)
}

// TimerSignal is what a timer's signal tells (SI_TIMER in sigaction(2)).
type TimerSignal struct {
	ID, Overrun int
	Value       uint64
}

// SignalState is what proc(5)'s status tells of a thread's signals: sets with
// bit n-1 for signal n.
type SignalState struct {
	Pending uint64 // for the thread or its process
	Blocked uint64
	Ignored uint64
	Caught  uint64
	Dead    bool // exiting, a zombie, or less
}

// Mapping is a mapped area of memory.
type Mapping struct {
	Start, End, Offset uint64
	Shared             bool
	Device, Inode      uint64
}
