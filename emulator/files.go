package emulator

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/kernel"
)

// collectFolder is where the output folder has what is collected from hosts.
const collectFolder = "collect"

// putFiles puts the experiment's files into the hosts.
func (w *world) putFiles() error {
	for i := range w.experiment.Files {
		f := &w.experiment.Files[i]
		h := w.byName[f.Host.Name]
		if h == nil {
			w.options.Log.Warn("a file for a host without processes", "host", f.Host.Name, "path", f.Path, "position", f.Position.String())
			continue
		}
		if err := h.put(f); err != nil {
			return fmt.Errorf("%s: put %s into host %s: %w", f.Position, f.Path, h.name, err)
		}
	}
	return nil
}

// openIn opens a path as the host's processes see it, its links included.
func (h *host) openIn(name string, flags int, mode fs.FileMode) (*os.File, error) {
	root, err := unix.Open(h.container.Root(), unix.O_PATH|unix.O_CLOEXEC|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(root)
	fd, err := kernel.OpenIn(root, name, flags, uint32(mode.Perm()))
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// makeFolder opens a folder of the host, which it makes if need be.
func (h *host) makeFolder(name string) (*os.File, error) {
	folder, err := h.openIn(name, unix.O_PATH|unix.O_DIRECTORY, 0)
	if !errors.Is(err, unix.ENOENT) {
		return folder, err
	}
	parent, err := h.makeFolder(path.Dir(name))
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	if err := unix.Mkdirat(int(parent.Fd()), path.Base(name), 0o755); err != nil {
		return nil, err
	}
	return h.openIn(name, unix.O_PATH|unix.O_DIRECTORY, 0)
}

// put puts a file in the place of one that may be there.
func (h *host) put(f *experiment.File) error {
	uid, gid, err := h.owner(f.Owner)
	if err != nil {
		return err
	}
	folder, err := h.makeFolder(path.Dir(f.Path))
	if err != nil {
		return err
	}
	defer folder.Close()
	base := path.Base(f.Path)
	if err := unix.Unlinkat(int(folder.Fd()), base, 0); err != nil && err != unix.ENOENT {
		return err
	}
	fd, err := unix.Openat(int(folder.Fd()), base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	target := os.NewFile(uintptr(fd), f.Path)
	defer target.Close()
	if f.Source == "" {
		_, err = target.Write(f.Content)
	} else {
		err = copyInto(target, f.Source)
	}
	if err != nil {
		return err
	}
	if err := target.Chmod(f.Mode); err != nil {
		return err
	}
	return h.kernel.SetOwner(fd, uint32(uid), uint32(gid))
}

func copyInto(target *os.File, name string) error {
	source, err := os.Open(name)
	if err != nil {
		return err
	}
	defer source.Close()
	_, err = io.Copy(target, source)
	return err
}

// owner gives the numbers of an owner as an experiment names it. A user alone
// brings the user's group.
func (h *host) owner(text string) (uid, gid int, err error) {
	user, group, grouped := strings.Cut(text, ":")
	if user != "" {
		fields, found, err := h.account("/etc/passwd", user)
		switch {
		case err != nil:
			return 0, 0, err
		case !found && fields == nil:
			return 0, 0, fmt.Errorf("no user %q on the host", user)
		}
		uid, _ = strconv.Atoi(fields[2])
		if found {
			gid, _ = strconv.Atoi(fields[3])
		}
	}
	if grouped && group != "" {
		fields, found, err := h.account("/etc/group", group)
		switch {
		case err != nil:
			return 0, 0, err
		case !found && fields == nil:
			return 0, 0, fmt.Errorf("no group %q on the host", group)
		}
		gid, _ = strconv.Atoi(fields[2])
	}
	return uid, gid, nil
}

// account finds the line of a name in passwd(5) or group(5). A number stands for
// itself, found or not.
func (h *host) account(file, name string) (fields []string, found bool, err error) {
	f, err := h.openIn(file, unix.O_RDONLY, 0)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	if err != nil {
		return nil, false, err
	}
	_, notNumber := strconv.ParseUint(name, 10, 31)
	for line := range strings.Lines(string(content)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(fields) > 3 && (fields[0] == name || notNumber == nil && fields[2] == name) {
			return fields, true, nil
		}
	}
	if notNumber == nil {
		return []string{"", "", name, "0"}, false, nil
	}
	return nil, false, nil
}

// collect copies what the experiment wants of the hosts' files to the output
// folder. What is not there is told, and nothing else suffers.
func (w *world) collect() {
	for _, c := range w.experiment.Collect {
		err := error(unix.ENOENT)
		if h := w.byName[c.Host.Name]; h != nil {
			err = h.collect(c.Path, filepath.Join(w.options.Output, collectFolder, h.name, c.Path))
		}
		if err != nil {
			w.options.Log.Error("not collected", "host", c.Host.Name, "path", c.Path, "position", c.Position.String(), "error", err)
		}
	}
}

func (h *host) collect(name, to string) error {
	from, err := h.openIn(name, unix.O_PATH, 0)
	if err != nil {
		return err
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	opened := "/proc/self/fd/" + strconv.Itoa(int(from.Fd()))
	if info.IsDir() {
		return copyTree(opened+"/", to)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is neither a folder nor a regular file", name)
	}
	return copyFile(opened, to, info.Mode().Perm())
}
