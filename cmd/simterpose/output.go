package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/simterpose/simterpose/emulator"
)

const (
	summaryFile = "summary.json"
	logFile     = "log"
	// markerFile shows that a folder is the output of a run. The other names are
	// no proof: /var has a log too.
	markerFile = ".simterpose"
)

const marker = "A run of simterpose wrote this folder; --force lets another one replace it.\n"

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
	if err := os.MkdirAll(path, 0o755); err != nil {
		return "", err
	}
	return path, os.WriteFile(filepath.Join(path, markerFile), []byte(marker), 0o644)
}

// removeOutput removes the folder of an earlier run, and nothing else: a slip
// of the pen must not cost anybody's files.
func removeOutput(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	info, err := os.Lstat(filepath.Join(path, markerFile))
	if len(entries) > 0 && (err != nil || !info.Mode().IsRegular()) {
		return fmt.Errorf("%s is not replaced: no run of simterpose wrote it (it has no file %s)", path, markerFile)
	}
	return emulator.RemoveAll(path)
}
