package interception

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed c
var sources embed.FS

// errNoCompiler is why nothing could be built.
var errNoCompiler = errors.New("no C compiler here (cc; on Debian: apt-get install gcc libc6-dev)")

// flags are those of all programs. The code that inject copies into other programs
// must not call a stack protector.
var flags = []string{"-O2", "-fno-stack-protector", "-fcf-protection=none"}

// builds are the programs, with what the compiler needs beside the flags.
var builds = []struct {
	name, source string
	flags        []string
}{
	{"subject", "subject.c", []string{"-pthread", "-ldl"}},
	{"static", "subject.c", []string{"-static", "-DSTATIC", "-pthread"}},
	{"pinned", "pinned.c", nil},
	{"tracer", "tracer.c", nil},
	{"notify", "notify.c", nil},
	{"inject", "inject.c", []string{"-ldl"}},
	{"uprobe", "uprobe.c", nil},
	{"preload", "preload.c", []string{"-shared", "-fPIC"}},
	{"got", "got.c", []string{"-shared", "-fPIC"}},
}

// programs are the built ones, in a folder that every user may read.
type programs struct {
	folder string
	failed map[string]error // by name
}

// build compiles all programs into a new folder. What cannot be compiled says why
// when it is asked for.
func build() (*programs, error) {
	folder, err := os.MkdirTemp("", "simterpose-interception-")
	if err != nil {
		return nil, err
	}
	p := &programs{folder: folder, failed: map[string]error{}}
	// An ordinary user shall try them too.
	if err := errors.Join(os.Chmod(folder, 0o755), os.CopyFS(folder, sources)); err != nil {
		return nil, errors.Join(err, p.remove())
	}
	for _, b := range builds {
		arguments := append([]string{"-o", filepath.Join(folder, b.name)}, flags...)
		arguments = append(append(arguments, filepath.Join(folder, "c", b.source)), b.flags...)
		var messages bytes.Buffer
		c := exec.Command("cc", arguments...)
		c.Stderr = &messages
		switch err := c.Run(); {
		case errors.Is(err, exec.ErrNotFound):
			p.failed[b.name] = errNoCompiler
		case err != nil:
			p.failed[b.name] = fmt.Errorf("cc does not compile %s: %s", b.name, complaint(messages.String(), err))
		}
	}
	return p, nil
}

// path is where a program is, or why it is not.
func (p *programs) path(name string) (string, error) {
	return filepath.Join(p.folder, name), p.failed[name]
}

func (p *programs) remove() error { return os.RemoveAll(p.folder) }

// complaint is the first line of a compiler's or linker's messages that tells of an
// error.
func complaint(messages string, err error) string {
	for line := range strings.Lines(messages) {
		if strings.Contains(line, "error") || strings.Contains(line, "cannot find") {
			return strings.TrimSpace(line)
		}
	}
	return firstLine(messages, err)
}

// firstLine is the first one of a program's messages, or else the error.
func firstLine(messages string, err error) string {
	if first, _, _ := strings.Cut(strings.TrimSpace(messages), "\n"); first != "" {
		return first
	}
	return err.Error()
}
