package futex

import "golang.org/x/sys/unix"

// VectorMaximum is the greatest number of words that futex_waitv takes.
const VectorMaximum = 128

// Expectation is one of the words for which futex_waitv waits, and the value
// that it must have.
type Expectation struct {
	Word  Word
	Value uint32
}

// Vector is a task's wait for several words at once. The zero value with Wake
// set is ready for use, and reuse.
type Vector struct {
	// Wake is called when one of the words has been woken, with its index and
	// the whole vector out of the table.
	Wake func(index int)

	parts []Waiter
}

// Queued tells whether v waits.
func (v *Vector) Queued() bool { return len(v.parts) != 0 && v.parts[0].Queued() }

// WaitVector queues v for all the words if each has the value expected. Errors
// are EINVAL for no or too many words and for a misaligned one, EAGAIN when a
// value differs, EFAULT.
func (t *Table) WaitVector(v *Vector, words []Expectation) unix.Errno {
	if len(words) == 0 || len(words) > VectorMaximum {
		return unix.EINVAL
	}
	for i := range words {
		if !words[i].Word.Key.aligned() {
			return unix.EINVAL
		}
	}
	for i := range words {
		if value, errno := words[i].Word.load(); errno != 0 {
			return errno
		} else if value != words[i].Value {
			return unix.EAGAIN
		}
	}
	if v.Queued() {
		panic("futex: vector is already queued")
	}
	v.grow(len(words))
	for i := range words {
		w := &v.parts[i]
		w.word, w.bitset, w.kind, w.owner, w.vector = words[i].Word, MatchAny, plain, nil, v
		t.enqueue(t.queue(w.word.Key), w)
	}
	return 0
}

// grow makes v have n parts. Their Wake functions are made once.
func (v *Vector) grow(n int) {
	if n > cap(v.parts) {
		v.parts = make([]Waiter, n)
		for i := range v.parts {
			v.parts[i].Wake = func() { v.Wake(i) }
		}
	}
	v.parts = v.parts[:n]
}

// woken takes all parts but w out of the table.
func (v *Vector) woken(t *Table, w *Waiter) {
	for i := range v.parts {
		if p := &v.parts[i]; p != w {
			t.Cancel(p)
		}
	}
}

// CancelVector ends a wait because of a timeout or a signal. It tells whether v
// still waited.
func (t *Table) CancelVector(v *Vector) bool {
	if !v.Queued() {
		return false
	}
	for i := range v.parts {
		t.Cancel(&v.parts[i])
	}
	return true
}
