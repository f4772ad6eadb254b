package sysvipc

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Segment is what the host knows of a segment of shared memory. The memory, its
// number and what is mapped are the machine's, which takes all guests for root and
// has other clocks.
type Segment struct {
	Permissions
	Attached, Detached, Changed int64 // when, in seconds
	size                        int
	creator, last               int // processes
	removed                     bool
	mapped                      int // how often, but for what munmap undid
}

// Segments are those of a host, by their numbers.
type Segments struct{ byID map[int]*Segment }

// NewSegments returns no segments.
func NewSegments() *Segments { return &Segments{map[int]*Segment{}} }

// Space is where segments are attached in an address space, for each process
// that has it.
type Space struct {
	users int
	at    map[uint64]*Segment
}

// NewSpace returns the space of one process, with nothing attached.
func NewSpace() *Space { return &Space{users: 1} }

// Share is for one more process with the same memory.
func (s *Space) Share() *Space {
	s.users++
	return s
}

// What the mode tells beside the permissions (linux/shm.h).
const (
	destroyed = 0o1000
	locked    = 0o2000
)

// byKey is nil when the key is nobody's.
func (s *Segments) byKey(key int32) *Segment {
	if key == Private {
		return nil
	}
	for _, o := range s.byID { // at most one has it
		if o.Key == key && !o.removed {
			return o
		}
	}
	return nil
}

// ByIndex is the segment that the STAT commands of programs that list all mean;
// nil if there is none.
func (s *Segments) ByIndex(index int) *Segment {
	for _, o := range s.sorted() {
		if indexOf(o.id) == index {
			return o
		}
	}
	return nil
}

// ByID is nil when there is none.
func (s *Segments) ByID(id int) *Segment { return s.byID[id] }

// sorted are the segments by index, those in use first.
func (s *Segments) sorted() []*Segment {
	all := make([]*Segment, 0, len(s.byID))
	for _, o := range s.byID {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b *Segment) int {
		switch {
		case indexOf(a.id) != indexOf(b.id):
			return indexOf(a.id) - indexOf(b.id)
		case a.removed != b.removed && b.removed:
			return -1
		case a.removed != b.removed:
			return 1
		}
		return a.id - b.id
	})
	return all
}

// MayGet is EACCES when the machine would give a segment that the caller may not
// use.
func (s *Segments) MayGet(c *Caller, key int32, size uint64, flags int) unix.Errno {
	o := s.byKey(key)
	if o == nil || flags&(Create|Excl) == Create|Excl || size > uint64(o.size) {
		return 0 // or the machine's error
	}
	if !o.allows(c, uint32(flags)&0o777) {
		return unix.EACCES
	}
	return 0
}

// Got takes notice of the number that the machine's shmget has returned.
func (s *Segments) Got(c *Caller, id int, key int32, size uint64, flags int) {
	if o := s.byID[id]; o != nil && !o.removed && key != Private {
		return
	}
	s.byID[id] = &Segment{
		Permissions: Permissions{
			Key: key, UID: c.UID, GID: c.GID, CreatorU: c.UID, CreatorG: c.GID, Mode: uint32(flags) & 0o777, id: id,
		},
		Changed: c.Now, size: int(size), creator: c.PID,
	}
}

// MayRead tells whether the caller may see the segment's status.
func (o *Segment) MayRead(c *Caller) bool { return o.allows(c, read) }

// MayAttach tells whether the caller may map the segment, as the flags of shmat
// say.
func (o *Segment) MayAttach(c *Caller, flags int) bool {
	const readOnly, run = 0o10000, 0o100000 // SHM_RDONLY and SHM_EXEC
	want := uint32(read | write)
	if flags&readOnly != 0 {
		want = read
	}
	if flags&run != 0 {
		want |= 0o111
	}
	return o.allows(c, want)
}

// MayControl tells whether the caller may change or remove the segment.
func (o *Segment) MayControl(c *Caller) bool { return o.controls(c) }

// Owns tells whether the segment is the caller's.
func (o *Segment) Owns(c *Caller) bool { return c.UID == o.UID || c.UID == o.CreatorU }

// Set is IPC_SET.
func (o *Segment) Set(c *Caller, uid, gid, mode uint32) {
	o.set(uid, gid, mode)
	o.Changed = c.Now
}

// Lock is SHM_LOCK and SHM_UNLOCK.
func (o *Segment) Lock(on bool) {
	o.Mode &^= locked
	if on {
		o.Mode |= locked
	}
}

// Remove is IPC_RMID: the segment stays while it is attached.
func (s *Segments) Remove(o *Segment) {
	o.removed, o.Key = true, Private
	o.Mode |= destroyed
	s.forget(o)
}

func (s *Segments) forget(o *Segment) {
	if o.removed && o.mapped <= 0 && s.byID[o.id] == o {
		delete(s.byID, o.id)
	}
}

// Attach takes notice of a segment that is now mapped at an address.
func (s *Segments) Attach(c *Caller, in *Space, o *Segment, address uint64) {
	o.mapped++
	s.Detach(c, in, address) // what SHM_REMAP or munmap took away
	if in.at == nil {
		in.at = map[uint64]*Segment{}
	}
	in.at[address] = o
	o.Attached, o.last = c.Now, c.PID
}

// Detach takes notice of what is not mapped at an address any more.
func (s *Segments) Detach(c *Caller, in *Space, address uint64) {
	o := in.at[address]
	if o == nil {
		return
	}
	delete(in.at, address)
	o.mapped--
	o.Detached, o.last = c.Now, c.PID
	s.forget(o)
}

// Fork is the space of a child that the caller has made, with a copy of its memory.
func (s *Segments) Fork(c *Caller, in *Space) *Space {
	child := NewSpace()
	for _, address := range in.addresses() {
		s.Attach(c, child, in.at[address], address)
	}
	return child
}

// Leave is for a process that has ended or begun another program: with the last
// one of a space, all is detached.
func (s *Segments) Leave(c *Caller, in *Space) {
	in.users--
	if in.users > 0 {
		return
	}
	for _, address := range in.addresses() {
		s.Detach(c, in, address)
	}
}

func (s *Space) addresses() []uint64 {
	if len(s.at) == 0 {
		return nil
	}
	all := make([]uint64, 0, len(s.at))
	for address := range s.at {
		all = append(all, address)
	}
	slices.Sort(all)
	return all
}

// Proc is /proc/sysvipc/shm; what is in memory and in swap it does not know.
func (s *Segments) Proc() string {
	var b strings.Builder
	b.WriteString("       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap\n")
	for _, o := range s.sorted() {
		fmt.Fprintf(&b, "%10d %10d  %4o %21d %5d %5d  %5d %5d %5d %5d %5d %10d %10d %10d %21d %21d\n",
			o.Key, o.id, o.Mode, o.size, o.creator, o.last, o.mapped, o.UID, o.GID, o.CreatorU, o.CreatorG,
			o.Attached, o.Detached, o.Changed, 0, 0)
	}
	return b.String()
}
