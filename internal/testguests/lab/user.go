package lab

import (
	"os"
	"syscall"
	"testing"
)

// Runner is who runs simterpose in a test.
type Runner struct {
	Name       string
	credential *syscall.Credential
}

// Runners are an ordinary user and, when the tests are root's, root.
func Runners() []Runner {
	if os.Getuid() != 0 {
		return []Runner{{Name: "user"}}
	}
	const nobodyElse = 12345 // has no name and no files
	return []Runner{{Name: "root"}, {"user", &syscall.Credential{Uid: nobodyElse, Gid: nobodyElse}}}
}

// Folder returns a temporary folder that the runner owns and guests can reach.
func (r Runner) Folder(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "simterpose-lab-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if r.credential != nil {
		if err := os.Chown(folder, int(r.credential.Uid), int(r.credential.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}
