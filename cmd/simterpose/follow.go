package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
)

// lineCounter counts the lines that go through it, one in each Write.
type lineCounter struct {
	to    *bufio.Writer
	count int
}

func (c *lineCounter) Write(line []byte) (int, error) {
	c.count++
	return c.to.Write(line)
}

// follower compares the calls of a run, of which it gets one in each Write, with
// those of the first run.
type follower struct {
	first   *bufio.Reader
	count   int
	differs bool
	// The first call that differs, and the one before it; empty after the end.
	before, want, got string
	last              []byte
}

func (f *follower) Write(line []byte) (int, error) {
	f.count++
	if f.differs {
		return len(line), nil
	}
	if want, err := f.first.Peek(len(line)); err == nil && bytes.Equal(want, line) {
		f.first.Discard(len(line))
	} else {
		// A line longer than the buffer may be equal still. When nothing is
		// left, the first run had ended.
		f.want, _ = f.first.ReadString('\n')
		if f.want != string(line) {
			f.differs, f.got, f.before = true, string(line), string(f.last)
			return len(line), nil
		}
	}
	f.last = append(f.last[:0], line...)
	return len(line), nil
}

// end tells that the run has ended; the first one had so many calls.
func (f *follower) end(counted int) {
	if !f.differs && f.count < counted {
		f.want, _ = f.first.ReadString('\n')
		f.differs, f.before, f.got = true, string(f.last), ""
		f.count++
	}
}

// tell tells the first difference.
func (f *follower) tell(out io.Writer, run int) {
	if !f.differs {
		fmt.Fprintln(out, "all calls are the same")
		return
	}
	fmt.Fprintln(out, "the first call that differs:")
	for _, line := range []struct{ what, call string }{
		{"before", f.before}, {"run 1", f.want}, {fmt.Sprint("run ", run), f.got},
	} {
		fmt.Fprintf(out, "  %-7s %s\n", line.what, describeCall(line.call))
	}
}

// describeCall says in words what a line of emulator.Options.Calls says.
func describeCall(line string) string {
	fields := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 4)
	if len(fields) < 4 {
		return "none"
	}
	const longest = 300
	call := fields[3]
	if len(call) > longest {
		call = call[:longest] + "..."
	}
	return fmt.Sprintf("at %s s, host %s, process %s: %s", fields[0], fields[1], fields[2], call)
}
