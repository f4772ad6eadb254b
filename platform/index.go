package platform

import (
	"hash/maphash"
	"math/bits"
)

// index finds numbered elements by a key that the elements hold themselves. It
// takes five to ten bytes for each, where a Go map would take forty: a platform
// may have millions of names. The order of its table depends on a random seed
// and is never seen.
type index[K comparable] struct {
	seed  maphash.Seed
	table []int32 // number + 1; 0 is free
	count int
	key   func(int32) K
}

func newIndex[K comparable](key func(int32) K) index[K] {
	return index[K]{seed: maphash.MakeSeed(), key: key}
}

// find returns the number of the element with the given key, or -1.
func (x *index[K]) find(key K) int32 {
	if x.count == 0 {
		return -1
	}
	for i := x.slot(key); x.table[i] != 0; i = x.after(i) {
		if n := x.table[i] - 1; x.key(n) == key {
			return n
		}
	}
	return -1
}

// set enters a key; the element that had it before is no longer found by it.
func (x *index[K]) set(key K, number int32) {
	x.reserve(1)
	for i := x.slot(key); ; i = x.after(i) {
		switch n := x.table[i] - 1; {
		case n < 0:
			x.count++
		case x.key(n) != key:
			continue
		}
		x.table[i] = number + 1
		return
	}
}

// reserve makes room for n more elements.
func (x *index[K]) reserve(n int) {
	need := x.count + n
	if need*5 <= len(x.table)*4 {
		return
	}
	if n == 1 {
		need = max(8, 2*x.count)
	}
	x.resize(need)
}

// clip gives back the room that is left, if it is much.
func (x *index[K]) clip() {
	if len(x.table) > x.count*4/3 {
		x.resize(x.count)
	}
}

// resize makes the table one for so many elements.
func (x *index[K]) resize(count int) {
	old := x.table
	x.table = make([]int32, count*5/4+1)
	for _, number := range old {
		if number == 0 {
			continue
		}
		i := x.slot(x.key(number - 1))
		for x.table[i] != 0 {
			i = x.after(i)
		}
		x.table[i] = number
	}
}

func (x *index[K]) slot(key K) int {
	high, _ := bits.Mul64(maphash.Comparable(x.seed, key), uint64(len(x.table)))
	return int(high)
}

func (x *index[K]) after(i int) int {
	if i++; i < len(x.table) {
		return i
	}
	return 0
}
