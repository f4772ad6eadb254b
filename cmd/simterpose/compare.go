package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// fileDifference is a file that is not the same in two output folders.
type fileDifference struct{ name, how string }

// compareFolders compares two output folders: names, kinds, permissions and
// contents of all files, but for what is real in the summary.
func compareFolders(first, second string) ([]fileDifference, error) {
	a, err := listFolder(first)
	if err != nil {
		return nil, err
	}
	b, err := listFolder(second)
	if err != nil {
		return nil, err
	}
	var list []fileDifference
	for _, name := range union(a, b) {
		i, inFirst := a[name]
		j, inSecond := b[name]
		how := ""
		switch {
		case !inSecond:
			how = "only in run 1"
		case !inFirst:
			how = "not in run 1"
		case i.Mode() != j.Mode():
			how = fmt.Sprintf("mode %v in run 1, %v now", i.Mode(), j.Mode())
		default:
			if how, err = compareFiles(filepath.Join(first, name), filepath.Join(second, name), i.Mode()); err != nil {
				return nil, err
			}
		}
		if how != "" {
			list = append(list, fileDifference{name, how})
		}
	}
	return list, nil
}

// listFolder lists everything below a folder by its name in it.
func listFolder(folder string) (map[string]fs.FileInfo, error) {
	list := map[string]fs.FileInfo{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrPermission) {
			return nil // a folder that a guest closed; its mode is compared
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		list[name], err = d.Info()
		return err
	})
	return list, err
}

func union(a, b map[string]fs.FileInfo) []string {
	var names []string
	for name := range a {
		names = append(names, name)
	}
	for name := range b {
		if _, both := a[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// compareFiles says where two files of the same kind differ; "" if nowhere.
func compareFiles(first, second string, mode fs.FileMode) (string, error) {
	switch {
	case mode.Type() == fs.ModeSymlink:
		a, err := os.Readlink(first)
		if err != nil {
			return "", err
		}
		b, err := os.Readlink(second)
		if err != nil || a == b {
			return "", err
		}
		return fmt.Sprintf("leads to %q in run 1, to %q now", a, b), nil
	case !mode.IsRegular():
		return "", nil
	}
	a, err := openOutput(first)
	if err != nil {
		return "", unreadable(err)
	}
	defer a.Close()
	b, err := openOutput(second)
	if err != nil {
		return "", unreadable(err)
	}
	defer b.Close()
	return compareStreams(bufio.NewReader(a), bufio.NewReader(b))
}

// unreadable lets files be that a guest has made unreadable for us.
func unreadable(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

// compareStreams says at which byte and line two files begin to differ.
func compareStreams(a, b *bufio.Reader) (string, error) {
	line := 1
	for at := 0; ; at++ {
		x, errA := a.ReadByte()
		y, errB := b.ReadByte()
		switch {
		case errA == io.EOF && errB == io.EOF:
			return "", nil
		case errA == io.EOF || errB == io.EOF || errA == nil && errB == nil && x != y:
			return fmt.Sprintf("from byte %d, line %d", at, line), nil
		case errA != nil || errB != nil:
			return "", errors.Join(errA, errB)
		}
		if x == '\n' {
			line++
		}
	}
}

// openOutput opens a file of an output folder, without what is real in the
// summary.
func openOutput(name string) (io.ReadCloser, error) {
	if filepath.Base(name) != summaryFile {
		return os.Open(name)
	}
	s, err := readSummary(filepath.Dir(name))
	if err != nil {
		return os.Open(name) // a guest's own file of this name
	}
	s.Real = realSummary{}
	text, err := json.MarshalIndent(s, "", "  ")
	return io.NopCloser(bytes.NewReader(text)), err
}

func readSummary(output string) (*summary, error) {
	text, err := os.ReadFile(filepath.Join(output, summaryFile))
	if err != nil {
		return nil, err
	}
	s := new(summary)
	return s, json.Unmarshal(text, s)
}

// tellFiles lists files that differ.
func tellFiles(out io.Writer, files []fileDifference) {
	const most = 20
	for i, d := range files {
		if i == most {
			fmt.Fprintf(out, "and %d more files\n", len(files)-most)
			return
		}
		fmt.Fprintf(out, "differs: %s: %s\n", d.name, d.how)
	}
}

// digestFolder returns one number for all that compareFolders compares, by
// which runs on other machines can be compared, and the number of files.
func digestFolder(folder string) (digest string, files int, err error) {
	list, err := listFolder(folder)
	if err != nil {
		return "", 0, err
	}
	sum := sha256.New()
	for _, name := range union(list, nil) {
		mode := list[name].Mode()
		fmt.Fprintf(sum, "%q %v\n", name, mode)
		if mode.Type() == fs.ModeSymlink {
			target, err := os.Readlink(filepath.Join(folder, name))
			if err != nil {
				return "", 0, err
			}
			fmt.Fprintf(sum, "%q\n", target)
		}
		if !mode.IsRegular() {
			continue
		}
		files++
		content, err := openOutput(filepath.Join(folder, name))
		if unreadable(err) != nil {
			return "", 0, err
		}
		if err == nil {
			_, err = io.Copy(sum, content)
			content.Close()
			if err != nil {
				return "", 0, err
			}
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), files, nil
}
