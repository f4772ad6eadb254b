package guest

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// nativeForTest are the calls that a C program's start makes and this test does
// not look at.
var nativeForTest = Native{Calls: []int{
	unix.SYS_BRK, unix.SYS_MMAP, unix.SYS_MPROTECT, unix.SYS_MUNMAP, unix.SYS_OPENAT, unix.SYS_NEWFSTATAT, unix.SYS_READ,
	unix.SYS_ACCESS, unix.SYS_ARCH_PRCTL, unix.SYS_PREAD64, unix.SYS_RSEQ, unix.SYS_SET_ROBUST_LIST, unix.SYS_PRLIMIT64,
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_GETUID, unix.SYS_GETPID, unix.SYS_STAT,
}, Commands: map[int][]uint32{unix.SYS_FCNTL: {unix.F_GETFL}}}

func TestRealmRunsAProgram(t *testing.T) {
	for _, interceptor := range []Interceptor{Notify, Ptrace} {
		t.Run(string(interceptor), func(t *testing.T) { runsAProgram(t, interceptor) })
	}
}

func runsAProgram(t *testing.T, interceptor Interceptor) {
	realm, err := Start(nativeForTest, interceptor, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer realm.Close()
	clock, err := NewClock(10, 0)
	if err != nil {
		t.Fatal(err)
	}
	clock.Set(5_000_000_000, 6_000_000_000)
	begin := time.Now()
	c, err := realm.NewContainer(ContainerConfig{
		Hostname: "alpha", Clock: clock,
		Mounts: []Mount{{Source: "proc", Target: "/proc", Type: "proc"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("container: %v", time.Since(begin))
	out, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	null, _ := os.Open(os.DevNull)
	begin = time.Now()
	s, err := c.Launch(Program{
		Path: "/bin/bash", Argv: []string{"bash", "-c", "hostname; echo $$ $EPOCHREALTIME; (exit 3); ls /proc | grep ^[0-9]"}, Environment: []string{"A=b", "PATH=/bin"},
		Directory: "/", Files: [3]*os.File{null, out, out},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("launch: %v", time.Since(begin))
	if done, err := c.Exec(s.Exec, s.TID, s.TID, [16]byte{1}, Identity{}); err != nil || !done {
		t.Fatalf("exec: %v, %v", done, err)
	}
	calls := 0
	begin = time.Now()
	var e Event
	for {
		if err := realm.Wait(&e, 5*time.Second); err != nil {
			t.Fatal(err)
		}
		if e.Kind == Death {
			break
		}
		if e.Kind == Nothing {
			t.Fatal("no news")
		}
		calls++
		switch e.Number {
		case BootCall:
			c.AnswerDescriptor(e.ID, clock.Descriptor(), true)
		case unix.SYS_CLONE, unix.SYS_CLONE3, unix.SYS_FORK, unix.SYS_VFORK:
			child, ok, err := c.Clone(e.ID, e.TID)
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			realm.ReleaseParent(e.TID, child)
			realm.Release(child.TID)
		case unix.SYS_EXECVE:
			if _, err := c.Exec(e.ID, e.TID, e.TID, [16]byte{2}, Identity{}); err != nil {
				t.Fatal(err)
			}
		default:
			c.Continue(e.ID)
		}
	}
	t.Logf("%d calls in %v", calls, time.Since(begin))
	status, err := c.Reap(s.PID)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(out.Name())
	t.Logf("%v %q", status.ExitStatus(), b)
	if string(b) != "alpha\n2 5.000000\n1\n2\n5\n6\n" {
		t.Errorf("the guest wrote %q", b)
	}
}
