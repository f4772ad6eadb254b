package emulator

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/kernel"
)

// Between the machine's files and the hosts' layers lies one more layer, the
// same for all hosts: what the machine has and guests must see in another way.
//
// It has an /etc/shadow of its own and no private keys, because those and passwords
// are the machine's secret, and a library of C++ of its own (random_device.go).
// And when an ordinary user runs simterpose, it has the machine's folders once
// more, as that user's own, with a note of their owners: the kernel would not
// let guests change root's.
const belowFolder = "layers/.below"

// privateKeys is the folder of the machine's keys, in which only root and its group
// find any: packages that look for them there choose other settings without.
const privateKeys = "/etc/ssl/private"

// maxBelow bounds the number of folders that are made again, those nearest to
// the root first: 10 µs each.
const maxBelow = 4000

// depthBelow is how many levels below a folder of / guests can change folders
// when an ordinary user runs simterpose.
func depthBelow(folder string) int {
	switch folder {
	case "/etc", "/home", "/opt", "/root", "/srv", "/var":
		return 32
	case "/usr":
		return 3
	}
	return 1
}

// makeBelow makes the layer between.
func (l *layers) makeBelow(realm *guest.Realm) error {
	if err := os.MkdirAll(filepath.Join(l.seen, belowFolder), 0o755); err != nil {
		return err
	}
	if err := realm.MountTmpfs(kernel.MountOfRun, filepath.Join(l.output, belowFolder)); err != nil {
		return err
	}
	l.below = filepath.Join(realm.Root(), l.output, belowFolder)
	made := 0
	for _, f := range l.over {
		if err := os.MkdirAll(filepath.Join(l.below, f), 0o755); err != nil {
			return err
		}
		if os.Geteuid() != 0 {
			if err := l.foldersBelow(f, &made); err != nil {
				return err
			}
		}
	}
	if err := l.randomDevice(); err != nil {
		return err
	}
	if !l.covers("/etc/shadow") {
		return nil
	}
	if info, err := os.Lstat(privateKeys); err == nil && info.IsDir() {
		err := l.replace(privateKeys, func(own string) error { return errors.Join(os.Mkdir(own, 0o700), opaque(own)) })
		if err != nil {
			return err
		}
	}
	return l.shadows()
}

// opaque makes a folder of the layer hide the machine's: it looks empty to the
// guests, and can be filled.
func opaque(own string) error {
	if err := unix.Setxattr(own, "user.overlay.opaque", []byte("y"), 0); err != nil {
		return &os.PathError{Op: "setxattr", Path: own, Err: err}
	}
	return nil
}

// remade is a folder of the machine's that has been made again.
type remade struct {
	own  string
	like *unix.Stat_t
}

// foldersBelow makes the folders in one of the machine's again, level by level.
func (l *layers) foldersBelow(folder string, made *int) error {
	folders, err := l.remakeFolders(folder, made)
	// What is made in a folder changes its times, and needs it to be writable: so
	// they become like the machine's at the end, and the innermost first.
	for _, f := range slices.Backward(folders) {
		err = errors.Join(err, dress(f.own, f.like))
	}
	return err
}

func (l *layers) remakeFolders(folder string, made *int) (folders []remade, err error) {
	for level, depth := []string{folder}, 0; len(level) > 0 && depth < depthBelow(folder); depth++ {
		var next []string
		for _, f := range level {
			entries, err := os.ReadDir(f)
			if err != nil {
				if err := opaque(filepath.Join(l.below, f)); err != nil {
					return folders, err
				}
				continue
			}
			for _, e := range entries {
				child := path.Join(f, e.Name())
				if e.Type().IsRegular() && unix.Access(child, unix.R_OK) == unix.EACCES {
					if err := l.emptied(child); err != nil {
						return folders, err
					}
				}
				if !e.IsDir() {
					continue
				}
				if *made++; *made > maxBelow {
					return folders, nil
				}
				if again, err := l.again(child); err != nil {
					return folders, err
				} else if again.like != nil {
					folders = append(folders, again)
					next = append(next, child)
				}
			}
		}
		level = next
	}
	return folders, nil
}

// again makes a folder of the machine's anew, for the time being writable. One of
// the user's own needs none.
func (l *layers) again(folder string) (remade, error) {
	var s unix.Stat_t
	if err := unix.Lstat(folder, &s); errors.Is(err, fs.ErrNotExist) {
		return remade{}, nil
	} else if err != nil {
		return remade{}, &os.PathError{Op: "lstat", Path: folder, Err: err}
	}
	if int(s.Uid) == os.Geteuid() {
		return remade{}, nil
	}
	own := filepath.Join(l.below, folder)
	if err := unix.Mkdir(own, 0o700); err != nil {
		return remade{}, &os.PathError{Op: "mkdir", Path: own, Err: err}
	}
	return remade{own, &s}, nil
}

// emptied makes a file that the user may not read an empty one, so that it can
// at least be written to: logs, locks.
func (l *layers) emptied(file string) error {
	var s unix.Stat_t
	if err := unix.Lstat(file, &s); err != nil {
		return &os.PathError{Op: "lstat", Path: file, Err: err}
	}
	own := filepath.Join(l.below, file)
	if err := os.WriteFile(own, nil, 0o600); err != nil {
		return err
	}
	return dress(own, &s)
}

// replace puts something else where one of the machine's files or folders is into
// the layer between: create makes it.
func (l *layers) replace(file string, create func(own string) error) error {
	folders := []string{file}
	for folder := filepath.Dir(file); folder != "/"; folder = filepath.Dir(folder) {
		folders = append(folders, folder)
	}
	for _, folder := range slices.Backward(folders[1:]) {
		own := filepath.Join(l.below, folder)
		if err := unix.Mkdir(own, 0o700); err != nil && !errors.Is(err, unix.EEXIST) {
			return &os.PathError{Op: "mkdir", Path: own, Err: err}
		}
		if err := unix.Chmod(own, 0o700); err != nil {
			return &os.PathError{Op: "chmod", Path: own, Err: err}
		}
	}
	own := filepath.Join(l.below, file)
	if err := os.RemoveAll(own); err != nil {
		return err
	}
	if err := create(own); err != nil {
		return err
	}
	for _, f := range folders {
		var s unix.Stat_t
		if err := unix.Stat(f, &s); err != nil {
			return &os.PathError{Op: "stat", Path: f, Err: err}
		}
		if err := dress(filepath.Join(l.below, f), &s); err != nil {
			return err
		}
	}
	return nil
}

// dress gives a file the owner, mode and times of another.
func dress(own string, like *unix.Stat_t) error {
	if note := kernel.OwnerNote(like.Uid, like.Gid); note != nil {
		if err := unix.Setxattr(own, kernel.OwnerAttribute, note, 0); err != nil {
			return &os.PathError{Op: "setxattr", Path: own, Err: err}
		}
	}
	if err := unix.Chmod(own, like.Mode&0o7777); err != nil {
		return &os.PathError{Op: "chmod", Path: own, Err: err}
	}
	return unix.UtimesNano(own, []unix.Timespec{like.Atim, like.Mtim})
}

// shadows writes /etc/shadow and /etc/gshadow, without passwords: nobody can log
// in with one, and everybody by other means (shadow(5), gshadow(5)).
func (l *layers) shadows() error {
	group := uint32(0)
	var shadow, gshadow strings.Builder
	err := accounts("/etc/passwd", func(fields []string) {
		fmt.Fprintf(&shadow, "%s:*:20000:0:99999:7:::\n", fields[0])
	})
	if err != nil {
		return err
	}
	err = accounts("/etc/group", func(fields []string) {
		fmt.Fprintf(&gshadow, "%s:*::%s\n", fields[0], fields[len(fields)-1])
		if number, err := strconv.ParseUint(fields[2], 10, 32); err == nil && fields[0] == "shadow" {
			group = uint32(number)
		}
	})
	if err != nil {
		return err
	}
	for file, content := range map[string]string{"shadow": shadow.String(), "gshadow": gshadow.String()} {
		name := filepath.Join(l.below, "etc", file)
		if err := os.WriteFile(name, []byte(content), 0o640); err != nil {
			return err
		}
		if note := kernel.OwnerNote(0, group); note != nil {
			if err := unix.Setxattr(name, kernel.OwnerAttribute, note, 0); err != nil {
				return &os.PathError{Op: "setxattr", Path: name, Err: err}
			}
		}
	}
	return nil
}

// accounts calls visit for each line of passwd(5) or group(5).
func accounts(name string, visit func(fields []string)) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if fields := strings.Split(lines.Text(), ":"); len(fields) > 3 && fields[0] != "" {
			visit(fields)
		}
	}
	return lines.Err()
}
