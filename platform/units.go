package platform

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// unitTable is the set of units of one quantity.
type unitTable struct {
	quantity string // for messages
	base     string // the unit of a bare number
	scales   map[string]float64
}

// The prefixes of SimGrid's units (src/xbt/xbt_parse_units.cpp), by power of
// 1000 and of 1024. Its kilo is always a lower-case k.
var (
	decimalPrefixes = []string{"", "k", "M", "G", "T", "P", "E", "Z", "Y"}
	binaryPrefixes  = []string{"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"}
	// zeta is how SimGrid 3.32 spells it.
	longPrefixes = []string{"", "kilo", "mega", "giga", "tera", "peta", "exa", "zeta", "yotta"}
)

func (t *unitTable) add(unit string, scale, step float64, prefixes []string) {
	for _, prefix := range prefixes {
		t.scales[prefix+unit] = scale
		scale *= step
	}
}

var timeUnits = &unitTable{"time", "s", map[string]float64{
	"w": 7 * 24 * 60 * 60, "d": 24 * 60 * 60, "h": 60 * 60, "m": 60, "s": 1,
	"ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12,
}}

var (
	sizeUnits      = byteUnits("size", "B", "b")
	bandwidthUnits = byteUnits("bandwidth", "Bps", "bps")
	speedUnits     = flopUnits("speed")
	workUnits      = flopUnits("work")
)

func byteUnits(quantity, bytes, bits string) *unitTable {
	t := &unitTable{quantity, bytes, make(map[string]float64, 40)}
	t.add(bytes, 1, 1000, decimalPrefixes)
	t.add(bytes, 1, 1024, binaryPrefixes)
	t.add(bits, 0.125, 1000, decimalPrefixes)
	t.add(bits, 0.125, 1024, binaryPrefixes)
	return t
}

func flopUnits(quantity string) *unitTable {
	t := &unitTable{quantity, "f", make(map[string]float64, 20)}
	t.add("f", 1, 1000, decimalPrefixes)
	t.add("flops", 1, 1000, longPrefixes)
	return t
}

// ParseTime reads a duration such as "50ms" or "1.5h" and returns seconds. The
// units are w, d, h, m, s, ms, us, ns and ps; a bare number is in seconds.
func ParseTime(s string) (float64, error) { return timeUnits.parse(s) }

// ParseSpeed reads a computing speed such as "98.095Mf" or "1gigaflops" and
// returns flop/s; a bare number is in flop/s.
func ParseSpeed(s string) (float64, error) { return speedUnits.parse(s) }

// ParseWork reads an amount of computation such as "1Gf" and returns flops; a
// bare number is in flops.
func ParseWork(s string) (float64, error) { return workUnits.parse(s) }

// ParseBandwidth reads a bandwidth such as "125MBps" (bytes) or "1Gbps" (bits)
// and returns bytes per second; a bare number is in bytes per second.
func ParseBandwidth(s string) (float64, error) { return bandwidthUnits.parse(s) }

// ParseSize reads an amount of data such as "10MB", "10MiB" or "8kb" (bits) and
// returns bytes; a bare number is in bytes.
func ParseSize(s string) (float64, error) { return sizeUnits.parse(s) }

func (t *unitTable) parse(s string) (float64, error) {
	value, unit, err := t.split(s)
	if err == nil && unit == "" {
		unit = t.base
	}
	if err != nil {
		return 0, err
	}
	return value * t.scales[unit], nil
}

// split separates number and unit; the unit is known or empty.
func (t *unitTable) split(s string) (value float64, unit string, err error) {
	value, unit, err = strtod(s)
	s = shorten(s, 100) // for messages
	if err != nil {
		return 0, "", fmt.Errorf("%s expected, such as %s: %q %w", t.quantity, t.example(), s, err)
	}
	if _, known := t.scales[unit]; !known && unit != "" {
		return 0, "", fmt.Errorf("unknown unit %q of %s in %q (expected a number and a unit such as %s)",
			shorten(unit, 100), t.quantity, s, t.example())
	}
	return value, unit, nil
}

func (t *unitTable) example() string {
	switch t {
	case timeUnits:
		return "50ms"
	case speedUnits, workUnits:
		return "1Gf"
	case sizeUnits:
		return "10MB"
	}
	return "125MBps"
}

// strtod splits s after the longest prefix that C's strtod takes for a number:
// leading white space, a sign, then a decimal or hexadecimal number, inf,
// infinity or nan.
func strtod(s string) (value float64, rest string, err error) {
	i := 0
	for i < len(s) && strings.IndexByte(" \t\n\v\f\r", s[i]) >= 0 {
		i++
	}
	start := i
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	end := numberEnd(s, i)
	if end == i {
		return 0, s, errNoNumber
	}
	text := s[start:end]
	if isHex(s[i:end]) && !strings.ContainsAny(text, "pP") {
		text += "p0" // strconv wants the exponent that C leaves out
	}
	value, err = strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(value) < 0x1p-1022 && strings.ContainsAny(significand(text), "123456789abcdefABCDEF") {
		return 0, s, errOutOfRange
	}
	return value, s[end:], nil
}

// significand is what a number says before its exponent, where a value that is
// not 0 has a digit that is not.
func significand(text string) string {
	marks := "eE"
	if isHex(strings.TrimLeft(text, "+-")) {
		marks = "pP"
	}
	if i := strings.IndexAny(text, marks); i >= 0 {
		return text[:i]
	}
	return text
}

type numberError string

func (e numberError) Error() string { return string(e) }

const (
	errNoNumber   = numberError("does not begin with a number")
	errOutOfRange = numberError("is out of range")
)

func isHex(s string) bool {
	return len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')
}

// numberEnd returns the end of the unsigned number at s[i:], or i.
func numberEnd(s string, i int) int {
	for _, word := range []string{"infinity", "inf", "nan"} {
		if len(s)-i >= len(word) && strings.EqualFold(s[i:i+len(word)], word) {
			return i + len(word)
		}
	}
	digit, exponent := isDigit, byte('e')
	if isHex(s[i:]) && numberDigits(s, i+2, isHexDigit) > i+2 {
		digit, exponent = isHexDigit, 'p'
		i += 2
	}
	end := numberDigits(s, i, digit)
	if end == i {
		return i
	}
	if end < len(s) && s[end]|0x20 == exponent {
		e := end + 1
		if e < len(s) && (s[e] == '+' || s[e] == '-') {
			e++
		}
		f := e
		for f < len(s) && isDigit(s[f]) {
			f++
		}
		if f > e {
			end = f
		}
	}
	return end
}

// numberDigits returns the end of the digits with at most one point at s[i:],
// or i when there is no digit.
func numberDigits(s string, i int, digit func(byte) bool) int {
	end, digits, point := i, 0, false
	for end < len(s) {
		switch {
		case digit(s[end]):
			digits++
		case s[end] == '.' && !point:
			point = true
		default:
			if digits == 0 {
				return i
			}
			return end
		}
		end++
	}
	if digits == 0 {
		return i
	}
	return end
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isHexDigit(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
