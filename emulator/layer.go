package emulator

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/kernel"
)

// A host sees the machine's files and writes into a layer of its own, an
// overlay: LAYERS/HOST/etc, say, lies over /etc. One overlay of / is not
// possible for an ordinary user, because the kernel does not let a user
// namespace see what its inherited mounts hide; so each folder of / has one.
const (
	layersFolder = "layers"
	workFolder   = "layers/.work" // overlayfs's own, removed at the end
)

// Folders of / that have no layer: what others provide, and what begins empty.
var withoutLayer = []string{"boot", "dev", "lost+found", "proc", "run", "sys", "tmp"}

// Folders that programs are expected to write to: when there are mounts below
// one, each of its own folders gets a layer instead.
var written = []string{"/etc", "/home", "/opt", "/root", "/srv", "/usr", "/var"}

// layers says how the machine's folders become each host's own.
type layers struct {
	over     []string // folders that an overlay covers
	instead  []string // folders that are empty, or that may not be read
	readOnly []string // mounts of the machine that stay visible
	// seen is the output folder as the emulator finds the layers in it: not by
	// its own path if they lie in a tmpfs of the guests' namespace.
	seen string
	// output is the output folder; copied tells that the layers have to be
	// copied there at the end.
	output string
	copied bool
	below  string // where the emulator finds the layer between (below.go)
	system string // and each /sys (sysfs.go)
	made   int    // working folders; a host that boots again gets another one
}

// hostsOnDisk is up to how many hosts an experiment may have for their layers to
// lie in the output folder from the start. More have them in memory: a folder
// of ext4 costs 50 µs, ten times one of tmpfs, and a host needs forty.
const hostsOnDisk = 40

// mountPoints lists where file systems are mounted.
func mountPoints() ([]string, error) {
	mounts, err := mountinfo.GetMounts(nil)
	if err != nil {
		return nil, err
	}
	var points []string
	for _, m := range mounts {
		points = append(points, m.Mountpoint)
	}
	slices.Sort(points)
	return slices.Compact(points), nil
}

// planLayers chooses the folders that get a layer.
func planLayers() (*layers, error) {
	points, err := mountPoints()
	if err != nil {
		return nil, err
	}
	below := func(folder string) bool {
		return slices.ContainsFunc(points, func(p string) bool { return p != folder && kernel.Within(p, folder) })
	}
	entries, err := os.ReadDir("/")
	if err != nil {
		return nil, err
	}
	l := &layers{}
	for _, e := range entries {
		folder := "/" + e.Name()
		switch {
		case !e.IsDir() || slices.Contains(withoutLayer, e.Name()):
		case !below(folder):
			l.add(folder)
		case slices.Contains(written, folder):
			children, err := os.ReadDir(folder)
			if err != nil {
				continue // not ours to read, nor the guests'
			}
			for _, c := range children {
				if child := path.Join(folder, c.Name()); c.IsDir() && !below(child) {
					l.add(child)
				}
			}
		}
	}
	for _, p := range points {
		if !l.covers(p) && !slices.ContainsFunc([]string{"/dev", "/proc", "/run", "/sys", "/tmp", "/var/tmp"}, func(f string) bool { return kernel.Within(p, f) }) {
			l.readOnly = append(l.readOnly, p)
		}
	}
	return l, nil
}

func (l *layers) add(folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) == 0 {
		l.instead = append(l.instead, folder)
	} else {
		l.over = append(l.over, folder)
	}
}

// covers tells whether a host's layers hide the machine's file of a name.
func (l *layers) covers(name string) bool {
	in := func(folder string) bool { return kernel.Within(name, folder) }
	return slices.ContainsFunc(l.over, in) || slices.ContainsFunc(l.instead, in)
}

// prepareLayers decides where the layers lie: in the output folder, or, if there
// are very many or its file system cannot hold an overlay's files, in a tmpfs
// that is copied there at the end. The reason for the latter is refused.
func prepareLayers(realm *guest.Realm, output string, hosts int) (l *layers, refused error, err error) {
	if l, err = planLayers(); err != nil {
		return nil, nil, err
	}
	l.output, l.seen = output, output
	work := filepath.Join(output, workFolder)
	if err := os.MkdirAll(work, 0o755); err != nil {
		return nil, nil, err
	}
	if hosts <= hostsOnDisk {
		if refused = realm.TryOverlay(work); refused == nil {
			return l, nil, l.makeShared(realm)
		}
	}
	if err := os.Remove(work); err != nil {
		return nil, nil, err
	}
	if err := realm.MountTmpfs(kernel.MountOfRun, filepath.Join(output, layersFolder)); err != nil {
		return nil, nil, err
	}
	l.seen, l.copied = filepath.Join(realm.Root(), output), true
	if err := os.Mkdir(filepath.Join(l.seen, workFolder), 0o755); err != nil {
		return nil, nil, err
	}
	if err := realm.TryOverlay(work); err != nil {
		return nil, nil, &guest.MissingError{
			What: fmt.Sprintf("overlayfs cannot be mounted (%v)", err),
			How:  "use a kernel with overlayfs (modprobe overlay)",
		}
	}
	return l, refused, l.makeShared(realm)
}

// makeShared makes what all hosts share.
func (l *layers) makeShared(realm *guest.Realm) error {
	if err := l.makeBelow(realm); err != nil {
		return err
	}
	return l.makeSystem(realm)
}

// host creates a host's layer and returns the mounts that lay it over the
// machine's folders, with sources relative to the layer's folder.
func (l *layers) host(name string) (folder string, mounts []guest.Mount, err error) {
	folder = filepath.Join(l.seen, layersFolder, name)
	number := strconv.Itoa(l.made)
	l.made++
	work := filepath.Join(workFolder, number)
	options := "userxattr"
	if !l.copied {
		// Nothing is synchronized with the disk, and above all not at the end.
		options += ",volatile"
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", nil, err
	}
	if err := os.MkdirAll(filepath.Join(l.seen, work), 0o755); err != nil {
		return "", nil, err
	}
	for _, f := range slices.Concat(l.over, l.instead) {
		if err := likeMachine(folder, f); err != nil {
			return "", nil, err
		}
	}
	escape := strings.NewReplacer(`\`, `\\`, ",", `\,`, ":", `\:`)
	for i, f := range l.over {
		own := filepath.Join(work, strconv.Itoa(i))
		if err := os.Mkdir(filepath.Join(l.seen, own), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return "", nil, err
		}
		mounts = append(mounts, guest.Mount{
			Source: "overlay", Target: f, Type: "overlay",
			Data: fmt.Sprintf("%s,lowerdir=../.below%s:%s,upperdir=%s,workdir=../.work/%s/%d",
				options, escape.Replace(f), escape.Replace(f), escape.Replace(f[1:]), number, i),
		})
	}
	for _, f := range l.instead {
		mounts = append(mounts, guest.Mount{Source: f[1:], Target: f, Flags: unix.MS_BIND})
	}
	if l.covers("/var/tmp") {
		// Like the other folders of temporary files it begins empty.
		if err := emptyFolder(filepath.Join(folder, "var/tmp")); err != nil {
			return "", nil, err
		}
	}
	return filepath.Join(l.output, layersFolder, name), mounts, nil
}

// emptyFolder makes a folder of a layer for everybody's temporary files, which
// hides what the machine has there.
func emptyFolder(name string) error {
	if err := os.Mkdir(name, 0o777); errors.Is(err, fs.ErrExist) {
		return nil // from before a crash
	} else if err != nil {
		return err
	}
	if err := os.Chmod(name, 0o777|fs.ModeSticky); err != nil {
		return err
	}
	if err := unix.Setxattr(name, "user.overlay.opaque", []byte("y"), 0); err != nil {
		return &os.PathError{Op: "setxattr", Path: name, Err: err}
	}
	return nil
}

// likeMachine creates a folder in a layer with the mode of the machine's.
func likeMachine(layer, folder string) error {
	info, err := os.Stat(folder)
	if err != nil {
		return err
	}
	own := filepath.Join(layer, folder)
	if _, err := os.Lstat(own); err == nil {
		return nil // from before a crash
	}
	if err := os.MkdirAll(own, 0o755); err != nil {
		return err
	}
	return os.Chmod(own, info.Mode())
}

// keep leaves the layers in the output folder, without what is empty. The
// guests may still be there, but not run any more.
func (l *layers) keep() error {
	if !l.copied {
		return nil
	}
	hosts, err := os.ReadDir(filepath.Join(l.seen, layersFolder))
	if err != nil {
		return err
	}
	for _, h := range hosts {
		if strings.HasPrefix(h.Name(), ".") { // the two that are no hosts
			continue
		}
		if err := copyTree(filepath.Join(l.seen, layersFolder, h.Name()), filepath.Join(l.output, layersFolder, h.Name())); err != nil {
			return err
		}
	}
	return nil
}

// clean removes, when the guests are gone, what only they needed.
func (l *layers) clean() error {
	err := RemoveAll(filepath.Join(l.output, workFolder))
	if below := os.Remove(filepath.Join(l.output, belowFolder)); !l.copied {
		err = errors.Join(err, below)
	}
	hosts, readErr := os.ReadDir(filepath.Join(l.output, layersFolder))
	for _, h := range hosts {
		for _, f := range slices.Concat(l.over, l.instead) {
			os.Remove(filepath.Join(l.output, layersFolder, h.Name(), f)) // fails unless empty
		}
	}
	return errors.Join(err, readErr)
}
