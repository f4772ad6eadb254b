package interception

import (
	"fmt"
	"io"
	"os"
	"time"
)

// madeUp is what getppid and the calendar's seconds are where they are intercepted
// (c/madeup.h).
const madeUp = 4242

// A Case is a way in which programs make calls.
type Case struct {
	Name string
	// About says it in a sentence.
	About string
	// program is subject, static or goProgram; what, its argument.
	program, what string
	// function is the one of the C library that is called, if any is.
	function string
}

// goProgram stands for the program that Options.GoSubject names.
const goProgram = "go"

// Cases are the ways to make a system call (getppid) and those to learn the time
// that the tables tell of.
var (
	CallCases = []Case{
		{"dynamic", "a program calls a function of the shared C library", "subject", "call", "getppid"},
		{"dlsym", "the same, but it looks the function up by dlsym", "subject", "lookedUp", "getppid"},
		{"direct", "the program has the syscall instruction itself", "subject", "direct", "getppid"},
		{"static", "the C library is linked into the program", "static", "call", "getppid"},
		{"threads", "four threads call", "subject", "threads", "getppid"},
		{"child", "a child calls, which has run exec", "subject", "child", "getppid"},
		{"bare child", "the same, with an empty environment", "subject", "bare", "getppid"},
		{"Go", "a Go program, which has its system calls itself", goProgram, "call", "getppid"},
	}
	TimeCases = []Case{
		{"dynamic", "clock_gettime of the shared C library, which asks the vDSO", "subject", "clock", "clock_gettime"},
		{"in libc", "the C library reads the clock itself (timespec_get)", "subject", "inside", "clock_gettime"},
		{"static", "clock_gettime of a C library that is linked in", "static", "clock", "clock_gettime"},
		{"Go", "a Go program, which asks the vDSO without a C library", goProgram, "clock", "clock_gettime"},
		{"rdtsc", "the instruction that reads the processor's counter", "subject", "tsc", ""},
	}
)

// GoSubject makes calls as c/subject.c does, from Go, and tells of them in the same
// words: what is call or clock.
func GoSubject(out io.Writer, what string, count int) error {
	answered := 0
	for range count {
		switch what {
		case "call":
			if os.Getppid() == madeUp {
				answered++
			}
		case "clock":
			if time.Now().Unix() == madeUp {
				answered++
			}
		default:
			return fmt.Errorf("call or clock expected, found %q", what)
		}
	}
	_, err := fmt.Fprintf(out, "answered %d\n", answered)
	return err
}
