package fluid

import "github.com/simterpose/simterpose/internal/prefetch"

// fetchFrom is the number of dates in a queue from which on what events need
// does not fit into the nearest caches: it is about half a kilobyte each.
const fetchFrom = 1000

// fetch lets the processor fetch what the next events will need while the
// present one is dealt with. A processor waits a tenth of a microsecond for a line
// of memory, and cannot ask for what it leads to before it has it.
//
// Removing the first entry of a queue lets one entry rise to each level of its
// heap. On its way to the root, an entry's memory is fetched in the order in
// which one thing leads to the next: its variable some 64 events ahead, the
// elements of the variable and its action 16 ahead, their constraints 4 ahead,
// and then what the model's user says.
func (m *Model) fetch() {
	if m.queue.count < fetchFrom {
		return
	}
	s := &m.system
	lines := m.lines[:0]
	risen := &m.queue.near.risen
	if v := risen[3]; v != none {
		lines = append(lines, prefetch.Address(&s.variables[v]))
	}
	if v := risen[2]; v != none {
		if v := &s.variables[v]; v.count > 0 {
			lines = append(lines, prefetch.Address(&s.elements[v.first]))
		}
		a := prefetch.Address(s.variables[v].action)
		lines = append(lines, a, a+prefetch.Line, a+2*prefetch.Line)
	}
	if v := risen[1]; v != none {
		v := &s.variables[v]
		for _, e := range s.elements[v.first : v.first+v.count] {
			lines = append(lines, prefetch.Address(&s.constraints[e.constraint]))
		}
		lines = m.ahead(v.action, false, lines)
	}
	if v := risen[0]; v != none {
		lines = m.ahead(s.variables[v].action, true, lines)
	}
	prefetch.Lines(lines)
	m.lines = lines
}

func (m *Model) ahead(a *Action, again bool, lines []uintptr) []uintptr {
	if m.Ahead == nil || a == nil || a.state != Running {
		return lines
	}
	return m.Ahead(a, again, lines)
}
