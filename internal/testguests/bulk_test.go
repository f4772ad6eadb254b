package testguests

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

// TestBulkPassesTheEmulatorBy moves bulk data with translation, over IPv4 and IPv6,
// under both interceptors: nearly none of it may come into the emulator's memory,
// and guests must see and do the same as with full mediation.
func TestBulkPassesTheEmulatorBy(t *testing.T) {
	bulk := program(t, "pairs/bulk.c")
	file := experiment(t, fmt.Sprintf(`platform:
  hosts: [{name: server}, {name: client}]
  switch: {bandwidth: 1Gbps, latency: 1ms}
processes:
  - {host: server, name: server, command: [%[1]s, server, "4000", "3"]}
  - {host: client, name: blocking, start: 1s, command: [%[1]s, client, server, "4000", "4", blocking]}
  - {host: client, name: nonblocking, start: 2s, command: [%[1]s, client, server, "4000", "6", nonblocking]}
  - {host: client, name: vectors, start: 3s, command: [%[1]s, client, server, "4000", "6", vectors]}
`, bulk))
	full := lab.Experiment(t, file)
	finish(t, full)
	const total = 3 * 12 << 20
	if !regexp.MustCompile(`^(12582912 bytes, 0 wrong, .*\n){3}$`).MatchString(full.Stdout(t, "server", "server")) {
		t.Errorf("the server has got:\n%s", full.Stdout(t, "server", "server"))
	}
	for _, interceptor := range []string{"notify", "ptrace"} {
		r := lab.Experiment(t, file, "--mediation", "translation", "--interceptor", interceptor, "--log-level", "debug")
		finish(t, r)
		for i, p := range r.Summary.Processes {
			if before := full.Summary.Processes[i]; *p.End != *before.End {
				t.Errorf("%s: %s ends at %v s, and with full mediation at %v s", interceptor, p.Name, *p.End, *before.End)
			}
			if got, want := r.Stdout(t, p.Host, p.Name), full.Stdout(t, p.Host, p.Name); got != want {
				t.Errorf("%s: %s printed\n%sand with full mediation\n%s", interceptor, p.Name, got, want)
			}
		}
		log, err := os.ReadFile(filepath.Join(r.Output, "log"))
		if err != nil {
			t.Fatal(err)
		}
		said := regexp.MustCompile(`"bytes through the kernel"=(\d+) "of them copied by the emulator"=(\d+)`).FindSubmatch(log)
		if said == nil {
			t.Fatalf("the log does not tell how much was translated:\n%s", log)
		}
		carried, _ := strconv.Atoi(string(said[1]))
		copied, _ := strconv.Atoi(string(said[2]))
		if carried-copied < total/100*95 {
			t.Errorf("%s: of %d bytes %d went through the machine's kernel, and the emulator copied %d of them", interceptor, total, carried, copied)
		}
	}
}
