// Command simterpose runs real programs on simulated hosts.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"

	"github.com/simterpose/simterpose/emulator"
	"github.com/simterpose/simterpose/experiment"
)

func main() {
	e, err := experiment.Load(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	out, _ := filepath.Abs(os.Args[2])
	os.RemoveAll(out)
	os.MkdirAll(out, 0o755)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if p := os.Getenv("CPUPROF"); p != "" {
		f, _ := os.Create(p)
		pprof.StartCPUProfile(f)
		defer pprof.StopCPUProfile()
	}
	r, err := emulator.Run(ctx, e, emulator.Options{Output: out, Strace: len(os.Args) > 3, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("simulated %v\n", r.Simulated)
	for _, p := range r.Processes {
		fmt.Printf("%+v\n", p)
	}
	for _, b := range r.Deadlock {
		fmt.Printf("blocked %+v\n", b)
	}
	fmt.Printf("%+v %+v %v\n", r.Hosts, r.Links, r.Unsupported)
}
