package fluid

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestQueueIsInOrder compares a queue with a sorted list, also when the sequence
// numbers have run out.
func TestQueueIsInOrder(t *testing.T) {
	type entry struct {
		date     float64
		variable Variable
	}
	rapid.Check(t, func(t *rapid.T) {
		q := queue{sequence: rapid.SampledFrom([]uint32{0, math.MaxUint32 - 20}).Draw(t, "sequence")}
		var model []entry // in order
		remove := func(v Variable) {
			model = slices.DeleteFunc(model, func(e entry) bool { return e.variable == v })
		}
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			v := Variable(rapid.IntRange(0, 40).Draw(t, "variable"))
			switch rapid.IntRange(0, 4).Draw(t, "action") {
			case 0:
				q.cancel(v)
				remove(v)
			case 1:
				if len(model) > 0 {
					if q.first() != model[0].variable {
						t.Fatalf("the first is %d, want %v", q.first(), model[0])
					}
					q.cancel(q.first())
					model = model[1:]
				}
			default:
				date := float64(rapid.IntRange(0, 10).Draw(t, "date"))
				q.schedule(v, date)
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
			if q.next() != want {
				t.Fatalf("the next date is %g, want %g", q.next(), want)
			}
		}
		for ; len(model) > 0; model = model[1:] {
			if q.first() != model[0].variable {
				t.Fatalf("the first is %d, want %v", q.first(), model[0])
			}
			q.cancel(q.first())
		}
	})
}

// TestLargeQueueIsInOrder compares a queue, most of which is far, with a sorted
// list.
func TestLargeQueueIsInOrder(t *testing.T) {
	type entry struct {
		date     float64
		order    int
		variable Variable
	}
	for name, date := range map[string]func(r *rand.Rand, now float64) float64{
		"uniform":   func(r *rand.Rand, now float64) float64 { return now + r.Float64() },
		"same":      func(*rand.Rand, float64) float64 { return 1 },
		"few":       func(r *rand.Rand, now float64) float64 { return now + float64(r.IntN(3)) },
		"soon":      func(r *rand.Rand, now float64) float64 { return now + r.Float64()/100 },
		"spread":    func(r *rand.Rand, now float64) float64 { return now + math.Exp(20*r.Float64()) },
		"backwards": func(r *rand.Rand, now float64) float64 { return now + 1/(1+now+r.Float64()) },
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			q := queue{sequence: math.MaxUint32 - 70_000}
			const n = 20_000
			entries := make([]entry, n) // by variable; order 0: not there
			order, now := 0, 0.0
			for step := range 5 * n {
				v := Variable(r.IntN(n))
				switch {
				case step > n && r.IntN(2) == 0 && q.count > 0:
					v = q.first()
					if e := entries[v]; e.order == 0 || e.date < now || q.next() != e.date {
						t.Fatalf("step %d: %v is first, at %g", step, e, q.next())
					}
					now = q.next()
					q.pop()
					entries[v] = entry{}
				case r.IntN(10) == 0:
					q.cancel(v)
					entries[v] = entry{}
				default:
					order++
					entries[v] = entry{date(r, now), order, v}
					q.schedule(v, entries[v].date)
				}
			}
			entries = slices.DeleteFunc(entries, func(e entry) bool { return e.order == 0 })
			slices.SortFunc(entries, func(a, b entry) int {
				return cmp.Or(cmp.Compare(a.date, b.date), cmp.Compare(a.order, b.order))
			})
			for i, e := range entries {
				if q.first() != e.variable || q.next() != e.date {
					t.Fatalf("entry %d is %d at %g, want %v", i, q.first(), q.next(), e)
				}
				q.pop()
			}
			if q.count != 0 || !math.IsInf(q.next(), 1) {
				t.Fatalf("%d are left, next is %g", q.count, q.next())
			}
		})
	}
}
