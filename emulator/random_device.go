package emulator

import (
	"bytes"
	"debug/elf"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/simterpose/simterpose/kernel"
)

// C++'s std::random_device takes its numbers from the processor, by rdrand or
// rdseed, which nothing can be put before where the processor does not let cpuid be
// trapped. It does so only on processors of the makers that it knows. So guests
// get a copy of libstdc++ that knows none, and asks the kernel instead.

// cxxLibraries is where distributions put libstdc++.
var cxxLibraries = []string{
	"/lib/x86_64-linux-gnu/libstdc++.so.6", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
	"/lib64/libstdc++.so.6", "/usr/lib64/libstdc++.so.6", "/usr/lib/libstdc++.so.6",
}

// randomDevice puts a copy of each libstdc++ of the machine into the layer between.
func (l *layers) randomDevice() error {
	var done []string
	for _, name := range cxxLibraries {
		file, err := filepath.EvalSymlinks(name)
		if err != nil || slices.Contains(done, file) || !slices.ContainsFunc(l.over, func(f string) bool { return kernel.Within(file, f) }) {
			continue // there is none, or it lies where guests see the machine's own files
		}
		done = append(done, file)
		content, err := os.ReadFile(file)
		if errors.Is(err, os.ErrPermission) {
			continue
		}
		if err != nil {
			return err
		}
		if !forgetMakers(content) {
			continue
		}
		err = l.replace(file, func(own string) error { return os.WriteFile(own, content, 0o600) })
		if err != nil {
			return err
		}
	}
	return nil
}

// forgetMakers makes the constructor of std::random_device compare the maker that
// cpuid tells with none. It returns false when it finds nothing to change.
func forgetMakers(library []byte) (changed bool) {
	file, err := elf.NewFile(bytes.NewReader(library))
	if err != nil {
		return false
	}
	symbols, err := file.DynamicSymbols()
	if err != nil {
		return false
	}
	for _, s := range symbols {
		if !strings.HasPrefix(s.Name, "_ZNSt13random_device7_M_init") { // random_device::_M_init
			continue
		}
		code := contentOf(file, library, s)
		for _, maker := range []string{"Genu", "Auth"} {
			// cmp $maker, %ebx or %ecx or so: 81 f8+register, or 3d for %eax.
			for rest := code; ; {
				i := bytes.Index(rest, []byte(maker))
				if i < 0 {
					break
				}
				if i >= 2 && rest[i-2] == 0x81 && rest[i-1]&0xf8 == 0xf8 || i >= 1 && rest[i-1] == 0x3d {
					copy(rest[i:], "none")
					changed = true
				}
				rest = rest[i+len(maker):]
			}
		}
	}
	return changed
}

// contentOf is where a function lies in a file.
func contentOf(file *elf.File, content []byte, s elf.Symbol) []byte {
	for _, p := range file.Progs {
		if p.Type == elf.PT_LOAD && s.Value >= p.Vaddr && s.Value+s.Size <= p.Vaddr+p.Filesz {
			begin := s.Value - p.Vaddr + p.Off
			if end := begin + s.Size; end >= begin && end <= uint64(len(content)) {
				return content[begin:end]
			}
		}
	}
	return nil
}
