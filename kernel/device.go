package kernel

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

// Devices that a host has of its own, whatever the names by which they are opened.

var (
	randomDevice   = unix.Mkdev(1, 8)
	urandomDevice  = unix.Mkdev(1, 9)
	ownTerminal    = unix.Mkdev(5, 0)
	terminalMaster = unix.Mkdev(5, 2)
	tunnelDevice   = unix.Mkdev(10, 200)
	devices        = map[string]uint64{
		"/dev/random":   randomDevice,
		"/dev/urandom":  urandomDevice,
		"/dev/tty":      ownTerminal,
		"/dev/ptmx":     terminalMaster,
		"/dev/pts/ptmx": terminalMaster,
		"/dev/net/tun":  tunnelDevice,
	}
)

// openDevice opens a character device by a name of it.
func (t *Task) openDevice(number uint64, name string, flags int) Outcome {
	switch number {
	case randomDevice:
		return t.openRandom("/dev/random", flags)
	case urandomDevice:
		return t.openRandom("/dev/urandom", flags)
	case terminalMaster:
		return t.openTerminal(name, flags)
	case ownTerminal:
		return t.openPeer()
	case tunnelDevice:
		return Outcome{Kind: Carry} // of the host's network namespace
	}
	return native()
}

// takeUpOpened notes what kind of device the machine's kernel has just opened for the
// task.
func (t *Task) takeUpOpened(number int) {
	if !t.isTunnel(number) {
		t.takeUp(number, terminalFile)
		return
	}
	_, flags, _ := t.descriptor(number).state()
	t.files.set(number, t.kernel().newDescription(&tunnel{mode: int(flags) & unix.O_ACCMODE}, int(flags)))
}

// tunnel is /dev/net/tun without a network interface. A program cannot give it one:
// what it would send there never reaches the simulated network.
type tunnel struct {
	mode  int // of access
	queue waiter.Queue
}

// Describe names the file for messages.
func (f *tunnel) Describe() string { return "tun" }

// Queue implements socket.File.
func (f *tunnel) Queue() *waiter.Queue { return &f.queue }

// Release implements socket.File.
func (f *tunnel) Release() {}

// Readiness implements socket.File.
func (f *tunnel) Readiness() waiter.Mask { return waiter.Err }

// Read implements socket.Reader.
func (f *tunnel) Read(socket.Sink) (int, unix.Errno) {
	if f.mode == unix.O_WRONLY {
		return 0, unix.EBADF
	}
	return 0, unix.EBADFD
}

// Write implements socket.Writer.
func (f *tunnel) Write(socket.Source) (int, unix.Errno) {
	if f.mode == unix.O_RDONLY {
		return 0, unix.EBADF
	}
	return 0, unix.EBADFD
}

// isTunnel tells whether a descriptor is one of /dev/net/tun, however it was opened.
func (t *Task) isTunnel(number int) bool {
	var s unix.Stat_t
	return unix.Stat(t.descriptor(number).path(), &s) == nil && s.Mode&unix.S_IFMT == unix.S_IFCHR && s.Rdev == tunnelDevice
}

// makeInterface is TUNSETIFF: it fails as for a user who may not make interfaces.
func (t *Task) makeInterface() Outcome {
	var request [40]byte // struct ifreq
	if !t.isTunnel(t.int(0)) {
		return native()
	}
	if errno := t.read(t.arg(2), request[:]); errno != 0 {
		return fail(errno)
	}
	name, _, _ := strings.Cut(string(request[:unix.IFNAMSIZ]), "\x00")
	flags := binary.LittleEndian.Uint16(request[unix.IFNAMSIZ:])
	return t.kernel().refuse(t, fmt.Sprintf("ioctl(%d, TUNSETIFF, {%q, %#x})", t.int(0), name, flags), unix.EPERM)
}

// randomFile is /dev/urandom.
type randomFile struct {
	source *rand.ChaCha8
	buffer []byte
	queue  waiter.Queue
}

func (f *randomFile) Queue() *waiter.Queue { return &f.queue }
func (f *randomFile) Release()             {}
func (f *randomFile) Readiness() waiter.Mask {
	return waiter.In | waiter.Out | waiter.RdNorm | waiter.WrNorm
}

func (f *randomFile) Read(dst socket.Sink) (int, unix.Errno) {
	n := 0
	for dst.Len() > 0 {
		b := f.buffer[:min(len(f.buffer), dst.Len())]
		f.source.Read(b)
		m, err := dst.Write(b)
		n += m
		if err != nil {
			return n, unix.EFAULT
		}
	}
	return n, 0
}

// Write takes entropy and ignores it.
func (f *randomFile) Write(src socket.Source) (int, unix.Errno) { return src.Len(), 0 }

func (t *Task) openRandom(name string, flags int) Outcome {
	fd, err := unix.Open(name, flags&(unix.O_ACCMODE|unix.O_NONBLOCK)|unix.O_CLOEXEC, 0)
	if err != nil {
		return fail(err.(unix.Errno))
	}
	return t.installAnswer(&randomFile{source: t.host().Random, buffer: make([]byte, 256)}, fd, flags)
}
