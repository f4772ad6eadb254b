package kernel

import (
	"math"
	"testing"

	"github.com/simterpose/simterpose/sim"
)

// TestLoadAverage lets two threads compute for a minute and a half, and then
// nobody: the averages approach the number and go back as exponentials do.
func TestLoadAverage(t *testing.T) {
	l := loadAverage{next: loadInterval, computing: 2}
	check := func(when string, now float64, want func(period float64) float64) {
		l.advance(sim.Time(now * 1e9))
		for i, period := range []float64{60, 300, 900} {
			if got := float64(l.averages[i]) / loadOne; math.Abs(got-want(period)) > 0.05 {
				t.Errorf("%s: %.3f over %g s, want %.3f", when, got, period, want(period))
			}
		}
	}
	check("after 90 s", 90.5, func(period float64) float64 { return 2 * (1 - math.Exp(-90/period)) })
	l.computing = 0
	check("two minutes later", 210.5, func(period float64) float64 {
		return 2 * (1 - math.Exp(-90/period)) * math.Exp(-120/period)
	})
	check("after ten years", 3.2e8, func(float64) float64 { return 0 })
	if l.averages != [3]uint64{} || l.next <= sim.Time(3.2e17) {
		t.Errorf("after ten years without computations the averages are %d, next looked at at %d", l.averages, l.next)
	}
}
