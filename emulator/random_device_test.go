package emulator

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestRandomDeviceKnowsNoMaker changes a library whose constructor of
// std::random_device asks cpuid as libstdc++'s does.
func TestRandomDeviceKnowsNoMaker(t *testing.T) {
	folder := t.TempDir()
	source, library := filepath.Join(folder, "device.c"), filepath.Join(folder, "device.so")
	const text = `#include <cpuid.h>
int _ZNSt13random_device7_M_initERKSs(void)
{
	unsigned a, b, c, d;
	__cpuid(0, a, b, c, d);
	return b == signature_INTEL_ebx || b == signature_AMD_ebx;
}
int other(unsigned b) { return b == signature_INTEL_ebx; }
`
	if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("gcc", "-O1", "-shared", "-fPIC", "-o", library, source).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	before, err := os.ReadFile(library)
	if err != nil {
		t.Fatal(err)
	}
	content := bytes.Clone(before)
	if !forgetMakers(content) {
		t.Fatal("nothing was changed")
	}
	count := func(b []byte) [2]int {
		return [2]int{bytes.Count(b, []byte("Genu")), bytes.Count(b, []byte("Auth"))}
	}
	old, now := count(before), count(content)
	if now[0] != old[0]-1 || now[1] != old[1]-1 || len(content) != len(before) {
		t.Errorf("makers %v became %v", old, now)
	}
	if forgetMakers(content) {
		t.Error("changed once more")
	}
	if forgetMakers([]byte("not a library")) {
		t.Error("text was changed")
	}
}
