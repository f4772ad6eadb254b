// Package inet is the Internet side of the emulated kernel: TCP, UDP and ICMP
// sockets over IPv4 and IPv6, one Stack per host. A Carrier says when what is
// sent arrives; nothing here knows of links, bandwidth or loss.
//
// A connection is two objects of type connection, one at each end, and two
// flows, one for each direction. A flow is a single queue of bytes: those in
// front have arrived and wait for the receiver, those behind are on the way,
// the last wait for room in the receiver's window. Arrival only moves a
// boundary; no byte is copied between hosts.
//
//	Send ->  unsent | flying | readable  -> Receive
//	    written    sent    arrived    read
//
// The sender learns of arrivals and of the window half a round trip later:
// that is when room in its buffer is free again. See tcp_ack.go.
//
// What Linux does is in testdata/linux, as scripts that run on this machine's
// kernel too; the kernel's functions that a piece of code follows are named
// beside it.
//
// What differs from Linux on purpose: acknowledgements cannot be lost, are never
// delayed and cost no bandwidth; bytes are not held back by Nagle's algorithm
// (RFC 896), since the carrier has no segments to save; keep-alive timers stop
// when nothing else will ever happen, so that a run which waits for ever ends;
// broadcasts and multicasts reach each host by its own route; a socket filter
// (SO_ATTACH_FILTER) of a TCP socket lets everything pass.
package inet
