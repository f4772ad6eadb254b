package emulator

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// copyTree copies a folder with all that lies in it: folders, regular files,
// symbolic links, and the special files that a layer can hold, among them
// overlayfs's marks of removed files.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		return copyEntry(name, filepath.Join(to, relative))
	})
}

func copyEntry(from, to string) error {
	var s unix.Stat_t
	if err := unix.Lstat(from, &s); err != nil {
		return &os.PathError{Op: "lstat", Path: from, Err: err}
	}
	switch s.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return os.MkdirAll(to, fs.FileMode(s.Mode&0o777|0o700))
	case unix.S_IFLNK:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	case unix.S_IFREG:
		return copyFile(from, to, fs.FileMode(s.Mode&0o777))
	}
	if err := unix.Mknod(to, s.Mode, int(s.Rdev)); err != nil {
		return &os.PathError{Op: "mknod", Path: to, Err: err}
	}
	return nil
}

// copyFile copies a regular file's content.
func copyFile(from, to string, mode fs.FileMode) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(target, source); err != nil {
		target.Close()
		return err
	}
	return target.Close()
}

// RemoveAll removes what a run or a part of it left, as os.RemoveAll does, also
// folders that overlayfs or a guest made unreadable for their owner.
func RemoveAll(folder string) error {
	if err := os.RemoveAll(folder); err == nil {
		return nil
	}
	filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			os.Chmod(name, 0o700)
		}
		return nil
	})
	return os.RemoveAll(folder)
}
