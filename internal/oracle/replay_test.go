package oracle

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/simterpose/simterpose/network"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/replay"
	"github.com/simterpose/simterpose/trace"
)

// smpiHosts are those of the platform on which traces are replayed.
const smpiHosts = 16

const smpiPlatform = `<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="c" prefix="node-" suffix="" radical="0-15" speed="1Gf" bw="125MBps" lat="50us" bb_bw="2.25GBps" bb_lat="500us"/>
</platform>`

// smpiFolder is a folder with the platform and its hosts.
func smpiFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	var hosts strings.Builder
	for i := range smpiHosts {
		fmt.Fprintf(&hosts, "node-%d\n", i)
	}
	write(t, folder, "cluster.xml", smpiPlatform)
	write(t, folder, "hosts", hosts.String())
	return folder
}

// smpirun runs it in a folder and returns what it prints.
func smpirun(t *testing.T, folder string, ranks int, arguments ...string) string {
	t.Helper()
	c := exec.Command("smpirun", append([]string{"-np", strconv.Itoa(ranks), "-platform", "cluster.xml", "-hostfile", "hosts"}, arguments...)...)
	c.Dir = folder
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("smpirun %s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
	return string(out)
}

// replaysAgree replays a trace by SMPI and by ourselves.
func replaysAgree(t *testing.T, folder string, ranks int, file string) {
	t.Helper()
	_, theirs, _ := strings.Cut(smpirun(t, folder, ranks, "-replay", file), "Simulation time ")
	tr, err := trace.Open(filepath.Join(folder, file))
	if err != nil {
		t.Fatal(err)
	}
	p, err := platform.ReadXML("cluster.xml", smpiPlatform)
	if err != nil {
		t.Fatal(err)
	}
	m, err := network.ModelByName("SMPI")
	if err != nil {
		t.Fatal(err)
	}
	result, err := replay.Run(tr, replay.Options{Platform: p, Model: m, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if ours := fmt.Sprintf("%.6f", result.Makespan); ours != strings.TrimSpace(theirs) || result.Blocked() > 0 {
		t.Errorf("%d ranks take %s s, SMPI says %s (%d blocked)", ranks, ours, theirs, result.Blocked())
	}
}

// SMPI records a program that calls everything which its replay knows, and we
// replay what it wrote.
func TestTracesOfSMPIAreReplayedAsSMPIDoes(t *testing.T) {
	folder := smpiFolder(t)
	program := filepath.Join(folder, "actions")
	if out, err := exec.Command("smpicc", "-O1", "-o", program, filepath.Join("smpi", "actions.c")).CombinedOutput(); err != nil {
		t.Fatalf("smpicc (apt-get install libsimgrid-dev): %v\n%s", err, out)
	}
	for _, ranks := range []int{2, 6, 13} {
		smpirun(t, folder, ranks, "-trace-ti", "-trace-file", "actions.trace", "--cfg=smpi/host-speed:1Gf", "./actions")
		replaysAgree(t, folder, ranks, "actions.trace")
	}
}

// Actions in random order, of random sizes, among random numbers of ranks.
func TestRandomTracesAreReplayedAsSMPIDoes(t *testing.T) {
	folder := smpiFolder(t)
	write(t, folder, "list", "random.trace\n")
	for seed := range uint64(8) {
		random := rand.New(rand.NewPCG(seed, 0))
		ranks := 2 + random.IntN(smpiHosts-1)
		write(t, folder, "random.trace", randomTrace(random, ranks))
		replaysAgree(t, folder, ranks, "list")
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// randomTrace writes what ranks do, in which none waits in vain.
func randomTrace(random *rand.Rand, ranks int) string {
	var b strings.Builder
	all := func(format string, arguments ...any) {
		for r := range ranks {
			fmt.Fprintf(&b, "%d %s\n", r, fmt.Sprintf(format, arguments...))
		}
	}
	all("init")
	for range 30 {
		// Some messages are sent at once, others when they are asked for.
		size := 1 << random.IntN(20)
		size += random.IntN(size)
		root := random.IntN(ranks)
		switch random.IntN(11) {
		case 0:
			for r := range ranks {
				fmt.Fprintf(&b, "%d compute %d\n", r, random.IntN(1e7))
			}
		case 1:
			to := (root + 1 + random.IntN(ranks-1)) % ranks
			fmt.Fprintf(&b, "%d send %d 7 %d\n%d recv %d 7 %d\n", root, to, size, to, root, size)
		case 2:
			for r := range ranks {
				before, after := (r+ranks-1)%ranks, (r+1)%ranks
				fmt.Fprintf(&b, "%d irecv %d 3 %d\n%d isend %d 3 %d\n%d wait %d %d 3\n%d waitall 1\n", r, before, size, r, after, size, r, before, r, r)
			}
		case 3:
			all("barrier")
		case 4:
			all("bcast %d %d", size, root)
		case 5:
			all("reduce %d %d %d", size, random.IntN(1e6), root)
		case 6:
			all("allreduce %d %d", size, random.IntN(1e6))
		case 7:
			// SMPI's algorithm for this many ranks and bytes may refuse others.
			if ranks&(ranks-1) == 0 {
				all("alltoall %d %d", size, size)
			}
		case 8:
			all("gather %d %d %d", size, size, root)
		case 9:
			all("allgather %d %d", size, size)
		case 10:
			all("scatter %d %d %d", size, size, root)
		}
	}
	all("finalize")
	return b.String()
}
