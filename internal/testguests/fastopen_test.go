package testguests

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

// TestFastOpenSavesARoundTrip exchanges a line over 50 ms of latency: once a client
// has a cookie, its request goes with the SYN.
func TestFastOpenSavesARoundTrip(t *testing.T) {
	program := filepath.Join(lab.Folder(), "fastopen")
	lab.BuildC(t, "root/fastopen.c", program)
	file := experiment(t, `platform:
  hosts:
    - {name: near, speed: 1Gf, address: 10.0.0.1}
    - {name: far, speed: 1Gf, address: 10.0.0.2}
  links:
    - {name: link, bandwidth: 1e9Bps, latency: 50ms}
  routes:
    - {from: near, to: far, links: [link]}
processes:
  - {host: far, name: server, command: [`+program+`, server, "4000"], expect: {exit: 0}}
  - {host: near, name: client, start: 1s, command: [`+program+`, client, 10.0.0.2, "4000"], expect: {exit: 0}}
`)
	r := lab.Experiment(t, file)
	finish(t, r)
	printed := r.Stdout(t, "near", "client")
	for _, want := range []string{
		"plain: 2.0 round trips, with data: 0\n",
		"fast: 2.0 round trips, with data: 0\n", // it asks for the cookie
		"fast: 1.0 round trips, with data: 1\n",
		"later: 1.0 round trips, with data: 1\n",
	} {
		if !strings.Contains(printed, want) {
			t.Errorf("the client does not say %q:\n%s", want, printed)
		}
	}
	if n := strings.Count(r.Stdout(t, "far", "server"), "with data: 1\n"); n != 2 {
		t.Errorf("the server got data with %d SYNs, not 2", n)
	}
}
