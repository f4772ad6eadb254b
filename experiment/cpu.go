package experiment

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/simterpose/simterpose/internal/strictyaml"
	"github.com/simterpose/simterpose/sim"
)

// Settings of the models; the value of the key cpu is the name of a model, its
// settings, or the name with its settings below.
type measuredSection struct {
	NativeIO       string `yaml:"native_io"`
	ReferenceSpeed *speed `yaml:"reference_speed"`
}

type fixedSection struct {
	PerCall      *duration `yaml:"per_call"`
	PerCPUSecond *duration `yaml:"per_cpu_second"`
	Costs        string    `yaml:"costs"`
}

// cpu reads how computations are timed.
func (l *loader) cpu(node ast.Node) {
	if name, ok := strictyaml.Text(node); ok {
		l.CPU.Model = name
		if err := checkCPU(name); err != nil {
			l.addf(l.at(node), "%v", err)
		}
		return
	}
	var s struct {
		Model          string           `yaml:"model"`
		Measured       *measuredSection `yaml:"measured"`
		Fixed          *fixedSection    `yaml:"fixed"`
		NativeIO       string           `yaml:"native_io"`
		ReferenceSpeed *speed           `yaml:"reference_speed"`
		PerCall        *duration        `yaml:"per_call"`
		PerCPUSecond   *duration        `yaml:"per_cpu_second"`
		Costs          string           `yaml:"costs"`
	}
	if !l.decode(node, &s) {
		return
	}
	fail := func(format string, arguments ...any) { l.addf(l.at(node), format, arguments...) }
	measured := measuredSection{s.NativeIO, s.ReferenceSpeed}
	fixed := fixedSection{s.PerCall, s.PerCPUSecond, s.Costs}
	model := s.Model
	nested := func(name string) {
		if model != "" && model != name {
			fail("cpu: %s or %s expected, found both", model, name)
		}
		model = name
	}
	if s.Measured != nil {
		nested("measured")
		measured = *s.Measured
	}
	if s.Fixed != nil {
		nested("fixed")
		fixed = *s.Fixed
	}
	if measured != (measuredSection{}) && model == "" {
		model = "measured"
	}
	if fixed != (fixedSection{}) && model == "" {
		model = "fixed"
	}
	if model == "" {
		model = "none"
	}
	if err := checkCPU(model); err != nil {
		fail("%v", err)
	}
	l.CPU.Model = model
	switch measured.NativeIO {
	case "", "counted":
	case "free":
		l.CPU.NativeIOFree = true
	default:
		fail("native_io: counted or free expected, found %q", measured.NativeIO)
	}
	if r := measured.ReferenceSpeed; r != nil {
		if l.CPU.ReferenceSpeed = float64(*r); l.CPU.ReferenceSpeed == 0 {
			fail("reference_speed: a speed above 0 expected")
		}
	}
	if measured != (measuredSection{}) && model != "measured" {
		fail("native_io and reference_speed go with the model measured")
	}
	if fixed.PerCall != nil {
		if model == "none" {
			fail("per_call goes with the models fixed and measured")
		}
		l.CPU.PerCall = sim.Time(*fixed.PerCall)
	}
	if fixed.PerCPUSecond != nil {
		if model != "fixed" {
			fail("per_cpu_second goes with the model fixed")
		}
		l.CPU.PerCPUSecond = sim.Time(*fixed.PerCPUSecond)
	}
	if fixed.Costs != "" {
		if fixed.PerCPUSecond == nil {
			fail("costs goes with per_cpu_second")
		}
		l.CPU.Costs = l.beside(fixed.Costs)
	}
	if model == "fixed" && fixed == (fixedSection{}) {
		fail("per_call: TIME expected, the cost of a call, or per_cpu_second")
	}
}

func checkCPU(model string) error {
	if !slices.Contains(CPUModels, model) {
		return fmt.Errorf("cpu model: %s expected, found %q", strings.Join(CPUModels, ", "), model)
	}
	return nil
}
