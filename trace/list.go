package trace

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Open reads a trace file. As smpirun's -replay, it takes a file of all actors,
// or one that lists a file for each rank, one a line, relative to its own folder.
func Open(path string) (*Trace, error) {
	files, err := listed(path)
	if err != nil {
		return nil, err
	}
	if files == nil {
		files = []string{path}
	}
	t := &Trace{}
	for _, file := range files {
		if err := t.readFile(file); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *Trace) readFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return t.read(path, f)
}

// listed returns the files that a file lists, nil when it is a trace itself: its
// first line that is no comment has more than one word.
func listed(path string) (files []string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, 1<<24))
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if len(words) != 1 {
			return nil, nil
		}
		name := words[0]
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(path), name)
		}
		files = append(files, name)
	}
	return files, lines.Err()
}
