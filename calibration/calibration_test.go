package calibration

import (
	"errors"
	"testing"
	"time"
)

func TestMeasure(t *testing.T) {
	r := Measure(20 * time.Millisecond)
	if r.Speed < 1e8 || r.Speed > 1e12 || r.Spread < 0 {
		t.Errorf("%+v", r)
	}
}

func TestCalibrationIsKept(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if _, err := Load(); !errors.Is(err, ErrNone) {
		t.Errorf("without a calibration: %v", err)
	}
	c := Calibration{Machine: Machine(), Speed: 5e9, Spread: 0.01, Interception: 2 * time.Microsecond}
	if _, err := c.Save(); err != nil {
		t.Fatal(err)
	}
	if got, err := Load(); err != nil || *got != c {
		t.Errorf("%+v, %v", got, err)
	}
	c.Machine = "another"
	if _, err := c.Save(); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(); !errors.Is(err, ErrNone) {
		t.Errorf("with the calibration of another machine: %v", err)
	}
}
