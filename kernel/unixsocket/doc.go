// Package unixsocket is unix(7) of the emulated kernel: stream, datagram and
// sequenced-packet sockets between the processes of one host.
//
// A Namespace has the names of one host. Messages cross at once: a send puts
// them in the receiver's queue. As in Linux they count against the sender's
// buffer until they are read, at the size of the kernel's own bookkeeping, so
// that a guest can send as much before it blocks as it could natively.
//
// Names in the file system are the caller's: it creates the file and finds it
// again, and tells the Namespace which one it is. Descriptors that messages
// carry are the caller's too; the Namespace says when it copies a reference to
// one, and when it loses one.
//
// EPIPE raises SIGPIPE for streams only, unlike what socket.Writer says: Linux
// sends none for the other two types.
//
// Not there: urgent data (MSG_OOB, EOPNOTSUPP as from kernels without it),
// SO_PEEK_OFF, and the collection of sockets that only their own undelivered
// messages refer to.
package unixsocket
