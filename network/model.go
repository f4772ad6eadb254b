package network

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Model holds the constants of a network model.
type Model struct {
	Name string

	latency   factors
	bandwidth factors
	// weightS adds weightS/bandwidth of each link to a communication's
	// penalty, in bytes.
	weightS float64
	// Gamma is the largest TCP window, in bytes: a communication's rate is at
	// most Gamma/(2*latency).
	Gamma float64
	// CrossTraffic makes the acknowledgements of a communication take 5 % of
	// its rate on the way back.
	CrossTraffic bool

	// concurrencyLimit is how many activities may use a link, CPU or disk at a
	// time; none if not above 0.
	concurrencyLimit int
	// duration, if above 0, is what every communication lasts, in seconds.
	duration float64
	// tcp makes streams start slowly and pay for losses, and their latency
	// follow their bytes instead of preceding them.
	tcp bool
}

// crossWeight is what a communication takes on its way back (SimGrid 3.32,
// network_cm02.cpp).
const crossWeight = 0.05

// factors is a step function of a message's size: each value holds for sizes
// above its boundary, up to the next; 1 below the first.
type factors []factor

type factor struct{ above, value float64 }

func constant(value float64) factors { return factors{{-1, value}} }

func (f factors) of(size float64) float64 {
	value := 1.0
	for _, step := range f {
		if size <= step.above {
			break
		}
		value = step.value
	}
	return value
}

// gamma is SimGrid's network/TCP-gamma.
const gamma = 4194304

// ModelNames are the names that ModelByName knows, the default first.
var ModelNames = []string{"tcp", "LV08", "CM02", "SMPI", "constant"}

// ModelByName returns the named model; upper and lower case are the same.
func ModelByName(name string) (Model, error) {
	switch strings.ToLower(name) {
	case "", "tcp":
		// docs/simulation.md gives the reasons of each constant. 0.97 is LV08's
		// share of payload in what a link carries.
		return Model{
			Name: "tcp", latency: constant(1), bandwidth: constant(0.97),
			Gamma: gamma, tcp: true,
		}, nil
	case "lv08":
		// Velho and Legrand, Accuracy study and improvement of network
		// simulation in the SimGrid framework, SIMUTools 2009.
		return Model{
			Name: "LV08", latency: constant(13.01), bandwidth: constant(0.97),
			weightS: 20537, Gamma: gamma, CrossTraffic: true,
		}, nil
	case "cm02":
		// Casanova and Marchal, A network model for simulation of grid
		// application, INRIA RR-4596, 2002.
		return Model{
			Name: "CM02", latency: constant(1), bandwidth: constant(1),
			Gamma: gamma, CrossTraffic: true,
		}, nil
	case "smpi":
		return Model{
			Name: "SMPI", latency: smpiLatency, bandwidth: smpiBandwidth,
			weightS: 8775, Gamma: gamma, CrossTraffic: true,
		}, nil
	case "constant":
		return Model{Name: "constant", latency: constant(1), bandwidth: constant(1), duration: 1}, nil
	}
	return Model{}, fmt.Errorf("unknown network model %q (known: %s)", name, strings.Join(ModelNames, ", "))
}

// The factors of SimGrid's SMPI model (smpi/lat-factor, smpi/bw-factor), as
// measured on the cluster griffon of Grid'5000.
var (
	smpiLatency = factors{
		{0, 2.01467},
		{257, 1.95341},
		{732, 1.9503},
		{1426, 1.61075},
		{3484, 1.88101},
		{5776, 2.18796},
		{9376, 2.59299},
		{15424, 3.48845},
		{65472, 11.6436},
	}
	smpiBandwidth = factors{
		{0, 0.812084},
		{257, 0.338112},
		{732, 0.341987},
		{1426, 0.608902},
		{3484, 0.77493},
		{5776, 1.08739},
		{9376, 0.58729},
		{15424, 0.697866},
		{65472, 0.940694},
	}
)

// numbers are the options of a platform's <config> element that concern network
// models and are numbers, under SimGrid's names.
var numbers = []struct {
	name string
	set  func(m *Model, value float64)
}{
	// As in SimGrid, the factors of SMPI are tables and come from other options.
	{"network/latency-factor", func(m *Model, v float64) {
		switch m.Name {
		case "SMPI":
		case "constant":
			m.duration = v
		default:
			m.latency = constant(v)
		}
	}},
	{"network/bandwidth-factor", func(m *Model, v float64) {
		if m.Name != "SMPI" {
			m.bandwidth = constant(v)
		}
	}},
	{"network/weight-S", func(m *Model, v float64) { m.weightS = v }},
	{"network/TCP-gamma", func(m *Model, v float64) { m.Gamma = v }},
	{"maxmin/concurrency-limit", func(m *Model, v float64) { m.concurrencyLimit = int(v) }},
}

// OptionUsed tells whether an option of a <config> element changes what is
// computed.
func OptionUsed(name string) bool {
	switch name {
	case "network/model", "network/crosstraffic", "network/loopback-bw", "network/loopback-lat",
		"smpi/lat-factor", "smpi/bw-factor", "path":
		return true
	}
	for _, o := range numbers {
		if o.name == name {
			return true
		}
	}
	return false
}

// Configure applies the options of a platform's <config> element that concern
// network models, under SimGrid's names.
func (m *Model) Configure(options map[string]string) error {
	for _, o := range numbers {
		text, ok := options[o.name]
		if !ok {
			continue
		}
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("option %s: %q is not a number", o.name, text)
		}
		o.set(m, value)
	}
	if m.Name == "constant" && !(m.duration > 0) {
		return fmt.Errorf("option network/latency-factor: a number above 0 expected, found %g", m.duration)
	}
	if m.Name == "SMPI" {
		for name, into := range map[string]*factors{"smpi/lat-factor": &m.latency, "smpi/bw-factor": &m.bandwidth} {
			if text, ok := options[name]; ok {
				table, err := parseFactors(text)
				if err != nil {
					return fmt.Errorf("option %s: %w", name, err)
				}
				*into = table
			}
		}
	}
	if text, ok := options["network/crosstraffic"]; ok {
		switch strings.ToLower(text) {
		case "yes", "on", "true", "1":
			m.CrossTraffic = true
		case "no", "off", "false", "0":
			m.CrossTraffic = false
		default:
			return fmt.Errorf("option network/crosstraffic: %q is neither yes nor no", text)
		}
	}
	return nil
}

// parseFactors reads a table such as "0:2.01;257:1.95": boundaries in bytes,
// each with the factor that holds above it.
func parseFactors(text string) (factors, error) {
	var table factors
	for step := range strings.SplitSeq(text, ";") {
		if step == "" {
			continue
		}
		above, value, _ := strings.Cut(step, ":")
		boundary, err := strconv.Atoi(above)
		if err != nil || boundary < 0 {
			return nil, fmt.Errorf("SIZE:FACTOR expected, as in 1426:1.61, found %q", step)
		}
		f, err := strconv.ParseFloat(value, 64)
		if err != nil || !(f >= 0) {
			return nil, fmt.Errorf("SIZE:FACTOR expected, as in 1426:1.61, found %q", step)
		}
		table = append(table, factor{float64(boundary), f})
	}
	slices.SortStableFunc(table, func(a, b factor) int { return cmp.Compare(a.above, b.above) })
	return table, nil
}
