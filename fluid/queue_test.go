package fluid

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestHeapIsInOrder compares a heap with a sorted list, also when the sequence
// numbers have run out.
func TestHeapIsInOrder(t *testing.T) {
	type entry struct {
		date     float64
		variable Variable
	}
	rapid.Check(t, func(t *rapid.T) {
		h := heap{sequence: rapid.SampledFrom([]uint32{0, math.MaxUint32 - 20}).Draw(t, "sequence")}
		var model []entry // in order
		remove := func(v Variable) {
			model = slices.DeleteFunc(model, func(e entry) bool { return e.variable == v })
		}
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			v := Variable(rapid.IntRange(0, 40).Draw(t, "variable"))
			switch rapid.IntRange(0, 4).Draw(t, "action") {
			case 0:
				h.cancel(v)
				remove(v)
			case 1:
				if len(model) > 0 {
					if h.first() != model[0].variable {
						t.Fatalf("the first is %d, want %v", h.first(), model[0])
					}
					h.cancel(h.first())
					model = model[1:]
				}
			default:
				date := float64(rapid.IntRange(0, 10).Draw(t, "date"))
				h.schedule(v, date)
				remove(v)
				i, _ := slices.BinarySearchFunc(model, date, func(e entry, date float64) int {
					if e.date <= date {
						return -1
					}
					return 1
				})
				model = slices.Insert(model, i, entry{date, v})
			}
			want := math.Inf(1)
			if len(model) > 0 {
				want = model[0].date
			}
			if h.next() != want {
				t.Fatalf("the next date is %g, want %g", h.next(), want)
			}
		}
		for ; len(model) > 0; model = model[1:] {
			if h.first() != model[0].variable {
				t.Fatalf("the first is %d, want %v", h.first(), model[0])
			}
			h.cancel(h.first())
		}
	})
}
