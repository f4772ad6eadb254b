// Every door by which a Go program learns the time, or something that differs from
// run to run: all agree. Go's own functions read the vDSO's clock_gettime and
// getrandom; its other functions cannot be called from Go alone. What is random goes
// to the standard error, for the test to compare runs.
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	tick   = 10 * time.Millisecond
	second = int64(time.Second)
)

var (
	failed   bool
	emulated = os.Getenv("GUEST_EPOCH") != ""
)

func check(name string, good bool, told ...any) {
	if !good {
		fmt.Println(append([]any{"BAD ", name + ":"}, told...)...)
		failed = true
		return
	}
	fmt.Println("ok  ", name)
}

// agrees tells whether what a door told lies between two readings of a
// reference, as far as its resolution goes.
func agrees(name string, reference func() int64, resolution time.Duration, door func() int64) {
	before, told, after := reference(), door(), reference()
	// A load may fall.
	check(name, told >= min(before, after)-int64(resolution) && told <= max(before, after)+int64(resolution), told, "is not between", before, "and", after)
}

func main() {
	// One thread's processor time is asked, and goroutines would move.
	runtime.LockOSThread()
	if len(os.Args) > 1 { // a child, which computes for a moment
		for start := time.Now(); time.Since(start) < time.Millisecond; {
		}
		return
	}
	setting()
	calendar()
	sinceBoot()
	processorTime()
	counters()
	randomNumbers()
	if failed {
		fmt.Println("failed")
		os.Exit(1)
	}
	fmt.Println("passed")
}

func now() int64 { return time.Now().UnixNano() }

// clock reads one by a call.
func clock(id int32) func() int64 {
	return func() int64 {
		var t unix.Timespec
		unix.Syscall(unix.SYS_CLOCK_GETTIME, uintptr(id), uintptr(unsafe.Pointer(&t)), 0)
		return t.Nano()
	}
}

// alarmClock reads one that machines without a battery-backed clock lack.
func alarmClock(id, instead int32) func() int64 {
	return func() int64 {
		var t unix.Timespec
		if unix.ClockGettime(id, &t) != nil {
			unix.ClockGettime(instead, &t)
		}
		return t.Nano()
	}
}

func timeOfDay() int64 {
	var t unix.Timeval
	unix.Gettimeofday(&t)
	return t.Nano()
}

// setting sets the calendar: only emulated, where it is the host's alone; natively it
// asks by what is an error. The clock stays wrong, so that all that is asked
// afterwards has to know.
func setting() {
	fmt.Println("the calendar is set")
	monotonic := clock(unix.CLOCK_MONOTONIC)
	fd, _ := timer(unix.CLOCK_REALTIME, 1000*time.Second, unix.TFD_TIMER_ABSTIME|unix.TFD_TIMER_CANCEL_ON_SET)
	ahead := now() - monotonic()
	to, wanted, cancelled := unix.NsecToTimespec(now()+50*second), error(nil), error(unix.ECANCELED)
	day := unix.NsecToTimeval((now()/second - 30 + 50) * second)
	if !emulated {
		to.Nsec, day.Usec, wanted, cancelled = -1, -1, unix.EINVAL, unix.EAGAIN
	}
	_, _, errno := unix.Syscall(unix.SYS_CLOCK_SETTIME, unix.CLOCK_REALTIME, uintptr(unsafe.Pointer(&to)), 0)
	check("clock_settime", result(errno) == wanted, errno)
	told := now() - monotonic() - ahead
	check("it is 50 s ahead", !emulated || abs(told-50*second) < int64(time.Millisecond), told)
	_, err := unix.Read(fd, make([]byte, 8))
	check("TFD_TIMER_CANCEL_ON_SET", err == cancelled, err)
	unix.Close(fd)
	err = unix.Settimeofday(&day)
	check("settimeofday", err == wanted, err)
	told = now() - monotonic() - ahead
	check("it is 20 s ahead", !emulated || told > 18*second && told < 21*second, told)
}

func abs(n int64) int64 { return max(n, -n) }

func result(errno unix.Errno) error {
	if errno != 0 {
		return errno
	}
	return nil
}

// timer makes a timerfd, and tells when it fires.
func timer(id int, delay time.Duration, flags int) (fd int, at int64) {
	fd, _ = unix.TimerfdCreate(id, unix.TFD_NONBLOCK)
	at = clock(int32(id))() + int64(delay)
	unix.TimerfdSettime(fd, flags, &unix.ItimerSpec{Value: unix.NsecToTimespec(at)}, nil)
	return fd, at
}

func waited(id int) func() int64 {
	return func() int64 {
		fd, at := timer(id, 5*time.Millisecond, unix.TFD_TIMER_ABSTIME)
		unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
		unix.Close(fd)
		return at
	}
}

// fired is when a timer of POSIX fires.
func fired(id int32) func() int64 {
	return func() int64 {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, unix.SIGUSR1)
		event := struct {
			value          uint64
			signal, notify int32
			_              [48]byte
		}{signal: int32(unix.SIGUSR1)}
		var timer uintptr
		at := clock(id)() + int64(5*time.Millisecond)
		value := [4]int64{2: at / second, 3: at % second}
		unix.Syscall(unix.SYS_TIMER_CREATE, uintptr(id), uintptr(unsafe.Pointer(&event)), uintptr(unsafe.Pointer(&timer)))
		unix.Syscall6(unix.SYS_TIMER_SETTIME, timer, unix.TFD_TIMER_ABSTIME, uintptr(unsafe.Pointer(&value)), 0, 0, 0)
		<-signals
		unix.Syscall(unix.SYS_TIMER_DELETE, timer, 0, 0)
		return at
	}
}

// rung is when a timer as old as System V fires, natively a little early.
func rung() int64 {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGALRM)
	at := clock(unix.CLOCK_MONOTONIC)() + int64(5*time.Millisecond)
	unix.Setitimer(unix.ItimerReal, unix.Itimerval{Value: unix.NsecToTimeval(int64(5 * time.Millisecond))})
	<-signals
	return at
}

func slept(id int32) func() int64 {
	return func() int64 {
		at := clock(id)() + int64(5*time.Millisecond)
		t := unix.NsecToTimespec(at)
		for unix.ClockNanosleep(id, unix.TIMER_ABSTIME, &t, nil) == unix.EINTR {
		}
		return at
	}
}

func adjusted() (at int64, atomic int64) {
	var t unix.Timex
	unix.Adjtimex(&t)
	return ofTimex(&t), int64(t.Tai) * second
}

func ofTimex(t *unix.Timex) int64 {
	unit := int64(1000)
	if t.Status&unix.STA_NANO != 0 {
		unit = 1
	}
	return t.Time.Sec*second + t.Time.Usec*unit
}

func status(path string) unix.Stat_t {
	var s unix.Stat_t
	unix.Stat(path, &s)
	return s
}

func modified(path string) int64 {
	s := status(path)
	return s.Mtim.Nano()
}

// words are those of the first line of a file.
func words(path string) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		check(path, false, err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.Fields(line)
}

// own is a field of /proc/self/stat.
func own(field int) int64 {
	w := words("/proc/self/stat")
	name := slices.IndexFunc(w, func(s string) bool { return strings.HasSuffix(s, ")") })
	n, _ := strconv.ParseInt(w[name+field-2], 10, 64)
	return n
}

func number(s string) float64 {
	v, _ := strconv.ParseFloat(s, 64)
	return v
}

// idled is how long the processors were idle or busy, all together.
func idled() int64 {
	sum := 0.0
	for _, w := range words("/proc/stat")[1:] {
		sum += number(w)
	}
	return int64(sum) * int64(tick) / int64(runtime.NumCPU())
}

// stamped is when a datagram came, as SO_TIMESTAMPNS tells.
func stamped() int64 {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0
	}
	defer c.Close()
	raw, _ := c.SyscallConn()
	raw.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) })
	c.WriteTo([]byte("x"), c.LocalAddr())
	control := make([]byte, 100)
	_, n, _, _, _ := c.ReadMsgUDP(make([]byte, 1), control)
	messages, _ := unix.ParseSocketControlMessage(control[:n])
	if len(messages) == 0 {
		return 0
	}
	data := messages[0].Data
	return int64(binary.LittleEndian.Uint64(data))*second + int64(binary.LittleEndian.Uint64(data[8:]))
}

func calendar() {
	fmt.Println("the calendar")
	if epoch, err := strconv.ParseInt(os.Getenv("GUEST_EPOCH"), 10, 64); err == nil {
		s := time.Now().Unix() - epoch
		check("the epoch", s >= 0 && s < 3600, s)
	} else {
		check("the epoch", true)
	}
	const file, folder = "go-door", "go-folder"
	agrees("CLOCK_REALTIME, by a call", now, 0, clock(unix.CLOCK_REALTIME))
	agrees("CLOCK_REALTIME_COARSE", now, tick, clock(unix.CLOCK_REALTIME_COARSE))
	agrees("CLOCK_REALTIME_ALARM", now, 0, alarmClock(unix.CLOCK_REALTIME_ALARM, unix.CLOCK_REALTIME))
	agrees("CLOCK_TAI", now, 0, func() int64 {
		_, atomic := adjusted()
		return clock(unix.CLOCK_TAI)() - atomic
	})
	agrees("adjtimex", now, time.Microsecond, func() int64 {
		at, _ := adjusted()
		return at
	})
	agrees("clock_adjtime", now, time.Microsecond, func() int64 {
		var t unix.Timex
		unix.ClockAdjtime(unix.CLOCK_REALTIME, &t)
		return ofTimex(&t)
	})
	agrees("gettimeofday", now, time.Microsecond, timeOfDay)
	agrees("gettimeofday, by a call", now, time.Microsecond, func() int64 {
		var t unix.Timeval
		unix.Syscall(unix.SYS_GETTIMEOFDAY, uintptr(unsafe.Pointer(&t)), 0, 0)
		return t.Nano()
	})
	agrees("time", now, time.Second+tick, func() int64 {
		var t syscall.Time_t
		syscall.Time(&t)
		return int64(t) * second
	})
	agrees("time, by a call", now, time.Second+tick, func() int64 {
		t, _, _ := unix.Syscall(unix.SYS_TIME, 0, 0, 0)
		return int64(t) * second
	})
	agrees("a timerfd", now, 0, waited(unix.CLOCK_REALTIME))
	agrees("a POSIX timer", now, 0, fired(unix.CLOCK_REALTIME))
	agrees("clock_nanosleep", now, 0, slept(unix.CLOCK_REALTIME))
	agrees("btime in /proc/stat", now, 2*time.Second, func() int64 {
		text, _ := os.ReadFile("/proc/stat")
		_, rest, _ := strings.Cut(string(text), "btime ")
		return int64(number(strings.Fields(rest)[0]))*second + clock(unix.CLOCK_BOOTTIME)()
	})
	agrees("SO_TIMESTAMPNS", now, time.Millisecond, stamped)
	agrees("a new folder", now, tick, func() int64 {
		os.Mkdir(folder, 0o755)
		return modified(folder)
	})
	agrees("a new file", now, tick, func() int64 {
		os.WriteFile(file, nil, 0o644)
		return modified(file)
	})
	time.Sleep(30 * time.Millisecond)
	agrees("write", now, tick, func() int64 {
		os.WriteFile(file, []byte("x"), 0o644)
		return modified(file)
	})
	time.Sleep(30 * time.Millisecond)
	agrees("utimensat", now, tick, func() int64 {
		unix.UtimesNanoAt(unix.AT_FDCWD, file, []unix.Timespec{{Nsec: unix.UTIME_NOW}, {Nsec: unix.UTIME_NOW}}, 0)
		return modified(file)
	})
	time.Sleep(30 * time.Millisecond)
	agrees("chmod", now, tick, func() int64 {
		os.Chmod(file, 0o600)
		s := status(file)
		return s.Ctim.Nano()
	})
	os.Remove(file)
	agrees("birth", now, tick, func() int64 {
		os.WriteFile(file, nil, 0o644)
		var s unix.Statx_t
		unix.Statx(unix.AT_FDCWD, file, 0, unix.STATX_BTIME, &s)
		return s.Btime.Sec*second + int64(s.Btime.Nsec)
	})
	os.Remove(file)
	os.Remove(folder)
}

func sinceBoot() {
	fmt.Println("since the start")
	monotonic, boot, raw := clock(unix.CLOCK_MONOTONIC), clock(unix.CLOCK_BOOTTIME), clock(unix.CLOCK_MONOTONIC_RAW)
	early := time.Duration(0)
	if !emulated {
		early = time.Millisecond // clocks of the machine drift apart
	}
	start, from := time.Now(), monotonic()
	agrees("the monotonic part of time.Now", monotonic, tick, func() int64 { return from + int64(time.Since(start)) })
	agrees("CLOCK_MONOTONIC_COARSE", monotonic, tick, clock(unix.CLOCK_MONOTONIC_COARSE))
	agrees("CLOCK_MONOTONIC_RAW, by a call", raw, 0, raw)
	agrees("CLOCK_BOOTTIME, by a call", boot, 0, boot)
	agrees("CLOCK_BOOTTIME_ALARM", boot, 0, alarmClock(unix.CLOCK_BOOTTIME_ALARM, unix.CLOCK_BOOTTIME))
	agrees("a timer", monotonic, early, func() int64 {
		at := monotonic()
		<-time.After(20 * time.Millisecond)
		return at + 20_000_000
	})
	agrees("a timerfd of the monotonic clock", monotonic, 0, waited(unix.CLOCK_MONOTONIC))
	agrees("a POSIX timer of the monotonic clock", monotonic, 0, fired(unix.CLOCK_MONOTONIC))
	agrees("setitimer", monotonic, early, rung)
	agrees("clock_nanosleep of the monotonic clock", monotonic, 0, slept(unix.CLOCK_MONOTONIC))
	agrees("/proc/uptime", boot, tick, func() int64 { return int64(number(words("/proc/uptime")[0]) * 1e9) })
	agrees("sysinfo", boot, time.Second, func() int64 {
		var s unix.Sysinfo_t
		unix.Sysinfo(&s)
		return s.Uptime * second
	})
	// The load, in billionths.
	agrees("/proc/loadavg", func() int64 { return int64(number(words("/proc/loadavg")[0]) * 1e9) }, 20*time.Millisecond, func() int64 {
		var s unix.Sysinfo_t
		unix.Sysinfo(&s)
		return int64(s.Loads[0]) * second / 65536
	})
	good := true
	for _, id := range []int32{
		unix.CLOCK_REALTIME, unix.CLOCK_MONOTONIC, unix.CLOCK_MONOTONIC_RAW, unix.CLOCK_BOOTTIME,
		unix.CLOCK_TAI, unix.CLOCK_PROCESS_CPUTIME_ID, unix.CLOCK_THREAD_CPUTIME_ID,
	} {
		var t unix.Timespec
		good = good && unix.ClockGetres(id, &t) == nil && t.Nano() == 1
	}
	check("clock_getres", good)
	agrees("a process's start", boot, time.Minute, func() int64 { return own(22) * int64(tick) })
	count := func() int64 {
		var t unix.Tms
		n, _ := unix.Times(&t)
		return int64(n) * int64(tick)
	}
	passed, counted, idle := raw(), count(), idled()
	time.Sleep(100 * time.Millisecond)
	passed, counted, idle = raw()-passed, count()-counted, idled()-idle
	slack := 3 * int64(tick)
	if !emulated {
		slack = 10 * second
	}
	check("times since boot", abs(counted-passed) <= slack, counted, passed)
	check("/proc/stat", abs(idle-passed) <= slack, idle, passed)
}

func usage(who int) int64 {
	var u unix.Rusage
	unix.Getrusage(who, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

func processorTime() {
	fmt.Println("processor time")
	process, thread := clock(unix.CLOCK_PROCESS_CPUTIME_ID), clock(unix.CLOCK_THREAD_CPUTIME_ID)
	agrees("CLOCK_PROCESS_CPUTIME_ID, by a call", process, 0, process)
	agrees("CLOCK_THREAD_CPUTIME_ID, by a call", thread, 0, thread)
	// What the functions of the C library compute: the complement of an identifier.
	agrees("clock_getcpuclockid", process, 0, clock(int32(^os.Getpid()<<3|2)))
	agrees("pthread_getcpuclockid", thread, 0, clock(int32(^unix.Gettid()<<3|6)))
	agrees("getrusage of the process", process, tick, func() int64 { return usage(unix.RUSAGE_SELF) })
	agrees("getrusage of the thread", thread, tick, func() int64 { return usage(unix.RUSAGE_THREAD) })
	agrees("times", process, 2*tick, func() int64 {
		var t unix.Tms
		unix.Times(&t)
		return (t.Utime + t.Stime) * int64(tick)
	})
	agrees("/proc/self/stat", process, 2*tick, func() int64 { return (own(14) + own(15)) * int64(tick) })
	agrees("/proc/thread-self/schedstat", thread, tick, func() int64 { return int64(number(words("/proc/thread-self/schedstat")[0])) })
	agrees("ITIMER_PROF", process, tick, func() int64 {
		start := process()
		unix.Setitimer(unix.ItimerProf, unix.Itimerval{Value: unix.Timeval{Sec: 1000}})
		left, _ := unix.Setitimer(unix.ItimerProf, unix.Itimerval{})
		return start + 1000*second - left.Value.Nano()
	})
	earlier := usage(unix.RUSAGE_CHILDREN)
	child := exec.Command("/proc/self/exe", "child")
	if err := child.Run(); err != nil {
		check("a child", false, err)
	}
	agrees("getrusage of children", func() int64 {
		return int64(child.ProcessState.UserTime() + child.ProcessState.SystemTime())
	}, tick, func() int64 { return usage(unix.RUSAGE_CHILDREN) - earlier })
}

// counters reads the time stamp counter, which has a billion ticks in a simulated
// second if the experiment says so.
func counters() {
	fmt.Println("the time stamp counter")
	for _, door := range []struct {
		name string
		read func() int64
	}{{"rdtsc", rdtsc}, {"rdtscp", rdtscp}} {
		if os.Getenv("GUEST_TSC") != "" {
			agrees(door.name, clock(unix.CLOCK_MONOTONIC), 0, door.read)
		} else {
			check(door.name, door.read() > 0)
		}
	}
}

// ofKernel is AT_RANDOM: where the auxiliary vector says, in the memory.
func ofKernel() []byte {
	vector, _ := os.ReadFile("/proc/self/auxv")
	memory, err := os.Open("/proc/self/mem")
	if err != nil {
		return nil
	}
	defer memory.Close()
	const atRandom = 25
	random := make([]byte, 16)
	for ; len(vector) >= 16; vector = vector[16:] {
		if binary.LittleEndian.Uint64(vector) == atRandom {
			memory.ReadAt(random, int64(binary.LittleEndian.Uint64(vector[8:])))
		}
	}
	return random
}

func randomNumbers() {
	fmt.Println("random numbers")
	tell := func(name string, random []byte) {
		fmt.Fprintf(os.Stderr, "random: %s %x\n", name, random)
		check(name, len(random) == 16 && !bytes.Equal(random, make([]byte, 16)), random)
	}
	random := make([]byte, 16)
	tell("AT_RANDOM", ofKernel())
	unix.Getrandom(random, 0)
	tell("getrandom", random)
	rand.Read(random)
	tell("crypto/rand", random)
	for _, file := range []string{"/dev/urandom", "/dev/random", "/proc/sys/kernel/random/boot_id", "/proc/sys/kernel/random/uuid"} {
		random = make([]byte, 16)
		if f, err := os.Open(file); err == nil {
			io.ReadFull(f, random)
			f.Close()
		}
		tell(strings.TrimPrefix(file, "/proc/sys/kernel/random/"), random)
	}
	information, _ := os.ReadFile("/proc/cpuinfo")
	_, flags, _ := strings.Cut(string(information), "flags")
	flags, _, _ = strings.Cut(flags, "\n")
	has := func(flag string) bool { return slices.Contains(strings.Fields(flags), flag) }
	differ := func(read func() uint64) bool {
		first := read()
		return first != read()
	}
	check("RDRAND", !has("rdrand") || differ(rdrand))
	check("RDSEED", !has("rdseed") || differ(rdseed))
}
