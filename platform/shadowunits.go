package platform

import (
	"fmt"
	"strings"
)

// shadowQuantity splits a number and a unit that may have a blank between.
func shadowQuantity(text string) (value float64, unit string, err error) {
	value, unit, err = strtod(text)
	if err != nil || !(value >= 0) {
		return 0, "", fmt.Errorf("a number of 0 or more with a unit expected, found %q", shorten(text, 100))
	}
	return value, strings.TrimSpace(unit), nil
}

// shadowTime reads a time as Shadow writes it, in seconds. A bare number is in
// seconds too.
func shadowTime(text string) (float64, error) {
	value, unit, err := shadowQuantity(text)
	if err != nil {
		return 0, err
	}
	switch unit {
	case "ns", "nanosecond", "nanoseconds":
		return value * 1e-9, nil
	case "us", "μs", "µs", "microsecond", "microseconds":
		return value * 1e-6, nil
	case "ms", "millisecond", "milliseconds":
		return value * 1e-3, nil
	case "", "s", "sec", "secs", "second", "seconds":
		return value, nil
	case "m", "min", "mins", "minute", "minutes":
		return value * 60, nil
	case "h", "hr", "hrs", "hour", "hours":
		return value * 3600, nil
	}
	return 0, fmt.Errorf("a time such as 50 ms expected, found %q", shorten(text, 100))
}

// shadowBandwidth reads a bandwidth as Shadow writes it, such as "100 Mbit",
// in bytes per second. A bare number is in bits per second.
func shadowBandwidth(text string) (float64, error) {
	value, unit, err := shadowQuantity(text)
	if err != nil {
		return 0, err
	}
	// Shadow takes a prefix without "bit" too.
	prefix, size := unit, 0.125
	for _, one := range []struct {
		name string
		size float64
	}{{"bits", 0.125}, {"bit", 0.125}, {"bytes", 1}, {"byte", 1}, {"B", 1}} {
		if before, found := strings.CutSuffix(unit, one.name); found {
			prefix, size = before, one.size
			break
		}
	}
	scale, known := map[string]float64{
		"": 1, "K": 1e3, "k": 1e3, "kilo": 1e3, "M": 1e6, "mega": 1e6, "G": 1e9, "giga": 1e9, "T": 1e12, "tera": 1e12,
		"Ki": 1 << 10, "kibi": 1 << 10, "Mi": 1 << 20, "mebi": 1 << 20, "Gi": 1 << 30, "gibi": 1 << 30,
		"Ti": 1 << 40, "tebi": 1 << 40,
	}[prefix]
	if !known {
		return 0, fmt.Errorf("a bandwidth such as 100 Mbit expected, found %q", shorten(text, 100))
	}
	return value * scale * size, nil
}
