package futex

import "golang.org/x/sys/unix"

// RobustMemory is what walking a robust list needs of the exiting task.
type RobustMemory interface {
	Memory
	Load64(address uint64) (uint64, unix.Errno)
	// SharedKey is the key of a word that lies at address, for operations
	// without FUTEX_PRIVATE_FLAG.
	SharedKey(address uint64) (Key, unix.Errno)
}

// The layout of struct robust_list_head for 64-bit tasks, from linux/futex.h:
// a list's first element, the distance from an element to its futex, and the
// element that is just being locked or unlocked.
const (
	robustOffset  = 8
	robustPending = 16

	// RobustHeadSize is the size that set_robust_list wants, in bytes.
	RobustHeadSize = 24

	// robustLimit ends the walk of a list that was made circular.
	robustLimit = 2048
)

// ExitRobust walks the robust list of a task that exits, whose head lies at the
// given address: OwnerDied is set in each lock that it holds, and one waiter
// woken. The walk ends silently where memory cannot be read.
func (t *Table) ExitRobust(m RobustMemory, head uint64, tid uint32) {
	if head == 0 {
		return
	}
	entry, errno := m.Load64(head)
	if errno != 0 {
		return
	}
	offset, errno := m.Load64(head + robustOffset)
	if errno != 0 {
		return
	}
	pending, errno := m.Load64(head + robustPending)
	if errno != 0 {
		return
	}
	for range robustLimit {
		if entry&^1 == head {
			break
		}
		// The next element is read before the lock is given away: the new
		// holder may free it.
		next, errno := m.Load64(entry &^ 1)
		if entry&^1 != pending&^1 && !t.bury(m, entry, offset, tid, false) {
			return
		}
		if errno != 0 {
			return
		}
		entry = next
	}
	if pending&^1 != 0 {
		t.bury(m, pending, offset, tid, true)
	}
}

// bury marks one lock as left behind by its holder, if tid holds it. Bit 0 of
// an entry tells a priority-inheriting lock, which Exit hands over.
func (t *Table) bury(m RobustMemory, entry, offset uint64, tid uint32, pending bool) (ok bool) {
	address, inheriting := entry&^1+offset, entry&1 != 0
	if address%4 != 0 {
		return false
	}
	value, errno := m.Load32(address)
	if errno != 0 {
		return false
	}
	if pending && !inheriting && value&TIDMask == 0 {
		// It died between unlocking and waking, or a waiter that was woken
		// died before it locked.
		t.wakeShared(m, address)
		return true
	}
	for value&TIDMask == tid {
		previous, errno := m.CompareAndSwap32(address, value, value&Waiters|OwnerDied)
		if errno != 0 {
			return false
		}
		if previous == value {
			if !inheriting && value&Waiters != 0 {
				t.wakeShared(m, address)
			}
			break
		}
		value = previous
	}
	return true
}

func (t *Table) wakeShared(m RobustMemory, address uint64) {
	if k, errno := m.SharedKey(address); errno == 0 {
		_, _ = t.Wake(k, 1, MatchAny)
	}
}
