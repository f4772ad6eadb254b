package kernel

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/simterpose/simterpose/sim"
)

func TestCalendarShowsAReadingFirstAtItsInstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Calendar{
			Base: sim.Time(rapid.Int64Range(0, 1<<60).Draw(t, "base")),
			At:   rapid.Int64Range(0, 1<<61).Draw(t, "at"),
			Rate: int64(float64(rapid.Int64Range(-100_000_000, 100_000_000).Draw(t, "ppb")) * rateUnit),
		}
		ahead := rapid.Int64Range(1, 1<<58).Draw(t, "ahead")
		at := c.Instant(c.At + ahead)
		if c.Reading(at) < c.At+ahead || c.Reading(at-1) >= c.At+ahead {
			t.Fatalf("at %d it shows %d, before %d", at, c.Reading(at)-c.At, c.Reading(at-1)-c.At)
		}
	})
}

func TestDriftIsInPartsPerBillion(t *testing.T) {
	c := Calendar{Rate: rateOf(20_000)}
	if got := c.Reading(1_000_000_000_000) - 1_000_000_000_000; got < 19_999_000 || got > 20_000_000 {
		t.Errorf("20 ppm gain %d ns in 1000 s", got)
	}
	c.Rate = rateOf(-20_000)
	if got := c.Reading(1_000_000_000_000) - 1_000_000_000_000; got > -19_999_000 || got < -20_001_000 {
		t.Errorf("-20 ppm gain %d ns in 1000 s", got)
	}
}

// TestTheEndOfTimeNeverComes asks for the greatest readings, with which sums overflow.
func TestTheEndOfTimeNeverComes(t *testing.T) {
	for _, rate := range []int64{rateOf(-100_000_000), rateOf(-1), 0, rateOf(1), rateOf(100_000_000)} {
		c := Calendar{Base: 1, At: 1_700_000_000_000_000_000, Rate: rate}
		for reading := int64(math.MaxInt64); reading > math.MaxInt64-4; reading-- {
			if at := c.Instant(reading); at != sim.Never {
				t.Errorf("with the rate %d it shows %d at %d", rate, reading, at)
			}
		}
	}
}
