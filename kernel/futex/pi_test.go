package futex

import (
	"testing"

	"golang.org/x/sys/unix"
)

// lock makes tasks lock a word; the first gets it, the others wait.
func (b *bench) lock(t *testing.T, a uint64, ids ...int) {
	t.Helper()
	b.present(a)
	for _, id := range ids {
		locked, errno := b.LockPI(&b.task(id).Waiter, b.word(a), &b.task(id).Owner)
		if errno != 0 || locked == b.task(id).Queued() {
			t.Fatalf("task %d: locked %v, %v", id, locked, errno)
		}
	}
}

func TestLockPassesInOrder(t *testing.T) {
	b := newBench()
	b.lock(t, 0, 1)
	expect(t, "uncontended word", b.memory[0], 1)
	b.lock(t, 0, 2, 3)
	expect(t, "contended word", b.memory[0], Waiters|1)
	expect(t, "unlock by another", b.UnlockPI(b.word(0), &b.task(2).Owner), unix.EPERM)
	expect(t, "unlock", b.UnlockPI(b.word(0), &b.task(1).Owner), 0)
	b.expectWoken(t, 2)
	expect(t, "word", b.memory[0], Waiters|2)
	expect(t, "unlock", b.UnlockPI(b.word(0), &b.task(2).Owner), 0)
	b.expectWoken(t, 3)
	expect(t, "word", b.memory[0], Waiters|3)
	expect(t, "unlock", b.UnlockPI(b.word(0), &b.task(3).Owner), 0)
	expect(t, "word", b.memory[0], 0)
	expect(t, "holds", b.task(3).held == nil, true)
}

func TestLockErrors(t *testing.T) {
	b := newBench()
	b.lock(t, 0, 1)
	one, two := b.task(1), b.task(2)
	_, errno := b.LockPI(&one.Waiter, b.word(0), &one.Owner)
	expect(t, "locked by oneself", errno, unix.EDEADLK)
	b.memory[4] = 99
	_, errno = b.LockPI(&one.Waiter, b.word(4), &one.Owner)
	expect(t, "locked by nobody", errno, unix.ESRCH)
	expect(t, "word", b.memory[4], uint32(Waiters|99))
	expect(t, "trylock", b.TryLockPI(b.word(0), &two.Owner), unix.EAGAIN)
	expect(t, "word after trylock", b.memory[0], uint32(Waiters|1))
	b.wait(t, 8, 3)
	_, errno = b.LockPI(&one.Waiter, b.word(8), &one.Owner)
	expect(t, "mixed with wait", errno, unix.EINVAL)
	b.lock(t, 0, 2)
	_, errno = b.Table.Wake(key(0), 1, MatchAny)
	expect(t, "wake of a lock's waiter", errno, unix.EINVAL)
	_, errno = b.Requeue(key(0), 1, 1, key(8))
	expect(t, "requeue of a lock's waiter", errno, unix.EINVAL)
	b.memory[0] = Waiters | 3
	_, errno = b.LockPI(&b.task(4).Waiter, b.word(0), &b.task(4).Owner)
	expect(t, "holder changed behind our back", errno, unix.EINVAL)
	expect(t, "unlock by the pretender", b.UnlockPI(b.word(0), &b.task(3).Owner), unix.EINVAL)
}

func TestDeadlockThroughAChain(t *testing.T) {
	b := newBench()
	b.lock(t, 0, 1)
	b.lock(t, 4, 2)
	b.lock(t, 8, 3)
	b.lock(t, 4, 1)
	b.lock(t, 8, 2)
	_, errno := b.LockPI(&b.task(3).Waiter, b.word(0), &b.task(3).Owner)
	expect(t, "errno", errno, unix.EDEADLK)
	expect(t, "cancel", b.Cancel(&b.task(2).Waiter), true)
	b.lock(t, 0, 3)
}

func TestExitHandsLocksOver(t *testing.T) {
	b := newBench()
	b.lock(t, 0, 1, 2)
	b.lock(t, 4, 1, 3, 4)
	b.lock(t, 8, 1)
	b.Exit(&b.task(1).Owner)
	b.expectWoken(t, 3, 2)
	expect(t, "first lock", b.memory[0], uint32(OwnerDied|Waiters|2))
	expect(t, "second lock", b.memory[4], uint32(OwnerDied|Waiters|3))
	expect(t, "lock nobody waits for", b.memory[8], 1)
	expect(t, "unlock", b.UnlockPI(b.word(4), &b.task(3).Owner), 0)
	b.expectWoken(t, 4)
}

func TestRequeueToLock(t *testing.T) {
	for _, c := range []struct {
		name  string
		held  bool
		moved int // allowed
		count int
		woken []int
		word  uint32
	}{
		{"free lock, all moved", false, 9, 3, []int{1}, Waiters | 1},
		{"free lock, none moved", false, 0, 1, []int{1}, 1},
		{"held lock", true, 9, 3, nil, Waiters | 7},
		{"held lock, one more than asked", true, 1, 2, nil, Waiters | 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench()
			b.memory[0], b.memory[4] = 5, 0
			if c.held {
				b.lock(t, 4, 7)
			}
			for id := 1; id <= 3; id++ {
				w := b.task(id)
				expect(t, "wait", b.WaitRequeuePI(&w.Waiter, b.word(0), 5, MatchAny, b.word(4), &w.Owner), 0)
			}
			_, errno := b.Table.Wake(key(0), 1, MatchAny)
			expect(t, "plain wake", errno, unix.EINVAL)
			_, errno = b.CompareRequeuePI(b.word(0), 1, c.moved, b.word(4), 6)
			expect(t, "other value", errno, unix.EAGAIN)
			_, errno = b.CompareRequeuePI(b.word(0), 2, c.moved, b.word(4), 5)
			expect(t, "wake two", errno, unix.EINVAL)
			b.memory[8] = 0
			_, errno = b.CompareRequeuePI(b.word(0), 1, c.moved, b.word(8), 5)
			expect(t, "other lock", errno, unix.EINVAL)
			n, errno := b.CompareRequeuePI(b.word(0), 1, c.moved, b.word(4), 5)
			expect(t, "errno", errno, 0)
			expect(t, "count", n, c.count)
			expect(t, "word", b.memory[4], c.word)
			b.expectWoken(t, c.woken...)
			for id := 1; id <= 3; id++ {
				b.Cancel(&b.task(id).Waiter)
			}
			expect(t, "left", len(b.queues), 0)
		})
	}
}

func TestRobustList(t *testing.T) {
	const (
		head      = 0x1000
		offset    = ^uint64(31) // the futex lies 32 bytes before its list entry
		undamaged = 0x55
	)
	element := func(i uint64) uint64 { return 0x2000 + i*0x100 }
	futex := func(i uint64) uint64 { return element(i) - 32 }
	build := func(b *bench, pending uint64, entries ...uint64) {
		at := uint64(head)
		for _, e := range append(entries, head) {
			b.memory.store64(at, e)
			at = e &^ 1
		}
		b.memory.store64(head+8, offset)
		b.memory.store64(head+16, pending)
	}
	t.Run("held, held without waiters, not held, inheriting", func(t *testing.T) {
		b := newBench()
		b.wait(t, futex(0), 2, 3)
		b.wait(t, futex(1), 4)
		b.memory[futex(0)], b.memory[futex(1)], b.memory[futex(2)] = Waiters|1, 1, undamaged
		b.lock(t, futex(3), 1, 5)
		build(b, 0, element(0), element(1), element(2), element(3)|1)
		b.ExitRobust(b.memory, head, 1)
		b.expectWoken(t, 2)
		b.Exit(&b.task(1).Owner)
		b.expectWoken(t, 5)
		for i, want := range []uint32{Waiters | OwnerDied, OwnerDied, undamaged, OwnerDied | Waiters | 5} {
			expect(t, "word", b.memory[futex(uint64(i))], want)
		}
	})
	t.Run("pending unlock", func(t *testing.T) {
		b := newBench()
		b.wait(t, futex(0), 2)
		build(b, element(0))
		b.ExitRobust(b.memory, head, 1)
		b.expectWoken(t, 2)
		expect(t, "word", b.memory[futex(0)], 0)
	})
	t.Run("pending is dealt with once, last", func(t *testing.T) {
		b := newBench()
		b.wait(t, futex(0), 2)
		b.wait(t, futex(1), 3)
		b.memory[futex(0)], b.memory[futex(1)] = Waiters|1, Waiters|1
		build(b, element(0), element(0), element(1))
		b.ExitRobust(b.memory, head, 1)
		b.expectWoken(t, 3, 2)
	})
	t.Run("circular list ends", func(t *testing.T) {
		b := newBench()
		build(b, 0, element(0), element(1))
		b.memory.store64(element(1), element(0))
		b.memory[futex(0)], b.memory[futex(1)] = 1, 1
		b.ExitRobust(b.memory, head, 1)
		expect(t, "word", b.memory[futex(1)], OwnerDied)
	})
	t.Run("unreadable list", func(t *testing.T) {
		b := newBench()
		b.ExitRobust(b.memory, head, 1)
		b.ExitRobust(b.memory, 0, 1)
	})
}
