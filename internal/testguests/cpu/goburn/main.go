// Command goburn is ../burn.c in Go: goburn ITERATIONS THREADS PROCESSES.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

const parts = 20

// source is not known before, so that nothing is computed beforehand.
var source = 0.5

type worker struct{ begin, end, used, least float64 }

func now(clock int32) float64 {
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		panic(err)
	}
	return float64(t.Nano()) / 1e9
}

func burn(iterations int) (w worker) {
	runtime.LockOSThread()
	w.begin, w.least = now(unix.CLOCK_MONOTONIC), 1e9
	x, first := source, now(unix.CLOCK_THREAD_CPUTIME_ID)
	before := first
	for range parts {
		for range iterations / parts {
			x = x*0.9999999 + 1e-7
		}
		after := now(unix.CLOCK_THREAD_CPUTIME_ID)
		w.least = min(w.least, parts*(after-before))
		before = after
	}
	runtime.KeepAlive(x)
	w.used, w.end = before-first, now(unix.CLOCK_MONOTONIC)
	return w
}

func main() {
	var number [3]int
	for i := range number {
		number[i], _ = strconv.Atoi(os.Args[i+1])
	}
	iterations, threads, processes := number[0], number[1], number[2]
	runtime.GOMAXPROCS(threads)
	all, begin := now(unix.CLOCK_PROCESS_CPUTIME_ID), now(unix.CLOCK_MONOTONIC)
	if len(os.Args) > 4 { // one of several: its start is part of it
		all = 0
	}
	var others []*exec.Cmd
	for range processes - 1 {
		c := exec.Command(os.Args[0], os.Args[1], os.Args[2], "1", "more")
		c.Stdout = os.Stdout
		if err := c.Start(); err != nil {
			panic(err)
		}
		others = append(others, c)
	}
	workers := make([]worker, threads)
	var wait sync.WaitGroup
	for i := range workers {
		wait.Go(func() { workers[i] = burn(iterations) })
	}
	wait.Wait()
	workers[0].begin = begin
	all = now(unix.CLOCK_PROCESS_CPUTIME_ID) - all
	for _, c := range others {
		if err := c.Wait(); err != nil {
			panic(err)
		}
	}
	// In one piece: other processes write to the same file.
	var text []byte
	for _, w := range workers {
		text = fmt.Appendf(text, "worker %.6f %.6f %.6f %.6f\n", w.begin, w.end, w.used, w.least)
	}
	os.Stdout.Write(fmt.Appendf(text, "process %.6f\n", all))
}
