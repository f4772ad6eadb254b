package scenario

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/simterpose/simterpose/network"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

const file = `<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <zone id="world" routing="Full">
    <host id="a" speed="1Gf" core="2"><disk id="d" read_bw="100MBps" write_bw="50MBps"/></host>
    <host id="b b" speed="1Gf,500Mf"/>
    <link id="l1" bandwidth="1GBps" latency="500us"/>
    <link id="l2" bandwidth="1MBps" latency="1ms"/>
    <route src="a" dst="b b"><link_ctn id="l1"/><link_ctn id="l2"/></route>
  </zone>
</platform>`

func load(t *testing.T) *platform.Platform {
	t.Helper()
	p, err := platform.ReadXML("test.xml", file)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func play(t *testing.T, model, text string) string {
	t.Helper()
	p := load(t)
	items, err := Parse("test", strings.NewReader(text), p)
	if err != nil {
		t.Fatal(err)
	}
	m, err := network.ModelByName(model)
	if err != nil {
		t.Fatal(err)
	}
	n := network.New(network.Config{
		Model: m, Hosts: p.Hosts, Links: &p.Links, Router: p, Seed: sim.NewSource(1), AsSimGrid: true,
	})
	results, clock := Run(n, items)
	var out bytes.Buffer
	if err := Print(&out, items, results, n, clock); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestScenarioIsPlayedAndPrinted(t *testing.T) {
	got := play(t, "CM02", `
# everything once
route a b%20b
hosts
links
comm 0 a b%20b 1MB          # 1.5 ms + 1.05 s
comm 10 a b%20b 1000 100
exec 0 a 1e9 4              # four threads on two cores
exec 0 b%20b 1Gf 1 100Mf
exec 40 b%20b 1Gf
pstate 40.5 b%20b 1
io 50 a d read 100MB
io 50 a d write 25MB
sleep 60 a 1ms
comm 70 a b%20b 10MB
link_off 71 l2
comm 72 a b%20b 1
link_on 73 l2
comm 74 a b%20b 1
sleep 75 a 10
exec 75 a 1e12
io 75 a d read 1e12
host_off 76 a
comm 77 a b%20b 1
host_on 78 a
`)
	want := `0 route a b%20b lat=0.001500000 links=l1,l2
1 hosts count=2 hosts=a,b%20b
2 links count=3 links=__loopback__,l1,l2
3 comm 0 a b%20b 1MB start=0.000000000 finish=1.051500000 duration=1.051500000 state=DONE
4 comm 10 a b%20b 1000 100 start=10.000000000 finish=20.001500000 duration=10.001500000 state=DONE
5 exec 0 a 1e9 4 start=0.000000000 finish=2.000000000 duration=2.000000000 state=DONE
6 exec 0 b%20b 1Gf 1 100Mf start=0.000000000 finish=10.000000000 duration=10.000000000 state=DONE
7 exec 40 b%20b 1Gf start=40.000000000 finish=41.500000000 duration=1.500000000 state=DONE
8 pstate 40.5 b%20b 1 start=40.500000000 finish=40.500000000 duration=0.000000000 state=DONE
9 io 50 a d read 100MB start=50.000000000 finish=51.250000000 duration=1.250000000 state=DONE
10 io 50 a d write 25MB start=50.000000000 finish=50.500000000 duration=0.500000000 state=DONE
11 sleep 60 a 1ms start=60.000000000 finish=60.001000000 duration=0.001000000 state=DONE
12 comm 70 a b%20b 10MB start=70.000000000 finish=71.000000000 duration=1.000000000 state=FAIL_NETWORK
13 link_off 71 l2 start=71.000000000 finish=71.000000000 duration=0.000000000 state=DONE
14 comm 72 a b%20b 1 start=72.000000000 finish=72.000000000 duration=0.000000000 state=FAIL_NETWORK
15 link_on 73 l2 start=73.000000000 finish=73.000000000 duration=0.000000000 state=DONE
16 comm 74 a b%20b 1 start=74.000000000 finish=74.001501050 duration=0.001501050 state=DONE
17 sleep 75 a 10 start=75.000000000 finish=76.000000000 duration=1.000000000 state=FAIL_HOST
18 exec 75 a 1e12 start=75.000000000 finish=76.000000000 duration=1.000000000 state=FAIL_HOST
19 io 75 a d read 1e12 start=75.000000000 finish=76.000000000 duration=1.000000000 state=FAIL_STORAGE
20 host_off 76 a start=76.000000000 finish=76.000000000 duration=0.000000000 state=DONE
21 comm 77 a b%20b 1 start=77.000000000 finish=77.000000000 duration=0.000000000 state=FAIL_HOST
22 host_on 78 a start=78.000000000 finish=78.000000000 duration=0.000000000 state=DONE
end clock=78.000000000
`
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestWhatNeverEndsIsCancelled(t *testing.T) {
	// SimGrid itself fails an assertion in this case.
	got := play(t, "LV08", "link_bw 0 l2 0\ncomm 1 a b%20b 1\n")
	if want := "1 comm 1 a b%20b 1 start=1.000000000 finish=1.000000000 duration=0.000000000 state=CANCEL\n"; !strings.Contains(got, want) {
		t.Errorf("got %s", got)
	}
}

func TestBadLinesAreNamed(t *testing.T) {
	_, err := Parse("s.txt", strings.NewReader(`comm 0 a c 1
hello
exec 0 a

io 0 a x read 1
sleep -1 a 1
exec 0 a 1 0
pstate 0 a x
`), load(t))
	var e *Error
	if !errors.As(err, &e) || e.Line != 1 {
		t.Fatalf("error is %v", err)
	}
	want := `s.txt:1: no host "c" in the platform
s.txt:2: unknown item "hello"
s.txt:3: exec START HOST FLOPS [THREADS] [BOUND] expected, found "exec 0 a"
s.txt:5: no disk "x" on host "a"
s.txt:6: a finite number of 0 or more expected, found "-1"
s.txt:7: at least one thread expected, found 0
s.txt:8: a whole number of 0 or more expected, found "x"`
	if d := cmp.Diff(want, err.Error()); d != "" {
		t.Error(d)
	}
}

// FuzzParse: whatever the text, Parse returns.
func FuzzParse(f *testing.F) {
	p, err := platform.ReadXML("test.xml", file)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("comm 0 a b%20b 1MB\nexec 1 a 1e9 4 1e8 # x\nio 0 a d write 1\nwifi_rate l1 a 0\n%zz")
	f.Fuzz(func(t *testing.T, text string) {
		items, err := Parse("fuzz", strings.NewReader(text), p)
		if err == nil && len(items) > strings.Count(text, "\n")+1 {
			t.Errorf("%d items from %q", len(items), text)
		}
	})
}
