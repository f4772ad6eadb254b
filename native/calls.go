package native

import (
	"encoding/binary"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/trace"
)

// Enters implements guest.Witness.
func (o *observer) Enters(tid, number int, arguments [6]uint64) {
	t := o.threads[tid]
	if t == nil {
		return
	}
	o.computed(t)
	t.call, t.arguments, t.entered = number, arguments, time.Now()
	t.subject, t.pipe = nil, ""
	switch number {
	case unix.SYS_READ, unix.SYS_READV, unix.SYS_WRITE, unix.SYS_WRITEV, unix.SYS_SENDTO, unix.SYS_SENDMSG, unix.SYS_RECVFROM,
		unix.SYS_RECVMSG, unix.SYS_CONNECT, unix.SYS_ACCEPT, unix.SYS_ACCEPT4, unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_SHUTDOWN,
		unix.SYS_SETSOCKOPT, unix.SYS_GETSOCKOPT, unix.SYS_CLOSE, unix.SYS_SENDFILE:
		t.subject, t.pipe = o.describe(tid, int(int32(arguments[0])))
	case unix.SYS_DUP2, unix.SYS_DUP3:
		t.subject, _ = o.describe(tid, int(int32(arguments[1])))
	case unix.SYS_NANOSLEEP:
		t.asked = sleepAsked(tid, arguments[0], 0, false)
	case unix.SYS_CLOCK_NANOSLEEP:
		t.asked = sleepAsked(tid, arguments[2], int32(arguments[0]), arguments[1]&unix.TIMER_ABSTIME != 0)
	case unix.SYS_FUTEX:
		const commands = 0x7f                                                  // without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME
		if command := arguments[1] & commands; command == 1 || command == 10 { // FUTEX_WAKE, FUTEX_WAKE_BITSET
			// Whom it wakes may go on before it returns.
			o.marked(t, futexKey(t))
		}
	}
	if t.pipe != "" && (number == unix.SYS_WRITE || number == unix.SYS_WRITEV) {
		o.marked(t, t.pipe)
	}
}

// sleepAsked is for how long a thread wants to sleep: the time in its memory, or
// until that of a clock. 0 if it cannot be told.
func sleepAsked(tid int, pointer uint64, clock int32, until bool) time.Duration {
	var b [16]byte
	if _, errno := guest.ReadMemory(tid, pointer, b[:]); errno != 0 {
		return 0
	}
	wanted := time.Duration(binary.LittleEndian.Uint64(b[:]))*time.Second + time.Duration(binary.LittleEndian.Uint64(b[8:]))
	if until {
		var now unix.Timespec
		if err := unix.ClockGettime(clock, &now); err != nil {
			return 0
		}
		wanted -= time.Duration(now.Nano())
	}
	return wanted
}

func futexKey(t *thread) string { return fmt.Sprintf("futex %d %x", t.process.pid, t.arguments[0]) }

// Leaves implements guest.Witness.
func (o *observer) Leaves(tid int, result int64) {
	t := o.threads[tid]
	if t == nil {
		return
	}
	o.computed(t)
	switch t.call {
	case unix.SYS_SOCKET:
		if result >= 0 {
			o.socket(t, int(result), t.arguments[0], t.arguments[1])
		}
	case unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP:
		slept := t.asked
		if result != 0 || slept <= 0 {
			slept = time.Since(t.entered)
		}
		t.do(trace.Record{Action: trace.Sleep, Amount: slept.Seconds()})
	case unix.SYS_POLL, unix.SYS_PPOLL, unix.SYS_SELECT, unix.SYS_PSELECT6, unix.SYS_EPOLL_WAIT, unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_PWAIT2:
		o.polled(t, result)
	case unix.SYS_WAIT4, unix.SYS_WAITID:
		o.waitedFor(t, result)
	case unix.SYS_FUTEX:
		o.leftFutex(t, result)
	case unix.SYS_READ, unix.SYS_READV:
		if t.pipe != "" && result >= 0 {
			o.awaits(t, t.pipe)
		}
	}
	if t.subject != nil {
		o.leavesSocket(t, t.subject, result)
	}
	t.used = guest.ProcessorTime(tid) // without what looking has cost
}

// polled notes a wait for files. One that ended by its timeout goes on in the
// next, unless the thread does something else before.
func (o *observer) polled(t *thread, result int64) {
	if result == 0 {
		t.waited += time.Since(t.entered)
	} else {
		t.waited = 0
	}
}

// waitedFor notes that a thread has waited for a child.
func (o *observer) waitedFor(t *thread, result int64) {
	switch {
	case t.call == unix.SYS_WAIT4 && result > 0:
		o.awaits(t, exitKey(int(result)))
	case t.call == unix.SYS_WAITID && result == 0 && t.arguments[2] != 0:
		var pid [4]byte // si_pid
		if _, errno := guest.ReadMemory(t.tid, t.arguments[2]+12, pid[:]); errno == 0 {
			o.awaits(t, exitKey(int(binary.LittleEndian.Uint32(pid[:]))))
		}
	}
}

// leftFutex notes who has woken a thread: the last one to call for that word, or
// one whose end cleared it.
func (o *observer) leftFutex(t *thread, result int64) {
	const commands = 0x7f
	if command := t.arguments[1] & commands; command != 0 && command != 9 || result != 0 { // FUTEX_WAIT, FUTEX_WAIT_BITSET
		if result == -int64(unix.ETIMEDOUT) {
			t.do(trace.Record{Action: trace.Sleep, Amount: time.Since(t.entered).Seconds()})
		}
		return
	}
	key := futexKey(t)
	if _, ok := o.marks[key]; !ok {
		// pthread_join(3): the word held the thread's number.
		key = joinKey(int(uint32(t.arguments[2])))
	}
	o.awaits(t, key)
}

// leavesSocket notes what a call did with a socket.
func (o *observer) leavesSocket(t *thread, s *socketOf, result int64) {
	switch t.call {
	case unix.SYS_READ, unix.SYS_READV, unix.SYS_RECVFROM, unix.SYS_RECVMSG:
		peek := t.call == unix.SYS_RECVFROM && t.arguments[3]&unix.MSG_PEEK != 0 || t.call == unix.SYS_RECVMSG && t.arguments[2]&unix.MSG_PEEK != 0
		if result >= 0 && !peek {
			o.read(t, s, result)
		}
	case unix.SYS_WRITE, unix.SYS_WRITEV, unix.SYS_SENDFILE:
		if result > 0 {
			o.wrote(t, s, result, nil)
		}
	case unix.SYS_SENDTO:
		if result > 0 {
			o.wrote(t, s, result, address(t.tid, t.arguments[4], t.arguments[5]))
		}
	case unix.SYS_SENDMSG:
		var header [16]byte // msg_name, msg_namelen
		if _, errno := guest.ReadMemory(t.tid, t.arguments[1], header[:]); errno == 0 && result > 0 {
			o.wrote(t, s, result, address(t.tid, binary.LittleEndian.Uint64(header[:]), uint64(binary.LittleEndian.Uint32(header[8:]))))
		}
	case unix.SYS_CONNECT:
		if result == 0 || result == -int64(unix.EINPROGRESS) || result == -int64(unix.EISCONN) {
			o.connect(t, s, result)
		}
	case unix.SYS_GETSOCKOPT:
		if t.arguments[1] == unix.SOL_SOCKET && t.arguments[2] == unix.SO_ERROR {
			o.connected(t, s)
		}
	case unix.SYS_ACCEPT, unix.SYS_ACCEPT4:
		if result >= 0 {
			o.accepted(t, s, int(result))
		}
	case unix.SYS_BIND:
		if to := address(t.tid, t.arguments[1], t.arguments[2]).AddrPort(); result == 0 && to.Port() != 0 {
			o.boundTo(t, s, to.Port())
		}
	case unix.SYS_LISTEN:
		if local, _, ok := s.ports(); ok && result == 0 {
			o.boundTo(t, s, local)
			t.do(trace.Record{Action: trace.Listen, Socket: s.number, Number: int(uint16(t.arguments[1])), Port: local})
		}
	case unix.SYS_SHUTDOWN:
		if result == 0 {
			t.do(trace.Record{Action: trace.Shutdown, Socket: s.number, Flags: int(uint8(t.arguments[1]))})
		}
	case unix.SYS_SETSOCKOPT:
		if result == 0 {
			o.option(t, s)
		}
	case unix.SYS_CLOSE, unix.SYS_DUP2, unix.SYS_DUP3:
		o.closed(t, s, 0)
	}
}
