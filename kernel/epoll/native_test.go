package epoll

import (
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/simterpose/simterpose/kernel/eventfd"
	"github.com/simterpose/simterpose/kernel/pipe"
	"github.com/simterpose/simterpose/kernel/socket"
)

// twin is an emulated file beside one of the kernel that runs the test.
type twin struct {
	file socket.File
	fd   int
}

func (w *twin) write(n int) {
	data := make([]byte, n)
	data[0] = 1
	src := socket.ByteSource(data)
	w.file.(socket.Writer).Write(&src)
	unix.Write(w.fd, data)
}

func (w *twin) read(n int) {
	dst := make(socket.ByteSink, 0, n)
	w.file.(socket.Reader).Read(&dst)
	unix.Read(w.fd, make([]byte, n))
}

func errnoOf(err error) unix.Errno {
	e, _ := err.(unix.Errno)
	return e
}

func must(t *rapid.T, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

func TestInstancesBehaveAsTheKernels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		registry := NewRegistry()
		var files []*twin
		release := func(w *twin) {
			if w.fd >= 0 {
				registry.Forget(w.file)
				w.file.Release()
				unix.Close(w.fd)
				w.fd = -1
			}
		}
		defer func() {
			for _, w := range files {
				release(w)
			}
			if len(registry.watched) != 0 {
				t.Fatalf("%d files still watched", len(registry.watched))
			}
		}()
		const counters = 3
		for range counters {
			fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
			must(t, err)
			files = append(files, &twin{eventfd.New(0, false), fd})
		}
		const pipes = 2
		for range pipes {
			var p [2]int
			must(t, unix.Pipe2(p[:], unix.O_NONBLOCK|unix.O_CLOEXEC))
			r, w := pipe.New()
			files = append(files, &twin{r, p[0]}, &twin{w, p[1]})
		}
		const instances = 3
		for range instances {
			fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
			must(t, err)
			files = append(files, &twin{registry.New(), fd})
		}
		firstInstance := len(files) - instances
		anyFile := rapid.IntRange(0, len(files)-1)
		anyInstance := rapid.IntRange(firstInstance, len(files)-1)
		how := rapid.SampledFrom([]uint32{
			0, 0, unix.EPOLLET, unix.EPOLLONESHOT, unix.EPOLLET | unix.EPOLLONESHOT,
			unix.EPOLLEXCLUSIVE, unix.EPOLLEXCLUSIVE | unix.EPOLLONESHOT,
		})
		what := rapid.SampledFrom([]uint32{0, unix.EPOLLIN, unix.EPOLLOUT, unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP})
		control := func(op int, name string) func(*rapid.T) {
			return func(t *rapid.T) {
				i, target := files[anyInstance.Draw(t, "instance")], anyFile.Draw(t, "file")
				f := files[target]
				if f.fd < 0 || i.fd < 0 {
					t.Skip("closed")
				}
				event := Event{Events: what.Draw(t, "events") | how.Draw(t, "how"), Data: uint64(target)}
				instance := i.file.(*Instance)
				var errno unix.Errno
				switch op {
				case unix.EPOLL_CTL_ADD:
					errno = instance.Add(f.fd, f.file, event)
				case unix.EPOLL_CTL_MOD:
					errno = instance.Modify(f.fd, f.file, event)
				case unix.EPOLL_CTL_DEL:
					errno = instance.Delete(f.fd, f.file)
				}
				err := unix.EpollCtl(i.fd, op, f.fd, &unix.EpollEvent{Events: event.Events, Fd: int32(target)})
				if errno != errnoOf(err) {
					t.Fatalf("%s: %v; the kernel says %v", name, errno, err)
				}
			}
		}
		open := func(t *rapid.T, i int) *twin {
			if files[i].fd < 0 {
				t.Skip("closed")
			}
			return files[i]
		}
		t.Repeat(map[string]func(*rapid.T){
			"add":    control(unix.EPOLL_CTL_ADD, "add"),
			"add2":   control(unix.EPOLL_CTL_ADD, "add"),
			"modify": control(unix.EPOLL_CTL_MOD, "modify"),
			"delete": control(unix.EPOLL_CTL_DEL, "delete"),
			"count":  func(t *rapid.T) { open(t, rapid.IntRange(0, counters-1).Draw(t, "counter")).write(8) },
			"reset":  func(t *rapid.T) { open(t, rapid.IntRange(0, counters-1).Draw(t, "counter")).read(8) },
			"write": func(t *rapid.T) {
				n := rapid.SampledFrom([]int{1, 100, 65536}).Draw(t, "bytes")
				open(t, counters+2*rapid.IntRange(0, pipes-1).Draw(t, "pipe")+1).write(n)
			},
			"read": func(t *rapid.T) {
				n := rapid.SampledFrom([]int{1, 100, 65536}).Draw(t, "bytes")
				open(t, counters+2*rapid.IntRange(0, pipes-1).Draw(t, "pipe")).read(n)
			},
			"close": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "chance") == 0 {
					release(files[anyFile.Draw(t, "file")])
				}
			},
			"wait": func(t *rapid.T) {
				i, n := open(t, anyInstance.Draw(t, "instance")), rapid.IntRange(1, 4).Draw(t, "maxevents")
				got := make([]Event, n)
				got = got[:i.file.(*Instance).Wait(got)]
				real := make([]unix.EpollEvent, n)
				m, err := unix.EpollWait(i.fd, real, 0)
				must(t, err)
				var want []Event
				for _, e := range real[:m] {
					want = append(want, Event{e.Events, uint64(e.Fd)})
				}
				if !slices.Equal(got, want) {
					t.Fatalf("events %s; the kernel says %s", format(got), format(want))
				}
			},
		})
	})
}

func format(events []Event) (s string) {
	for _, e := range events {
		s += fmt.Sprintf("[%d %#x]", e.Data, e.Events)
	}
	return s
}
