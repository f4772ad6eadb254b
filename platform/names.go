package platform

import (
	"hash/maphash"
	"math/bits"
)

// nameIndex finds elements by name. It holds four bytes and a bit for each
// element, where a Go map would hold forty: a platform may have millions of
// names. The elements are numbered by the user, who also keeps their names.
// The order of its table depends on a random seed and is never seen.
type nameIndex struct {
	seed  maphash.Seed
	table []int32 // number + 1; 0 is free
	count int
	name  func(int32) string
}

func newNameIndex(name func(int32) string) nameIndex {
	return nameIndex{seed: maphash.MakeSeed(), name: name}
}

// find returns the number of the named element, or -1.
func (x *nameIndex) find(name string) int32 {
	if x.count == 0 {
		return -1
	}
	for i := x.slot(name); x.table[i] != 0; i = (i + 1) % len(x.table) {
		if n := x.table[i] - 1; x.name(n) == name {
			return n
		}
	}
	return -1
}

// add enters a name that is not there yet.
func (x *nameIndex) add(name string, number int32) {
	if (x.count+1)*5 > len(x.table)*4 {
		x.grow(max(8, x.count*2))
	}
	x.insert(name, number)
	x.count++
}

// grow makes room for n elements in all.
func (x *nameIndex) grow(n int) {
	if n*5 <= len(x.table)*4 {
		return
	}
	old := x.table
	x.table = make([]int32, n*5/4+1)
	for _, number := range old {
		if number != 0 {
			x.insert(x.name(number-1), number-1)
		}
	}
}

func (x *nameIndex) insert(name string, number int32) {
	i := x.slot(name)
	for x.table[i] != 0 {
		i = (i + 1) % len(x.table)
	}
	x.table[i] = number + 1
}

func (x *nameIndex) slot(name string) int {
	high, _ := bits.Mul64(maphash.String(x.seed, name), uint64(len(x.table)))
	return int(high)
}
