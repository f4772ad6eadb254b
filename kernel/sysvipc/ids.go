// Package sysvipc is System V semaphores and message queues of the emulated
// kernel (sysvipc(7)), those of one host, and what it tells of shared memory.
//
// A call that cannot go on leaves a wait behind: what it wants done, in the list
// of its object. Whoever changes the object carries out the waits that have become
// possible, in the order in which they came, on behalf of the sleepers, as Linux
// does: nobody who comes later can take what a sleeper was woken for.
package sysvipc

import (
	"slices"

	"golang.org/x/sys/unix"
)

// Caller is the task that makes a call.
type Caller struct {
	PID      int // of its process
	UID, GID uint32
	InGroup  func(gid uint32) bool
	// Owner, Admin and Resource are CAP_IPC_OWNER, CAP_SYS_ADMIN and
	// CAP_SYS_RESOURCE.
	Owner, Admin, Resource bool
	Now                    int64 // calendar time in seconds
}

// Values of linux/ipc.h.
const (
	Private = 0
	Create  = 0o1000
	Excl    = 0o2000
	NoWait  = 0o4000

	Remove = 0
	Set    = 1
	Stat   = 2
	Info   = 3
)

// Permissions are whose an object is (struct ipc64_perm).
type Permissions struct {
	Key                int32
	UID, GID           uint32
	CreatorU, CreatorG uint32
	Mode               uint32
	Sequence           int
	id                 int
}

// read and write are what a call asks of an object, for each class of users.
const (
	read  = 0o444
	write = 0o222
)

func (p *Permissions) allows(c *Caller, want uint32) bool {
	want = want>>6 | want>>3 | want
	granted := p.Mode
	switch {
	case c.UID == p.CreatorU || c.UID == p.UID:
		granted >>= 6
	case c.InGroup(p.CreatorG) || c.InGroup(p.GID):
		granted >>= 3
	}
	return want&^granted&7 == 0 || c.Owner
}

// controls tells whether the caller may change or remove the object.
func (p *Permissions) controls(c *Caller) bool {
	return c.UID == p.CreatorU || c.UID == p.UID || c.Admin
}

// set is IPC_SET.
func (p *Permissions) set(uid, gid, mode uint32) {
	p.UID, p.GID = uid, gid
	p.Mode = p.Mode&^0o777 | mode&0o777
}

// object is a semaphore set or a queue.
type object interface{ permissions() *Permissions }

// table gives objects numbers, as ipc/util.c: an index, cyclic, and a sequence
// number, so that those of removed objects do not come back soon.
type table[T object] struct {
	byIndex  map[int]T
	next     int
	last     int // -1 at first
	sequence int
	most     int
}

const (
	indexBits     = 15
	leastCycle    = 64
	sequenceLimit = 1<<16 - 1
)

func newTable[T object](most int) table[T] {
	return table[T]{byIndex: map[int]T{}, last: -1, most: most}
}

// add gives an object its number; ENOSPC when there are too many.
func (t *table[T]) add(o T) (id int, errno unix.Errno) {
	if len(t.byIndex) >= t.most {
		return 0, unix.ENOSPC
	}
	cycle := min(max(len(t.byIndex)*3/2, leastCycle), t.most)
	index := t.next
	for used := true; used; {
		if index >= cycle {
			index = 0
		}
		if _, used = t.byIndex[index]; used {
			index++
		}
	}
	if index <= t.last {
		t.sequence = (t.sequence + 1) % sequenceLimit
	}
	t.last, t.next = index, index+1
	t.byIndex[index] = o
	p := o.permissions()
	p.Sequence = t.sequence
	p.id = t.sequence<<indexBits + index
	return p.id, 0
}

// find is the object of a number; EINVAL when there is none.
func (t *table[T]) find(id int) (o T, errno unix.Errno) {
	o, ok := t.byIndex[indexOf(id)]
	if id < 0 || !ok || o.permissions().id != id {
		var none T
		return none, unix.EINVAL
	}
	return o, 0
}

// at is the object at an index, as the STAT commands of programs that list all
// objects ask.
func (t *table[T]) at(index int) (o T, errno unix.Errno) {
	o, ok := t.byIndex[index]
	if !ok {
		return o, unix.EINVAL
	}
	return o, 0
}

func (t *table[T]) remove(o T) { delete(t.byIndex, indexOf(o.permissions().id)) }

// indexOf is the place in the table that an object's number tells.
func indexOf(id int) int { return id & (1<<indexBits - 1) }

func (t *table[T]) byKey(key int32) (o T, ok bool) {
	for _, index := range t.indices() {
		if o = t.byIndex[index]; o.permissions().Key == key {
			return o, true
		}
	}
	return o, false
}

func (t *table[T]) indices() []int {
	all := make([]int, 0, len(t.byIndex))
	for index := range t.byIndex {
		all = append(all, index)
	}
	slices.Sort(all)
	return all
}

// highest is the greatest index in use, 0 if there is none.
func (t *table[T]) highest() int {
	if all := t.indices(); len(all) > 0 {
		return all[len(all)-1]
	}
	return 0
}

// get is what semget and msgget share (ipcget in ipc/util.c). fits looks at an
// object that is there already; create makes a new one.
func (t *table[T]) get(c *Caller, key int32, flags int, fits func(T) unix.Errno, create func(Permissions) (T, unix.Errno)) (int, unix.Errno) {
	if key != Private {
		if o, ok := t.byKey(key); ok {
			if flags&(Create|Excl) == Create|Excl {
				return 0, unix.EEXIST
			}
			if errno := fits(o); errno != 0 {
				return 0, errno
			}
			if !o.permissions().allows(c, uint32(flags)&0o777) {
				return 0, unix.EACCES
			}
			return o.permissions().id, 0
		}
		if flags&Create == 0 {
			return 0, unix.ENOENT
		}
	}
	o, errno := create(Permissions{Key: key, UID: c.UID, GID: c.GID, CreatorU: c.UID, CreatorG: c.GID, Mode: uint32(flags) & 0o777})
	if errno != 0 {
		return 0, errno
	}
	return t.add(o)
}
