package testguests

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

// TestTunnelDevice uses a /dev/net/tun that no interface belongs to, where the machine
// has one that whoever runs the tests may open.
func TestTunnelDevice(t *testing.T) {
	tun, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	tun.Close()
	path := command(t, "device/tun.c")
	text, err := exec.Command(path[0]).Output()
	if err != nil {
		t.Fatalf("natively: %v\n%s", err, text)
	}
	golden(t, "device-tun", string(text), true)
	file := experiment(t, fmt.Sprintf("platform:\n  hosts: [{name: tester, speed: 1Gf}]\nprocesses:\n  - {host: tester, name: guest, command: [%s]}\n", words(path)))
	r := lab.Experiment(t, file)
	golden(t, "device-tun", r.Stdout(t, "tester", "guest"), false)
	finish(t, r)
	if want := `, TUNSETIFF, {"tun0", 0x1001})`; !strings.Contains(r.Terminal, want) {
		t.Errorf("the run does not say %q:\n%s", want, r.Terminal)
	}
}

// TestDevicesByLinks opens devices of a host's own by other names than theirs.
func TestDevicesByLinks(t *testing.T) {
	file := experiment(t, `platform:
  hosts: [{name: host, speed: 1Gf}]
processes:
  - host: host
    name: look
    command: |
      cd /tmp; ln -s /dev devices; ln -s /dev/urandom random
      head -c 8 random | od -x; head -c 8 devices/random | od -x
      exec 5<>devices/ptmx; ls /dev/pts
`)
	first, second := lab.Experiment(t, file), lab.Experiment(t, file)
	lab.Same(t, first.Output, second.Output)
	if out := first.Stdout(t, "host", "look"); !strings.HasSuffix(out, "\n0\nptmx\n") {
		t.Errorf("printed\n%s", out)
	}
	finish(t, first)
}
