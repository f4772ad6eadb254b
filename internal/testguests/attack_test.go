package testguests

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

// TestNothingLeaks has a guest try to reach the machine.
func TestNothingLeaks(t *testing.T) {
	for _, runner := range lab.Runners() {
		t.Run(runner.Name, func(t *testing.T) {
			folder := runner.Folder(t)
			// Guests see the experiment's folder, and others through their layer.
			file := filepath.Join(outside(t), "machine")
			if err := os.WriteFile(file, []byte("intact"), 0o666); err != nil {
				t.Fatal(err)
			}
			reached := make(chan string, 16)
			listen := func(network, address string) net.Listener {
				l, err := net.Listen(network, address)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { l.Close() })
				go func() {
					for {
						c, err := l.Accept()
						if err != nil {
							return
						}
						reached <- network + " " + address
						c.Close()
					}
				}()
				return l
			}
			tcp := listen("tcp", ":0").Addr().(*net.TCPAddr).Port
			abstract := fmt.Sprintf("simterpose-attack-%d", os.Getpid())
			listen("unix", "@"+abstract)
			path := filepath.Join(folder, "socket")
			listen("unix", path)
			packets, err := net.ListenPacket("udp", ":0")
			if err != nil {
				t.Fatal(err)
			}
			defer packets.Close()
			marker := fmt.Sprintf("outlives-%d", os.Getpid())
			script, err := filepath.Abs("attack/attack.py")
			if err != nil {
				t.Fatal(err)
			}
			command := []string{
				"python3", script, file, strconv.Itoa(tcp), strconv.Itoa(packets.LocalAddr().(*net.UDPAddr).Port),
				abstract, path, strconv.Itoa(os.Getpid()), marker,
			}
			experiment := filepath.Join(folder, "experiment.yaml")
			write(t, experiment, fmt.Sprintf(`platform: {hosts: [{name: host, speed: 1Gf}]}
stop: 100s
processes:
  - {host: host, name: attack, command: [%s], expect: running}
events:
  - {at: 90s, host: host, run: "echo written"}
  - {at: 91s, host: host, run: "echo written"}
  - {at: 92s, host: host, run: "echo written"}
`, words(command)))
			r := runner.Experiment(t, experiment, filepath.Join(folder, "output"))
			if got := r.Stdout(t, "host", "attack"); got != "tried\n" {
				t.Errorf("the guest printed:\n%s%s", got, r.Stderr(t, "host", "attack"))
			}
			if content, err := os.ReadFile(file); err != nil || string(content) != "intact" {
				t.Errorf("the machine's file holds %q, %v", content, err)
			}
			packets.SetReadDeadline(time.Now())
			if n, _, err := packets.ReadFrom(make([]byte, 100)); err == nil {
				t.Errorf("%d bytes came over UDP", n)
			}
			select {
			case what := <-reached:
				t.Errorf("the guest reached %s", what)
			default:
			}
			if pid := running(t, marker); pid != "" {
				t.Errorf("process %s outlives the run", pid)
			}
		})
	}
}

// outside makes a folder that every user may write to, for root where guests see
// it too.
func outside(t *testing.T) string {
	parent := ""
	if os.Getuid() == 0 {
		parent = "/srv"
	}
	folder, err := os.MkdirTemp(parent, "simterpose-attack-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	return folder
}

// running finds a process of the machine by its first argument.
func running(t *testing.T, argument string) string {
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range lines {
		if text, err := os.ReadFile(name); err == nil && strings.HasPrefix(string(text), argument+"\x00") {
			return filepath.Base(filepath.Dir(name))
		}
	}
	return ""
}
