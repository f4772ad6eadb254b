package emulator

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/kernel"
	"github.com/simterpose/simterpose/kernel/inet"
	"github.com/simterpose/simterpose/platform"
)

// host brings a platform's host up when it is first needed.
func (w *world) host(p *platform.Host) (*host, error) {
	if h := w.byName[p.Name]; h != nil {
		return h, nil
	}
	h := &host{
		name: p.Name, simulated: p, index: len(w.hosts), random: w.source.Stream("host " + p.Name),
		folder: filepath.Join(w.options.Output, "hosts", p.Name),
	}
	if err := os.MkdirAll(h.folder, 0o755); err != nil {
		return nil, err
	}
	var err error
	if h.clock, err = guest.NewClock(int64(readCost), w.experiment.Epoch.UnixNano()); err != nil {
		return nil, err
	}
	if err := w.bringUp(h, true); err != nil {
		return nil, err
	}
	w.hosts = append(w.hosts, h)
	w.byName[p.Name] = h
	return h, nil
}

// bringUp makes a host's namespaces, its network stack and its kernel; first
// tells that it has not been up before.
func (w *world) bringUp(h *host, first bool) error {
	p := h.simulated
	addresses := addressesOf(p)
	layer, overlays, err := w.layers.host(p.Name)
	if err != nil {
		return err
	}
	etc := filepath.Join(w.layers.seen, layersFolder, p.Name, "etc")
	bound := ""
	if !w.layers.covers("/etc") {
		bound = filepath.Join(w.options.Output, "etc", p.Name)
		etc = bound
	}
	if first {
		if err := writeEtc(etc, p.Name, hostsFile(w.experiment.Platform.Hosts), nameServerAddress); err != nil {
			return err
		}
	}
	requests := [][]byte{upRequest(linkIndexLoopback), upRequest(linkIndexEthernet)}
	for _, prefix := range prefixes(addresses, w.experiment.Platform.Networks()) {
		requests = append(requests, addressRequest(linkIndexEthernet, prefix, unix.RT_SCOPE_UNIVERSE))
	}
	requests = append(requests, defaultRouteRequest(linkIndexEthernet, unix.AF_INET), defaultRouteRequest(linkIndexEthernet, unix.AF_INET6))
	cores := int(max(1, p.Cores))
	system, err := w.layers.systemMounts(cores)
	if err != nil {
		return err
	}
	h.container, err = w.realm.NewContainer(guest.ContainerConfig{
		Hostname: p.Name, Settings: slices.Concat(quietSettings, hostSettings), Keep: w.kept(h), Netlink: requests, Clock: h.clock,
		Directory: layer, Mounts: slices.Concat(overlays, w.layers.mounts(bound, system)), Folders: bootFolders, Links: deviceLinks, ReadOnly: slices.Concat(w.layers.readOnly, deviceNodes()),
		OuterNetlink: func(pid int) [][]byte {
			return [][]byte{vethRequest(h.index, pid, hardwareAddress(addresses[0]))}
		},
	})
	if err != nil {
		return err
	}
	socket, err := h.container.NetworkSocket()
	if err != nil {
		return err
	}
	h.settings = newSettings(h.container)
	h.stack = w.stacks.NewStack(inet.Config{
		Name: p.Name, Addresses: addresses, Networks: w.experiment.Platform.Networks(), Random: w.source.Stream("ports " + p.Name),
		Realtime: func() int64 { return h.kernel.Realtime() },
		Setting:  h.settings.read,
		Aside:    nameServerAddress,
	})
	old := h.kernel
	h.kernel = w.kernel.NewHost(kernel.HostConfig{
		Name: p.Name, Stack: w.recorded(h), Addresses: addresses, Cores: cores, Memory: memory,
		Random: h.random, Root: h.container.Root(), NetworkSocket: socket, Data: h,
		Transfer: w.transfers(h), Before: old, Depot: w.depotOf(p),
		Unsynced: w.losesUnsynced(),
	})
	if first {
		w.startClock(h)
	} else {
		h.clock.Boot(int64(w.queue.Now()))
		keepClock(old, h.kernel)
		h.kernel.Disk = old.Disk
	}
	h.serveNames(w.names)
	return nil
}

// kept are the folders of the machine that stay visible on a host although its
// mounts would hide them, and those that show elsewhere.
func (w *world) kept(h *host) []guest.Kept {
	var folders []string
	kept := []guest.Kept{{Folder: h.folder, At: workingFolder, Writable: true}}
	if w.experiment.File != "" {
		folder := filepath.Dir(w.experiment.File)
		folders = append(folders, folder)
		kept = append(kept, guest.Kept{Folder: folder, At: experiment.GuestFolder})
	}
	for _, q := range w.experiment.Processes {
		if q.Host == h.simulated && filepath.IsAbs(q.Argv[0]) && !strings.HasPrefix(q.Argv[0], experiment.GuestFolder+"/") {
			folders = append(folders, filepath.Dir(q.Argv[0]))
		}
	}
	return append(kept, keep(folders)...)
}
