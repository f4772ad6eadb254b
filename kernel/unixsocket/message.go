package unixsocket

import (
	"encoding/binary"
	"math/bits"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
)

// message is a datagram or a part of a stream: what one send has put in a
// queue.
type message struct {
	buffer []byte // of which data is the part not read yet
	data   []byte
	class  int // of the buffer

	files       []any
	sender      *Socket
	credentials socket.Credentials
	charge      int // to the sender's buffer, in bytes
	next        *message
}

// messages is a queue.
type messages struct {
	first, last *message
	count       int
	bytes       int
}

func (q *messages) empty() bool { return q.first == nil }

func (q *messages) put(m *message) {
	if q.last == nil {
		q.first = m
	} else {
		q.last.next = m
	}
	q.last = m
	q.count++
	q.bytes += len(m.data)
}

func (q *messages) take() *message {
	m := q.first
	q.first, m.next = m.next, nil
	if q.first == nil {
		q.last = nil
	}
	q.count--
	q.bytes -= len(m.data)
	return m
}

// classes are the sizes of the pooled buffers, in bytes: for requests, for
// pages, for the parts of streams, and for the greatest datagram.
var classes = [...]int{512, 4096, streamPart, defaultBuffer}

var pools [len(classes) + 1]sync.Pool // the last for buffers not to be kept

func newMessage(size int) *message {
	class := 0
	for class < len(classes) && size > classes[class] {
		class++
	}
	m, _ := pools[class].Get().(*message)
	if m == nil {
		m = &message{class: class}
	}
	if class < len(classes) && m.buffer == nil {
		m.buffer = make([]byte, classes[class])
	} else if class == len(classes) {
		m.buffer = make([]byte, size)
	}
	m.data = m.buffer[:size]
	return m
}

// free gives a message back to its pool.
func (m *message) free() {
	clear(m.files)
	buffer := m.buffer
	if m.class == len(classes) {
		buffer = nil
	}
	*m = message{buffer: buffer, class: m.class, files: m.files[:0]}
	pools[m.class].Put(m)
}

// discard ends a message that has been taken from the queue of s: its files
// that nobody has received are dropped, and its sender gets its room back.
func (s *Socket) discard(m *message) {
	for _, f := range m.files {
		s.namespace.references.Drop(f)
	}
	sender := m.sender
	sender.sendCharge -= m.charge
	m.free()
	if sender.writable() && !sender.released {
		sender.queue.Notify(canWrite)
	}
}

// fill reads all of b from src.
func fill(b []byte, src socket.Source) bool {
	for len(b) > 0 {
		n, err := src.Read(b)
		b = b[n:]
		if err != nil {
			break
		}
	}
	return len(b) == 0
}

// What Linux 6.18 on x86-64 charges for a message, beside its bytes: struct
// sk_buff (aligned), and struct skb_shared_info at the end of the buffer, which
// is of a size that the allocator has. Observed with SIOCOUTQ.
const (
	pageSize       = 4096
	structBuffer   = 256
	structShared   = 320
	cacheLine      = 64
	smallestBuffer = 512

	headOfPage  = pageSize - structShared   // bytes in a buffer of one page
	headOfFour  = 4*pageSize - structShared // bytes in the greatest plain buffer
	mostPages   = 17                        // MAX_SKB_FRAGS
	streamPages = 32768                     // bytes of a stream's part beside its head

	// streamPart is the greatest part of a stream that one message holds.
	streamPart = headOfPage + streamPages
)

func pageAlign(n int) int { return (n + pageSize - 1) &^ (pageSize - 1) }

// charge is what a message of which pages bytes lie in pages of their own
// counts.
func charge(size, pages int) int {
	head := (size-pages+cacheLine-1)&^(cacheLine-1) + structShared
	head = max(smallestBuffer, 1<<bits.Len(uint(head-1)))
	return structBuffer + head + pageAlign(pages)
}

func streamCharge(size int) int {
	return charge(size, min(size, pageAlign(max(0, size-headOfPage))))
}

func datagramCharge(size int) int {
	return charge(size, pageAlign(min(max(0, size-headOfFour), mostPages*pageSize)))
}

// maximumFiles is the number of descriptors that one message may carry
// (SCM_MAX_FD).
const maximumFiles = 253

// The sizes of struct cmsghdr, struct ucred and the record of both.
const (
	controlHeader     = 16
	credentialsLength = controlHeader + 12
	credentialsSpace  = (credentialsLength + 7) &^ 7
)

// checkControl reads the ancillary data of a send. It returns the credentials
// of an SCM_CREDENTIALS record, of which only the superuser may choose the
// values (EPERM), the process among those that there are (ESRCH).
func checkControl(caller Caller, m *socket.Message) (explicit *socket.Credentials, errno unix.Errno) {
	if len(m.Files) > maximumFiles {
		return nil, unix.EINVAL
	}
	for rest := m.Control; len(rest) >= controlHeader; {
		length := binary.NativeEndian.Uint64(rest)
		level := binary.NativeEndian.Uint32(rest[8:])
		kind := binary.NativeEndian.Uint32(rest[12:])
		if length < controlHeader || length > uint64(len(rest)) {
			return nil, unix.EINVAL
		}
		if level == unix.SOL_SOCKET {
			if kind != unix.SCM_CREDENTIALS || length != credentialsLength {
				return nil, unix.EINVAL
			}
			explicit = &socket.Credentials{
				PID: int32(binary.NativeEndian.Uint32(rest[16:])),
				UID: int32(binary.NativeEndian.Uint32(rest[20:])),
				GID: int32(binary.NativeEndian.Uint32(rest[24:])),
			}
			if *explicit != m.Credentials && m.Credentials.UID != 0 {
				return nil, unix.EPERM
			}
			if explicit.PID != m.Credentials.PID && !caller.Lives(explicit.PID) {
				return nil, unix.ESRCH
			}
		}
		rest = rest[min(uint64(len(rest)), (length+7)&^7):]
	}
	return explicit, 0
}

// appendCredentials appends an SCM_CREDENTIALS record.
func appendCredentials(b []byte, c socket.Credentials) []byte {
	var record [credentialsSpace]byte
	binary.NativeEndian.PutUint64(record[0:], credentialsLength)
	binary.NativeEndian.PutUint32(record[8:], unix.SOL_SOCKET)
	binary.NativeEndian.PutUint32(record[12:], unix.SCM_CREDENTIALS)
	binary.NativeEndian.PutUint32(record[16:], uint32(c.PID))
	binary.NativeEndian.PutUint32(record[20:], uint32(c.UID))
	binary.NativeEndian.PutUint32(record[24:], uint32(c.GID))
	return append(b, record[:]...)
}
