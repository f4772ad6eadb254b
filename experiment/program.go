package experiment

import (
	"os"
	"path/filepath"
	"strings"
)

// GuestPath is the PATH of processes that are given none.
const GuestPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// checkPrograms complains about programs that do not exist.
func (l *loader) checkPrograms() {
	type key struct{ program, path string }
	known := make(map[key]bool)
	for i := range l.Processes {
		p := &l.Processes[i]
		k := key{p.Argv[0], pathOf(p.Env)}
		found, asked := known[k]
		if !asked {
			found = programExists(k.program, k.path)
			known[k] = found
			if !found {
				l.addf(p.Position, "program %q not found", k.program)
			}
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

// programExists looks a program up as execvp(3) does. A path that is relative
// to the guest's working folder, which does not exist yet, may exist.
func programExists(program, path string) bool {
	if strings.Contains(program, "/") {
		return !filepath.IsAbs(program) || executable(program)
	}
	for _, folder := range filepath.SplitList(path) {
		if !filepath.IsAbs(folder) || executable(filepath.Join(folder, program)) {
			return true
		}
	}
	return false
}

func executable(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
