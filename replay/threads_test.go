package replay

import (
	"testing"
)

// pair is a server on node-0 and a client on node-1; a process of the client's
// host reads from a pipe what the client has received.
const pair = `0 begin 0 node-0 server 2 2
0 socket 1 tcp4
0 bind 1 * 80
0 listen 1 5 80
0 ready 1 1
0 accept 1 3 2
0 write 3 1000000
0 close 3
0 end
1 begin 1 node-1 client 2 2
1 spawn 2
1 socket 2 tcp4
1 connect 2 node-0 80
1 connected 2
1 ready 2 1 500000
1 read 2 1000000
1 read 2 0
1 put 1 10
1 compute 1e9
1 wake 2
1 end
2 begin 0 node-1 logger 3 3
2 get 1 10
2 sleep 0.5
2 await 1
2 end
`

func TestThreadsWaitForEachOther(t *testing.T) {
	result, err := replayText(t, pair)
	if err != nil {
		t.Fatal(err)
	}
	ends := map[string]Actor{}
	for _, a := range result.Actors {
		if a.Blocked != "" {
			t.Errorf("%s is blocked: %s", a.Name, a.Blocked)
		}
		ends[a.Name] = a
	}
	client, logger := ends["node-1/client[2]"], ends["node-1/logger[3]"]
	if client.Start != 1 || logger.Start != 1 {
		t.Errorf("begins at %v and, spawned, at %v s, want 1", client.Start, logger.Start)
	}
	// 1 MB over 125 MB/s, with some latencies of 0.6 ms, and a second of
	// computation.
	if client.End < 2.008 || client.End > 2.05 {
		t.Errorf("the client ends at %v s", client.End)
	}
	// It has slept meanwhile, and waits for the client's end.
	if logger.End != client.End || logger.End != result.Makespan {
		t.Errorf("the logger ends at %v s, the client at %v", logger.End, client.End)
	}
}

func TestThreadsThatWaitInVainAreTold(t *testing.T) {
	result, err := replayText(t, `0 begin 0 node-0 a 2 2
0 get 1 10
0 end
1 begin 0 node-1 b 2 2
1 socket 1 udp4
1 recvfrom 1 5 -1
`)
	if err != nil {
		t.Fatal(err)
	}
	if got := result.Actors[0].Blocked; got != "get 1 10" {
		t.Errorf("blocked at %q", got)
	}
	if got := result.Actors[1].Blocked; got != "recvfrom 1 5 -1" {
		t.Errorf("blocked at %q", got)
	}
}

func TestTracesOfThreadsThatCannotBeAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"0 begin 0 mars a 2 2":                    `no host "mars" in the platform for the trace's host "mars" (--map mars=HOST says which it is)`,
		"0 end":                                   "actor 0: begin expected as its first action, found end",
		"0 begin 0 node-0 a 2 2\n0 wake 7":        "actor 0, action 2 (wake): no actor 7 in the trace",
		"0 begin 0 node-0 a 2 2\n0 socket 1 sctp": `actor 0, action 2 (socket 1 sctp): tcp4, tcp6, udp4 or udp6 expected, found "sctp"`,
		"0 begin 0 node-0 a 2 2\n0 socket 1 tcp4\n0 connect 1 fd00::1 80":              `actor 0, action 3 (connect 1 fd00::1 80): an IPv4 address expected, found "fd00::1"`,
		"0 begin 0 node-0 a 2 2\n0 socket 1 udp4\n0 sendto 1 mars 80 1\n0 read 1 -1\n": `actor 0, action 3 (sendto 1 mars 80 1): no host "mars" in the platform for the trace's host "mars" (--map mars=HOST says which it is)`,
	} {
		if _, err := replayText(t, text); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
