package sim

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestEventsFireInOrderOfTimeThenScheduling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q Queue
		type mark struct {
			when  Time
			order int
		}
		var fired []mark
		var events []*Event
		dates := rapid.SliceOfN(rapid.Int64Range(0, 9), 1, 50).Draw(t, "dates")
		for i, d := range dates {
			events = append(events, q.After(Time(d), func() { fired = append(fired, mark{q.Now(), i}) }))
		}
		cancelled := rapid.IntRange(0, len(events)-1).Draw(t, "cancelled")
		q.Cancel(events[cancelled])
		q.Cancel(events[cancelled])
		for q.Step() {
		}
		if len(fired) != len(dates)-1 {
			t.Fatalf("%d of %d events fired", len(fired), len(dates)-1)
		}
		if !slices.IsSortedFunc(fired, func(a, b mark) int {
			if a.when != b.when {
				return int(a.when - b.when)
			}
			return a.order - b.order
		}) {
			t.Fatalf("out of order: %v", fired)
		}
	})
}

func TestScheduleFirstComesFirstAtItsInstant(t *testing.T) {
	var q Queue
	var fired []int
	event := func(n int) *Event { return &Event{Fire: func() { fired = append(fired, n) }} }
	q.Schedule(event(3), 5)
	q.Schedule(event(0), 4)
	q.ScheduleFirst(event(1), 5)
	q.ScheduleFirst(event(2), 5)
	q.Schedule(event(4), 5)
	for q.Step() {
	}
	if want := []int{0, 1, 2, 3, 4}; !slices.Equal(fired, want) {
		t.Errorf("fired %v, want %v", fired, want)
	}
}

func TestScheduleMovesAnEvent(t *testing.T) {
	var q Queue
	n := 0
	e := q.After(10, func() { n++ })
	q.After(5, func() { q.Schedule(e, 20) })
	for q.Step() {
	}
	if n != 1 || q.Now() != 20 {
		t.Fatalf("fired %d times, clock at %d", n, q.Now())
	}
}

func TestFromSecondsNeverEndsEarly(t *testing.T) {
	for s, want := range map[float64]Time{0: 0, 1: 1e9, 0.0065051: 6505100, 1e-10: 1, 1e300: Never} {
		if got := FromSeconds(s); got != want {
			t.Errorf("FromSeconds(%g) = %d, want %d", s, got, want)
		}
	}
	if got := Time(5).Add(time.Duration(Never)); got != Never {
		t.Errorf("overflowing Add gives %d", got)
	}
}

func TestStreamsDependOnSeedAndName(t *testing.T) {
	a := NewSource(1).Stream("x").Uint64()
	if b := NewSource(1).Stream("x").Uint64(); a != b {
		t.Error("same seed and name, different numbers")
	}
	if b := NewSource(2).Stream("x").Uint64(); a == b {
		t.Error("another seed, same numbers")
	}
	if b := NewSource(1).Stream("y").Uint64(); a == b {
		t.Error("another name, same numbers")
	}
}

func BenchmarkQueue(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(time.Duration(n).String(), func(b *testing.B) {
			var q Queue
			for i := range n {
				var e *Event
				e = q.After(Time(i), func() { q.Schedule(e, q.Now()+Time(n)) })
			}
			b.ReportAllocs()
			for b.Loop() {
				q.Step()
			}
		})
	}
}
