package kernel

import (
	"io"
	"path"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

// reportFile is an open file that tells of the host. Its placeholder holds what
// it told last: programs such as top go back to the beginning and read again, and
// must then find what is true by then.
type reportFile struct {
	task        *Task // who opened it, which matters to few files
	name        string
	placeholder int // the emulator's own descriptor of it, with the same position
	queue       waiter.Queue
}

func (f *reportFile) Queue() *waiter.Queue { return &f.queue }
func (f *reportFile) Release()             { unix.Close(f.placeholder) }

func (f *reportFile) Readiness() waiter.Mask {
	return waiter.In | waiter.Out | waiter.RdNorm | waiter.WrNorm
}

func (f *reportFile) Read(dst socket.Sink) (int, unix.Errno) {
	at, err := unix.Seek(f.placeholder, 0, io.SeekCurrent)
	if err != nil {
		return 0, unix.EIO
	}
	if at == 0 {
		if content, ok := f.task.report(f.name); ok {
			f.fill(content)
		}
	}
	scratch := f.task.kernel().scratch[:]
	n, err := unix.Pread(f.placeholder, scratch[:min(len(scratch), dst.Len())], at)
	if err != nil {
		return 0, unix.EIO
	}
	n, err = dst.Write(scratch[:n])
	unix.Seek(f.placeholder, at+int64(n), io.SeekStart)
	if err != nil && n == 0 {
		return 0, unix.EFAULT
	}
	return n, 0
}

func (f *reportFile) fill(content string) error {
	if err := unix.Ftruncate(f.placeholder, 0); err != nil {
		return err
	}
	_, err := unix.Pwrite(f.placeholder, []byte(content), 0)
	return err
}

// openReport gives the guest a file with the given content.
func (t *Task) openReport(name, content string, flags int) Outcome {
	fd, err := unix.MemfdCreate(path.Base(name), unix.MFD_CLOEXEC)
	if err != nil {
		return fail(unix.ENFILE)
	}
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		unix.Close(fd)
		return fail(unix.ENFILE)
	}
	f := &reportFile{task: t, name: name, placeholder: own}
	if len(content) > 0 && f.fill(content) != nil {
		unix.Close(fd)
		unix.Close(own)
		return fail(unix.EIO)
	}
	return t.installAnswer(f, fd, flags)
}
