// Package socket holds what all kinds of emulated files and sockets share: the
// interfaces by which the system calls reach them. It has no behaviour of its
// own.
//
// No operation blocks. One that would block returns EAGAIN (a connection under
// way EINPROGRESS), whatever the descriptor's O_NONBLOCK says; the system call
// handlers park the guest on the file's queue and ask again when it is
// notified.
package socket

import (
	"io"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/waiter"
)

// File is an emulated open file description: what one or several descriptors of
// one or several processes refer to.
type File interface {
	// Readiness is what poll(2) would report now.
	Readiness() waiter.Mask
	// Queue is notified whenever the readiness may have changed.
	Queue() *waiter.Queue
	// Release is called once, when the last descriptor is closed.
	Release()
}

// Source is guest memory that a write-like call reads: an io.Reader that gives
// io.EOF at its end and a unix.Errno (EFAULT) where memory cannot be read.
type Source interface {
	io.Reader
	// Len is the number of bytes left.
	Len() int
}

// Sink is guest memory that a read-like call fills. Write returns a short count
// with unix.EFAULT where memory cannot be written; more bytes than Len are
// never written.
type Sink interface {
	io.Writer
	// Len is the number of bytes that still fit.
	Len() int
}

// Reader is a File that read(2) reads.
type Reader interface {
	File
	// Read moves what there is, at most dst.Len bytes, to dst. At end of file
	// it returns 0 and no error.
	Read(dst Sink) (int, unix.Errno)
}

// Writer is a File that write(2) writes.
type Writer interface {
	File
	// Write takes what fits, at most src.Len bytes, from src; a short count
	// means that the rest would block. EPIPE lets the caller raise SIGPIPE.
	Write(src Source) (int, unix.Errno)
}

// Ioctler is a File that knows an ioctl of its own: FIONREAD, SIOCOUTQ and the
// like, which give an int. ok is false when the file does not know it.
type Ioctler interface {
	Ioctl(request uint32) (value int, errno unix.Errno, ok bool)
}

// Stamped is a socket that tells when what was received last has come, in
// nanoseconds of CLOCK_REALTIME; 0 if nothing was (SIOCGSTAMP in socket(7)).
type Stamped interface{ LastArrival() int64 }

// Numbered is a socket that /proc/net lists, with the inode number that its
// descriptors show.
type Numbered interface{ Inode() uint64 }

// Address is a socket address as the guest writes and reads it: the bytes of a
// struct sockaddr, the family in the first two. nil means no address.
type Address []byte

// Family is the address family, AF_UNSPEC when the address is too short.
func (a Address) Family() int {
	if len(a) < 2 {
		return unix.AF_UNSPEC
	}
	return int(a[0]) | int(a[1])<<8
}

// Credentials are what SO_PEERCRED and SCM_CREDENTIALS tell of a process: its
// numbers as seen on its own host.
type Credentials struct{ PID, UID, GID int32 }

// Message is what sendmsg and recvmsg carry beside the bytes.
type Message struct {
	// Address is the destination given (send) or the sender (receive).
	Address Address
	// Control is ancillary data, encoded as struct cmsghdr records, without
	// SCM_RIGHTS, which Files carries.
	Control []byte
	// Files are the open file descriptions passed by SCM_RIGHTS. Whoever
	// receives the message owns a reference to each. What they are is the
	// caller's business.
	Files []any
	// Credentials is who sends; filled in by the caller on a send.
	Credentials Credentials
	// Flags are the MSG_* flags given (send, receive) and then, after a
	// receive, those to return in msg_flags (MSG_TRUNC, MSG_CTRUNC, MSG_EOR,
	// MSG_OOB, MSG_ERRQUEUE).
	Flags int
}

// Socket is an emulated socket of any family.
type Socket interface {
	Reader
	Writer

	// Domain, Type and Protocol are socket(2)'s arguments, as SO_DOMAIN,
	// SO_TYPE and SO_PROTOCOL return them.
	Domain() int
	Type() int
	Protocol() int

	Bind(Address) unix.Errno
	Listen(backlog int) unix.Errno
	// Connect starts a connection. EINPROGRESS means that the socket becomes
	// writable (or has an error for SO_ERROR) when it is decided; calling
	// again meanwhile gives EALREADY, afterwards the outcome: 0 or the error
	// once, then EISCONN.
	Connect(Address) unix.Errno
	// Accept takes the oldest waiting connection.
	Accept() (Socket, unix.Errno)
	// Send is sendmsg(2); m is never nil. A stream may take a part of src. With
	// EINPROGRESS it has begun a connection, as Connect does, and may have
	// taken some nevertheless.
	Send(src Source, m *Message) (int, unix.Errno)
	// Receive is recvmsg(2); m is never nil and is filled in. For datagrams
	// the result is the number of bytes copied or, with MSG_TRUNC asked for,
	// the datagram's whole length. MSG_WAITALL is the caller's business.
	Receive(dst Sink, m *Message) (int, unix.Errno)
	Shutdown(how int) unix.Errno

	LocalAddress() (Address, unix.Errno)
	PeerAddress() (Address, unix.Errno)

	// SetOption and Option are setsockopt(2) and getsockopt(2), without
	// SO_RCVTIMEO and SO_SNDTIMEO, which are the caller's. Option returns the
	// whole value; the caller cuts it to the guest's buffer.
	SetOption(level, name int, value []byte) unix.Errno
	Option(level, name int) ([]byte, unix.Errno)
}

// Lingerer is a Socket whose close(2) may wait (SO_LINGER).
type Lingerer interface {
	// Lingering tells, after Release, whether what was sent is still to be
	// acknowledged, and how long close(2) waits for that at most. The queue is
	// notified when it is.
	Lingering() (limit time.Duration, waits bool)
}
