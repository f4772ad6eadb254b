package fluid

import "unsafe"

// prefetchFrom is the number of dates in a heap from which on what events need
// does not fit into the nearest caches: it is about half a kilobyte each.
const prefetchFrom = 1000

// prefetch lets the processor fetch what the next events will need while the
// present one is dealt with, which saves a tenth of their time: of the first its constraints, which its elements name, of the
// second its elements and its action, and the variables of those that may be
// the second or third.
func (m *Model) prefetch() {
	if m.heap.count < prefetchFrom {
		return
	}
	s := &m.system
	first := &s.variables[m.heap.first()]
	for _, e := range s.elements[first.first : first.first+first.count] {
		prefetch1(unsafe.Pointer(&s.constraints[e.constraint]))
	}
	children := m.heap.children(root)
	for _, d := range children {
		prefetch1(unsafe.Pointer(&s.variables[d.variable()]))
	}
	second := &s.variables[children[least(children)].variable()]
	if second.count > 0 {
		prefetch1(unsafe.Pointer(&s.elements[second.first]))
	}
	prefetch2(unsafe.Pointer(second.action))
}

// prefetchGrandchildren fetches the children of the four entries from first on.
func (h *heap) prefetchGrandchildren(first int) {
	if next := firstChild(first); next >= prefetchFrom && next+16 <= len(h.entries) {
		prefetch4(unsafe.Pointer(&h.entries[next]))
	}
}
