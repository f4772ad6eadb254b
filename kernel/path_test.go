package kernel_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel"
)

// TestOpenInWhileFilesAreRenamed opens a path that goes by ".." while files are
// renamed elsewhere, to which openat2 says EAGAIN.
func TestOpenInWhileFilesAreRenamed(t *testing.T) {
	folder, elsewhere := t.TempDir(), t.TempDir()
	for _, name := range []string{"bin", "lib"} {
		if err := os.Mkdir(filepath.Join(folder, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "lib/program"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../lib/../bin/../lib/program", filepath.Join(folder, "bin/program")); err != nil {
		t.Fatal(err)
	}
	root, err := unix.Open(folder, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(root)

	stop, stopped := make(chan struct{}), make(chan struct{})
	if err := os.WriteFile(filepath.Join(elsewhere, "0"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				unix.Rename(filepath.Join(elsewhere, "0"), filepath.Join(elsewhere, "1"))
				unix.Rename(filepath.Join(elsewhere, "1"), filepath.Join(elsewhere, "0"))
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	for range 50_000 {
		fd, err := kernel.OpenIn(root, "/bin/program", unix.O_PATH, 0)
		if err != nil {
			t.Fatal(err)
		}
		unix.Close(fd)
	}
}
