package kernel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/mqueue"
	"github.com/simterpose/simterpose/kernel/pipe"
	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
)

// Reading, writing and the descriptors themselves. Calls on descriptors that
// are not emulated go to the machine's kernel.

// finish gives the outcome of an operation that moved n bytes or failed, for a
// call that asked to move all at once or to wait: EAGAIN parks the task unless
// the descriptor does not block.
func (t *Task) finish(d *description, n int, errno unix.Errno, events waiter.Mask, nonblock bool) Outcome {
	if errno != unix.EAGAIN {
		if errno != 0 && t.call.done > 0 {
			return ret(t.call.done)
		}
		return result(t.call.done+n, errno)
	}
	if d.signals != nil && events&waiter.Out != 0 {
		d.signals.full = true
	}
	if nonblock {
		if t.call.done > 0 {
			return ret(t.call.done)
		}
		return fail(unix.EAGAIN)
	}
	timeout, interrupted := d.receiveTimeout, erestartsys
	if events&waiter.Out != 0 {
		timeout = d.sendTimeout
	}
	if timeout != 0 {
		// signal(7): with a timeout set, a socket's calls are not restarted.
		interrupted = unix.EINTR
		if t.timedOut() {
			if t.call.done > 0 {
				return ret(t.call.done)
			}
			return fail(unix.EAGAIN)
		}
		if t.call.deadline == sim.Never {
			t.call.deadline = t.now().Add(timeout)
		}
	}
	return t.waitFor(d.file, events, interrupted)
}

func (t *Task) doRead(d *description, s *span) Outcome {
	if f, ok := d.file.(*machineFile); ok && f.kind == terminalFile {
		return t.readTerminal(d, f, s)
	}
	if f, ok := d.file.(*signalDescriptor); ok {
		return t.readSignals(d, f)
	}
	r, ok := d.file.(socket.Reader)
	if !ok {
		return fail(unix.EINVAL)
	}
	if s.Len() == 0 {
		if _, ok := r.(socket.Socket); ok {
			return ret(0) // sock_read_iter asks the socket for nothing
		}
	}
	n, errno := r.Read(s)
	if f := t.kernel().Moved; f != nil && errno == 0 {
		f(t, d.file, false, n)
	}
	return t.finish(d, n, errno, waiter.In, d.nonblock)
}

func sysRead(t *Task) Outcome {
	d := t.description(t.int(0))
	if d == nil {
		return t.onDisk()
	}
	t.mayShip(d, 0)
	return t.doRead(d, t.buffer(t.arg(1), t.size(2), 0))
}

func sysReadv(t *Task) Outcome {
	d := t.description(t.int(0))
	if d == nil {
		return t.onDisk()
	}
	s, errno := t.vector(t.arg(1), t.int(2), 0)
	if errno != 0 {
		return fail(errno)
	}
	if t.call.number == unix.SYS_READV {
		t.mayShip(d, 0)
	}
	return t.doRead(d, s)
}

// doWrite writes until all is taken or the call must not wait.
func (t *Task) doWrite(d *description, s *span) Outcome {
	if f, ok := d.file.(*machineFile); ok && f.stopsWriter(t) {
		return t.background(unix.SIGTTOU)
	}
	w, ok := d.file.(socket.Writer)
	if !ok {
		return fail(unix.EINVAL)
	}
	total := s.Len()
	n, errno := w.Write(s)
	if f := t.kernel().Moved; f != nil && errno == 0 {
		f(t, d.file, true, n)
	}
	return t.wrote(d, n, total, errno, d.nonblock, true)
}

// opening is the state of a write that has begun a connection (TCP Fast Open).
type opening struct{}

// wrote is the outcome of a write-like operation that took n of the total bytes
// that were left.
func (t *Task) wrote(d *description, n, total int, errno unix.Errno, nonblock, sigpipe bool) Outcome {
	if errno == unix.EPIPE && sigpipe && t.call.done == 0 {
		t.process.raise(t, unix.SIGPIPE)
	}
	switch {
	case errno == 0 && n < total:
		t.call.done += n
		n, errno = 0, unix.EAGAIN
	case errno == unix.EINPROGRESS && nonblock && n > 0: // on their way with a SYN
		errno = 0
	case errno == unix.EINPROGRESS && !nonblock: // it waits as connect(2) does
		t.call.done, t.call.state = n, opening{}
		n, errno = 0, unix.EAGAIN
	case errno == unix.EALREADY && !t.first():
		errno = unix.EAGAIN
	case errno != 0 && errno != unix.EAGAIN && t.call.state == opening{}:
		t.call.done = 0 // it has not been connected
	}
	return t.finish(d, n, errno, waiter.Out, nonblock)
}

func sysWrite(t *Task) Outcome {
	d := t.description(t.int(0))
	if d == nil {
		return t.onDisk()
	}
	t.mayShip(d, 0)
	return t.doWrite(d, t.buffer(t.arg(1), t.size(2), t.call.done))
}

func sysWritev(t *Task) Outcome {
	d := t.description(t.int(0))
	if d == nil {
		return t.onDisk()
	}
	s, errno := t.vector(t.arg(1), t.int(2), t.call.done)
	if errno != 0 {
		return fail(errno)
	}
	if t.call.number == unix.SYS_WRITEV {
		t.mayShip(d, 0)
	}
	return t.doWrite(d, s)
}

// sysPositioned is pread, pwrite and their vector forms: no emulated file has
// a position, except that preadv2 and pwritev2 take -1 for none.
func sysPositioned(t *Task) Outcome {
	d := t.description(t.int(0))
	if d == nil {
		return t.onDisk()
	}
	if t.call.number == unix.SYS_PREADV2 && t.long(3) == -1 {
		return sysReadv(t)
	}
	if t.call.number == unix.SYS_PWRITEV2 && t.long(3) == -1 {
		return sysWritev(t)
	}
	return fail(unix.ESPIPE)
}

func sysClose(t *Task) Outcome {
	if file, ok := t.call.state.(socket.File); ok {
		return t.linger(file)
	}
	if d := t.description(t.int(0)); d != nil {
		t.files.set(t.int(0), nil)
		if q, ok := d.file.(*mqueue.Descriptor); ok {
			q.Of.Flush(t.process)
		}
		if d.references == 0 {
			return t.linger(d.file)
		}
		return native()
	}
	t.files.closeOutside(func(n int) bool { return n == t.int(0) })
	t.host().settleWrites(t.files, t.int(0))
	if !t.host().locks.Empty() {
		t.afterUnlock() // POSIX locks go with any descriptor of the file
	}
	return native()
}

// linger waits, with SO_LINGER, until a closed socket's peer has all that was
// sent, and then lets the kernel close the placeholder.
func (t *Task) linger(file socket.File) Outcome {
	l, ok := file.(socket.Lingerer)
	if !ok || t.timedOut() {
		return native()
	}
	limit, waits := l.Lingering()
	if !waits {
		return native()
	}
	if t.first() {
		t.call.state, t.call.deadline = file, t.now().Add(limit)
	}
	const uninterrupted = 0
	return t.waitFor(file, waiter.Out|waiter.Hup, uninterrupted)
}

func sysCloseRange(t *Task) Outcome {
	const closeRangeUnshare, closeRangeCloexec = 2, 4
	if t.flags(2)&closeRangeUnshare != 0 {
		t.files = t.files.unshare()
	}
	t.host().settleWrites(t.files, -1)
	if t.flags(2)&closeRangeCloexec == 0 {
		within := func(n int) bool { return uint64(n) >= t.arg(0)&0xffffffff && uint64(n) <= t.arg(1)&0xffffffff }
		t.files.closeOutside(within)
		for _, n := range t.files.numbers() {
			if within(n) {
				t.files.set(n, nil)
			}
		}
	}
	return native()
}

// duplicate installs a copy of an emulated descriptor's placeholder. Without
// knowing where the kernel would put it, dup cannot be left to it.
func (t *Task) duplicate(from, to int, closeOnExec bool) Outcome {
	d := t.description(from)
	placeholder, errno := t.machine().TakeDescriptor(t, from)
	if errno != 0 {
		return fail(errno)
	}
	defer unix.Close(placeholder)
	number, errno := t.machine().AddDescriptor(t, placeholder, to, closeOnExec)
	if errno != 0 {
		return fail(errno)
	}
	t.files.set(number, d)
	return ret(number)
}

func sysDup(t *Task) Outcome {
	if t.description(t.int(0)) == nil {
		return native()
	}
	return t.duplicate(t.int(0), -1, false)
}

func sysDup2(t *Task) Outcome {
	from, to := t.int(0), t.int(1)
	t.host().settleWrites(t.files, to)
	closeOnExec := t.call.number == unix.SYS_DUP3 && t.flags(2)&unix.O_CLOEXEC != 0
	if t.description(from) == nil {
		if t.description(to) != nil || from != to && t.files.watched(to) != nil {
			// Only if the other is open is this one closed.
			if probe, errno := t.machine().TakeDescriptor(t, from); errno == 0 {
				unix.Close(probe)
				t.files.closeOutside(func(n int) bool { return n == to })
				t.files.set(to, nil)
			}
		}
		return native()
	}
	if from == to || t.call.number == unix.SYS_DUP3 && t.flags(2)&^unix.O_CLOEXEC != 0 {
		return native()
	}
	if to < 0 {
		return fail(unix.EBADF)
	}
	t.files.closeOutside(func(n int) bool { return n == to })
	return t.duplicate(from, to, closeOnExec)
}

func sysFcntl(t *Task) Outcome {
	d := t.description(t.int(0))
	if d == nil {
		if t.flags(1) == unix.F_SETLKW || t.flags(1) == unix.F_OFD_SETLKW || t.flags(1) == unix.F_SETLK || t.flags(1) == unix.F_OFD_SETLK {
			return fcntlLock(t)
		}
		return native()
	}
	if !d.machines() {
		if o, done := t.fcntlSignals(d, t.flags(1)); done {
			return o
		}
	}
	switch command := t.flags(1); command {
	case unix.F_DUPFD, unix.F_DUPFD_CLOEXEC:
		least := t.int(2)
		if least < 0 {
			return fail(unix.EINVAL)
		}
		used := map[int]bool{}
		for _, n := range t.machine().OpenNumbers(t) {
			used[n] = true
		}
		for used[least] {
			least++
		}
		return t.duplicate(t.int(0), least, command == unix.F_DUPFD_CLOEXEC)
	case unix.F_SETFL:
		d.nonblock = t.flags(2)&unix.O_NONBLOCK != 0
		if !d.machines() {
			t.setAsync(d, t.flags(2)&unix.O_ASYNC != 0)
		}
		if end := pipeEnd(d.file); end != nil {
			end.SetPackets(t.flags(2)&unix.O_DIRECT != 0)
		}
		return native()
	case unix.F_SETPIPE_SZ, unix.F_GETPIPE_SZ:
		end := pipeEnd(d.file)
		if end == nil {
			return fail(unix.EBADF)
		}
		if command == unix.F_GETPIPE_SZ {
			return ret(end.Pipe().Capacity())
		}
		return result(end.Pipe().SetCapacity(uint32(t.arg(2)), false))
	}
	return native()
}

// pipeEnd is the end of a pipe or FIFO that a file is; nil if it is none.
func pipeEnd(f socket.File) *pipe.End {
	switch f := f.(type) {
	case *pipe.End:
		return f
	case fifoEnd:
		return f.End
	}
	return nil
}

// Requests of ioctl(2) that files answer themselves (asm-generic/ioctls.h,
// linux/sockios.h).
const (
	fionbio     = 0x5421
	fionread    = 0x541b
	fioasync    = 0x5452
	fiosetown   = 0x8901
	siocspgrp   = 0x8902
	fiogetown   = 0x8903
	siocgpgrp   = 0x8904
	siocatmark  = 0x8905
	siocgstamp  = 0x8906
	siocgstampn = 0x8907 // SIOCGSTAMPNS
	siocoutq    = 0x5411
	siocoutqnsd = 0x894b
	siocgifconf = 0x8912
)

func sysIoctl(t *Task) Outcome {
	request := uint32(t.arg(1))
	if request == unix.TUNSETIFF {
		return t.makeInterface()
	}
	d := t.description(t.int(0))
	if d == nil {
		return native()
	}
	switch request {
	case fionbio:
		v, errno := t.readInt(t.arg(2))
		if errno != 0 {
			return fail(errno)
		}
		d.nonblock = v != 0
		return native()
	}
	if f, ok := d.file.(*machineFile); ok {
		return t.terminalIoctl(f, request)
	}
	if request == fioasync {
		v, errno := t.readInt(t.arg(2))
		if errno != 0 {
			return fail(errno)
		}
		t.setAsync(d, v != 0)
		return native()
	}
	if f, ok := d.file.(socket.Stamped); ok && (request == siocgstamp || request == siocgstampn) {
		at := f.LastArrival()
		switch {
		case at == 0:
			return fail(unix.ENOENT)
		case request == siocgstamp:
			return fail(t.write(t.arg(2), appendTimeval(nil, at)))
		}
		return fail(t.writeTimespec(t.arg(2), at))
	}
	if f, ok := d.file.(socket.Ioctler); ok {
		if value, errno, ok := f.Ioctl(request); ok {
			if errno != 0 {
				return fail(errno)
			}
			return fail(t.writeInt(t.arg(2), uint32(value)))
		}
	}
	if _, ok := d.file.(socket.Socket); ok {
		switch request {
		case fiosetown, siocspgrp:
			who, errno := t.readInt(t.arg(2))
			if errno != 0 {
				return fail(errno)
			}
			return fail(t.setPlainOwner(d, int(int32(who))))
		case fiogetown, siocgpgrp:
			return fail(t.writeInt(t.arg(2), uint32(d.plainOwner())))
		}
		if request >= 0x8900 && request < 0x8a00 {
			return t.interfaceIoctl(request)
		}
	}
	return native() // the placeholder's kind knows what it does not know
}

// interfaceIoctl carries out a question about network interfaces
// (netdevice(7)) on a socket of the host's namespace: the placeholder is of
// another one.
func (t *Task) interfaceIoctl(request uint32) Outcome {
	fd := t.host().NetworkSocket
	if request == siocgifconf {
		var conf [16]byte
		if errno := t.read(t.arg(2), conf[:]); errno != 0 {
			return fail(errno)
		}
		size := int(int32(binary.LittleEndian.Uint32(conf[:])))
		buffer := binary.LittleEndian.Uint64(conf[8:])
		n, list, errno := interfaceList(fd, size, buffer != 0)
		if errno != 0 {
			return fail(errno)
		}
		if buffer != 0 {
			if errno := t.write(buffer, list); errno != 0 {
				return fail(errno)
			}
		}
		return fail(t.writeInt(t.arg(2), uint32(n)))
	}
	var ifreq [40]byte
	if errno := t.read(t.arg(2), ifreq[:]); errno != 0 {
		return fail(errno)
	}
	if errno := ioctlBytes(fd, request, ifreq[:]); errno != 0 {
		return fail(errno)
	}
	return fail(t.write(t.arg(2), ifreq[:]))
}

// sysPipe is pipe and pipe2.
func sysPipe(t *Task) Outcome {
	flags := 0
	if t.call.number == unix.SYS_PIPE2 {
		flags = t.flags(1)
	}
	if flags&^(unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_DIRECT) != 0 {
		return fail(unix.EINVAL)
	}
	var placeholders [2]int
	if err := unix.Pipe2(placeholders[:], flags&^unix.O_DIRECT|unix.O_CLOEXEC); err != nil {
		return fail(unix.ENFILE)
	}
	reader, writer := pipe.New()
	writer.SetPackets(flags&unix.O_DIRECT != 0)
	r, errno := t.install(reader, placeholders[0], flags)
	if errno != 0 {
		unix.Close(placeholders[1])
		writer.Release()
		return fail(errno)
	}
	w, errno := t.install(writer, placeholders[1], flags)
	if errno != 0 {
		t.files.set(r, nil)
		return fail(errno)
	}
	var b [8]byte
	binary.LittleEndian.PutUint32(b[:], uint32(r))
	binary.LittleEndian.PutUint32(b[4:], uint32(w))
	return fail(t.write(t.arg(0), b[:]))
}

// bytesSource is memory of the emulator's as a socket.Source.
type bytesSource struct{ *bytes.Reader }

func (b bytesSource) Read(p []byte) (int, error) { return b.Reader.Read(p) }

// transferState is what sendfile and splice keep from one try to the next.
type transferState struct {
	in, out int // copies of native descriptors, -1 if emulated
	// held was taken from an emulated source and not yet accepted.
	held []byte
}

func (s *transferState) close() {
	for _, fd := range []int{s.in, s.out} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// transfer moves up to size bytes between two descriptors of which at least one
// is emulated; offset is where to read in a native file and outOffset where to
// write in one, nil for its own position.
func (t *Task) transfer(inNumber, outNumber int, offset, outOffset *int64, size int, nonblock bool) Outcome {
	in, out := t.description(inNumber), t.description(outNumber)
	s, _ := t.call.state.(*transferState)
	if s == nil {
		s = &transferState{in: -1, out: -1}
		var errno unix.Errno
		if in == nil {
			if s.in, errno = t.machine().TakeDescriptor(t, inNumber); errno != 0 {
				return fail(errno)
			}
		}
		if out == nil {
			if s.out, errno = t.machine().TakeDescriptor(t, outNumber); errno != 0 {
				s.close()
				return fail(errno)
			}
			if flags, err := unix.FcntlInt(uintptr(s.out), unix.F_GETFL, 0); err == nil && flags&unix.O_APPEND != 0 {
				s.close()
				return fail(unix.EINVAL)
			}
			if isTerminal(s.out) {
				s.close()
				return t.kernel().refuse(t, "splice or sendfile to a terminal", unix.EINVAL)
			}
		}
		t.call.state = s
	}
	o := t.moveBytes(s, in, out, offset, outOffset, size, nonblock)
	if o.Kind != Parked {
		s.close()
		t.call.state = nil
	}
	return o
}

func (t *Task) moveBytes(s *transferState, in, out *description, offset, outOffset *int64, size int, nonblock bool) Outcome {
	buffer := t.kernel().scratch[:]
	for t.call.done < size {
		var file *fileSource
		if in == nil && out != nil {
			file = openSource(s.in, offset, t.call.done, min(len(buffer), size-t.call.done))
		}
		if len(s.held) == 0 {
			chunk := buffer[:min(len(buffer), size-t.call.done)]
			switch {
			case file != nil: // read below, to where its bytes go
			case in == nil:
				n, err := readNative(s.in, chunk, offset, t.call.done)
				if err != nil {
					return t.partial(err.(unix.Errno))
				}
				if n == 0 {
					return ret(t.call.done)
				}
				s.held = chunk[:n]
			default:
				r, ok := in.file.(socket.Reader)
				if !ok {
					return fail(unix.EINVAL)
				}
				if out != nil && out.file.Readiness()&(waiter.Out|waiter.Err) == 0 {
					return t.transferWait(out, waiter.Out, nonblock || out.nonblock)
				}
				sink := &bytesSink{b: chunk}
				n, errno := r.Read(sink)
				if errno == unix.EAGAIN {
					return t.transferWait(in, waiter.In, nonblock || in.nonblock)
				}
				if errno != 0 {
					return t.partial(errno)
				}
				if n == 0 {
					return ret(t.call.done)
				}
				s.held = chunk[:n]
			}
		}
		var n int
		var errno unix.Errno
		if out == nil {
			var err error
			if outOffset == nil {
				t.host().noteUnsynced(descriptor{number: s.out}, ownPosition, int64(len(s.held)))
				n, err = unix.Write(s.out, s.held)
			} else {
				position := *outOffset + int64(t.call.done)
				t.host().noteUnsynced(descriptor{number: s.out}, position, int64(len(s.held)))
				n, err = unix.Pwrite(s.out, s.held, position)
			}
			if err != nil {
				return t.partial(err.(unix.Errno))
			}
		} else {
			w, ok := out.file.(socket.Writer)
			if !ok {
				return fail(unix.EINVAL)
			}
			var source socket.Source = bytesSource{bytes.NewReader(s.held)}
			if file != nil {
				source = file
			}
			if n, errno = w.Write(source); errno == unix.EINPROGRESS {
				errno = 0 // a connection is under way with them
			}
		}
		if errno == unix.EPIPE && t.call.done == 0 {
			t.process.raise(t, unix.SIGPIPE)
		}
		if errno != 0 && errno != unix.EAGAIN {
			return t.partial(errno)
		}
		t.call.done += n
		if in == nil {
			if offset == nil {
				unix.Seek(s.in, int64(n), io.SeekCurrent)
			}
			s.held = nil // read again from the file when there is room
		} else {
			s.held = bytes.Clone(s.held[n:])
		}
		if errno == unix.EAGAIN || out != nil && n == 0 {
			if in == nil && (nonblock || out.nonblock) || in != nil && len(s.held) == 0 {
				return t.partial(unix.EAGAIN)
			}
			return t.transferWait(out, waiter.Out, false)
		}
		if in != nil && len(s.held) == 0 {
			break // like splice, what was there is enough
		}
	}
	return ret(t.call.done)
}

func (t *Task) partial(errno unix.Errno) Outcome {
	if t.call.done > 0 {
		return ret(t.call.done)
	}
	return fail(errno)
}

func (t *Task) transferWait(d *description, events waiter.Mask, nonblock bool) Outcome {
	if nonblock || t.call.done > 0 && events == waiter.In {
		return t.partial(unix.EAGAIN)
	}
	return t.waitFor(d.file, events, erestartsys)
}

// readNative reads a native file without moving its position.
func readNative(fd int, p []byte, offset *int64, done int) (int, error) {
	n, err := readNativeAt(fd, p, offset, done)
	if errors.Is(err, unix.EISDIR) {
		err = unix.EINVAL
	}
	return n, err
}

func readNativeAt(fd int, p []byte, offset *int64, done int) (int, error) {
	if offset != nil {
		return unix.Pread(fd, p, *offset+int64(done))
	}
	position, err := unix.Seek(fd, 0, io.SeekCurrent)
	if errors.Is(err, unix.ESPIPE) {
		return 0, unix.EINVAL
	}
	if err != nil {
		return 0, err
	}
	return unix.Pread(fd, p, position)
}

// bytesSink is memory of the emulator's as a socket.Sink.
type bytesSink struct{ b []byte }

func (b *bytesSink) Len() int { return len(b.b) }

func (b *bytesSink) Write(p []byte) (int, error) {
	n := copy(b.b, p)
	b.b = b.b[n:]
	if n < len(p) {
		return n, io.ErrShortWrite
	}
	return n, nil
}

// offsetArgument reads the offset that a pointer argument gives.
func (t *Task) offsetArgument(address uint64) (*int64, unix.Errno) {
	if address == 0 {
		return nil, 0
	}
	v, errno := t.readWord(address)
	offset := int64(v)
	return &offset, errno
}

// advanceOffset stores an offset that a transfer has moved.
func (t *Task) advanceOffset(address uint64, offset *int64, o Outcome) Outcome {
	if offset != nil && o.Kind == Answer && o.Errno == 0 {
		if errno := t.writeWord(address, uint64(*offset+o.Value)); errno != 0 {
			return fail(errno)
		}
	}
	return o
}

func sysSendfile(t *Task) Outcome {
	out, in := t.int(0), t.int(1)
	if t.description(out) == nil {
		t.noteWrite(out)
	}
	offset, errno := t.offsetArgument(t.arg(2))
	if errno != 0 {
		return fail(errno)
	}
	if o, stop := t.diskLetsMove(in, out, offset, nil, t.size(3)); stop {
		return o
	}
	if t.description(out) == nil && t.description(in) == nil {
		t.host().noteUnsynced(t.descriptor(out), ownPosition, int64(t.size(3)))
		return native()
	}
	if t.description(in) != nil {
		return fail(unix.EINVAL)
	}
	return t.advanceOffset(t.arg(2), offset, t.transfer(in, out, offset, nil, t.size(3), false))
}

// spliceFlags are all that there are.
const spliceFlags = unix.SPLICE_F_MOVE | unix.SPLICE_F_NONBLOCK | unix.SPLICE_F_MORE | unix.SPLICE_F_GIFT

func sysSplice(t *Task) Outcome {
	in, out := t.int(0), t.int(2)
	if t.description(out) == nil && t.description(in) == nil || t.flags(5)&^spliceFlags != 0 {
		return native() // which refuses flags that it does not know
	}
	inOffset, errno := t.offsetArgument(t.arg(1))
	if errno != 0 {
		return fail(errno)
	}
	if inOffset != nil && t.description(in) != nil || t.arg(3) != 0 && t.description(out) != nil {
		return fail(unix.ESPIPE)
	}
	outOffset, errno := t.offsetArgument(t.arg(3))
	if errno != 0 {
		return fail(errno)
	}
	if o, stop := t.diskLetsMove(in, out, inOffset, outOffset, t.size(4)); stop {
		return o
	}
	if outOffset != nil {
		return t.advanceOffset(t.arg(3), outOffset, t.transfer(in, out, nil, outOffset, t.size(4), t.flags(5)&unix.SPLICE_F_NONBLOCK != 0))
	}
	const spliceNonblock = 2
	if a, b := t.pipeEndOf(in), t.pipeEndOf(out); a != nil && b != nil {
		return t.betweenPipes(pipe.Splice, in, out, t.size(4), t.flags(5)&spliceNonblock != 0)
	}
	return t.advanceOffset(t.arg(1), inOffset, t.transfer(in, out, inOffset, nil, t.size(4), t.flags(5)&spliceNonblock != 0))
}

func (t *Task) pipeEndOf(number int) *pipe.End {
	if d := t.description(number); d != nil {
		return pipeEnd(d.file)
	}
	return nil
}

// betweenPipes is splice or tee from one pipe to another.
func (t *Task) betweenPipes(move func(dst, src *pipe.End, n int) (int, unix.Errno), in, out, size int, nonblock bool) Outcome {
	from, to := t.description(in), t.description(out)
	n, errno := move(pipeEnd(to.file), pipeEnd(from.file), size)
	if errno == unix.EPIPE {
		t.process.raise(t, unix.SIGPIPE)
	}
	if errno != unix.EAGAIN || nonblock {
		return result(n, errno)
	}
	if from.file.Readiness()&waiter.In == 0 {
		return t.waitFor(from.file, waiter.In, erestartsys)
	}
	return t.waitFor(to.file, waiter.Out, erestartsys)
}

func sysTee(t *Task) Outcome {
	in, out := t.int(0), t.int(1)
	if t.pipeEndOf(in) == nil || t.pipeEndOf(out) == nil {
		return fail(unix.EINVAL)
	}
	const spliceNonblock = 2
	return t.betweenPipes(pipe.Tee, in, out, t.size(2), t.flags(3)&spliceNonblock != 0)
}

// sysVmsplice is writev to a pipe, or readv from one.
func sysVmsplice(t *Task) Outcome {
	d := t.description(t.int(0))
	if d == nil || pipeEnd(d.file) == nil {
		return fail(unix.EBADF)
	}
	s, errno := t.vector(t.arg(1), t.int(2), t.call.done)
	if errno != 0 {
		return fail(errno)
	}
	if o := t.doWrite(d, s); o.Errno != unix.EBADF {
		return o
	}
	return t.doRead(d, s)
}
