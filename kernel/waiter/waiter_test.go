package waiter

import (
	"slices"
	"testing"
)

func TestNotifyWakesInterestedInOrderAndAllowsRemoval(t *testing.T) {
	var q Queue
	var woken []string
	entries := map[string]*Entry{}
	for _, name := range []string{"a", "b", "c", "d"} {
		e := &Entry{Interest: In}
		e.Wake = func(Mask) { woken = append(woken, name); e.Remove() }
		entries[name] = e
		q.Add(e)
	}
	entries["b"].Interest = Out
	q.Notify(In)
	if !slices.Equal(woken, []string{"a", "c", "d"}) {
		t.Fatalf("woken %v", woken)
	}
	q.Notify(Hup)
	if !slices.Equal(woken, []string{"a", "c", "d", "b"}) || !q.Empty() {
		t.Fatalf("woken %v, empty %v", woken, q.Empty())
	}
}

func TestNotifyOneWakesTheFirstInterested(t *testing.T) {
	var q Queue
	n := 0
	for range 3 {
		q.Add(&Entry{Interest: In, Wake: func(Mask) { n++ }})
	}
	if !q.NotifyOne(In) || n != 1 {
		t.Fatalf("%d woken", n)
	}
	if q.NotifyOne(Out) {
		t.Fatal("somebody woken for an event nobody waits for")
	}
}
