package replay

import (
	"fmt"
	"strings"
	"testing"

	"github.com/simterpose/simterpose/network"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/trace"
)

const cluster = `<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="c" prefix="node-" suffix="" radical="0-15" speed="1Gf" bw="125MBps" lat="50us" bb_bw="2.25GBps" bb_lat="500us"/>
</platform>`

func replayText(t *testing.T, text string) (*Result, error) {
	t.Helper()
	return replayOn(t, cluster, text)
}

func replayOn(t *testing.T, xml, text string) (*Result, error) {
	t.Helper()
	tr, err := trace.Parse("test", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	p, err := platform.ReadXML("cluster.xml", xml)
	if err != nil {
		t.Fatal(err)
	}
	m, err := network.ModelByName("SMPI")
	if err != nil {
		t.Fatal(err)
	}
	return Run(tr, Options{Platform: p, Model: m, Seed: 1})
}

// everyRank writes actions for each of n ranks; "pairs" and "ring" exchange
// messages.
func everyRank(n int, actions string) string {
	var b strings.Builder
	for r := range n {
		fmt.Fprintf(&b, "%d init\n", r)
		for a := range strings.SplitSeq(actions, "; ") {
			switch {
			case a == "pairs" && r%2 == 0:
				fmt.Fprintf(&b, "%d send %d 0 1e5\n%d recv %d 0 100\n", r, r+1, r, r+1)
			case a == "pairs":
				fmt.Fprintf(&b, "%d recv %d 0 1e5\n%d send %d 0 100\n", r, r-1, r, r-1)
			case a == "ring":
				before, after := (r+n-1)%n, (r+1)%n
				fmt.Fprintf(&b, "%d irecv %d 3 70000\n%d isend %d 3 70000\n%d compute 1e6\n", r, before, r, after, r)
				fmt.Fprintf(&b, "%d wait %d %d 3\n%d waitall 1\n", r, before, r, r)
			default:
				fmt.Fprintf(&b, "%d %s\n", r, a)
			}
		}
		fmt.Fprintf(&b, "%d finalize\n", r)
	}
	return b.String()
}

// The times are what SimGrid 3.32 prints for the same traces: smpirun -np N
// -platform cluster.xml -hostfile hosts -replay list.
func TestRanksTakeWhatSMPISays(t *testing.T) {
	for _, c := range []struct {
		actions string
		n       int
		seconds string
	}{
		{"compute 1e9", 8, "1.000000"},
		{"pairs", 16, "0.009047"},
		{"ring", 8, "0.007611"},
		{"ring", 16, "0.007611"},
		{"barrier", 8, "0.002420"},
		{"barrier", 16, "0.002422"},
		{"bcast 1000", 8, "0.003653"},
		{"bcast 1000000 3", 8, "0.046472"},
		{"bcast 1000000 3", 16, "0.061963"},
		{"reduce 1000 1e8", 8, "0.101337"},
		{"allreduce 100000 1e6", 16, "0.052092"},
		{"alltoall 10 10", 8, "0.001211"},
		{"alltoall 10 10", 16, "0.004839"},
		{"alltoall 199 199", 13, "0.001235"},
		{"alltoall 200 200", 16, "0.003955"},
		{"alltoall 100000 100000", 16, "0.020383"},
		{"alltoall 600000 600000", 4, "0.037032"},
		{"gather 5000 5000 2", 8, "0.001491"},
		{"allgather 100000 100000", 16, "0.020383"},
		{"scatter 1000 1000 1", 16, "0.001527"},
		{"compute 1e8; allreduce 8 0 0; ring; pairs; barrier", 8, "0.123923"},
		{"compute 1e8; allreduce 8 0 0; ring; pairs; barrier", 16, "0.125144"},
	} {
		result, err := replayText(t, everyRank(c.n, c.actions))
		if err != nil {
			t.Errorf("%s: %v", c.actions, err)
			continue
		}
		if got := fmt.Sprintf("%.6f", result.Makespan); got != c.seconds || result.Blocked() > 0 {
			t.Errorf("%s among %d ranks takes %s s, SMPI says %s (%d blocked)", c.actions, c.n, got, c.seconds, result.Blocked())
		}
	}
}

func TestRanksThatWaitInVainAreTold(t *testing.T) {
	result, err := replayText(t, "0 init\n0 compute 2e9\n1 init\n1 recv 0 7 100\n")
	if err != nil {
		t.Fatal(err)
	}
	if a := result.Actors[1]; a.Blocked != "recv 0 7 100" || a.End != 2 {
		t.Errorf("%+v", a)
	}
	if a := result.Actors[0]; a.Blocked != "" || a.Host != "node-0" {
		t.Errorf("%+v", a)
	}
}

func TestTracesThatCannotBeReplayedAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "a trace with at least one action expected, found none",
		"0 init\n0 send 1 0 1":         "rank 0, action 2 (send): a rank below 1 expected, found 1",
		"0 init\n0 bcast 1 4":          "rank 0, action 2 (bcast): a root below 1 expected, found 4",
		"0 barrier\n1 begin 0 a b 1 1": "a trace of MPI ranks or one of threads expected, found actions of both",
		"0 recv 0 0 1 99\n":            "rank 0, action 1 (recv): a datatype from 0 to 54 expected, found 99",
	} {
		if _, err := replayText(t, text); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// Two ranks wake at the same instant and ask for a message each. SMPI 3.32 says so; in
// the other order it would be 0.100545 s.
func TestOfRanksThatWakeAtOnceTheLastComesFirst(t *testing.T) {
	withoutBackbone := strings.Replace(cluster, ` bb_bw="2.25GBps" bb_lat="500us"`, "", 1)
	r, err := replayOn(t, withoutBackbone, `0 init
1 recv 2 7 16406
1 compute 1e8
2 isend 1 7 16406
2 sleep 3e-5
2 recv 3 7 16406
3 isend 2 7 16406
3 recv 4 7 16406
4 isend 3 7 16406
4 sleep 3e-5
4 recv 5 7 16406
5 isend 4 7 16406
`)
	if err != nil {
		t.Fatal(err)
	}
	if makespan := fmt.Sprintf("%.6f", r.Makespan); makespan != "0.100537" {
		t.Errorf("the ranks take %s s", makespan)
	}
}
