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
//	           push ^        ^ arrived
//
// What differs from Linux on purpose: acknowledgements are not carried, so that
// send buffer space is free at the instant of arrival and windows open at the
// instant of a read; connections being established count against the backlog;
// TCP_NODELAY and TCP_CORK are remembered but do not delay, since the carrier
// has no segments; keep-alive probes are not sent; there is no urgent data.
package inet
