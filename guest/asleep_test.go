package guest

import (
	"os/exec"
	"testing"
	"time"
)

// TestAsleep tells a program that sleeps from one that runs or waits for its turn.
func TestAsleep(t *testing.T) {
	for _, c := range []struct {
		words  []string
		asleep bool
	}{
		{[]string{"sleep", "1000"}, true},
		{[]string{"sh", "-c", "while :; do :; done"}, false},
	} {
		command := exec.Command(c.words[0], c.words[1:]...)
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		defer command.Wait()
		defer command.Process.Kill()
		pid := command.Process.Pid
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			// Once the program runs: it may wait for its file before.
			if text := statFields(pid); ThreadName(pid) == c.words[0] && (text[0] == "S") == c.asleep && Asleep(pid) == c.asleep {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%v: in state %s, asleep %v", c.words, statFields(pid)[0], Asleep(pid))
			}
		}
	}
}
