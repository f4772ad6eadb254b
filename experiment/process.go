package experiment

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/simterpose/simterpose/internal/strictyaml"
	"github.com/simterpose/simterpose/platform"
)

// GuestPath is the PATH of guests that are given none.
const GuestPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// FindProgram finds a program as execvp would, with the PATH among a process's
// settings, or GuestPath.
func FindProgram(program string, env []string) (string, error) {
	if strings.Contains(program, "/") {
		return program, nil
	}
	folders := GuestPath
	for _, e := range env {
		if value, ok := strings.CutPrefix(e, "PATH="); ok {
			folders = value
		}
	}
	for _, folder := range filepath.SplitList(folders) {
		if file := filepath.Join(folder, program); executable(file) {
			return file, nil
		}
	}
	return "", fmt.Errorf("program %q not found in %s", program, folders)
}

func executable(file string) bool {
	info, err := os.Stat(file)
	return err == nil && !info.IsDir() && info.Mode()&0o111 != 0
}

// findProgram checks that a program is there. Relative paths are the guest's
// business: they start at its working folder.
func findProgram(program string, env []string) error {
	if filepath.IsAbs(program) && !executable(program) {
		return fmt.Errorf("program %q not found, or not executable", program)
	}
	_, err := FindProgram(program, env)
	return err
}

// named tells whether a host has a process of that name.
func (e *Experiment) named(h *platform.Host, name string) bool {
	for _, p := range e.Processes {
		if p.Host == h && p.Name == name {
			return true
		}
	}
	return false
}

// defaultName is the base name of a process's program, of a shell line's first
// word; a second one on the host gets .2.
func (e *Experiment) defaultName(h *platform.Host, command ast.Node, argv []string) string {
	program := argv[0]
	if line, ok := strictyaml.Text(command); ok {
		program = strings.Fields(line)[0]
	}
	return e.freeName(h, filepath.Base(program))
}

func (e *Experiment) freeName(h *platform.Host, base string) string {
	name := base
	for n := 2; e.named(h, name); n++ {
		name = fmt.Sprintf("%s.%d", base, n)
	}
	return name
}

// finish adds what can be said once all is read: hosts that cannot reach each
// other.
func (e *Experiment) finish() {
	e.Warnings = append(e.Warnings, e.Platform.Warnings...)
	var used []*platform.Host
	seen := map[*platform.Host]bool{}
	for _, p := range e.Processes {
		if !seen[p.Host] {
			seen[p.Host] = true
			used = append(used, p.Host)
		}
	}
	const most = 200 // hosts; all pairs of more take too long for a remark
	if len(used) > most {
		return
	}
	for _, a := range used {
		for _, b := range used {
			if a != b {
				if _, err := e.Platform.Route(a, b); err != nil {
					e.Warnings = append(e.Warnings, fmt.Sprintf("no route from host %s to host %s", a.Name, b.Name))
				}
			}
		}
	}
}

// choose sets an option to one of several words, whatever their case.
func choose(option *string, what, word string, choices []string) error {
	if word == "" {
		return nil
	}
	for _, c := range choices {
		if strings.EqualFold(c, word) {
			*option = c
			return nil
		}
	}
	return fmt.Errorf("--%s: one of %s expected, found %q", what, strings.Join(choices, ", "), word)
}
