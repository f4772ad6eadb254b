package sockdiag

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/unixsocket"
)

// Attributes of linux/unix_diag.h. A request has a bit for each that it asks for;
// how a socket was shut down is told always.
const (
	unixRequestSize = 24
	unixName        = 0
	unixPeer        = 2
	unixWaiting     = 3 // UNIX_DIAG_ICONS
	unixQueues      = 4 // UNIX_DIAG_RQLEN
	unixShutdown    = 6
)

// Unix is a Unix socket of a host's, with the inode numbers that guests see.
type Unix struct {
	unixsocket.Detail
	Inode, PeerInode uint32
	WaitingInodes    []uint32
}

// unixRecords are struct unix_diag_msg's of the sockets whose state is one of a
// set, with the attributes that are asked for.
func unixRecords(all []Unix, states, wanted uint32) (records [][]byte) {
	const established, closed = 1, 7
	for _, u := range all {
		state := byte(closed)
		switch {
		case u.Listening:
			state = listening
		case u.Connected:
			state = established
		}
		if states&(1<<state) == 0 {
			continue
		}
		b := words([]byte{unix.AF_UNIX, byte(u.Kind), state, 0}, u.Inode, u.Inode, 0) // and the cookie
		asked := func(kind int) bool { return wanted&(1<<kind) != 0 }
		if asked(unixName) && u.Name != nil {
			b = attribute(b, unixName, u.Name)
		}
		if asked(unixPeer) && u.Peer != nil {
			b = attribute(b, unixPeer, words(nil, u.PeerInode))
		}
		if asked(unixWaiting) && u.Listening {
			b = attribute(b, unixWaiting, words(nil, u.WaitingInodes...))
		}
		if asked(unixQueues) {
			b = attribute(b, unixQueues, words(nil, uint32(u.Received), uint32(u.Sent)))
		}
		shut := byte(0)
		if u.ReceiveShut {
			shut |= 1
		}
		if u.SendShut {
			shut |= 2
		}
		records = append(records, attribute(b, unixShutdown, []byte{shut}))
	}
	return records
}

func words(b []byte, list ...uint32) []byte {
	for _, v := range list {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}
