package trace

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// all has every action at least once.
const all = `0 init 1
0 comm_size 0 2
0 comm_split 0 1
0 comm_dup 0 1
0 location main.c 12
0 compute 1.5e+20
0 sleep 0.25
0 send 1 0 1048576
0 recv -1 -1 -1
0 isend 1 7 100 0
0 irecv 1 7 100 6
0 wait 0 1 7
0 test 1 0 7
0 waitall 2
0 waitall
0 barrier
0 bcast 100
0 bcast 100 1 6
0 reduce 100 1e+15 0 6
0 allreduce 100 200 6
0 alltoall 10 20 0 6
0 gather 68 68 0 0 6
0 allgather 68 68
0 scatter 68 68 1
0 finalize
1 begin 0.000000316 node%201 sh%25 12 13
1 spawn 2
1 exec /bin/ring 3
1 exec ring
1 delay 2e-07
1 wake 0
1 await 0
1 put 7 20
1 get 7 12
1 socket 3 tcp4
1 option 3 1 7 x00000400
1 bind 3 node%201 80
1 listen 3 128 80
1 connect 3 %00 80
1 connected 3
1 accept 3 4 9
1 write 4 100
1 write 4 100 32768
1 read 4 0
1 shutdown 4 1
1 close 4
1 ready 5 1
1 ready 5 1 1234
1 sendto 5 server 53 40
1 recvfrom 5 40 9
1 end
`

func TestLinesAreReadAsWritten(t *testing.T) {
	tr, err := Parse("all", strings.NewReader("#: seed 7\n# no header\n\n"+all))
	if err != nil {
		t.Fatal(err)
	}
	if got := tr.Header.Get("seed"); got != "7" {
		t.Errorf("seed %q", got)
	}
	var out bytes.Buffer
	w := NewWriter(&out, nil)
	for _, actor := range tr.Actors {
		for i := range actor {
			w.Write(&actor[i])
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	want := "#: simterpose-trace 1\n" + strings.NewReplacer("0.000000316", "3.16e-07").Replace(all)
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	for a := range forms {
		if !strings.Contains(all, " "+forms[a].name) {
			t.Errorf("action %s is not tested", forms[a].name)
		}
	}
}

func TestErrorsTellLineAndWhatIsExpected(t *testing.T) {
	for text, want := range map[string]string{
		"0":                     `t:1: an actor and an action expected, found "0"`,
		"\n-1 init":             `t:2: actor: a whole number of 0 or more expected, found "-1"`,
		"0 comput 3":            `t:1: unknown action "comput" (did you mean "compute"?)`,
		"0 compute":             `t:1: compute FLOPS expected, found "compute"`,
		"0 compute inf":         `t:1: compute: a finite number of 0 or more expected, found "inf"`,
		"0 connect 1 a 65536":   `t:1: connect: a port from 0 to 65535 expected, found "65536"`,
		"0 begin 0 a%2 b 1 1":   `t:1: begin: a name expected, with %20 for a space and %25 for a percent sign, found "a%2"`,
		"#: simterpose-trace 9": `t:1: a trace of version 1 expected, found "9"`,
		"99999999 init":         `t:1: an actor below 1048576 expected, found 99999999`,
		"0 option 1 1 7 xyz":    `t:1: option: x and hexadecimal digits expected, found "xyz"`,
	} {
		_, err := Parse("t", strings.NewReader(text))
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestAFileMayListOneForEachRank(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"list": "# ranks\nrank-0\nrank-1\n", "rank-0": "0 init\n0 compute 5\n", "rank-1": "1 init\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	tr, err := Open(filepath.Join(dir, "list"))
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.Actors) != 2 || len(tr.Actors[0]) != 2 || len(tr.Actors[1]) != 1 {
		t.Errorf("%+v", tr.Actors)
	}
	if tr, err = Open(filepath.Join(dir, "rank-1")); err != nil || len(tr.Actors[1]) != 1 {
		t.Errorf("%+v, %v", tr, err)
	}
}

// FuzzParse checks that what is read is written so that it is read again.
func FuzzParse(f *testing.F) {
	f.Add(all)
	for line := range strings.SplitSeq(all, "\n") {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tr, err := Parse("fuzz", strings.NewReader(text))
		if err != nil || len(tr.Actors) > 1000 {
			return
		}
		var out bytes.Buffer
		w := NewWriter(&out, nil)
		for _, actor := range tr.Actors {
			for i := range actor {
				w.Write(&actor[i])
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		again, err := Parse("again", &out)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tr.Actors, again.Actors); diff != "" {
			t.Error(diff)
		}
	})
}
