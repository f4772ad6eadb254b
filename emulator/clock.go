package emulator

import (
	"time"

	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/kernel"
)

// clockChanged is the kernel's Config.ClockChanged: guests read the calendar
// from their host's page.
func clockChanged(k *kernel.Host) {
	c := k.Calendar()
	k.Data.(*host).clock.SetCalendar(int64(c.Base), c.At, c.Rate)
}

// setClock makes a host's calendar clock wrong.
func setClock(k *kernel.Host, c *experiment.ClockChange) {
	if c.Drift != nil {
		k.SetDrift(*c.Drift)
	}
	if c.Offset != nil {
		k.SetOffset(time.Duration(*c.Offset))
	}
}

// startClock sets the clock of a host that comes up for the first time to what
// the experiment says.
func (w *world) startClock(h *host) {
	if w.experiment.TrapTSC {
		h.clock.TrapTSC()
	}
	for i := range w.experiment.Clocks {
		if c := &w.experiment.Clocks[i]; c.Host == h.simulated {
			setClock(h.kernel, &c.ClockChange)
			h.kernel.Unsynchronized()
		}
	}
}

// keepClock lets a host that boots go on with the calendar clock of before: its
// battery has kept it.
func keepClock(old, booted *kernel.Host) {
	booted.SetDrift(old.Drift())
	booted.SetOffset(old.Offset())
	booted.KeepFileTimes(old)
}
