// Package pipe is pipe(2) and fifo(7) of the emulated kernel.
//
// As in Linux, a pipe is a ring of slots, each with up to a page of bytes. A
// write fills slots of its own, but what does not fill a page may go into the
// last slot if it fits there whole. That is why a pipe of 65536 bytes may be
// full with less in it, why writes up to PIPE_BUF (a page) are atomic, and what
// poll means by writable: one free slot.
//
//	tail                       head
//	 |                          |
//	[4096][4096][ 100+20 ]......    16 slots
//
// Ends are the open file descriptions. Pages are shared between pipes by tee
// and handed from one to the other by splice.
package pipe
