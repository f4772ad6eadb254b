package pipe

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

// twin is a pipe beside one of the kernel that runs the test; whatever is done
// to one is done to the other, with equal results.
type twin struct {
	read, write *End
	real        [2]int
}

func newTwin(t *rapid.T, flags int) *twin {
	p := new(twin)
	p.read, p.write = New()
	p.write.SetPackets(flags&unix.O_DIRECT != 0)
	if err := unix.Pipe2(p.real[:], unix.O_NONBLOCK|unix.O_CLOEXEC|flags); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *twin) close() {
	for i, e := range []*End{p.read, p.write} {
		if !e.released {
			e.Release()
			unix.Close(p.real[i])
		}
	}
}

func errnoOf(err error) unix.Errno {
	e, _ := err.(unix.Errno)
	return e
}

func (p *twin) check(t *rapid.T, what string, n int, errno unix.Errno, realN int, err error) {
	t.Helper()
	if errnoOf(err) != 0 {
		realN = 0
	}
	if n != realN || errno != errnoOf(err) {
		t.Fatalf("%s: %d, %v; the kernel says %d, %v", what, n, errno, realN, err)
	}
	for i, e := range []*End{p.read, p.write} {
		if e.released {
			continue
		}
		fds := []unix.PollFd{{Fd: int32(p.real[i]), Events: 0x1fff}}
		unix.Poll(fds, 0)
		if got := e.Readiness(); got != waiter.Mask(fds[0].Revents) {
			t.Fatalf("after %s: end %d is ready for %#x, the kernel says %#x", what, i, got, fds[0].Revents)
		}
		queued, _ := unix.IoctlGetInt(p.real[i], unix.TIOCINQ)
		if got, _, _ := e.Ioctl(unix.TIOCINQ); got != queued {
			t.Fatalf("after %s: %d bytes, the kernel says %d", what, got, queued)
		}
	}
}

func TestPipesBehaveAsTheKernels(t *testing.T) {
	content := make([]byte, 1<<18)
	for i := range content {
		content[i] = byte(i * 7 >> 3)
	}
	size := rapid.OneOf(rapid.IntRange(0, 20), rapid.IntRange(4000, 4200), rapid.IntRange(0, 1<<17))
	rapid.Check(t, func(t *rapid.T) {
		flags := rapid.SampledFrom([]int{0, 0, unix.O_DIRECT}).Draw(t, "flags")
		a, b := newTwin(t, flags), newTwin(t, 0)
		defer a.close()
		defer b.close()
		offset := 0
		both := func(name string, emulated func(dst, src *End, n int) (int, unix.Errno), native func(dst, src, n int) (int, error)) {
			if a.read.released || b.write.released {
				t.Skip("closed")
			}
			n := size.Draw(t, "size")
			got, errno := emulated(b.write, a.read, n)
			want, err := native(b.real[1], a.real[0], n)
			a.check(t, name, got, errno, want, err)
			b.check(t, name, got, errno, want, err)
		}
		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				p := []*twin{a, b}[rapid.IntRange(0, 1).Draw(t, "pipe")]
				if p.write.released {
					t.Skip("closed")
				}
				n := size.Draw(t, "size")
				offset = (offset + 37) % (len(content) / 2)
				data := content[offset:][:n]
				src := socket.ByteSource(data)
				got, errno := p.write.Write(&src)
				want, err := unix.Write(p.real[1], data)
				p.check(t, "write", got, errno, want, err)
			},
			"read": func(t *rapid.T) {
				p := []*twin{a, b}[rapid.IntRange(0, 1).Draw(t, "pipe")]
				if p.read.released {
					t.Skip("closed")
				}
				n := size.Draw(t, "size")
				dst := make(socket.ByteSink, 0, n)
				got, errno := p.read.Read(&dst)
				real := make([]byte, n)
				want, err := unix.Read(p.real[0], real)
				p.check(t, "read", got, errno, want, err)
				if !bytes.Equal(dst, real[:max(want, 0)]) {
					t.Fatal("read: other bytes")
				}
			},
			"splice": func(*rapid.T) {
				both("splice", Splice, func(dst, src, n int) (int, error) {
					m, err := unix.Splice(src, nil, dst, nil, n, unix.SPLICE_F_NONBLOCK)
					return int(m), err
				})
			},
			"tee": func(*rapid.T) {
				both("tee", Tee, func(dst, src, n int) (int, error) {
					m, err := unix.Tee(src, dst, n, unix.SPLICE_F_NONBLOCK)
					return int(m), err
				})
			},
			"resize": func(t *rapid.T) {
				if a.write.released {
					t.Skip("closed")
				}
				n := rapid.SampledFrom([]int{0, 1, 5000, 65536, 100000, 1 << 20}).Draw(t, "capacity")
				got, errno := a.write.Pipe().SetCapacity(uint32(n), false)
				want, err := unix.FcntlInt(uintptr(a.real[1]), unix.F_SETPIPE_SZ, n)
				a.check(t, "resize", got, errno, want, err)
			},
			"close": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "chance") != 0 {
					return
				}
				p := []*twin{a, b}[rapid.IntRange(0, 1).Draw(t, "pipe")]
				i := rapid.IntRange(0, 1).Draw(t, "end")
				if e := []*End{p.read, p.write}[i]; !e.released {
					e.Release()
					unix.Close(p.real[i])
				}
				p.check(t, "close", 0, 0, 0, nil)
			},
		})
	})
}
