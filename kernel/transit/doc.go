// Package transit lets the bytes of emulated connections cross the machine's
// kernel instead of the emulator's memory: the mediation called address
// translation. It knows nothing of TCP or time.
//
// Behind a guest's socket is one end of a Pair of real ones; only the emulator
// has the other end. What a guest writes, and may write now, is written by the
// machine's kernel into the pair. The emulator moves it on, by splice(2), to a
// Hold, one for each direction of a connection: pages in pipes. When the other
// guest reads, just the bytes that it gets now are moved to its own pair, and the
// machine's kernel carries its call out.
//
//	guest -- Pair -- Hold -- Pair -- guest
//	    write    splice  splice    read
//
// So nothing can be read before its time, a read finds exactly what it is to
// find, and bytes are copied twice, as over the machine's loopback interface:
// from the writer's memory and to the reader's.
//
// The pairs are of the Unix domain. They have no addresses and no ports, so
// nobody else can connect to one and there can be as many as there are
// descriptors; and what was written is there when write(2) returns. Connections
// over the loopback interface, between addresses of 127.0.0.0/8 in a network
// namespace of their own, took 1.2 to 2 times as long for 4 KiB and more, and
// three times below, and may let a byte wait for a timer.
package transit
