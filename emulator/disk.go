package emulator

import (
	"strings"

	"github.com/simterpose/simterpose/platform"
)

// transfers is the kernel's HostConfig.Transfer of a host: it times reads and
// writes of files if the experiment asks for it and the host has a disk.
func (w *world) transfers(h *host) func(path string, write bool, bytes int64, done func()) bool {
	disks := h.simulated.Disks()
	if !w.experiment.TimedDisks || len(disks) == 0 {
		return nil
	}
	return func(path string, write bool, bytes int64, done func()) bool {
		d := diskOf(disks, path)
		if d == nil {
			return false
		}
		// When the host is turned off meanwhile, its guests are gone.
		_, err := w.network.IO(h.simulated, d.Name, write, float64(bytes), func(failed bool) {
			if !failed {
				done()
			}
		})
		return err == nil
	}
}

// diskOf is the disk that holds a file: that with the longest property mount
// which is a folder above it, as SimGrid's file system plugin has it, or else
// the first one without this property.
func diskOf(disks []platform.Disk, path string) *platform.Disk {
	var best *platform.Disk
	longest := -1
	for i := range disks {
		mount, ok := disks[i].Properties.Get("mount")
		mount = strings.TrimSuffix(mount, "/")
		switch {
		case ok && (path == mount || strings.HasPrefix(path, mount+"/")):
		case ok:
			continue
		default:
			mount = ""
		}
		if len(mount) > longest {
			best, longest = &disks[i], len(mount)
		}
	}
	return best
}
