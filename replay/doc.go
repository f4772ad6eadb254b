// Package replay lets traces happen again, on any platform, in the simulator
// alone: no program runs.
//
// A trace of MPI ranks (SimGrid's time-independent format) is replayed as SMPI
// does it: messages match in order of posting, small ones do not hold their
// sender, and collectives are the messages of SMPI's default algorithms.
//
// A trace of threads is replayed by the sockets of package inet, as those of
// guests: what a thread writes crosses the same TCP, over the new platform.
package replay
