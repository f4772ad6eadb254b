package emulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/kernel"
	"github.com/simterpose/simterpose/kernel/inet"
	"github.com/simterpose/simterpose/kernel/transit"
	"github.com/simterpose/simterpose/network"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// world is a run of an experiment.
type world struct {
	loop
	experiment *experiment.Experiment
	options    Options
	source     sim.Source
	network    *network.Network
	stacks     *inet.Network
	layers     *layers
	names      *names
	depot      *transit.Depot
	hosts      []*host
	byName     map[string]*host
	processes  []*process
	waiting    int                  // processes that keep the experiment running
	properties map[string]*property // that events have changed
	straces    map[string]*os.File
	claim      claim
	begin      time.Time
	reported   time.Time
	ticks      int
}

// process is a process of the experiment.
type process struct {
	*experiment.Process
	host    *host
	result  ProcessResult
	process *kernel.Process
	status  unix.WaitStatus
	ended   bool
	program string // the path of its program
	started guest.Started
	begun   bool  // its program runs, or has run
	failure error // why it could not be started
	anyEnd  bool  // no end is unexpected
	// whenEnded, if not nil, is called at the end.
	whenEnded func()
	crashed   bool // with its host, at crashedAt
	crashedAt sim.Time
	missed    bool // its start came while its host was down
}

// Run runs an experiment and returns what happened. When ctx is cancelled the
// run ends in order, and the result says so. The error is a *guest.MissingError
// when the machine lacks something and nothing has run.
func Run(ctx context.Context, e *experiment.Experiment, o Options) (*Result, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	w := &world{
		experiment: e, options: o, source: sim.NewSource(e.Seed),
		byName: map[string]*host{}, properties: map[string]*property{}, straces: map[string]*os.File{}, begin: time.Now(),
	}
	stop := context.AfterFunc(ctx, func() { w.interrupted.Store(true) })
	defer stop()
	defer w.close()
	if err := w.build(); err != nil {
		return nil, err
	}
	if s := o.Steering; s != nil {
		s.begin(w)
		defer close(s.over)
		w.between = func() { s.obey(w, ctx.Done()) }
	}
	alone := e.DaemonsAlone()
	err := w.run(e.Stop, func() bool { return w.waiting == 0 && !alone }, w.progress)
	if o.Steering != nil {
		// Whatever the end was, and now with how commands have ended.
		err = errors.Join(err, o.Steering.keep(o.Output))
	}
	if err != nil && !errors.Is(err, errDeadlock) {
		if slices.ContainsFunc(w.processes, func(p *process) bool { return p.begun }) {
			// Whatever is missing now, what ran has left something behind.
			err = errors.New(err.Error())
		}
		return nil, err
	}
	if err := w.endRecord(); err != nil {
		return nil, err
	}
	w.collect()
	if err := w.keepCosts(ctx.Err() != nil); err != nil {
		return nil, err
	}
	if err := w.layers.keep(); err != nil {
		return nil, err
	}
	return w.result(errors.Is(err, errDeadlock), ctx.Err() != nil), nil
}

// ahead is kernel.Config.Ahead.
func (w *world) ahead() bool { return w.experiment.CPU.Model == "measured" }

// build creates everything that the run needs, and schedules the processes.
func (w *world) build() error {
	var err error
	if w.claim, err = claimProcessor(); err != nil {
		return err
	}
	w.queue = &sim.Queue{}
	w.outsideNoted = map[string]bool{}
	w.log = w.options.Log.Info
	w.processEnded = w.ended
	w.programFailed = w.firstProgramFailed
	calls := kernel.NativeCalls()
	if w.disksFail() || w.losesUnsynced() || w.experiment.TimedDisks || w.options.Steering != nil {
		calls = kernel.NativeCallsOfDisks()
	}
	first, tsc := kernel.NativeFirst(), kernel.TSC{}
	if w.experiment.TrapTSC {
		tsc = kernel.TSC{Handler: guest.TSCHandler, Page: guest.CodePage}
		delete(first, unix.SYS_RT_SIGPROCMASK)
	} else if !w.ahead() {
		calls = append(slices.Clone(calls), unix.SYS_RT_SIGACTION)
	}
	w.realm, err = guest.Start(guest.Native{Calls: calls, Commands: kernel.NativeCommands(), First: first, Guarded: kernel.GuardedCalls()}, guest.Interceptor(w.experiment.Interceptor), w.claim.processor, quietSettings...)
	if err != nil {
		return err
	}
	w.tellInterceptor()
	if !w.ahead() { // with the model "measured", programs are to be as fast as elsewhere
		if err := w.realm.UseSmallPages(); err != nil {
			return err
		}
	}
	if err := w.buildLayers(); err != nil {
		return err
	}
	if w.options.Record != nil {
		w.record = newRecorder(w.options.Record, w.queue, w.experiment.Platform, w.recordHeader())
	}
	w.kernel = kernel.New(kernel.Config{
		Queue: w.queue, Machine: machine{&w.loop}, Log: w.options.Log, Epoch: w.experiment.Epoch, Ready: w.ready,
		Doomed: w.processDeath, Continued: w.continued, Outside: w.waitsOutside, Strace: w.strace(),
		ClockChanged: clockChanged, TSC: tsc, Ahead: w.ahead(), Moved: w.record.moves(),
	})
	if err := w.buildNetwork(); err != nil {
		return err
	}
	w.processor = newProcessor(w.experiment.CPU, w.network)
	if err := w.prepareCosts(); err != nil {
		return err
	}
	w.scheduleEvents()
	for i := range w.experiment.Processes {
		p := &w.experiment.Processes[i]
		h, err := w.host(p.Host)
		if err != nil {
			return err
		}
		w.addProcess(h, p)
	}
	if err := w.putFiles(); err != nil {
		return err
	}
	for _, h := range w.hosts {
		if err := awaitRunning(h.kernel.NetworkSocket); err != nil {
			return fmt.Errorf("host %s: %w", h.name, err)
		}
	}
	return w.calibrateProcessor()
}

// tellInterceptor says so when the preferred interceptor is not possible.
func (w *world) tellInterceptor() {
	chosen, reason := w.realm.Interceptor()
	if reason != nil && w.options.Tell != nil {
		w.options.Tell(fmt.Sprintf("%s: interceptor %s is used", reason.What, chosen))
	}
}

// buildLayers makes the place for the hosts' own files.
func (w *world) buildLayers() error {
	hosts := map[*platform.Host]bool{}
	for _, p := range w.experiment.Processes {
		hosts[p.Host] = true
	}
	var refused, err error
	w.layers, refused, err = prepareLayers(w.realm, w.options.Output, len(hosts))
	if refused != nil {
		w.options.Log.Warn("the output folder cannot hold the layers of hosts: they are in memory, and copied there at the end", "error", refused)
	}
	return err
}

func (w *world) buildNetwork() error {
	model, err := network.ModelByName(w.experiment.Network.Model)
	if err != nil {
		return err
	}
	p := w.experiment.Platform
	if err := model.Configure(p.Config); err != nil {
		return err
	}
	w.network = network.New(network.Config{
		Model: model, Hosts: p.Hosts, Links: &p.Links, Router: p, Seed: w.source, HandshakeFree: w.experiment.Network.HandshakeFree,
	})
	w.network.Attach(w.queue)
	w.names = newNames(p.Hosts)
	w.stacks = inet.NewNetwork(w.queue, carrier{network.Addressed{Network: w.network, HostAt: p.HostByAddress}})
	w.translate()
	return nil
}

// carrier is the network as the stacks want it.
type carrier struct{ network.Addressed }

func (c carrier) Direction(src, dst netip.Addr, arrived func(n int)) (inet.Direction, error) {
	d, err := c.Open(src, dst, arrived)
	if err != nil {
		return nil, carrierError(err)
	}
	return d, nil
}

func (c carrier) Packet(src, dst netip.Addr, size int, reliable bool, arrive func()) error {
	return carrierError(c.Addressed.Packet(src, dst, size, reliable, arrive))
}

func carrierError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, network.ErrNoHost):
		return inet.ErrNoHost
	case errors.Is(err, platform.ErrNoRoute):
		return inet.ErrNoRoute
	}
	return err
}

// progress reports to Options.Progress now and then.
func (w *world) progress() {
	if w.options.Progress == nil {
		return
	}
	w.ticks++
	if w.ticks&1023 != 0 {
		return
	}
	if now := time.Now(); now.Sub(w.reported) > 100*time.Millisecond {
		w.reported = now
		w.options.Progress(w.howFar())
	}
}

func (w *world) howFar() Progress {
	p := Progress{Now: w.queue.Now(), Stop: w.experiment.Stop, Alive: len(w.kernel.Processes())}
	for _, h := range w.hosts {
		sent, _ := w.network.HostTraffic(h.simulated)
		p.Bytes += sent.Bytes
	}
	return p
}

func (w *world) close() {
	if w.realm != nil {
		w.realm.Close()
	}
	if w.layers != nil {
		if err := w.layers.clean(); err != nil {
			w.options.Log.Error("the layers' working folders stay", "error", err)
		}
	}
	for _, h := range w.hosts {
		h.kernel.KeepUnsynced()
		h.clock.Close()
	}
	for _, f := range w.straces {
		f.Close()
	}
	w.endTranslation()
	w.claim.release()
}
