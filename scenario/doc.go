// Package scenario runs simulations without guests: a text of one item a line
// (communications, computations, disk accesses, failures) over a platform, and
// the dates at which they end. It is how a what-if question is asked in a
// line, and how the simulation kernel is compared with SimGrid.
//
//	comm  START SRC DST BYTES [RATE]
//	exec  START HOST FLOPS [THREADS] [BOUND]
//	io    START HOST DISK read|write BYTES
//	sleep START HOST DURATION
//	route SRC DST
//	hosts | links
//	link_off|link_on T LINK         host_off|host_on T HOST
//	link_bw T LINK BPS              link_lat T LINK S
//	pstate T HOST N                 wifi_rate LINK HOST LEVEL
package scenario
