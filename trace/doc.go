// Package trace reads and writes what programs did, without when: computations,
// messages, sleeps, and what waited for what. Such a trace is recorded once and
// replayed on any platform.
//
// The core of the format is SimGrid's time-independent trace, one action a
// line, which SMPI's replay reads:
//
//	0 init
//	0 compute 1e9
//	0 send 1 0 1048576
//	1 recv 0 0 1048576
//	0 finalize
//
// The first word is the actor, a rank of MPI there. For general programs the
// actors are threads, and further actions say on which host a thread begins,
// who woke it, and what went through which socket:
//
//	0 begin 0 client curl 12 12
//	0 connect 3 server 80
//	0 write 3 78
//	0 read 3 614
//
// Lines that begin with "#" are comments, those that begin with "#:" say how a
// trace was recorded. docs/replay.md describes every action.
package trace
