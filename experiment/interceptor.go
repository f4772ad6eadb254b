package experiment

import (
	"fmt"
	"slices"
	"strings"
)

// Interceptors are the ways to stop guests at their calls: notify is seccomp's
// user notification, ptrace needs less of the machine and takes longer. What
// comes of a run is the same.
var Interceptors = []string{"notify", "ptrace"}

func checkInterceptor(name string) error {
	if !slices.Contains(Interceptors, name) {
		return fmt.Errorf("interceptor: %s expected, found %q", strings.Join(Interceptors, " or "), name)
	}
	return nil
}
