package lab

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

var (
	folder     string // of what was built, for as long as the test process lives
	simterpose = sync.OnceValues(func() (string, error) {
		path := filepath.Join(Folder(), "simterpose")
		if err := dependOnSources(); err != nil {
			return "", err
		}
		return path, goBuild("github.com/simterpose/simterpose/cmd/simterpose", path)
	})
)

// dependOnSources looks at all of the module's sources: the go command takes a
// test's result from its cache unless a file changed that the test looked at,
// and knows nothing of what another go command reads for it.
func dependOnSources() error {
	root, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if root == filepath.Dir(root) {
			return fmt.Errorf("no go.mod above the working folder")
		}
		root = filepath.Dir(root)
	}
	return filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && slices.Contains([]string{".go", ".s", ".mod"}, filepath.Ext(name)) {
			_, err = os.Stat(name)
		}
		return err
	})
}

// Main runs the tests of a package and removes what was built for them. It is
// to be called by the package's TestMain, and does not return.
func Main(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "simterpose-lab-"); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(2)
	}
	// Other users run what is built here, too.
	if err := os.Chmod(folder, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(2)
	}
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// Folder returns a folder for programs that live as long as the test process.
func Folder() string {
	if folder == "" {
		panic("lab: TestMain does not call lab.Main")
	}
	return folder
}

// Simterpose returns the path of the simterpose command, built from this tree.
func Simterpose(t testing.TB) string {
	t.Helper()
	path, err := simterpose()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// BuildGo builds a Go program without cgo, as a static file in the given folder.
func BuildGo(t testing.TB, source, output string) {
	t.Helper()
	if err := goBuild(source, output); err != nil {
		t.Fatal(err)
	}
}

func goBuild(source, output string) error {
	build := exec.Command("go", "build", "-o", output, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", source, err, text)
	}
	return nil
}

// BuildC builds a C program. Warnings are errors, but for those about arguments
// that are wrong on purpose.
func BuildC(t testing.TB, source, output string) {
	t.Helper()
	build := exec.Command("gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-nonnull", "-Wno-stringop-overflow",
		"-Wno-stringop-overread", "-pthread", "-o", output, source, "-lrt")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("gcc %s: %v\n%s", source, err, text)
	}
}
