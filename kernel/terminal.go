package kernel

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
)

// Pseudoterminals (pty(7)). Line discipline, sessions and job control are the
// machine's kernel's work. But it carries what is written to one side over to the
// other, echoes it and sends its signals in a thread of its own, later. It does so
// at once when a side that has nothing to read is asked whether it is ready: so the
// master's side is always emptied into the emulator, and the other one is made to
// seem empty.

// terminalSide is a machineFile's side of a pseudoterminal.
type terminalSide struct {
	device  int // as TIOCGDEV gives it: the same for both sides
	master  bool
	packets bool   // of the master: reads have a prefix (TIOCPKT), and nothing is in output
	output  []byte // of the master: what was written on the other side and is not read yet
}

// outputMost is how much may be written to a terminal that nobody reads: what a
// tty_buffer holds.
const outputMost = 64 << 10

// Requests of ioctl_tty(2).
const (
	tiocgdev    = 0x80045432 // the device, of the slave's side for both
	tiocgptpeer = 0x5441
	tiocsig     = 0x40045436
)

// openTerminal opens the multiplexer of pseudoterminals (pts(4)): the terminal
// that it makes is the task's, with the group that the machine gives it.
func (t *Task) openTerminal(name string, flags int) Outcome {
	h := t.host()
	master, errno := h.open(name, flags)
	if errno != 0 {
		return fail(errno)
	}
	number, err := unix.IoctlGetInt(master, unix.TIOCGPTN)
	if err != nil {
		unix.Close(master)
		return fail(errnoOf(err))
	}
	p := place{}
	if p.fd, errno = h.open("/dev/pts/"+strconv.Itoa(number), unix.O_PATH); errno == 0 && p.look() {
		h.setOwner(p.fd, &p.stat, owner{t.cred.fsuid, h.unnoted(&p.stat).gid})
		p.close()
	}
	f := h.newMachineFile(terminalFile, master)
	f.master = f.isTerminal()
	descriptor, errno := t.machine().AddDescriptor(t, master, -1, flags&unix.O_CLOEXEC != 0)
	if errno != 0 {
		f.Release()
		return fail(errno)
	}
	t.files.set(descriptor, t.kernel().newDescription(f, flags))
	return ret(descriptor)
}

// isTerminal finds the terminal's number. Terminals of which no guest has the other
// side are people's: they are not waited for in simulated time.
func (f *machineFile) isTerminal() bool {
	var device uint32
	if ioctlPointer(f.descriptor, tiocgdev, unsafe.Pointer(&device)) != 0 {
		return false
	}
	f.device = int(device)
	if _, err := unix.IoctlGetInt(f.descriptor, unix.TIOCGPTN); err == nil {
		return true
	}
	return f.host.masterOf(f.device) != nil
}

func (h *Host) masterOf(device int) *machineFile {
	for _, f := range h.machineFiles {
		if f.master && f.device == device {
			return f
		}
	}
	return nil
}

func (h *Host) hasTerminals() bool {
	return slices.ContainsFunc(h.machineFiles, func(f *machineFile) bool { return f.kind == terminalFile })
}

// input lets the machine's kernel hand over what was written to the master.
func (f *machineFile) input() {
	if f.available() > 0 {
		// Below so many bytes it seems empty (n_tty_poll).
		mode, err := unix.IoctlGetTermios(f.descriptor, unix.TCGETS)
		if err == nil && mode.Lflag&unix.ICANON == 0 {
			other := *mode
			other.Cc[unix.VMIN], other.Cc[unix.VTIME] = 255, 0
			unix.IoctlSetTermios(f.descriptor, unix.TCSETS, &other)
			defer unix.IoctlSetTermios(f.descriptor, unix.TCSETS, mode)
		}
	}
	f.ask()
}

// drain empties the master's side into the emulator.
func (f *machineFile) drain() {
	for !f.packets {
		fds := []unix.PollFd{{Fd: int32(f.descriptor), Events: unix.POLLIN}}
		if n, err := unix.Poll(fds, 0); err == unix.EINTR {
			continue
		} else if n == 0 || fds[0].Revents&unix.POLLIN == 0 {
			return
		}
		var b [4096]byte
		n, errno := f.withoutBlocking(func() (int, error) { return unix.Read(f.descriptor, b[:]) })
		if errno != 0 || n == 0 {
			return
		}
		f.output = append(f.output, b[:n]...)
	}
}

// readOutput is Read of what drain has got.
func (f *machineFile) readOutput(dst socket.Sink) (int, unix.Errno) {
	n := min(dst.Len(), len(f.output))
	_, err := dst.Write(f.output[:n])
	f.output = f.output[:copy(f.output, f.output[n:])]
	f.known, f.waiting = f.ask(), f.available()
	if err != nil {
		return 0, unix.EFAULT
	}
	return n, 0
}

// carried corrects what the machine's kernel says about a terminal by what the
// emulator holds.
func (f *machineFile) carried(m waiter.Mask) waiter.Mask {
	if len(f.output) > 0 {
		m |= waiter.In | waiter.RdNorm
	}
	if f.room() <= 0 {
		m &^= waiter.Out | waiter.WrNorm
	}
	return m
}

// room is how much may be written at once.
func (f *machineFile) room() int {
	const piece = 4096
	if f.kind != terminalFile || f.master {
		return piece
	}
	if master := f.host.masterOf(f.device); master != nil {
		return min(piece, outputMost-len(master.output))
	}
	return piece
}

// wrote lets the machine's kernel hand over what was just written to the file.
func (f *machineFile) wrote(text []byte) {
	master := f
	if f.master {
		for _, other := range f.host.machineFiles {
			if other.kind == terminalFile && !other.master && other.device == f.device {
				other.input()
				break
			}
		}
		f.typed(text)
	} else {
		master = f.host.masterOf(f.device)
	}
	if master != nil {
		master.drain()
	}
}

// openPeer is how a task opens a terminal: the machine's kernel may make it that of
// the task's session.
func (t *Task) openPeer() Outcome { return Outcome{Kind: Carry} }

// typed looks for characters among those written to a master that make signals.
func (f *machineFile) typed(text []byte) {
	mode, err := unix.IoctlGetTermios(f.descriptor, unix.TCGETS)
	if err != nil || mode.Lflag&unix.ISIG == 0 {
		return
	}
	for _, c := range []struct {
		character int
		signal    unix.Signal
	}{{unix.VINTR, unix.SIGINT}, {unix.VQUIT, unix.SIGQUIT}, {unix.VSUSP, unix.SIGTSTP}} {
		if key := mode.Cc[c.character]; key != 0 && bytes.IndexByte(text, key) >= 0 {
			f.signals(f.host.calling, c.signal)
		}
	}
}

// signals notes that the current call sends a signal to the processes that have the
// terminal.
func (f *machineFile) signals(t *Task, signal unix.Signal) {
	group, err := unix.IoctlGetInt(f.descriptor, unix.TIOCGPGRP)
	if master := f.host.masterOf(f.device); master != nil { // the other side may be asked by its session only
		group, err = unix.IoctlGetInt(master.descriptor, unix.TIOCGPGRP)
	}
	if err != nil || group <= 0 {
		return
	}
	f.host.signalsGroup(t, group, signal)
}

// signalsGroup is signals for a process group, by the machine's number.
func (h *Host) signalsGroup(t *Task, group int, signal unix.Signal) {
	for _, p := range h.sortedProcesses() {
		if g, errno := h.kernel.Machine.ProcessGroup(p.TID); errno == 0 && g == group {
			t.afterwards = append(t.afterwards, signalSent{process: p, signal: signal})
		}
	}
}

// terminalIoctl is an ioctl of a terminal that the filter does not let through.
func (t *Task) terminalIoctl(f *machineFile, request uint32) Outcome {
	switch request {
	case tiocgptpeer:
		return t.openPeer()
	case fionread:
		return fail(t.writeInt(t.arg(2), uint32(f.available())))
	case unix.TIOCPKT:
		if on, errno := t.readInt(t.arg(2)); errno == 0 && f.master {
			f.packets = on != 0
		}
	case unix.TCFLSH:
		master := f.host.masterOf(f.device)
		if queue := t.int(2); master != nil && (queue == unix.TCIOFLUSH || (queue == unix.TCIFLUSH) == f.master) {
			master.output = nil
		}
	case unix.TIOCSWINSZ:
		f.signals(t, unix.SIGWINCH)
	case tiocsig:
		f.signals(t, unix.Signal(t.int(2)))
	}
	return native()
}

// inBackground tells whether the terminal is that of the task's session, and
// another group has it.
func (f *machineFile) inBackground(t *Task) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(t.TID) + "/stat")
	if err != nil {
		return false
	}
	const group, terminal, terminalGroup = 5 - 3, 7 - 3, 8 - 3 // of proc(5), without the first two
	words := wordsOfStat(string(text))
	return len(words) > terminalGroup && words[terminal] == strconv.Itoa(f.device) && words[group] != words[terminalGroup]
}

// background lets the machine's kernel refuse a terminal to a task whose group does
// not have it: it may send the group a signal.
func (t *Task) background(signal unix.Signal) Outcome {
	if group, errno := t.machine().ProcessGroup(t.process.TID); errno == 0 {
		t.host().signalsGroup(t, group, signal)
	}
	return native()
}

// readTerminal is read(2) of a terminal.
func (t *Task) readTerminal(d *description, f *machineFile, s *span) Outcome {
	if !f.master && f.inBackground(t) {
		return t.background(unix.SIGTTIN)
	}
	mode, err := unix.IoctlGetTermios(f.descriptor, unix.TCGETS)
	if err == nil && !f.master && mode.Lflag&unix.ICANON == 0 && !d.nonblock && f.Readiness()&waiter.Hup == 0 {
		if o, waits := t.readRaw(f, int(mode.Cc[unix.VMIN]), int64(mode.Cc[unix.VTIME])*100_000_000, s.Len()); waits {
			return o
		}
	}
	n, errno := f.Read(s)
	return t.finish(d, n, errno, waiter.In, d.nonblock)
}

// stopsWriter tells whether a terminal is closed to the writes of a task in the
// background (TOSTOP in termios(3)).
func (f *machineFile) stopsWriter(t *Task) bool {
	if f.kind != terminalFile || f.master {
		return false
	}
	mode, err := unix.IoctlGetTermios(f.descriptor, unix.TCGETS)
	return err == nil && mode.Lflag&unix.TOSTOP != 0 && f.inBackground(t)
}

// rawRead is how much a read of a terminal in noncanonical mode has seen.
type rawRead struct{ available int }

// readRaw waits as VMIN and VTIME say (termios(3)). waits is false when what is
// there is to be read.
func (t *Task) readRaw(f *machineFile, least int, pause int64, size int) (o Outcome, waits bool) {
	available := f.available()
	switch {
	case available >= min(max(least, 1), size) || least == 0 && pause == 0:
		return o, false
	case least == 0 && t.timedOut():
		return ret(0), true
	case least == 0:
		t.waitTimeout(pause)
	case pause > 0 && available > 0:
		state, _ := t.call.state.(*rawRead)
		if state == nil || state.available != available { // the pause is between two bytes
			t.call.state = &rawRead{available}
			t.call.timedOut, t.call.deadline = false, t.now()+sim.Time(pause)
		} else if t.timedOut() {
			return o, false
		}
	}
	return t.waitFor(f, waiter.In, erestartsys), true
}

// hangUp looks at the signals that the machine's kernel has sent because a side of a
// terminal is closed, or a session has lost its leader.
func (h *Host) hangUp() {
	h.hungUp = false
	for _, p := range h.sortedProcesses() {
		if p.zombie {
			continue
		}
		if p.stopped && !p.isStopped() {
			p.continued()
		}
		h.kernel.signalled(p, nil, unix.SIGHUP)
	}
}

// isStopped tells whether the machine's kernel has stopped the process.
func (p *Process) isStopped() bool {
	fields := statusFields(p.TID, "State:")
	return len(fields) > 0 && fields[0] == "T"
}

// isTerminal tells whether a write to a descriptor may have to wait for whoever
// reads the other end of a terminal. The emulator, which carries data from its own
// pipes and sockets to files, cannot: the reader may be a guest.
func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}
