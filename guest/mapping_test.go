package guest

import (
	"fmt"
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestMappingsByBothWays finds the same areas by the ioctl, where there is one, and
// in the text.
func TestMappingsByBothWays(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "mapped")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := file.Truncate(3 << 12); err != nil {
		t.Fatal(err)
	}
	b, err := unix.Mmap(int(file.Fd()), 1<<12, 2<<12, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(b)
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	address := uint64(uintptr(unsafe.Pointer(&b[5000])))
	m, ok := MappingAt(os.Getpid(), address)
	read, found := findMapping(text, address)
	if !ok || !found || m != read {
		t.Fatalf("the ioctl finds %+v (%v), the text has %+v (%v)", m, ok, read, found)
	}
	var s unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &s); err != nil {
		t.Fatal(err)
	}
	if !m.Shared || m.Inode != s.Ino || m.Offset != 1<<12 || m.Start != uint64(uintptr(unsafe.Pointer(&b[0]))) || m.End != m.Start+2<<12 {
		t.Errorf("the mapping is %+v", m)
	}
	if m, ok := MappingAt(os.Getpid(), 0); ok {
		t.Errorf("at 0 lies %+v", m)
	}
	if m, ok := findMapping(text, 0); ok {
		t.Errorf("the text has %+v at 0", m)
	}
}
