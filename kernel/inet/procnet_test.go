package inet

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestProcNetHeadsMatchTheMachine(t *testing.T) {
	l := newLab(t)
	for _, name := range []string{"tcp", "tcp6", "udp", "udp6", "raw", "raw6", "icmp", "icmp6"} {
		native, err := os.ReadFile("/proc/net/" + name)
		if err != nil {
			t.Fatal(err)
		}
		want, _, _ := strings.Cut(string(native), "\n")
		ours, ok := l.a.ProcNet(name)
		if got, _, _ := strings.Cut(ours, "\n"); !ok || got != want {
			t.Errorf("%s:\n%q\n%q", name, got, want)
		}
	}
	if _, ok := l.a.ProcNet("nothing"); ok {
		t.Error("an unknown table has content")
	}
}

func TestProcNetShowsSockets(t *testing.T) {
	l := newLab(t)
	l.listen(l.b, "10.0.0.2:80", 5)
	l.listen(l.b, "[fd00::2]:81", 5)
	c := l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	l.ok(c.Bind(at("10.0.0.1:4097")))
	c.Connect(at("10.0.0.2:80"))
	l.run(3 * latency)
	table, _ := l.a.ProcNet("tcp")
	const row = "   0: 0100000A:1001 0200000A:0050 01 00000000:00000000 00:00000000 00000000     0        0 10001 1 "
	if !strings.Contains(table, "\n"+row) {
		t.Errorf("no row %q in\n%s", row, table)
	}
	table, _ = l.b.ProcNet("tcp6")
	const six = "   0: 000000FD000000000000000002000000:0051 00000000000000000000000000000000:0000 0A "
	if !strings.Contains(table, "\n"+six) {
		t.Errorf("no row %q in\n%s", six, table)
	}
	for line := range strings.Lines(table) {
		if fields := strings.Fields(line); len(fields) < 12 {
			t.Errorf("short row %q", line)
		}
	}
}
