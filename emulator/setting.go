package emulator

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/guest"
)

// settings are the files of /proc/sys/net that guests of a host may have written
// and that its emulated network heeds. They are the real ones of its network
// namespace, opened when they are asked for first.
type settings struct {
	container *guest.Container
	files     map[string]int // descriptors by name; -1 where there is no such file
}

func newSettings(c *guest.Container) *settings {
	return &settings{container: c, files: map[string]int{}}
}

// read gives a setting that is a number.
func (s *settings) read(name string) (value int, ok bool) {
	fd, known := s.files[name]
	if !known {
		var err error
		if fd, err = s.container.OpenSetting("/proc/sys/net/" + name); err != nil {
			fd = -1
		}
		s.files[name] = fd
	}
	if fd < 0 {
		return 0, false
	}
	var text [32]byte
	n, err := unix.Pread(fd, text[:], 0)
	if err != nil {
		return 0, false
	}
	value, err = strconv.Atoi(strings.TrimSpace(string(text[:n])))
	return value, err == nil
}

// close gives the descriptors up.
func (s *settings) close() {
	for _, fd := range s.files {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	clear(s.files)
}
