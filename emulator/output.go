package emulator

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A host's folder of the output is its guests' working folder. They may have put
// there, under the name of a file that is the emulator's to write, a link to a
// file of the machine, or a pipe on which the emulator would wait.

// output opens a file of the host's folder for writing. What is there and no
// regular file is removed.
func (h *host) output(name string, flags int) (*os.File, error) {
	path := filepath.Join(h.folder, name)
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		if err := RemoveAll(path); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|unix.O_NOFOLLOW|flags, 0o644)
}

// guestOutput opens a file of the host's folder for a guest to append to, by the name
// that it has there.
func (h *host) guestOutput(name string) (*os.File, error) {
	made, err := h.output(name, os.O_APPEND)
	if err != nil {
		return nil, err
	}
	defer made.Close()
	return os.OpenFile(filepath.Join(h.container.Root(), workingFolder, name), os.O_WRONLY|os.O_APPEND|unix.O_NOFOLLOW, 0)
}

// outputText is the content of such a file, as far as there is one.
func (h *host) outputText(name string) string {
	path := filepath.Join(h.folder, name)
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(text)
}
