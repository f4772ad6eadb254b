package experiment

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/simterpose/simterpose/internal/strictyaml"
	"github.com/simterpose/simterpose/platform"
)

// File is a file that a host has before its first process starts.
type File struct {
	Host *platform.Host
	// Path is where the host's processes find the file: absolute and clean.
	Path string
	// Content is what it holds, unless Source is the machine's file to copy.
	Content []byte
	Source  string
	Mode    fs.FileMode // of permissions, set-id and sticky bits
	// Owner is USER, USER:GROUP or :GROUP, names or numbers of the host's;
	// empty for root.
	Owner    string
	Position Position
}

// Collected is a file or folder of a host to keep at the end of the run.
type Collected struct {
	Host     *platform.Host
	Path     string // absolute and clean
	Position Position
}

// fileSection is one element of the list of files.
type fileSection struct {
	At       strictyaml.Position
	Host     strictyaml.Strings `yaml:"host"`
	Hosts    strictyaml.Strings `yaml:"hosts"`
	Path     string             `yaml:"path,required"`
	Text     ast.Node           `yaml:"text"`
	Source   *string            `yaml:"source"`
	Template *string            `yaml:"template"`
	Mode     *string            `yaml:"mode"`
	Owner    string             `yaml:"owner"`
}

// collectSection is one element of what to collect.
type collectSection struct {
	At    strictyaml.Position
	Host  strictyaml.Strings `yaml:"host"`
	Hosts strictyaml.Strings `yaml:"hosts"`
	Path  strictyaml.Strings `yaml:"path,required"`
}

// files reads the lists of files to put into hosts and to collect from them.
func (l *loader) files(files, collect []ast.Node) {
	put := map[*platform.Host]map[string]Position{}
	for _, node := range files {
		var s fileSection
		if l.decode(node, &s) {
			l.file(&s, put)
		}
	}
	for _, node := range collect {
		var s collectSection
		if !l.decode(node, &s) {
			continue
		}
		at := Position(s.At)
		hosts, err := l.matched(s.Host, s.Hosts)
		if err != nil {
			l.addf(at, "%v", err)
		}
		for _, name := range s.Path {
			if err := checkHostPath(name); err != nil {
				l.addf(at, "%v", err)
				continue
			}
			for _, h := range hosts {
				l.Collect = append(l.Collect, Collected{h, path.Clean(name), at})
			}
		}
	}
}

var ownerPattern = regexp.MustCompile(`^(?:[A-Za-z0-9_][-A-Za-z0-9_.]*)?(?::[A-Za-z0-9_][-A-Za-z0-9_.]*)?$`)

func (l *loader) file(s *fileSection, put map[*platform.Host]map[string]Position) {
	at := Position(s.At)
	f := File{Mode: 0o644, Owner: s.Owner, Position: at}
	good := true
	fail := func(format string, arguments ...any) {
		l.addf(at, format, arguments...)
		good = false
	}
	if err := checkHostPath(s.Path); err != nil {
		fail("%v", err)
	}
	f.Path = path.Clean(s.Path)
	if s.Mode != nil {
		mode, err := parseMode(*s.Mode)
		if err != nil {
			fail("%v", err)
		}
		f.Mode = mode
	}
	if !ownerPattern.MatchString(s.Owner) {
		fail("owner: USER, USER:GROUP or :GROUP expected, found %q", s.Owner)
	}
	hosts, err := l.matched(s.Host, s.Hosts)
	if err != nil {
		fail("%v", err)
		err = nil
	}
	var expanded *hostTemplate
	switch given := [...]bool{s.Text != nil, s.Source != nil, s.Template != nil}; given {
	case [...]bool{true, false, false}:
		text, ok := strictyaml.Text(s.Text)
		if !ok {
			fail("text: a text expected")
			break
		}
		begin := Position(strictyaml.At(l.path, s.Text))
		if strings.Contains(text, "\n") {
			begin.Line++ // the lines of a block follow its mark
		}
		expanded, err = parseTemplate(begin, text)
	case [...]bool{false, true, false}:
		f.Source = l.beside(*s.Source)
		if info, err := os.Stat(f.Source); err != nil {
			fail("source: %v", err)
		} else if !info.Mode().IsRegular() {
			fail("source: %s is no regular file", f.Source)
		}
	case [...]bool{false, false, true}:
		name := l.beside(*s.Template)
		text, readErr := os.ReadFile(name)
		if readErr != nil {
			fail("template: %v", readErr)
			break
		}
		expanded, err = parseTemplate(Position{File: name, Line: 1}, string(text))
	default:
		fail("one of text, source and template expected")
	}
	if err != nil {
		l.add(err)
		return
	}
	if !good {
		return
	}
	for i, h := range hosts {
		if first, taken := put[h][f.Path]; taken {
			l.addf(at, "a second file %s on host %q, the first is at %s", f.Path, h.Name, first)
			continue
		}
		if put[h] == nil {
			put[h] = map[string]Position{}
		}
		put[h][f.Path] = at
		f.Host = h
		if expanded != nil {
			if f.Content, err = expanded.expand(hosts, i); err != nil {
				l.add(err)
				return
			}
		}
		l.Files = append(l.Files, f)
	}
}

// beside is a path relative to the experiment file.
func (l *loader) beside(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(l.File), name)
}

func checkHostPath(name string) error {
	switch {
	case !path.IsAbs(name) || path.Clean(name) == "/":
		return fmt.Errorf("path: an absolute path on the host expected, found %q", name)
	case strings.Contains(name, "\x00"):
		return fmt.Errorf("path: a text without NUL expected, found %q", name)
	}
	return nil
}

// parseMode reads a mode in octal.
func parseMode(text string) (fs.FileMode, error) {
	bits, err := strconv.ParseUint(text, 8, 12)
	if err != nil {
		return 0, fmt.Errorf("mode: an octal number up to 7777 expected, found %q", text)
	}
	mode := fs.FileMode(bits & 0o777)
	for bit, special := range map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if bits&bit != 0 {
			mode |= special
		}
	}
	return mode, nil
}
