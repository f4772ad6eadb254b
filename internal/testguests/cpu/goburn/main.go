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

func now(clock int32) float64 {
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		panic(err)
	}
	return float64(t.Nano()) / 1e9
}

func burn(iterations int) (used float64) {
	runtime.LockOSThread()
	x, before := 1.0, now(unix.CLOCK_THREAD_CPUTIME_ID)
	for range iterations {
		x = x*0.9999999 + 1e-7
	}
	runtime.KeepAlive(x)
	return now(unix.CLOCK_THREAD_CPUTIME_ID) - before
}

func main() {
	var number [3]int
	for i := range number {
		number[i], _ = strconv.Atoi(os.Args[i+1])
	}
	iterations, threads, processes := number[0], number[1], number[2]
	runtime.GOMAXPROCS(threads)
	begin := now(unix.CLOCK_MONOTONIC)
	var others []*exec.Cmd
	for range processes - 1 {
		c := exec.Command(os.Args[0], os.Args[1], os.Args[2], "1")
		c.Stdout = os.Stdout
		if err := c.Start(); err != nil {
			panic(err)
		}
		others = append(others, c)
	}
	used := make([]float64, threads)
	var wait sync.WaitGroup
	for i := range used {
		wait.Go(func() { used[i] = burn(iterations) })
	}
	wait.Wait()
	for _, c := range others {
		if err := c.Wait(); err != nil {
			panic(err)
		}
	}
	line := fmt.Sprintf("%.6f", now(unix.CLOCK_MONOTONIC)-begin)
	for _, u := range used {
		line += fmt.Sprintf(" %.6f", u)
	}
	fmt.Println(line)
}
