package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// summaryFile is what shows that a folder is the output of a run.
const (
	summaryFile = "summary.json"
	logFile     = "log"
)

// makeOutput creates the output folder and returns its absolute path. One that
// exists is kept and refused, unless force says to replace it.
func makeOutput(path string, force bool) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", err
	case !force:
		return "", fmt.Errorf("%s exists already: choose another folder with --output, or replace it with --force", path)
	case !info.IsDir():
		return "", fmt.Errorf("%s is no folder", path)
	default:
		if err := removeOutput(path); err != nil {
			return "", err
		}
	}
	return path, os.MkdirAll(path, 0o755)
}

// removeOutput removes the folder of an earlier run, and nothing else: a slip
// of the pen must not cost anybody's files.
func removeOutput(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(filepath.Join(path, logFile)); err != nil && len(entries) > 0 {
		return fmt.Errorf("%s is not replaced: it does not look like the output of a run", path)
	}
	return os.RemoveAll(path)
}
