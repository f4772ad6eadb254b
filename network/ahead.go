package network

import (
	"unsafe"

	"github.com/simterpose/simterpose/fluid"
	"github.com/simterpose/simterpose/internal/prefetch"
)

// ahead tells what will be needed when a communication ends: who is to be told,
// and, because hosts that have sent often send again, the hosts, the links and
// what counts their traffic.
func (n *Network) ahead(a *fluid.Action, again bool, lines []uintptr) []uintptr {
	c, ok := a.Owner.(*Comm)
	if !ok {
		return lines
	}
	if !again {
		src, dst := prefetch.Address(c.src), prefetch.Address(c.dst)
		const index = unsafe.Offsetof(c.src.Index)
		return append(lines, *(*uintptr)(unsafe.Pointer(&c.Ended)), src, src+index, dst, dst+index)
	}
	lines = append(lines, prefetch.Address(&n.hosts[c.src.Index]), prefetch.Address(&n.hosts[c.dst.Index]))
	var scratch [16]int32
	for _, i := range a.AppendOwners(scratch[:0]) {
		lines = append(lines, prefetch.Address(&n.links[i]), prefetch.Address(n.Links.At(int(i))))
	}
	return lines
}
