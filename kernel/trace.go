package kernel

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
)

// trace reports a call and its outcome, in the manner of strace(1).
func (t *Task) trace(o Outcome) {
	k := t.kernel()
	if k.Strace == nil || t.call.number == bootCall {
		return
	}
	k.Strace(t, t.format(), formatOutcome(o))
}

func formatOutcome(o Outcome) string {
	switch o.Kind {
	case Native, Deferred, Clone, Exec, ExitThread, ExitProcess:
		return "native"
	case InterruptUnder:
		return "-1 EINTR"
	}
	switch o.Errno {
	case 0:
		if o.Value > 1<<32 {
			return fmt.Sprintf("%#x", o.Value)
		}
		return strconv.FormatInt(o.Value, 10)
	case erestartsys:
		return "? ERESTARTSYS"
	case erestartnohand:
		return "? ERESTARTNOHAND"
	}
	return "-1 " + unix.ErrnoName(o.Errno)
}

// format prints a call with its arguments.
func (t *Task) format() string {
	n := t.call.number
	signature := "xxxxxx"
	if n >= 0 && n < len(entries) {
		signature = entries[n].Arguments
	}
	var b strings.Builder
	b.WriteString(callName(n))
	b.WriteByte('(')
	for i, kind := range signature {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(t.formatArgument(kind, i))
	}
	b.WriteByte(')')
	return b.String()
}

func (t *Task) formatArgument(kind rune, i int) string {
	v := t.arg(i)
	switch kind {
	case 'd':
		if int64(v) > 1<<31 {
			return strconv.Itoa(int(int32(v)))
		}
		return strconv.FormatInt(int64(v), 10)
	case 'f':
		if int32(v) == unix.AT_FDCWD {
			return "AT_FDCWD"
		}
		if d := t.files.get(int(int32(v))); d != nil {
			return fmt.Sprintf("%d<%s>", int32(v), describe(d.file))
		}
		return strconv.Itoa(int(int32(v)))
	case 's':
		if s, errno := t.readString(v); errno == 0 {
			return strconv.Quote(s)
		}
	case 'b':
		const shown = 32
		p := make([]byte, min(shown, t.size(i+1)))
		if t.read(v, p) == 0 {
			if t.size(i+1) > shown {
				return strconv.Quote(string(p)) + "..."
			}
			return strconv.Quote(string(p))
		}
	case 'p':
		if v == 0 {
			return "NULL"
		}
	}
	return fmt.Sprintf("%#x", v)
}

// describe names a file in one word or two, for people.
func describe(f socket.File) string {
	if d, ok := f.(interface{ Describe() string }); ok {
		return d.Describe()
	}
	switch f := f.(type) {
	case socket.Socket:
		return describeSocket(f)
	case *pidfd:
		return fmt.Sprintf("process %d", f.process.PID)
	case *signalDescriptor:
		return "signalfd"
	case *randomFile:
		return "random"
	}
	name := fmt.Sprintf("%T", f)
	name = name[strings.IndexByte(name, '.')+1:]
	return strings.ToLower(name)
}

func describeSocket(s socket.Socket) string {
	kind := map[int]string{unix.SOCK_STREAM: "stream", unix.SOCK_DGRAM: "dgram", unix.SOCK_RAW: "raw", unix.SOCK_SEQPACKET: "seqpacket"}[s.Type()]
	if s.Domain() != unix.AF_UNIX {
		kind = map[int]string{unix.SOCK_STREAM: "tcp", unix.SOCK_DGRAM: "udp", unix.SOCK_RAW: "raw"}[s.Type()]
	}
	local, errno := s.LocalAddress()
	if errno != 0 {
		return kind
	}
	text := kind + " " + formatAddress(local)
	if peer, errno := s.PeerAddress(); errno == 0 {
		text += "->" + formatAddress(peer)
	}
	return text
}

// formatAddress prints a struct sockaddr.
func formatAddress(a socket.Address) string {
	port := func() string { return strconv.Itoa(int(a[2])<<8 | int(a[3])) }
	switch {
	case a.Family() == unix.AF_INET && len(a) >= 8:
		return fmt.Sprintf("%d.%d.%d.%d:%s", a[4], a[5], a[6], a[7], port())
	case a.Family() == unix.AF_INET6 && len(a) >= 24:
		return fmt.Sprintf("[%s]:%s", ipv6(a[8:24]), port())
	case a.Family() == unix.AF_UNIX && len(a) > 2:
		if a[2] == 0 {
			return "@" + string(a[3:])
		}
		return strings.TrimRight(string(a[2:]), "\x00")
	}
	return ""
}
