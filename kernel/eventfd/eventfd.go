// Package eventfd is eventfd(2) of the emulated kernel.
package eventfd

import (
	"encoding/binary"
	"math"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

// size is that of the counter as it is read and written, in bytes.
const size = 8

// File is an event counter: a socket.Reader and socket.Writer.
type File struct {
	count     uint64
	semaphore bool
	queue     waiter.Queue
	buffer    [size]byte // here so that it need not be allocated
}

// New returns a counter with a given value. With semaphore (EFD_SEMAPHORE) a
// read takes one from it instead of all.
func New(initial uint32, semaphore bool) *File {
	return &File{count: uint64(initial), semaphore: semaphore}
}

// Count is the counter's value, which /proc/PID/fdinfo shows.
func (f *File) Count() uint64 { return f.count }

// Readiness implements socket.File.
func (f *File) Readiness() waiter.Mask {
	var m waiter.Mask
	if f.count > 0 {
		m |= waiter.In
	}
	if f.count < math.MaxUint64-1 {
		m |= waiter.Out
	}
	if f.count == math.MaxUint64 {
		m |= waiter.Err
	}
	return m
}

// Queue implements socket.File.
func (f *File) Queue() *waiter.Queue { return &f.queue }

// Release implements socket.File.
func (f *File) Release() {}

// Read implements socket.Reader. As in Linux, a value that cannot be stored in
// the guest's memory is lost.
func (f *File) Read(dst socket.Sink) (int, unix.Errno) {
	switch {
	case dst.Len() < size:
		return 0, unix.EINVAL
	case f.count == 0:
		return 0, unix.EAGAIN
	}
	value := f.count
	if f.semaphore {
		value = 1
	}
	f.count -= value
	f.queue.Notify(waiter.Out)
	binary.NativeEndian.PutUint64(f.buffer[:], value)
	if n, _ := dst.Write(f.buffer[:]); n < size {
		return 0, unix.EFAULT
	}
	return size, 0
}

// Write implements socket.Writer. Exactly eight bytes are accepted, as by Linux
// 6.18; older kernels ignored what came after them. EAGAIN means that the sum
// would not fit.
func (f *File) Write(src socket.Source) (int, unix.Errno) {
	if src.Len() != size {
		return 0, unix.EINVAL
	}
	if n, _ := src.Read(f.buffer[:]); n < size {
		return 0, unix.EFAULT
	}
	value := binary.NativeEndian.Uint64(f.buffer[:])
	switch {
	case value == math.MaxUint64:
		return 0, unix.EINVAL
	case value >= math.MaxUint64-f.count:
		return 0, unix.EAGAIN
	}
	f.count += value
	f.queue.Notify(waiter.In)
	return size, 0
}

// Signal adds one on behalf of the kernel, which unlike a guest may make the
// counter overflow: readers then get the greatest value and poll an error.
func (f *File) Signal() {
	if f.count < math.MaxUint64 {
		f.count++
	}
	f.queue.Notify(waiter.In)
}
