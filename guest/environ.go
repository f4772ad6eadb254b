package guest

import (
	"bytes"
	"fmt"
	"os"
)

// Running tells what a process runs, by the machine's path, and the value of the
// first of some variables that it was given at exec; "" if it has none.
func Running(tid int, variables ...string) (path, value string) {
	path, _ = os.Readlink(fmt.Sprintf("/proc/%d/exe", tid))
	environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", tid))
	if err != nil {
		return path, ""
	}
	for _, name := range variables {
		for entry := range bytes.SplitSeq(environment, []byte{0}) {
			if v, ok := bytes.CutPrefix(entry, []byte(name+"=")); ok {
				return path, string(v)
			}
		}
	}
	return path, ""
}
