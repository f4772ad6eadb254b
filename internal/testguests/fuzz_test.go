package testguests

import (
	"flag"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

var (
	fuzzing  = flag.Duration("fuzzing", time.Minute, "how long to run guests that make random system calls")
	fuzzSeed = flag.Int64("fuzzseed", 1, "the first seed of the random system calls")
)

// TestRandomCalls has guests make random system calls: whatever becomes of them,
// the run ends in order and a guest on another host notices nothing.
func TestRandomCalls(t *testing.T) {
	program := filepath.Join(lab.Folder(), "fuzz")
	lab.BuildC(t, "fuzz/fuzz.c", program)
	told := regexp.MustCompile(` rounds, (\d+) calls\n`)
	calls := 0
	for begin, seed := time.Now(), *fuzzSeed; time.Since(begin) < *fuzzing; seed++ {
		// A loop without calls, which is a possible end of a guest, only ends
		// soon where computations take time.
		file := experiment(t, fmt.Sprintf(`platform:
  hosts: [{name: fuzz, speed: 1Gf}, {name: calm, speed: 1Gf}]
  switch: {bandwidth: 1Gbps, latency: 1ms}
cpu: {measured: {reference_speed: 1Gf}}
stop: 10000s
processes:
  - {host: fuzz, name: fuzz, command: [%s, "%d", "100", "200"]}
  - {host: calm, name: calm, command: "for i in 1 2 3 4 5; do sleep 1; echo $i; done"}
`, program, seed))
		r := lab.Experiment(t, file)
		if got := r.Stdout(t, "calm", "calm"); got != "1\n2\n3\n4\n5\n" || r.Exit > 1 {
			t.Fatalf("seed %d: exit status %d; the calm guest printed %q\n%s\nrun it again with -run TestRandomCalls -fuzzseed %d",
				seed, r.Exit, got, r.Terminal, seed)
		}
		if m := told.FindStringSubmatch(r.Stdout(t, "fuzz", "fuzz")); m != nil {
			n, _ := strconv.Atoi(m[1])
			calls += n
		}
	}
	if calls == 0 {
		t.Error("no guest came to its end")
	}
	t.Logf("%d random calls", calls)
}
