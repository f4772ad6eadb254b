package testguests

import (
	"flag"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

var portHosts = flag.Int("hosts", 20, "hosts of TestManyPorts, at most 1000")

// TestManyPorts has each host listen on the same hundred ports and send data to
// the next one, with both mediations.
func TestManyPorts(t *testing.T) {
	n := *portHosts
	lab.Limit += time.Duration(n) * time.Second
	defer func() { lab.Limit -= time.Duration(n) * time.Second }()
	quoted := words(command(t, filepath.Join("pairs", "ports.c"), "5000", "100"))
	var text strings.Builder
	fmt.Fprintf(&text, "platform:\n  hosts: [{name: \"h[1-%d]\"}]\n  switch: {bandwidth: 1Gbps, latency: 1ms}\nprocesses:\n", n)
	for i := range n {
		fmt.Fprintf(&text, "  - {host: h%d, name: ports, command: [%s, h%d]}\n", i+1, quoted, (i+1)%n+1)
	}
	file := experiment(t, text.String())
	full := lab.Experiment(t, file)
	finish(t, full)
	translated := lab.Experiment(t, file, "--mediation", "translation")
	finish(t, translated)
	for i := range n {
		host, before := fmt.Sprintf("h%d", i+1), fmt.Sprintf("h%d", (i+n-1)%n+1)
		want := regexp.MustCompile(`^1048576 bytes, 0 wrong, from ` + before + ` to 10\.[0-9.]+, port 5099\n$`)
		if got := translated.Stdout(t, host, "ports"); !want.MatchString(got) {
			t.Errorf("%s: %q, want %v", host, got, want)
		}
	}
	lab.Same(t, full.Output, translated.Output)
}
