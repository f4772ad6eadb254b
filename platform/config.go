package platform

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// options are the names that SimGrid 3.32 knows, with the newer ones of the
// same meaning.
var options = strings.Fields(`
bmf/max-iterations bmf/precision bmf/selective-update cmonkey/host cmonkey/link cmonkey/tell cmonkey/time
contexts/factory contexts/guard-size contexts/nthreads contexts/stack-size contexts/synchro
cpu/maxmin-selective-update cpu/model cpu/optim cpu/solver
debug/breakpoint debug/clean-atexit debug/verbose-exit disk/model disk/solver exception/cutpath
host/model host/solver maxmin/concurrency-limit maxmin/precision model-check/replay model-check/timeout
network/TCP-gamma network/bandwidth-factor network/crosstraffic network/latency-factor network/loopback-bw
network/loopback-lat network/maxmin-selective-update network/model network/optim network/solver network/weight-S
ns3/NetworkModel ns3/TcpModel ns3/seed path plugin plugin/dvfs/governor plugin/dvfs/max-pstate plugin/dvfs/min-pstate
plugin/dvfs/sampling-rate plugins precision/timing precision/work-amount
smpi/IB-penalty-factors smpi/async-small-thresh smpi/auto-shared-malloc-thresh smpi/bw-factor
smpi/comp-adjustment-file smpi/cpu-threshold smpi/display-allocs smpi/errors-are-fatal smpi/grow-injected-times
smpi/host-speed smpi/hostfile smpi/init smpi/iprobe smpi/iprobe-cpu-usage smpi/lat-factor smpi/list-leaks smpi/map
smpi/np smpi/pedantic smpi/replay smpi/send-is-detached-thresh smpi/shared-malloc smpi/simulate-computation smpi/test
smpi/trace-call-location smpi/trace-call-use-absolute-path smpi/wtime storage/max_file_descriptors surf/precision
tracing tracing/actor tracing/basic tracing/categorized tracing/comment tracing/comment-file tracing/disable-destroy
tracing/disable_link tracing/disable_power tracing/filename tracing/platform tracing/platform/topology
tracing/precision tracing/smpi tracing/smpi/computing tracing/smpi/display-sizes tracing/smpi/format
tracing/smpi/format/ti-one-file tracing/smpi/group tracing/smpi/internals tracing/smpi/sleeping
tracing/uncategorized tracing/vm vm/model vm/solver`)

// config takes the options of a <config>: the first value given counts.
func (l *loader) config(f *frame) error {
	for _, q := range f.properties {
		if !slices.Contains(options, q.Name) && !strings.HasPrefix(q.Name, "smpi/") {
			return fmt.Errorf("unknown option %q", q.Name)
		}
		if _, given := l.Config[q.Name]; given || l.deployment {
			continue
		}
		if err := checkOption(q); err != nil {
			return err
		}
		l.Config[q.Name] = q.Value
		if err := l.loopbackOption(q); err != nil {
			return err
		}
	}
	return nil
}

// checkOption holds the value of an option that changes what is computed against
// what SimGrid takes.
func checkOption(q Property) error {
	switch q.Name {
	case "network/TCP-gamma", "network/bandwidth-factor", "network/latency-factor", "network/loopback-bw",
		"network/loopback-lat", "network/weight-S":
		if value, err := strconv.ParseFloat(q.Value, 64); err != nil || !(value >= 0) {
			return fmt.Errorf("option %s: a number of 0 or more expected, found %q", q.Name, q.Value)
		}
	case "maxmin/concurrency-limit":
		if _, err := strconv.Atoi(q.Value); err != nil {
			return fmt.Errorf("option %s: an integer expected, found %q", q.Name, q.Value)
		}
	case "network/crosstraffic":
		if !slices.Contains([]string{"yes", "on", "true", "1", "no", "off", "false", "0"}, q.Value) {
			return fmt.Errorf("option %s: yes or no expected, found %q", q.Name, q.Value)
		}
	}
	return nil
}

// loopbackOption gives the loopback link what an option says.
func (l *loader) loopbackOption(q Property) error {
	var into *float64
	loopback := l.Links.At(0)
	loopback.own()
	switch q.Name {
	case "network/loopback-bw":
		into = &loopback.Bandwidth
	case "network/loopback-lat":
		into = &loopback.Latency
	default:
		return nil
	}
	value, err := strconv.ParseFloat(q.Value, 64)
	if err != nil {
		return fmt.Errorf("option %s: %w", q.Name, err)
	}
	*into = value
	return nil
}
