package kernel

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/syscalls.md anew")

const syscallsFile = "../docs/syscalls.md"

// syscallsDocument is docs/syscalls.md.
func syscallsDocument() string {
	var b strings.Builder
	b.WriteString("# System calls\n\n" +
		"What becomes of each call of x86-64 Linux. Generated from `kernel/table.go` by\n" +
		"`go test ./kernel -run TestDocumentedCalls -update`.\n\n" +
		"- *emulated*: answered by the emulated kernel; calls about files that are the\n" +
		"  machine's own (regular files, folders) are let through, and of those about\n" +
		"  terminals, inotify and netlink sockets all but the waiting.\n" +
		"- *native*: never stops the guest. The host's namespaces answer truly.\n" +
		"- *refused*: ENOSYS; the log names the call, the process and the host once.\n" +
		"  So are all 32-bit calls.\n\n")
	count := map[Status]int{}
	for _, e := range Calls() {
		count[e.Status]++
	}
	fmt.Fprintf(&b, "%d emulated, %d native, %d refused.\n\n", count[StatusEmulated], count[StatusNative], count[StatusRefused])
	b.WriteString("| number | call | | limits |\n| ---: | --- | --- | --- |\n")
	for _, e := range Calls() {
		fmt.Fprintf(&b, "| %d | `%s` | %s | %s |\n", e.Number, e.Name(), e.Status, e.Note)
	}
	return b.String()
}

func TestDocumentedCalls(t *testing.T) {
	want := syscallsDocument()
	if *update {
		if err := os.WriteFile(syscallsFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(syscallsFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/syscalls.md is old, run go test ./kernel -update (-table +file):\n%s", diff)
	}
}

func TestNoCallIsBothNativeAndEmulated(t *testing.T) {
	handled := map[int]bool{}
	for _, e := range emulated {
		if handled[e.Number] {
			t.Errorf("%s has two handlers", e.Name())
		}
		handled[e.Number] = true
	}
	for _, n := range nativeCalls {
		if handled[n] && !slices.Contains(guardedCalls, n) {
			t.Errorf("%s is native and has a handler", callName(n))
		}
	}
}
