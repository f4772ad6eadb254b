package emulator

import (
	"errors"

	"github.com/simterpose/simterpose/kernel/inet"
	"github.com/simterpose/simterpose/kernel/transit"
	"github.com/simterpose/simterpose/platform"
)

// errLost means that a guest has written less than it was let to.
var errLost = errors.New("mediation: a guest's memory changed, or the guest died, while the machine's kernel read it for a write: " +
	"use full mediation for this experiment")

// translate lets the data of connections go through the machine's kernel where
// the experiment asks for it.
func (w *world) translate() {
	m := w.experiment.Mediation
	w.depot = &transit.Depot{Lost: func() { w.fail(errLost) }}
	if !m.Translation && len(m.Pairs) == 0 {
		return
	}
	host := w.experiment.Platform.Host
	w.stacks.Translate(func(from, to string) inet.Hold {
		if !m.Translated(host(from), host(to)) {
			return nil
		}
		return w.depot.NewHold()
	})
}

// depotOf is for a host of which some data go through the machine's kernel.
func (w *world) depotOf(p *platform.Host) *transit.Depot {
	if !w.experiment.Mediation.Anywhere(p) {
		return nil
	}
	return w.depot
}

// endTranslation tells how much has gone through the machine's kernel.
func (w *world) endTranslation() {
	if w.depot == nil {
		return
	}
	if d := w.depot; d.Carried+d.Copied > 0 {
		w.options.Log.Debug("address translation", "bytes through the kernel", d.Carried, "of them copied by the emulator", d.Copied)
	}
	w.depot.Close()
}
