package trace

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// twoRanks is a run of two ranks, begun by a shell; rank 1's other thread accepts
// its connection. Rank 0 writes a message in two parts and one that nobody
// reads, and rank 1 answers by a datagram.
const twoRanks = `
0 begin 0 a sh 2 2
0 exec /bin/sh 0
0 delay 0.5
0 exec /bin/program 0
0 compute 1e9
0 socket 1 tcp4
0 connect 1 b 5000
0 connected 1
0 delay 0.25
0 write 1 100
0 delay 0.25
0 ready 1 4
0 write 1 50
0 sleep 1
0 write 1 8
0 socket 5 udp4
0 bind 5 * 6000
0 recvfrom 5 30 6
0 write 1 7
0 end
1 begin 0 b sh 7 7
1 exec /bin/program 1
1 spawn 2
1 read 4 120
1 read 4 30
1 read 4 8
1 socket 6 udp4
1 bind 6 * 6001
1 sendto 6 a 6000 20
1 sendto 6 a 6000 30
1 end
2 begin 0 b sh 7 8
2 socket 3 tcp4
2 bind 3 * 5000
2 listen 3 5 5000
2 accept 3 4 1
2 end
`

func TestRanksOfARun(t *testing.T) {
	tr, err := Parse("two", strings.NewReader(twoRanks))
	if err != nil {
		t.Fatal(err)
	}
	jobs := tr.Jobs()
	if len(jobs) != 1 || jobs[0].Program != "/bin/program" {
		t.Fatalf("%+v", jobs)
	}
	ranks, err := tr.Ranks(jobs[0])
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := ranks.Write(&out); err != nil {
		t.Fatal(err)
	}
	want := `#: simterpose-trace 1
#: program /bin/program
0 init
0 compute 1000000000
0 sleep 0.25
0 isend 1 0 150
0 sleep 1.25
0 isend 1 1 8
0 recv 1 1 30
0 waitall
0 finalize
1 init
1 recv 0 0 150
1 recv 0 1 8
1 isend 0 1 30
1 waitall
1 finalize
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestRunsOfTwoProgramsAreTwoJobs(t *testing.T) {
	tr, err := Parse("jobs", strings.NewReader(`0 exec a 0
1 exec a 1
2 exec b 0
3 exec a 0
4 exec a 2
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, j := range tr.Jobs() {
		got = append(got, j.Program)
	}
	// The job of actors 0, 1 and 4, that of 2, and that of 3.
	if diff := cmp.Diff([]string{"a", "b", "a"}, got); diff != "" {
		t.Error(diff)
	}
}
