package emulator

import "slices"

// property is what an event may change for a while, such as a link's bandwidth.
// Such events may overlap: the one that came last says what the property is, and
// when none lasts any more it is what it was before them.
type property struct {
	before any
	lasts  []*lasting
}

// lasting is an event that has changed a property and is to be undone.
type lasting struct{ value any }

// change gives a property, by its name, a value in the place of the old one. What
// changes for good ends what lasted before.
func change[T any](w *world, name string, forGood bool, old, value T, set func(T)) (undo func()) {
	p := w.properties[name]
	if p == nil {
		p = &property{}
		w.properties[name] = p
	}
	if len(p.lasts) == 0 {
		p.before = old
	}
	set(value)
	if forGood {
		p.lasts = nil
		return func() {}
	}
	own := &lasting{value}
	p.lasts = append(p.lasts, own)
	return func() {
		i := slices.Index(p.lasts, own)
		switch last := len(p.lasts) - 1; {
		case i < 0 || i < last:
			// Another event has changed it since.
		case i > 0:
			set(p.lasts[i-1].value.(T))
		default:
			set(p.before.(T))
		}
		if i >= 0 {
			p.lasts = slices.Delete(p.lasts, i, i+1)
		}
	}
}
