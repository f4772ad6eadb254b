// Package kernel is the Linux that guests see: tasks and processes,
// descriptors, and what each emulated system call does, in simulated time.
//
// A guest's call arrives by Task.Enter. Its handler, a function of one family's
// file (sys_*.go) found in the table (table.go), gives an Outcome: an answer, or
// that the machine's own kernel may carry the call out, or that the task is
// parked. A parked task has put waiters into the queues of what it waits for,
// and perhaps a timer; when one of them wakes it, its handler is called again,
// from the start, with what it noted in Task.call.
//
// The package sees guests only through the Machine interface, so that it is
// tested without any. The mechanisms that are hard in themselves live in
// packages below this one: inet, unixsocket, pipe, epoll, futex and others.
package kernel
