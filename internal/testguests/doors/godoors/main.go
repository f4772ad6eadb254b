// Every door by which a Go program learns the time: all agree.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

var failed bool

// agrees tells whether what a door told lies between two readings of a
// reference, as far as its resolution goes.
func agrees(name string, reference func() int64, resolution time.Duration, door func() int64) {
	before, told, after := reference(), door(), reference()
	if told < before-int64(resolution) || told > after+int64(resolution) {
		fmt.Printf("BAD  %s: %d is not between %d and %d\n", name, told, before, after)
		failed = true
		return
	}
	fmt.Println("ok  ", name)
}

func clock(id uintptr) func() int64 {
	return func() int64 {
		var t syscall.Timespec
		syscall.Syscall(syscall.SYS_CLOCK_GETTIME, id, uintptr(unsafe.Pointer(&t)), 0)
		return t.Nano()
	}
}

func now() int64 { return time.Now().UnixNano() }

// load is the first number of /proc/loadavg, in billionths.
func load() int64 {
	text, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(text), " ")
	v, _ := strconv.ParseFloat(first, 64)
	return int64(v * 1e9)
}

func modified(path string) int64 {
	s, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return s.ModTime().UnixNano()
}

func main() {
	const realtime, monotonic, process, raw, coarse, boottime, tick = 0, 1, 2, 4, 5, 7, 10 * time.Millisecond
	if epoch, err := strconv.ParseInt(os.Getenv("GUEST_EPOCH"), 10, 64); err == nil {
		if s := time.Now().Unix() - epoch; s < 0 || s > 3600 {
			fmt.Println("BAD  epoch", s)
			failed = true
		}
	}
	agrees("CLOCK_REALTIME, by a call", now, 0, clock(realtime))
	agrees("CLOCK_REALTIME_COARSE", now, tick, clock(coarse))
	agrees("gettimeofday", now, time.Microsecond, func() int64 {
		var t syscall.Timeval
		syscall.Gettimeofday(&t)
		return t.Nano()
	})
	agrees("time", now, time.Second, func() int64 {
		var t syscall.Time_t
		syscall.Time(&t)
		return int64(t) * 1e9
	})
	agrees("a file", now, tick, func() int64 {
		os.WriteFile("go-door", nil, 0o644)
		return modified("go-door")
	})
	time.Sleep(30 * time.Millisecond)
	agrees("a file written to", now, tick, func() int64 {
		os.WriteFile("go-door", []byte("x"), 0o644)
		return modified("go-door")
	})
	os.Remove("go-door")
	start, from := time.Now(), clock(monotonic)()
	agrees("the monotonic part of time.Now", clock(monotonic), tick, func() int64 { return from + int64(time.Since(start)) })
	agrees("a timer", clock(monotonic), 0, func() int64 {
		at := clock(monotonic)()
		<-time.After(20 * time.Millisecond)
		return at + 20_000_000
	})
	agrees("CLOCK_MONOTONIC_RAW", func() int64 { return clock(raw)() }, 0, clock(raw))
	agrees("/proc/uptime", clock(boottime), tick, func() int64 {
		text, _ := os.ReadFile("/proc/uptime")
		first, _, _ := strings.Cut(string(text), " ")
		seconds, _ := strconv.ParseFloat(first, 64)
		return int64(seconds * 1e9)
	})
	agrees("sysinfo", clock(boottime), time.Second, func() int64 {
		var s syscall.Sysinfo_t
		syscall.Sysinfo(&s)
		return s.Uptime * 1e9
	})
	agrees("getrusage", clock(process), tick, func() int64 {
		var u syscall.Rusage
		syscall.Getrusage(syscall.RUSAGE_SELF, &u)
		return u.Utime.Nano() + u.Stime.Nano()
	})
	agrees("/proc/self/stat", clock(process), 2*tick, func() int64 {
		text, _ := os.ReadFile("/proc/self/stat")
		f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		user, _ := strconv.ParseInt(f[11], 10, 64)
		system, _ := strconv.ParseInt(f[12], 10, 64)
		return (user + system) * int64(tick)
	})
	agrees("the load in sysinfo", load, 20*time.Millisecond, func() int64 {
		var s syscall.Sysinfo_t
		syscall.Sysinfo(&s)
		return int64(s.Loads[0]) * 1e9 / 65536
	})
	agrees("times", clock(process), 2*tick, func() int64 {
		var t syscall.Tms
		syscall.Times(&t)
		return (t.Utime + t.Stime) * int64(tick)
	})
	if failed {
		os.Exit(1)
	}
	fmt.Println("passed")
}
