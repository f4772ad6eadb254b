package sysvipc

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/waiter"
)

func caller() *Caller {
	return &Caller{PID: 7, InGroup: func(uint32) bool { return false }, Owner: true}
}

func TestNumbersDoNotComeBackSoon(t *testing.T) {
	s, c := NewSemaphores(), caller()
	var ids []int
	for range leastCycle + 3 {
		id, _ := s.Get(c, Private, 1, 0o600)
		ids = append(ids, id)
		s.Remove(c, id)
	}
	if want := []int{0, 1, 2, 3}; !slices.Equal(ids[:4], want) {
		t.Errorf("the first numbers are %v, want %v", ids[:4], want)
	}
	for _, id := range ids[len(ids)-3:] {
		if id>>indexBits != 1 {
			t.Errorf("%#x has the sequence number %d after the indices were used up", id, id>>indexBits)
		}
	}
}

func TestSleepersAreServedInOrder(t *testing.T) {
	s, c := NewSemaphores(), caller()
	id, _ := s.Get(c, Private, 1, 0o600)
	u := &Undoer{PID: 7}
	var woken []int
	operate := func(name, change int) unix.Errno {
		return s.Operate(c, u, id, []Operation{{Change: int16(change)}}, &waiter.Call{Wake: func() { woken = append(woken, name) }})
	}
	for name, change := range []int{-2, -1, -1} {
		if errno := operate(name, change); errno != unix.EINPROGRESS {
			t.Fatal(errno)
		}
	}
	operate(9, 1)
	operate(9, 2)
	operate(9, 1)
	if want := []int{1, 0, 2}; !slices.Equal(woken, want) {
		t.Errorf("woken: %v, want %v", woken, want)
	}
}

func TestUndoneInPartsLeavesNoTrace(t *testing.T) {
	s, c := NewSemaphores(), caller()
	id, _ := s.Get(c, Private, 2, 0o600)
	u := &Undoer{PID: 7}
	// The second fails: the first and what it would have undone are taken back.
	operations := []Operation{{Number: 0, Change: 3, Flags: Undo}, {Number: 1, Change: -1, Flags: NoWait}}
	if errno := s.Operate(c, u, id, operations, nil); errno != unix.EAGAIN {
		t.Fatal(errno)
	}
	u.Exit(0)
	set, _, _ := s.Find(c, id, false, false)
	if v := set.Values()[0].Value; v != 0 {
		t.Errorf("the semaphore is %d", v)
	}
}

func TestTheLowestTypeIsTaken(t *testing.T) {
	s, c := NewQueues(), caller()
	id, _ := s.Get(c, Private, 0o600)
	for _, kind := range []int64{3, 2, 5, 2} {
		s.Send(c, id, &Message{Type: kind}, 0, nil)
	}
	var got []int64
	for range 3 {
		m, errno := s.Receive(c, id, Wanted{Type: -3, Flags: NoWait}, nil)
		if errno != 0 {
			t.Fatal(errno)
		}
		got = append(got, m.Type)
	}
	if want := []int64{2, 2, 3}; !slices.Equal(got, want) {
		t.Errorf("received %v, want %v", got, want)
	}
	if _, errno := s.Receive(c, id, Wanted{Type: -3, Flags: NoWait}, nil); errno != unix.ENOMSG {
		t.Errorf("the rest: %v", errno)
	}
}
