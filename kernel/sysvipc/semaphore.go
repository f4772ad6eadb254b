package sysvipc

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/waiter"
)

// Limits of linux/sem.h.
const (
	semaphoreMost   = 32767 // SEMVMX and SEMAEM
	perSet          = 32000 // SEMMSL
	sets            = 32000 // SEMMNI
	semaphoresTotal = perSet * sets
	operationsMost  = 500 // SEMOPM
)

// Undo is SEM_UNDO of an Operation.
const Undo = 0x1000

// Operation is struct sembuf.
type Operation struct {
	Number uint16
	Change int16
	Flags  int16
}

// Semaphore is one of a set.
type Semaphore struct {
	Value int
	PID   int // of the last that changed it
}

// SemaphoreSet is what semget gives.
type SemaphoreSet struct {
	Permissions
	Operated, Changed int64 // sem_otime, sem_ctime

	all     []Semaphore
	pending []*operationWait
	undo    map[*Undoer][]int // by process, how much to add at its end
	removed bool
}

func (s *SemaphoreSet) permissions() *Permissions { return &s.Permissions }

// Len is the number of semaphores.
func (s *SemaphoreSet) Len() int { return len(s.all) }

// Undoer is a process as SEM_UNDO knows it.
type Undoer struct {
	PID  int
	sets []*SemaphoreSet // with something to undo, in order of first use
}

type operationWait struct {
	*waiter.Call
	operations []Operation
	undoer     *Undoer
	now        int64
}

// alters tells whether an operation is more than a wait for zero.
func alters(operations []Operation) bool {
	return slices.ContainsFunc(operations, func(o Operation) bool { return o.Change != 0 })
}

// Semaphores are a host's.
type Semaphores struct{ table[*SemaphoreSet] }

// NewSemaphores returns no sets.
func NewSemaphores() *Semaphores { return &Semaphores{newTable[*SemaphoreSet](sets)} }

// Get is semget(2).
func (s *Semaphores) Get(c *Caller, key int32, count, flags int) (int, unix.Errno) {
	if count < 0 || count > perSet {
		return 0, unix.EINVAL
	}
	return s.get(c, key, flags, func(o *SemaphoreSet) unix.Errno {
		if count > len(o.all) {
			return unix.EINVAL
		}
		return 0
	}, func(p Permissions) (*SemaphoreSet, unix.Errno) {
		if count == 0 {
			return nil, unix.EINVAL
		}
		return &SemaphoreSet{Permissions: p, Changed: c.Now, all: make([]Semaphore, count), undo: map[*Undoer][]int{}}, 0
	})
}

// Operate is semtimedop(2) but for the waiting: with EINPROGRESS, w is woken when
// it is over. nothing may be done with the operations' memory meanwhile.
func (s *Semaphores) Operate(c *Caller, u *Undoer, id int, operations []Operation, w *waiter.Call) unix.Errno {
	set, errno := s.find(id)
	if errno != 0 {
		return errno
	}
	for _, o := range operations {
		if int(o.Number) >= len(set.all) {
			return unix.EFBIG
		}
	}
	want := uint32(read)
	if alters(operations) {
		want = write
	}
	if !set.allows(c, want) {
		return unix.EACCES
	}
	errno = set.try(operations, u)
	switch errno {
	case 0:
		set.Operated = c.Now
		set.update(c.Now)
	case unix.EINPROGRESS:
		wait := &operationWait{w, operations, u, c.Now}
		set.pending = append(set.pending, wait)
		w.Waits(func() {
			set.pending = slices.DeleteFunc(set.pending, func(o *operationWait) bool { return o == wait })
		})
	}
	return errno
}

// try carries out operations, all or none: EINPROGRESS when they have to wait.
func (s *SemaphoreSet) try(operations []Operation, u *Undoer) unix.Errno {
	var adjust []int
	for i, o := range operations {
		semaphore := &s.all[o.Number]
		value := semaphore.Value + int(o.Change)
		var errno unix.Errno
		switch {
		case o.Change == 0 && semaphore.Value != 0 || value < 0:
			errno = unix.EINPROGRESS
			if o.Flags&NoWait != 0 {
				errno = unix.EAGAIN
			}
		case value > semaphoreMost:
			errno = unix.ERANGE
		case o.Flags&Undo != 0:
			adjust = s.adjustment(u)
			n := adjust[o.Number] - int(o.Change)
			if n < -semaphoreMost-1 || n > semaphoreMost {
				errno = unix.ERANGE
				break
			}
			adjust[o.Number] = n
		}
		if errno != 0 {
			for _, o := range slices.Backward(operations[:i]) {
				s.all[o.Number].Value -= int(o.Change)
				if o.Flags&Undo != 0 {
					adjust[o.Number] += int(o.Change)
				}
			}
			return errno
		}
		semaphore.Value = value
	}
	for _, o := range operations {
		s.all[o.Number].PID = u.PID
	}
	return 0
}

// adjustment is what a process's end will add to each semaphore.
func (s *SemaphoreSet) adjustment(u *Undoer) []int {
	a := s.undo[u]
	if a == nil {
		a = make([]int, len(s.all))
		s.undo[u] = a
		u.sets = append(u.sets, s)
	}
	return a
}

// update carries out what has become possible: waits for zero first, then the
// others in order, from the start again after each (do_smart_update).
func (s *SemaphoreSet) update(now int64) {
	for again := true; again; {
		again = s.retry(now, false)
		if !again {
			again = s.retry(now, true)
		}
	}
}

// retry finishes the first wait that is over.
func (s *SemaphoreSet) retry(now int64, altering bool) bool {
	for i, w := range s.pending {
		if alters(w.operations) != altering {
			continue
		}
		if errno := s.try(w.operations, w.undoer); errno != unix.EINPROGRESS {
			s.pending = slices.Delete(s.pending, i, i+1)
			if errno == 0 {
				s.Operated = now
			}
			w.Finish(errno)
			return true
		}
	}
	return false
}

// Exit undoes what a process that has ended has asked to undo.
func (u *Undoer) Exit(now int64) {
	for _, s := range u.sets {
		adjust := s.undo[u]
		delete(s.undo, u)
		if s.removed || adjust == nil {
			continue
		}
		for i, n := range adjust {
			if n != 0 {
				s.all[i].Value = min(max(s.all[i].Value+n, 0), semaphoreMost)
				s.all[i].PID = u.PID
			}
		}
		s.Operated = now
		s.update(now)
	}
	u.sets = nil
}

// Find is the set for a STAT command, by number or, with index, by its place in
// the table; anybody says that no permission is needed.
func (s *Semaphores) Find(c *Caller, id int, index, anybody bool) (*SemaphoreSet, int, unix.Errno) {
	set, errno := s.find(id)
	if index {
		set, errno = s.at(id)
	}
	if errno != 0 {
		return nil, 0, errno
	}
	if !anybody && !set.allows(c, read) {
		return nil, 0, unix.EACCES
	}
	return set, set.id, 0
}

// Values are GETALL's.
func (s *SemaphoreSet) Values() []Semaphore { return s.all }

// Waiting counts the calls that wait for a semaphore to become zero, or else to
// grow (GETZCNT and GETNCNT): each counts for the first that it fails at.
func (s *SemaphoreSet) Waiting(number int, zero bool) (n int) {
	for _, w := range s.pending {
		values := map[uint16]int{}
		for _, o := range w.operations {
			value, ok := values[o.Number]
			if !ok {
				value = s.all[o.Number].Value
			}
			if o.Change == 0 && value != 0 || value+int(o.Change) < 0 {
				if int(o.Number) == number && (o.Change == 0) == zero {
					n++
				}
				break
			}
			values[o.Number] = value + int(o.Change)
		}
	}
	return n
}

// SetValues is SETALL or, with one value, SETVAL of the semaphore number.
func (s *Semaphores) SetValues(c *Caller, set *SemaphoreSet, number int, values []int) unix.Errno {
	if !set.allows(c, write) {
		return unix.EACCES
	}
	for i, v := range values {
		set.all[number+i] = Semaphore{v, c.PID}
		for _, adjust := range set.undo {
			adjust[number+i] = 0
		}
	}
	set.Changed = c.Now
	set.update(c.Now)
	return 0
}

// Change is IPC_SET.
func (s *Semaphores) Change(c *Caller, id int, uid, gid, mode uint32) unix.Errno {
	set, errno := s.controlled(c, id)
	if errno == 0 {
		set.set(uid, gid, mode)
		set.Changed = c.Now
	}
	return errno
}

func (s *Semaphores) controlled(c *Caller, id int) (*SemaphoreSet, unix.Errno) {
	set, errno := s.find(id)
	if errno == 0 && !set.controls(c) {
		errno = unix.EPERM
	}
	return set, errno
}

// Remove is IPC_RMID.
func (s *Semaphores) Remove(c *Caller, id int) unix.Errno {
	set, errno := s.controlled(c, id)
	if errno != 0 {
		return errno
	}
	s.remove(set)
	set.removed = true
	pending := set.pending
	set.pending = nil
	for _, w := range pending {
		w.Finish(unix.EIDRM)
	}
	return 0
}

// Limits are the fields of struct seminfo: IPC_INFO's or, with used, SEM_INFO's.
func (s *Semaphores) Limits(used bool) (fields []int32, highest int) {
	size, most := 20, semaphoreMost // SEMUSZ, SEMAEM
	if used {
		size, most = len(s.byIndex), 0
		for _, set := range s.byIndex {
			most += len(set.all)
		}
	}
	return []int32{
		semaphoresTotal, sets, semaphoresTotal, semaphoresTotal, perSet, operationsMost, operationsMost,
		int32(size), semaphoreMost, int32(most),
	}, s.highest()
}

// OperationsMost is how many operations a call may have.
const OperationsMost = operationsMost

// ValueMost is the greatest value of a semaphore.
const ValueMost = semaphoreMost
