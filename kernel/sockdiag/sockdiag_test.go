package sockdiag

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/inet"
	"github.com/simterpose/simterpose/kernel/unixsocket"
)

// fixed are tables that are always the same.
type fixed struct {
	text    string
	details []inet.Detail
}

func (f fixed) ProcNet(string) (string, bool) { return f.text, f.text != "" }
func (f fixed) Details(int) []inet.Detail     { return f.details }
func (f fixed) Unix() []Unix {
	return []Unix{{Detail: unixsocket.Detail{Listening: true, Name: []byte("\x00a")}, WaitingInodes: []uint32{4}}, {PeerInode: 3}}
}

// request is a struct nlmsghdr and a body.
func request(kind, flags uint16, body []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(headerSize+len(body)))
	b = binary.LittleEndian.AppendUint16(b, kind)
	b = binary.LittleEndian.AppendUint16(b, flags)
	return append(append(b, 7, 0, 0, 0, 0, 0, 0, 0), body...)
}

func TestBadRequests(t *testing.T) {
	none := fixed{}
	const dump = unix.NLM_F_REQUEST | unix.NLM_F_DUMP
	for name, c := range map[string]struct {
		request []byte
		want    unix.Errno
	}{
		"another kind":   {request(99, dump, make([]byte, 56)), unix.EINVAL},
		"an old kind":    {request(oldTCP, dump, make([]byte, 56)), unix.ENOENT},
		"no body":        {request(byFamily, dump, nil), unix.EINVAL},
		"a short body":   {request(byFamily, dump, []byte{unix.AF_INET, unix.IPPROTO_TCP, 0, 0}), unix.EINVAL},
		"another family": {request(byFamily, dump, []byte{77, 0, 0, 0}), unix.ENOENT},
		"one socket":     {request(byFamily, unix.NLM_F_REQUEST, make([]byte, 56)), unix.ENOENT},
	} {
		list := answer(c.request, 1, none)
		if len(list) != 1 || binary.LittleEndian.Uint16(list[0][4:]) != unix.NLMSG_ERROR {
			t.Errorf("%s: answered %v", name, list)
			continue
		}
		if got := unix.Errno(-int32(binary.LittleEndian.Uint32(list[0][headerSize:]))); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// FuzzAnswer shows that no request makes the emulator fail.
func FuzzAnswer(f *testing.F) {
	f.Add(request(byFamily, unix.NLM_F_DUMP, append([]byte{unix.AF_INET, unix.IPPROTO_TCP, 0, 0, 255, 255, 255, 255}, make([]byte, 60)...)))
	f.Add(request(byFamily, unix.NLM_F_DUMP, append([]byte{unix.AF_UNIX, 0, 0, 0, 255, 255, 255, 255}, make([]byte, 16)...)))
	tables := fixed{"head\n 0: 0100007F:1F40 00000000:0000 0A 00000000:00000002 00:00000000 00000000 0 0 10005 1\n", []inet.Detail{{Info: make([]byte, 240)}}}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < headerSize {
			return
		}
		for _, m := range answer(b, 1, tables) {
			if size := binary.LittleEndian.Uint32(m); int(size) > len(m) {
				t.Errorf("a record of %d bytes in %d", size, len(m))
			}
		}
	})
}
