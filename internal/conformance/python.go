package main

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// pythonModules are the modules of CPython's tests that are run.
var pythonModules = []string{
	"asyncio", "epoll", "httplib", "multiprocessing_fork", "multiprocessing_forkserver", "multiprocessing_spawn",
	"os", "poll", "select", "selectors", "signal", "socket", "ssl", "subprocess", "threading", "time",
}

// pythonShort are those that take seconds.
var pythonShort = []string{"epoll", "os", "poll", "selectors", "time"}

// python is Debian's own, whose tests are in the package libpython3.11-testsuite.
const python = "/usr/bin/python3"

//go:embed cases.py
var casesScript []byte

func pythonSuites() []Suite {
	var all []Suite
	for _, name := range pythonModules {
		all = append(all, Suite{
			Name:    "python/test_" + name,
			Short:   slices.Contains(pythonShort, name),
			Prepare: func(folder string) (Command, error) { return preparePython("test.test_"+name, folder) },
			Parse:   parsePython,
			Rest:    restPython,
		})
	}
	return all
}

func preparePython(module, into string) (Command, error) {
	if text, err := exec.Command(python, "-c", "import "+module).CombinedOutput(); err != nil {
		return Command{}, fmt.Errorf("%s has no %s (scripts/setup installs it): %w\n%s", python, module, err, text)
	}
	return Command{
		Directory: "/tmp",
		Arguments: []string{python, folder + "/cases.py", module},
		// A thread gives up the interpreter's lock after 5 ms of computing.
		Measured: true,
		Epoch:    "2024-01-01", // the tests' certificates are valid
	}, os.WriteFile(filepath.Join(into, "cases.py"), casesScript, 0o644)
}

// restPython goes on after the last case that began.
func restPython(c Command, done []Result) Command {
	c.Arguments = append(slices.Clone(c.Arguments[:3]), done[len(done)-1].Case)
	return c
}

// parsePython reads the lines of cases.py.
func parsePython(output io.Reader) ([]Result, error) {
	var results []Result
	at := map[string]int{}
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		line, ok := strings.CutPrefix(lines.Text(), "conformance: ")
		word, name, named := strings.Cut(line, " ")
		if !ok || !named {
			continue
		}
		outcome := Outcome(word)
		if word == "begin" {
			outcome = Unfinished
		}
		i, known := at[name]
		if !known {
			i = len(results)
			at[name] = i
			results = append(results, Result{Case: name})
		}
		results[i].Outcome = outcome
	}
	return results, lines.Err()
}
