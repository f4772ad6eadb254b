package experiment

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// GuestPath is the PATH of processes that are given none.
const GuestPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// GuestFolder is where hosts see the folder of the experiment's file.
const GuestFolder = "/run/experiment"

// checkPrograms complains about programs that do not exist.
func (l *loader) checkPrograms() {
	type key struct{ program, path string }
	asked := make(map[key]bool)
	for i := range l.Processes {
		p := &l.Processes[i]
		k := key{p.Argv[0], pathOf(p.Env)}
		if !asked[k] {
			l.checkProgram(p.Position, k.program, k.path)
		}
		asked[k] = true
	}
	for i := range l.Events {
		if e := &l.Events[i]; e.Host.Run != nil {
			l.checkProgram(e.Position, e.Host.Run[0], pathOf(nil))
		}
	}
}

// pathOf returns the PATH of an environment.
func pathOf(env []string) string {
	path := GuestPath
	for _, e := range env {
		if value, ok := strings.CutPrefix(e, "PATH="); ok {
			path = value
		}
	}
	return path
}

// checkProgram looks a program up. A path that is relative to the guest's
// working folder, which does not exist yet, may exist.
func (l *loader) checkProgram(at Position, program, path string) {
	if !strings.Contains(program, "/") {
		if _, ok := search(program, path); !ok {
			l.addf(at, "program %q not found", program)
		}
		return
	}
	file := program
	if beside, ok := strings.CutPrefix(program, GuestFolder+"/"); ok {
		file = filepath.Join(filepath.Dir(l.File), beside)
	}
	if !filepath.IsAbs(program) || executable(file) {
		return
	}
	switch info, err := os.Stat(file); {
	case err != nil:
		l.addf(at, "program %q not found", program)
	case info.IsDir():
		l.addf(at, "program %q expected, found a folder", program)
	default:
		l.addf(at, "program %q may not be executed (chmod +x)", program)
	}
}

// search finds a program in the folders of a PATH.
func search(program, path string) (file string, ok bool) {
	for _, folder := range filepath.SplitList(path) {
		file = filepath.Join(folder, program)
		if !filepath.IsAbs(folder) || executable(file) {
			return file, true
		}
	}
	return "", false
}

// FindProgram finds a program as execvp(3) does, with the PATH of an
// environment. What has a slash is returned as it is.
func FindProgram(program string, env []string) (string, error) {
	if strings.Contains(program, "/") {
		return program, nil
	}
	file, ok := search(program, pathOf(env))
	if !ok {
		return "", fmt.Errorf("program %q not found", program)
	}
	return file, nil
}

func executable(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
