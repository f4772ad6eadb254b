package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/simterpose/simterpose/emulator"
)

const (
	// maxLastWords bounds how many processes are quoted.
	maxLastWords = 5
	// lastWordsSize is how much of the end of a file is looked at, in bytes.
	lastWordsSize = 4096
)

// printLastWords quotes the last line of standard error of processes that did
// not end as expected: it mostly says why.
func printLastWords(out io.Writer, output string, r *emulator.Result) {
	quoted := 0
	for _, p := range r.Processes {
		if p.AsExpected || p.Running || quoted == maxLastWords {
			continue
		}
		name := filepath.Join("hosts", p.Host, p.Name+".stderr")
		line := lastLine(filepath.Join(output, name))
		if line == "" {
			continue
		}
		if quoted == 0 {
			fmt.Fprintln(out)
		}
		quoted++
		fmt.Fprintf(out, "%s ends: %s\n", name, line)
	}
}

// lastLine returns the last line of a file that is not blank, without control
// characters, or "".
func lastLine(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	text := make([]byte, lastWordsSize)
	var start int64
	if info, err := f.Stat(); err == nil {
		start = max(0, info.Size()-lastWordsSize)
	}
	n, err := f.ReadAt(text, start)
	if err != nil && err != io.EOF {
		return ""
	}
	line := strings.TrimSpace(string(text[:n]))
	line = line[strings.LastIndexByte(line, '\n')+1:]
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return -1
		}
		return c
	}, strings.ToValidUTF8(line, "?"))
}
