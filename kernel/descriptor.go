package kernel

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/epoll"
	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/transit"
)

// description is an emulated open file description. What O_NONBLOCK and the
// other status flags show to guests is the placeholder's own, in the machine's
// kernel; nonblock is kept in step with it.
type description struct {
	file       socket.File
	nonblock   bool
	references int

	registry       *epoll.Registry
	receiveTimeout time.Duration // SO_RCVTIMEO; 0 means none
	sendTimeout    time.Duration
	// pair is the real socket of one whose connections may be translated.
	pair *transit.Pair
	// signals, if not nil, are those that somebody gets for this file.
	signals *fileSignals
}

func (k *Kernel) newDescription(f socket.File, flags int) *description {
	return &description{file: f, nonblock: flags&unix.O_NONBLOCK != 0, registry: k.epoll}
}

func (d *description) acquire() *description {
	d.references++
	return d
}

func (d *description) release() {
	d.references--
	if d.references == 0 {
		d.registry.Forget(d.file)
		if d.signals != nil {
			d.signals.release()
		}
		d.file.Release()
		d.unpair()
	}
}

// unpair gives up the emulator's part of the real socket.
func (d *description) unpair() {
	if d.pair != nil {
		d.pair.Close()
		d.pair = nil
	}
}

// descriptorTable says which descriptors of a process are emulated. The
// machine's kernel has the whole table: each emulated descriptor is a
// placeholder there, so numbers, close-on-exec and inheritance are its work.
type descriptorTable struct {
	byNumber   map[int]*description
	outside    []*outsideFile // native ones that guests watch
	references int
}

func newDescriptorTable() *descriptorTable {
	return &descriptorTable{byNumber: map[int]*description{}, references: 1}
}

func (d *descriptorTable) get(number int) *description { return d.byNumber[number] }

// set makes number refer to a description, or to none that is emulated.
func (d *descriptorTable) set(number int, f *description) {
	old := d.byNumber[number]
	if f != nil {
		d.byNumber[number] = f.acquire()
	} else {
		delete(d.byNumber, number)
	}
	if old != nil {
		old.release()
	}
}

func (d *descriptorTable) copy() *descriptorTable {
	c := newDescriptorTable()
	for n, f := range d.byNumber {
		c.byNumber[n] = f.acquire()
	}
	return c
}

// unshare returns a table of the caller's own.
func (d *descriptorTable) unshare() *descriptorTable {
	if d.references == 1 {
		return d
	}
	c := d.copy()
	d.release()
	return c
}

func (d *descriptorTable) numbers() []int {
	all := make([]int, 0, len(d.byNumber))
	for n := range d.byNumber {
		all = append(all, n)
	}
	slices.Sort(all)
	return all
}

// keepOnly closes what exec has closed.
func (d *descriptorTable) keepOnly(open []int) {
	d.closeOutside(func(n int) bool { return !slices.Contains(open, n) })
	for _, n := range d.numbers() {
		if !slices.Contains(open, n) {
			d.set(n, nil)
		}
	}
}

func (d *descriptorTable) release() {
	d.references--
	if d.references > 0 {
		return
	}
	d.closeOutside(func(int) bool { return true })
	for _, n := range d.numbers() {
		d.set(n, nil)
	}
}

// description is the emulated file behind a number; nil when the descriptor is
// native or not open. A call that waits keeps what it has found the first time,
// whatever other threads do to the number meanwhile.
func (t *Task) description(number int) *description {
	if d, ok := t.pins.find(number); ok {
		return d
	}
	d := t.files.get(number)
	t.pins.add(number, d)
	return d
}

// install gives the guest a new emulated descriptor: placeholder is a file of
// the emulator's, of the same kind, which this function closes.
func (t *Task) install(f socket.File, placeholder, flags int) (int, unix.Errno) {
	number, errno := t.machine().AddDescriptor(t, placeholder, -1, flags&unix.O_CLOEXEC != 0)
	unix.Close(placeholder)
	if errno != 0 {
		f.Release()
		return 0, errno
	}
	t.files.set(number, t.kernel().newDescription(f, flags))
	return number, 0
}

// installAnswer is install as the outcome of a call.
func (t *Task) installAnswer(f socket.File, placeholder, flags int) Outcome {
	return result(t.install(f, placeholder, flags))
}
