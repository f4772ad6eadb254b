package main

import (
	"bufio"
	"strings"
	"testing"
)

func TestFollowerFindsTheFirstCallThatDiffers(t *testing.T) {
	const first = "0.1 a sh[1] read() = 1\n0.2 a sh[1] read() = 2\n0.3 b sh[1] read() = 3\n"
	for name, test := range map[string]struct{ second, before, want, got string }{
		"same":   {first, "", "", ""},
		"result": {"0.1 a sh[1] read() = 1\n0.2 a sh[1] read() = 9\n0.3 b sh[1] read() = 3\n", "0.1 a sh[1] read() = 1\n", "0.2 a sh[1] read() = 2\n", "0.2 a sh[1] read() = 9\n"},
		"less":   {"0.1 a sh[1] read() = 1\n0.2 a sh[1] read() = 2\n", "0.2 a sh[1] read() = 2\n", "0.3 b sh[1] read() = 3\n", ""},
		"more":   {first + "0.4 b sh[1] read() = 4\n", "0.3 b sh[1] read() = 3\n", "", "0.4 b sh[1] read() = 4\n"},
		"other":  {"1\n", "", "0.1 a sh[1] read() = 1\n", "1\n"},
		"none":   {"", "", "0.1 a sh[1] read() = 1\n", ""},
	} {
		f := &follower{first: bufio.NewReaderSize(strings.NewReader(first), 16)}
		for line := range strings.Lines(test.second) {
			if n, err := f.Write([]byte(line)); n != len(line) || err != nil {
				t.Fatal(n, err)
			}
		}
		f.end(3)
		if f.differs != (name != "same") || f.before != test.before || f.differs && (f.want != test.want || f.got != test.got) {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
