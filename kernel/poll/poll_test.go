package poll

import (
	"testing"

	"github.com/simterpose/simterpose/kernel/eventfd"
	"github.com/simterpose/simterpose/kernel/pipe"
	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

func TestCheckReportsWhatIsAskedAndErrors(t *testing.T) {
	r, w := pipe.New()
	counter := eventfd.New(1, false)
	items := []Item{
		{File: counter, Events: waiter.In},
		{File: counter, Events: waiter.Pri},
		{File: r, Events: waiter.In | waiter.Out},
		{Events: waiter.In},
		{Events: waiter.In, Revents: waiter.Nval},
	}
	if n := Check(items); n != 2 {
		t.Errorf("%d ready", n)
	}
	w.Release()
	if n := Check(items); n != 3 {
		t.Errorf("%d ready after the pipe's writer closed", n)
	}
	for i, want := range []waiter.Mask{waiter.In, 0, waiter.Hup, 0, waiter.Nval} {
		if got := items[i].Revents; got != want {
			t.Errorf("item %d: %#x, want %#x", i, got, want)
		}
	}
}

func TestWaiterIsWokenUntilDisarmed(t *testing.T) {
	a, b := eventfd.New(0, false), eventfd.New(0, false)
	count := func(f *eventfd.File) {
		src := socket.ByteSource{1, 0, 0, 0, 0, 0, 0, 0}
		f.Write(&src)
	}
	n := 0
	w := Waiter{Wake: func() { n++ }}
	w.Arm([]Item{{File: a, Events: waiter.In}, {}, {File: b, Events: waiter.In}, {File: b, Events: waiter.Out}})
	count(b)
	count(a)
	if n != 2 || !w.Armed() {
		t.Errorf("woken %d times, armed %v", n, w.Armed())
	}
	w.Disarm()
	count(a)
	if n != 2 || w.Armed() {
		t.Errorf("woken %d times, armed %v", n, w.Armed())
	}
	if !a.Queue().Empty() || !b.Queue().Empty() {
		t.Error("entries left in a queue")
	}
}

func BenchmarkArmDisarm(b *testing.B) {
	items := make([]Item, 16)
	for i := range items {
		items[i] = Item{File: eventfd.New(0, false), Events: waiter.In}
	}
	w := Waiter{Wake: func() {}}
	b.ReportAllocs()
	for b.Loop() {
		if Check(items) == 0 {
			w.Arm(items)
			w.Disarm()
		}
	}
}
