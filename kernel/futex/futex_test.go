package futex

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// memory is a sparse guest memory; words that are not in it fault.
type memory map[uint64]uint32

func (m memory) Load32(a uint64) (uint32, unix.Errno) {
	v, ok := m[a]
	if !ok {
		return 0, unix.EFAULT
	}
	return v, 0
}

func (m memory) CompareAndSwap32(a uint64, old, replacement uint32) (uint32, unix.Errno) {
	v, errno := m.Load32(a)
	if errno == 0 && v == old {
		m[a] = replacement
	}
	return v, errno
}

func (m memory) Load64(a uint64) (uint64, unix.Errno) {
	low, errno := m.Load32(a)
	if errno != 0 {
		return 0, errno
	}
	high, errno := m.Load32(a + 4)
	return uint64(high)<<32 | uint64(low), errno
}

func (m memory) store64(a, v uint64) { m[a], m[a+4] = uint32(v), uint32(v>>32) }

func (m memory) SharedKey(a uint64) (Key, unix.Errno) { return key(a), 0 }

func key(a uint64) Key { return Key{Space: 1, Address: a} }

// bench is a table with tasks, each of which notes when it is woken.
type bench struct {
	*Table
	memory memory
	tasks  map[int]*task
	woken  []int
}

type task struct {
	Waiter
	Owner
}

func newBench() *bench {
	b := &bench{memory: memory{}, tasks: map[int]*task{}}
	b.Table = New(func(tid uint32) *Owner {
		if t := b.tasks[int(tid)]; t != nil {
			return &t.Owner
		}
		return nil
	})
	return b
}

func (b *bench) task(id int) *task {
	t := b.tasks[id]
	if t == nil {
		t = &task{}
		t.TID = uint32(id)
		t.Wake = func() { b.woken = append(b.woken, id) }
		b.tasks[id] = t
	}
	return t
}

func (b *bench) word(a uint64) Word { return Word{Key: key(a), Memory: b.memory, Address: a} }

// present makes a word readable, as 0 if it was not.
func (b *bench) present(a uint64) {
	if _, ok := b.memory[a]; !ok {
		b.memory[a] = 0
	}
}

// wait makes tasks wait for a word.
func (b *bench) wait(t *testing.T, a uint64, ids ...int) {
	t.Helper()
	b.present(a)
	for _, id := range ids {
		if errno := b.Wait(&b.task(id).Waiter, b.word(a), b.memory[a], MatchAny); errno != 0 {
			t.Fatalf("task %d: wait gives %v", id, errno)
		}
	}
}

func (b *bench) expectWoken(t *testing.T, want ...int) {
	t.Helper()
	if !slices.Equal(b.woken, want) {
		t.Errorf("woken %v, want %v", b.woken, want)
	}
	b.woken = nil
}

func expect[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestWaitErrors(t *testing.T) {
	b := newBench()
	b.memory[8] = 5
	w := &b.task(1).Waiter
	expect(t, "other value", b.Wait(w, b.word(8), 4, MatchAny), unix.EAGAIN)
	expect(t, "no bits", b.Wait(w, b.word(8), 5, 0), unix.EINVAL)
	expect(t, "misaligned", b.Wait(w, b.word(9), 5, MatchAny), unix.EINVAL)
	expect(t, "unmapped", b.Wait(w, b.word(12), 5, MatchAny), unix.EFAULT)
	expect(t, "queued", w.Queued(), false)
	_, errno := b.Table.Wake(key(8), 1, 0)
	expect(t, "wake without bits", errno, unix.EINVAL)
	_, errno = b.Table.Wake(key(9), 1, MatchAny)
	expect(t, "wake misaligned", errno, unix.EINVAL)
}

func TestWakeIsFirstComeFirstServed(t *testing.T) {
	b := newBench()
	b.wait(t, 0, 1, 2, 3, 4, 5)
	b.wait(t, 4, 6)
	for _, c := range []struct {
		count, want int
		woken       []int
	}{{2, 2, []int{1, 2}}, {0, 1, []int{3}}, {-7, 1, []int{4}}, {10, 1, []int{5}}, {1, 0, nil}} {
		n, errno := b.Table.Wake(key(0), c.count, MatchAny)
		expect(t, "woken", n, c.want)
		expect(t, "errno", errno, 0)
		b.expectWoken(t, c.woken...)
	}
	expect(t, "waiting elsewhere", b.Waiting(key(4)), 1)
}

func TestBitsetsSelect(t *testing.T) {
	b := newBench()
	b.memory[0] = 0
	for id, bits := range []uint32{1, 2, 3, 4} {
		b.Wait(&b.task(id).Waiter, b.word(0), 0, bits)
	}
	n, _ := b.Table.Wake(key(0), 9, 2)
	expect(t, "woken", n, 2)
	b.expectWoken(t, 1, 2)
	b.Table.Wake(key(0), 9, 5)
	b.expectWoken(t, 0, 3)
}

func TestCancelIsWithoutEffectAfterAWake(t *testing.T) {
	b := newBench()
	b.wait(t, 0, 1, 2, 3)
	b.Table.Wake(key(0), 1, MatchAny)
	expect(t, "cancel of the woken", b.Cancel(&b.task(1).Waiter), false)
	expect(t, "cancel of a waiter", b.Cancel(&b.task(2).Waiter), true)
	b.Table.Wake(key(0), 9, MatchAny)
	b.expectWoken(t, 1, 3)
}

func TestAWokenTaskMayWaitAgainAtOnce(t *testing.T) {
	b := newBench()
	b.wait(t, 0, 1, 2)
	first := b.task(1)
	first.Wake = func() {
		b.woken = append(b.woken, 1)
		b.Wait(&first.Waiter, b.word(0), 0, MatchAny)
	}
	n, _ := b.Table.Wake(key(0), 9, MatchAny)
	expect(t, "woken", n, 2)
	b.expectWoken(t, 1, 2)
	expect(t, "waiting", b.Waiting(key(0)), 1)
}

func TestRequeue(t *testing.T) {
	b := newBench()
	b.wait(t, 4, 9)
	b.wait(t, 0, 1, 2, 3, 4, 5)
	_, errno := b.CompareRequeue(b.word(0), 1, 2, key(4), 7)
	expect(t, "other value", errno, unix.EAGAIN)
	n, errno := b.CompareRequeue(b.word(0), 1, 2, key(4), 0)
	expect(t, "woken and moved", n, 3)
	expect(t, "errno", errno, 0)
	b.expectWoken(t, 1)
	b.Table.Wake(key(4), 9, MatchAny)
	b.expectWoken(t, 9, 2, 3)
	n, _ = b.Requeue(key(0), 0, 9, key(0))
	expect(t, "onto itself", n, 2)
	b.Table.Wake(key(0), 9, MatchAny)
	b.expectWoken(t, 4, 5)
	_, errno = b.Requeue(key(0), -1, 0, key(4))
	expect(t, "negative count", errno, unix.EINVAL)
}

func TestWakeOperation(t *testing.T) {
	encode := func(op, compare, operand, comparand int) uint32 {
		return uint32(op)<<28 | uint32(compare)<<24 | uint32(operand&0xfff)<<12 | uint32(comparand&0xfff)
	}
	for _, c := range []struct {
		name          string
		before, after uint32
		op            uint32
		both          bool
		errno         unix.Errno
	}{
		{"set, equal", 3, 7, encode(opSet, compareEqual, 7, 3), true, 0},
		{"set, not equal", 3, 7, encode(opSet, compareNotEqual, 7, 3), false, 0},
		{"add a negative, less", 5, 3, encode(opAdd, compareLess, -2, 6), true, 0},
		{"or, less or equal", 5, 7, encode(opOr, compareLessOrEqual, 2, 5), true, 0},
		{"and not, greater", 7, 5, encode(opAndNot, compareGreater, 2, 7), false, 0},
		{"xor, greater or equal", 7, 5, encode(opXor, compareGreaterOrEqual, 2, 7), true, 0},
		{"shifted", 0, 1 << 31, encode(opOr|opShift, compareEqual, 31, 0), true, 0},
		{"negative comparand", 0xffffffff, 0, encode(opSet, compareEqual, 0, -1), true, 0},
		{"unknown operation", 1, 1, encode(5, compareEqual, 2, 0), false, unix.ENOSYS},
		{"unknown comparison", 1, 2, encode(opSet, 6, 2, 0), false, unix.ENOSYS},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench()
			b.wait(t, 0, 1, 2)
			b.wait(t, 4, 3, 4)
			b.memory[4] = c.before
			n, errno := b.WakeOperation(key(0), 1, b.word(4), 2, c.op)
			expect(t, "errno", errno, c.errno)
			expect(t, "word", b.memory[4], c.after)
			switch {
			case c.errno != 0:
				b.expectWoken(t)
			case c.both:
				expect(t, "woken", n, 3)
				b.expectWoken(t, 1, 3, 4)
			default:
				expect(t, "woken", n, 1)
				b.expectWoken(t, 1)
			}
		})
	}
}

func TestVectorIsWokenOnce(t *testing.T) {
	b := newBench()
	b.memory[0], b.memory[4], b.memory[8] = 1, 2, 3
	var got []int
	v := &Vector{Wake: func(i int) { got = append(got, i) }}
	words := []Expectation{{b.word(0), 1}, {b.word(4), 2}, {b.word(4), 2}, {b.word(8), 3}}
	expect(t, "none", b.WaitVector(v, nil), unix.EINVAL)
	expect(t, "too many", b.WaitVector(v, make([]Expectation, VectorMaximum+1)), unix.EINVAL)
	b.memory[8] = 4
	expect(t, "one differs", b.WaitVector(v, words), unix.EAGAIN)
	expect(t, "queued", v.Queued(), false)
	b.memory[8] = 3

	expect(t, "wait", b.WaitVector(v, words), 0)
	b.wait(t, 4, 7)
	n, _ := b.Table.Wake(key(4), 9, MatchAny)
	expect(t, "woken", n, 2)
	b.expectWoken(t, 7)
	if !slices.Equal(got, []int{1}) {
		t.Errorf("indices %v", got)
	}
	for _, a := range []uint64{0, 4, 8} {
		expect(t, "waiting", b.Waiting(key(a)), 0)
	}
	expect(t, "again", b.WaitVector(v, words), 0)
	expect(t, "cancel", b.CancelVector(v), true)
	expect(t, "cancel", b.CancelVector(v), false)
}

func BenchmarkWaitWake(bm *testing.B) {
	b := newBench()
	b.memory[0] = 0
	w := &Waiter{Wake: func() {}}
	word := b.word(0)
	bm.ReportAllocs()
	for bm.Loop() {
		b.Wait(w, word, 0, MatchAny)
		b.Table.Wake(word.Key, 1, MatchAny)
	}
}

func BenchmarkWakeOperation(bm *testing.B) {
	b := newBench()
	b.memory[0] = 0
	word := b.word(0)
	bm.ReportAllocs()
	for bm.Loop() {
		b.WakeOperation(key(4), 1, word, 1, opAdd<<28|1<<12)
	}
}
