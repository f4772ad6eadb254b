package network

import (
	"testing"

	"github.com/simterpose/simterpose/platform"
)

func TestBlockIsOneWay(t *testing.T) {
	w := pair(1e6, 1e-3)
	n := w.network(t, "tcp")
	q := guests(n)
	a, b := w.hosts[0], w.hosts[1]
	arrived := 0
	send := func(src, dst *platform.Host) {
		if err := n.Packet(src, dst, 100, false, func() { arrived++ }); err != nil {
			t.Fatal(err)
		}
		drain(t, q)
	}
	n.Block(a, b)
	if send(a, b); arrived != 0 {
		t.Error("a datagram passed a cut way")
	}
	if send(b, a); arrived != 1 {
		t.Error("a datagram of the other direction did not pass")
	}
	n.Unblock(a, b)
	if send(a, b); arrived != 2 {
		t.Error("a datagram did not pass a repaired way")
	}
}
