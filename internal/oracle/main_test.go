package oracle

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// programs is the folder of the compiled C++ programs.
var programs string

func TestMain(m *testing.M) {
	if model := os.Getenv(playVariable); model != "" {
		if err := play(model, os.Args[1], os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "oracle")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		for _, name := range []string{"oracle", "solver"} {
			build := exec.Command("g++", "-O2", "-std=c++17", "-o", filepath.Join(dir, name),
				filepath.Join("simgrid", name+".cpp"), "-lsimgrid")
			if out, err := build.CombinedOutput(); err != nil {
				fmt.Fprintf(os.Stderr, "The oracle needs g++ and SimGrid 3.32 (apt-get install g++ libsimgrid-dev): %v\n%s", err, out)
				return 1
			}
		}
		programs = dir
		return m.Run()
	}())
}
