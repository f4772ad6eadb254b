package emulator

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/kernel"
	"github.com/simterpose/simterpose/sim"
)

// withoutProcessorRandom keeps OpenSSL from the instructions rdtsc, rdrand and
// rdseed, which no filter of system calls sees: they would make each run's keys
// different (OPENSSL_ia32cap(3)).
const withoutProcessorRandom = "OPENSSL_ia32cap=~0x4000000000000010:~0x40000"

// environment is what a guest finds, before what the experiment adds: the same
// on every machine.
func (w *world) environment(p *experiment.Process) []string {
	base := []string{
		"PATH=" + experiment.GuestPath, "HOME=/root", "USER=root", "LOGNAME=root", "SHELL=/bin/sh", "LANG=C.UTF-8", "TERM=dumb",
		"HOSTNAME=" + p.Host.Name, withoutProcessorRandom,
	}
	if w.experiment.File != "" {
		base = append(base, "SIMTERPOSE_EXPERIMENT_DIR="+experiment.GuestFolder)
	}
	// A later setting replaces an earlier one.
	var list []string
	for _, e := range append(base, p.Env...) {
		name, _, _ := strings.Cut(e, "=")
		replaced := false
		for i, old := range list {
			if strings.HasPrefix(old, name+"=") {
				list[i], replaced = e, true
			}
		}
		if !replaced {
			list = append(list, e)
		}
	}
	return list
}

// addProcess schedules the start and the stop of a process.
func (w *world) addProcess(h *host, e *experiment.Process) {
	p := &process{Process: e, host: h}
	p.result = ProcessResult{Host: h.name, Name: e.Name, Start: sim.Never}
	w.processes = append(w.processes, p)
	if !e.Daemon {
		w.waiting++
	}
	// No two processes start at the very same nanosecond: programs that seed
	// themselves from the clock would come up as twins.
	const spread = 1000
	offset := sim.Time(w.source.Stream("start "+h.name+"/"+e.Name).Uint64() % spread)
	w.queue.After(e.Start+offset, func() { w.start(p) })
	if e.Stop != sim.Never {
		w.queue.After(e.Stop, func() {
			switch {
			case p.ended:
			case p.process != nil:
				p.process.Signal(p.StopSignal)
			case p.host.down:
				// It does not come back when its host does.
				p.crashed = false
				p.status = unix.WaitStatus(p.StopSignal)
				w.finish(p)
			}
		})
	}
}

// start starts a process.
func (w *world) start(p *process) {
	if p.host.down {
		p.missed = true
		return
	}
	p.result.Start = w.queue.Now()
	if err := w.launch(p); err != nil {
		w.notStarted(p, err)
		w.finish(p)
	}
}

// notStarted tells why a process could not be started where its user will look: in
// the log, and in the file that is quoted at the end of the run.
func (w *world) notStarted(p *process, err error) {
	p.failure = err
	w.options.Log.Error("process not started", "host", p.host.name, "process", p.Name, "error", err)
	files, closeFiles, openError := w.standardFiles(p)
	if openError == nil {
		fmt.Fprintf(files[2], "simterpose: %v\n", err)
		closeFiles()
	}
}

// firstProgramFailed is the loop's programFailed. What matters is the program of
// one of the experiment's processes.
func (w *world) firstProgramFailed(th *thread) {
	p, ok := th.task.Process().Data.(*process)
	if !ok || p.begun || p.process != th.task.Process() {
		return
	}
	errno, hint := p.started.ExecError(), ""
	if folder := hiddenFolder(p.program); errno == unix.ENOENT && folder != "" {
		hint = "; hosts have a " + folder + " of their own"
	}
	w.notStarted(p, fmt.Errorf("%s cannot be executed on host %s: %w%s", p.program, p.host.name, errno, hint))
}

func (w *world) launch(p *process) error {
	environment := w.environment(p.Process)
	path, err := experiment.FindProgram(p.Argv[0], environment)
	if err != nil {
		return err
	}
	files, closeFiles, err := w.standardFiles(p)
	if err != nil {
		return err
	}
	defer closeFiles()
	p.program = path
	p.started, err = p.host.container.Launch(guest.Program{
		Path: path, Argv: p.Argv, Environment: environment, Directory: workingFolder, Files: files,
	})
	if err != nil {
		return err
	}
	started := p.started
	p.process = p.host.kernel.NewProcess(p.Name, started.TID, started.PID)
	p.process.Data = p
	p.process.Used, _ = guest.ProcessTime(started.TID, w.userOnly)
	p.result.PID = started.PID
	th := w.threadOf(p.process.Tasks()[0])
	th.call = started.Exec
	th.outcome = kernel.Outcome{Kind: kernel.Exec}
	w.record.started(th)
	w.due(th, answered, w.queue.Now())
	return nil
}

// standardFiles opens what becomes a process's standard input, output and
// error.
func (w *world) standardFiles(p *process) (files [3]*os.File, closeAll func(), err error) {
	if t := w.options.Terminal; t != nil && t.Host == p.host.name && t.Process == p.Name {
		return [3]*os.File{t.Stdin, t.Stdout, t.Stderr}, func() {}, nil
	}
	closeAll = func() {
		for _, f := range files {
			if f != nil {
				f.Close()
			}
		}
	}
	// They are opened as the host sees them: guests can ask for their names.
	if files[0], err = os.Open(p.host.container.Root() + os.DevNull); err != nil {
		return files, closeAll, err
	}
	for i, suffix := range []string{".stdout", ".stderr"} {
		if files[i+1], err = p.host.guestOutput(p.Name + suffix); err != nil {
			closeAll()
			return files, closeAll, err
		}
	}
	return files, closeAll, nil
}

// ended is called for every process that has ended, the experiment's own and
// their descendants.
func (w *world) ended(k *kernel.Process, status unix.WaitStatus) {
	if p, ok := k.Data.(*process); ok && p.process == k {
		p.status = status
		w.finish(p)
	}
}

// finish notes the end of a process.
func (w *world) finish(p *process) {
	p.ended = true
	p.result.End = w.queue.Now()
	if !p.Daemon {
		w.waiting--
	}
	if p.whenEnded != nil {
		p.whenEnded()
	}
}

// waitsOutside notes that a guest waits for a file of the machine.
func (w *world) waitsOutside(t *kernel.Task, number int) {
	where := fmt.Sprintf("descriptor %d of %s on %s", number, t.Process().Name, t.Process().Host().Name)
	if !w.outsideNoted[where] {
		w.outsideNoted[where] = true
		w.options.Log.Info("a guest watches a file of the machine, which other runs may see change at other times", "file", where)
	}
}

// strace returns what records calls, or nil.
func (w *world) strace() func(t *kernel.Task, call, result string) {
	if !w.options.Strace && w.options.Calls == nil {
		return nil
	}
	return func(t *kernel.Task, call, result string) {
		if w.options.Strace {
			w.writeStrace(t, call, result)
		}
		if w.options.Calls != nil {
			p := t.Process()
			if _, err := fmt.Fprintf(w.options.Calls, "%.9f %s %s[%d] %s = %s\n", w.queue.Now().Seconds(), p.Host().Name, p.Name, t.ID, call, result); err != nil {
				w.fail(fmt.Errorf("record of calls: %w", err))
			}
		}
	}
}

func (w *world) writeStrace(t *kernel.Task, call, result string) {
	h := hostOf(t.Process())
	name := t.Process().Name + ".strace"
	key := filepath.Join(h.folder, name)
	f := w.straces[key]
	if f == nil {
		var err error
		if f, err = h.output(name, os.O_TRUNC); err != nil {
			w.fail(err)
			return
		}
		w.straces[key] = f
	}
	fmt.Fprintf(f, "%.9f %d %s = %s\n", w.queue.Now().Seconds(), t.ID, call, result)
}

// result sums the run up.
func (w *world) result(deadlock, interrupted bool) *Result {
	interceptor, _ := w.realm.Interceptor()
	r := &Result{
		Interceptor: string(interceptor),
		Simulated:   w.queue.Now(), Preemptions: w.preemptions, Real: 0, Interrupted: interrupted,
		Unsupported: w.kernel.Unsupported(), Warnings: w.experiment.Warnings,
		Stops: w.stops, Interception: w.interception,
	}
	for _, p := range w.processes {
		r.Processes = append(r.Processes, w.verdict(p))
	}
	if deadlock {
		r.Deadlock = w.blocked()
	}
	for _, h := range w.hosts {
		sent, received := w.network.HostTraffic(h.simulated)
		r.Hosts = append(r.Hosts, HostTraffic{
			Name: h.name, BytesSent: sent.Bytes, MessagesSent: sent.Messages,
			BytesReceived: received.Bytes, MessagesReceived: received.Messages,
		})
	}
	for l := range w.experiment.Platform.Links.All() {
		if t := w.network.LinkTraffic(l); t.Messages > 0 {
			r.Links = append(r.Links, LinkTraffic{Name: l.Name(), Bytes: t.Bytes, Messages: t.Messages})
		}
	}
	return r
}

// verdict compares what became of a process with what was expected.
func (w *world) verdict(p *process) ProcessResult {
	if p.crashed && !p.ended && !w.planned(p.host) {
		// Somebody might have booted the host by hand, and did not.
		p.ended, p.status, p.result.End = true, unix.WaitStatus(unix.SIGKILL), p.crashedAt
	}
	r := p.result
	r.HostDown = !p.ended && p.crashed
	r.Running = r.HostDown || !p.ended && p.process != nil
	if r.Running {
		r.End = w.queue.Now()
	}
	r.ExitCode = -1
	switch {
	case p.failure != nil:
		r.ExitCode = 127
	case p.ended && p.status.Signaled():
		r.Signal = p.status.Signal()
	case p.ended:
		r.ExitCode = p.status.ExitStatus()
	}
	r.Expected = p.Expect.String()
	if p.anyEnd {
		r.Expected, r.AsExpected = "any end", true
		return r
	}
	r.AsExpected = p.failure == nil && p.Expect.Met(r.Running, r.ExitCode, r.Signal)
	return r
}

// blocked lists what every guest waits for.
func (w *world) blocked() []Blocked {
	var list []Blocked
	for _, p := range w.kernel.Processes() {
		for _, t := range p.Tasks() {
			what, since := t.WaitsFor()
			list = append(list, Blocked{
				Host: p.Host().Name, Process: p.Name, PID: t.ID, Call: t.Call(), Since: since, Peer: what,
			})
		}
	}
	return list
}
