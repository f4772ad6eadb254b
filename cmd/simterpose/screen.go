package main

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/simterpose/simterpose/emulator"
	"github.com/simterpose/simterpose/sim"
)

// screen is standard error with a progress line at its end, which is rewritten
// in place on a terminal and repeated every second elsewhere.
type screen struct {
	out      *os.File
	terminal bool
	begin    time.Time

	mu    sync.Mutex // the signal handler writes too
	shown bool
	last  time.Time
}

func newScreen(out *os.File) *screen {
	now := time.Now()
	return &screen{out: out, terminal: term.IsTerminal(int(out.Fd())), begin: now, last: now}
}

// Write writes complete lines above the progress line.
func (s *screen) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	return s.out.Write(text)
}

// Close removes the progress line.
func (s *screen) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
}

func (s *screen) clear() {
	if s.shown {
		fmt.Fprint(s.out, "\r\x1b[K")
		s.shown = false
	}
}

func (s *screen) progress(p emulator.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	line := progressLine(p, now.Sub(s.begin))
	switch {
	case s.terminal:
		if width, _, err := term.GetSize(int(s.out.Fd())); err == nil && 0 < width && width <= len(line) {
			line = line[:width-1]
		}
		fmt.Fprint(s.out, "\r", line, "\x1b[K")
		s.shown = true
	case now.Sub(s.last) >= time.Second:
		s.last = now
		fmt.Fprintln(s.out, line)
	}
}

func progressLine(p emulator.Progress, real time.Duration) string {
	simulated := fmt.Sprintf("%.3f s", p.Now.Seconds())
	if p.Stop != sim.Never && p.Stop > 0 {
		simulated += fmt.Sprintf(" of %g s (%.0f %%)", p.Stop.Seconds(), 100*p.Now.Seconds()/p.Stop.Seconds())
	}
	return fmt.Sprintf("simulated %s, real %.1f s (x %.3g), %d processes, %s carried",
		simulated, real.Seconds(), p.Now.Seconds()/max(real.Seconds(), 1e-9), p.Alive, bytesText(p.Bytes))
}

// bytesText writes an amount of data with three digits or so.
func bytesText(n int64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	value, unit := float64(n)/1000, 0
	for value >= 999.95 && unit < len(units)-1 {
		value /= 1000
		unit++
	}
	return fmt.Sprintf("%.1f %cB", value, units[unit])
}
