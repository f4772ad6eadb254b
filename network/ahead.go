package network

import (
	"unsafe"

	"github.com/simterpose/simterpose/fluid"
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
		src, dst := address(c.src), address(c.dst)
		const index = unsafe.Offsetof(c.src.Index)
		return append(lines, *(*uintptr)(unsafe.Pointer(&c.Ended)), src, src+index, dst, dst+index)
	}
	lines = append(lines, address(&n.hosts[c.src.Index]), address(&n.hosts[c.dst.Index]))
	var scratch [16]int32
	for _, i := range a.AppendOwners(scratch[:0]) {
		lines = append(lines, address(&n.links[i]), address(n.Links.At(int(i))))
	}
	return lines
}

func address[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }
