package interception

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// probed has uprobes in a function of the C library, and in the program's own
// function of that name if it has one.
func probed(l *laboratory, s subject) (command, error) {
	var probes []string
	arguments, err := l.arguments(s)
	if err != nil {
		return command{}, err
	}
	function := s.function
	if function == "" {
		function = "getppid" // which this subject does not call
	}
	for _, file := range []string{libc(), arguments[0]} {
		if offset, ok := functionOffset(file, function); ok {
			probes = append(probes, fmt.Sprintf("%s:%#x", file, offset))
		}
	}
	if len(probes) == 0 {
		return command{}, errors.New("no C library with symbols found")
	}
	return l.launch("uprobe", strings.Join(probes, ","), false, s)
}

// libc is the shared C library that cc links programs with.
func libc() string {
	out, err := exec.Command("cc", "-print-file-name=libc.so.6").Output()
	if err != nil {
		return ""
	}
	path, err := filepath.EvalSymlinks(strings.TrimSpace(string(out)))
	if err != nil {
		return ""
	}
	return path
}

// functionOffset is where in a file the code of a function is.
func functionOffset(file, function string) (uint64, bool) {
	f, err := elf.Open(file)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	own, _ := f.Symbols()
	shared, _ := f.DynamicSymbols() // none is an error
	for _, s := range append(own, shared...) {
		if s.Name != function || s.Value == 0 || elf.ST_TYPE(s.Info) != elf.STT_FUNC {
			continue
		}
		for _, segment := range f.Progs {
			if segment.Type == elf.PT_LOAD && s.Value >= segment.Vaddr && s.Value < segment.Vaddr+segment.Filesz {
				return s.Value - segment.Vaddr + segment.Off, true
			}
		}
	}
	return 0, false
}

// traced counts the calls of a function in Valgrind's logs.
func (l *laboratory) traced(function string) (int, error) {
	line := map[string]string{"getppid": "sys_getppid ", "clock_gettime": "sys_clock_gettime( 0,"}[function]
	if line == "" {
		return 0, nil
	}
	logs, err := filepath.Glob(l.logs() + "/*")
	if err != nil {
		return 0, err
	}
	seen := 0
	for _, name := range logs {
		content, err := os.ReadFile(name)
		if err != nil {
			return 0, err
		}
		seen += strings.Count(string(content), line)
	}
	return seen, nil
}
