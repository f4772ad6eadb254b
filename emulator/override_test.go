package emulator

import "testing"

// TestOverlappingChanges undoes changes in all orders.
func TestOverlappingChanges(t *testing.T) {
	w := &world{properties: map[string]*property{}}
	value := 1
	set := func(to int, forGood bool) func() {
		return change(w, "bandwidth", forGood, value, to, func(v int) { value = v })
	}
	want := func(expected int) {
		t.Helper()
		if value != expected {
			t.Fatalf("the value is %d, want %d", value, expected)
		}
	}
	first := set(2, false)
	second := set(3, false)
	third := set(4, false)
	first()
	want(4)
	third()
	want(3)
	second()
	want(1)

	first = set(2, false)
	set(5, true)
	want(5)
	first()
	want(5)
	second = set(6, false)
	second()
	want(5)
}
