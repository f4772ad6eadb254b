package emulator

import "testing"

// TestRunsSideBySide shows that runs take processors of their own while there are any,
// and any processor when there are none left.
func TestRunsSideBySide(t *testing.T) {
	allowed, err := allowedProcessors()
	if err != nil {
		t.Fatal(err)
	}
	taken := map[int]bool{}
	for i := range allowed.Count() + 1 {
		c, err := claimProcessor()
		if err != nil {
			t.Fatal(err)
		}
		defer c.release()
		if !allowed.IsSet(c.processor) {
			t.Errorf("claim %d is of processor %d, which may not be used", i, c.processor)
		}
		if c.socket != nil && taken[c.processor] {
			t.Errorf("claim %d is of processor %d, which has been taken", i, c.processor)
		}
		taken[c.processor] = true
	}
}
