package guest

import (
	"os/exec"
	"runtime"
	"testing"
)

// TestNoStepsInACall looks for a loop in a thread that has just made a call: it is
// none, and the look ends although the call does not.
func TestNoStepsInACall(t *testing.T) {
	runtime.LockOSThread() // ptrace is between threads
	defer runtime.UnlockOSThread()
	sleep := exec.Command("sleep", "1000")
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		sleep.Process.Kill()
		sleep.Wait()
	}()
	tid := sleep.Process.Pid
	for threadState(tid) != 'S' {
		runtime.Gosched()
	}
	if errno := ptraceSeize(tid, 0); errno != 0 {
		t.Fatal(errno)
	}
	ptraceInterrupt(tid)
	if status, errno := stopped(tid); errno != 0 || !status.Stopped() {
		t.Fatalf("stopped with %v: %v", status, errno)
	}
	s := stepper{tid: tid, steps: SpinSteps, harmless: map[uint64]bool{}}
	if s.circle() {
		t.Error("a sleeping thread seems to run in a circle")
	}
	if errno := ptraceDetach(tid, s.signal); errno != 0 {
		t.Error(errno)
	}
}
