package emulator

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/kernel"
)

// machine is the real machine as the emulated kernel sees it.
type machine struct{ *loop }

func (machine) ReadMemory(tid int, address uint64, p []byte) (int, unix.Errno) {
	return guest.ReadMemory(tid, address, p)
}

func (machine) WriteMemory(tid int, address uint64, p []byte) (int, unix.Errno) {
	return guest.WriteMemory(tid, address, p)
}

func (machine) ReadVector(tid int, from []unix.RemoteIovec, to [][]byte) (int, unix.Errno) {
	return guest.ReadVector(tid, from, to)
}

func (machine) WriteVector(tid int, to []unix.RemoteIovec, from [][]byte) (int, unix.Errno) {
	return guest.WriteVector(tid, to, from)
}

func (machine) PatchMemory(tid int, address uint64, p []byte) unix.Errno {
	return guest.PatchMemory(tid, address, p)
}

func (m machine) AddDescriptor(t *kernel.Task, source, number int, closeOnExec bool) (int, unix.Errno) {
	return m.threadOf(t).host.container.AddDescriptor(m.threadOf(t).call, source, number, closeOnExec)
}

func (m machine) TakeDescriptor(t *kernel.Task, number int) (int, unix.Errno) {
	return m.realm.TakeDescriptor(t.Process().TID, t.TID, number)
}

func (m machine) Insert(t *kernel.Task, number int, arguments [3]uint64) (int64, bool) {
	th := m.threadOf(t)
	result, again, ok, err := th.host.container.Insert(th.call, t.TID, number, arguments)
	switch {
	case err != nil:
		m.fail(fmt.Errorf("mediation: %s of %s: %w", t.Call(), t.Process().Name, err))
	case ok:
		th.call = again
	}
	return result, ok
}

func (machine) OpenNumbers(t *kernel.Task) []int { return guest.OpenNumbers(t.TID) }

func (m machine) SendSignal(p *kernel.Process, thread *kernel.Task, signal unix.Signal) unix.Errno {
	tid := 0
	if thread != nil {
		tid = thread.TID
	}
	return m.realm.SendSignal(p.TID, tid, signal)
}

func (m machine) SendTimerSignal(p *kernel.Process, thread *kernel.Task, signal unix.Signal, timer kernel.TimerSignal) unix.Errno {
	tid := 0
	if thread != nil {
		tid = thread.TID
	}
	return m.realm.SendTimerSignal(p.TID, tid, signal, timer.ID, timer.Overrun, timer.Value)
}

func (m machine) SendMessageSignal(p *kernel.Process, signal unix.Signal, sender, user int, value uint64) {
	if err := hostOf(p).container.SendMessageSignal(p.PID, signal, sender, user, value); err != nil {
		m.fail(err)
	}
}

func (m machine) SignalState(tid int) (kernel.SignalState, bool) {
	s, ok := m.realm.Signals(tid)
	s.Dead = s.Dead || guest.Exiting(tid)
	return kernel.SignalState(s), ok
}

func (machine) ProcessGroup(tid int) (int, unix.Errno) {
	group, err := unix.Getpgid(tid)
	if err != nil {
		return 0, err.(unix.Errno)
	}
	return group, 0
}

func (machine) Parent(tid int) int { return guest.Parent(tid) }

func (machine) Alive(tid int) bool { return unix.Kill(tid, 0) != unix.ESRCH }

func (machine) RobustList(tid int) uint64 { return guest.RobustList(tid) }

// Mapping finds what is mapped at an address.
func (machine) Mapping(tid int, address uint64) (kernel.Mapping, bool) {
	m, ok := guest.MappingAt(tid, address)
	return kernel.Mapping{
		Start: m.Start, End: m.End, Offset: m.Offset, Shared: m.Shared,
		Device: unix.Mkdev(uint32(m.Major), uint32(m.Minor)), Inode: m.Inode,
	}, ok
}
