// Package futex is futex(2) of the emulated kernel: who waits for which word,
// and who is woken, in which order.
//
// A Table holds the waiters of one host. It never blocks and never runs a
// guest: an operation that would sleep leaves its Waiter in the table and says
// so; the caller parks the task until Waiter.Wake is called, or takes the
// waiter out again with Cancel when a timeout or a signal comes first.
//
//	FUTEX_WAIT          Table.Wait, with all bits set
//	FUTEX_WAIT_BITSET   Table.Wait
//	FUTEX_WAKE[_BITSET] Table.Wake
//	FUTEX_[CMP_]REQUEUE Table.Requeue, Table.CompareRequeue
//	FUTEX_WAKE_OP       Table.WakeOperation
//	FUTEX_LOCK_PI[2]    Table.LockPI
//	FUTEX_TRYLOCK_PI    Table.TryLockPI
//	FUTEX_UNLOCK_PI     Table.UnlockPI
//	FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI
//	                    Table.WaitRequeuePI, Table.CompareRequeuePI
//	futex_waitv(2)      Table.WaitVector
//	a thread's exit     Table.ExitRobust, then Table.Exit
//
// Waiters of a word are woken in the order in which they came; all tasks have
// the same priority, so that a priority-inheriting lock is first come, first
// served too. Operations are those of Linux 6.18 (kernel/futex), errors
// included.
//
// The order of events is the only thing that the caller decides: nothing here
// is safe for concurrent use.
package futex
