package lab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Same fails the test unless two output folders hold the same files with the
// same bytes. The object of summary.json that holds real time is left out.
func Same(t testing.TB, a, b string) {
	t.Helper()
	first, second := list(t, a), list(t, b)
	if difference := cmp.Diff(first, second); difference != "" {
		t.Errorf("the output folders hold different files (-first +second):\n%s", difference)
		return
	}
	for _, name := range first {
		one, two := content(t, a, name), content(t, b, name)
		if !bytes.Equal(one, two) {
			t.Errorf("two runs differ in %s: %s", name, firstDifference(one, two))
		}
	}
}

// list returns the files of a folder and below, in order. Sockets and pipes that
// guests left behind count too.
func list(t testing.TB, folder string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, _ := filepath.Rel(folder, path)
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func content(t testing.TB, folder, name string) []byte {
	t.Helper()
	path := filepath.Join(folder, name)
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return []byte(fmt.Sprint(info.Mode().Type()))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if name != "summary.json" {
		return text
	}
	var summary map[string]json.RawMessage
	if err := json.Unmarshal(text, &summary); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	delete(summary, "real")
	if text, err = json.Marshal(summary); err != nil {
		t.Fatal(err)
	}
	return text
}

// firstDifference shows the first line in which two texts differ.
func firstDifference(a, b []byte) string {
	one, two := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range min(len(one), len(two)) {
		if !bytes.Equal(one[i], two[i]) {
			return fmt.Sprintf("line %d: %.300q and %.300q", i+1, one[i], two[i])
		}
	}
	return fmt.Sprintf("%d and %d lines", len(one), len(two))
}
