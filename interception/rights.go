package interception

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ladder are the rights that an ordinary user gets one of, until a mechanism works.
var ladder = []struct {
	name         string
	capabilities []uintptr
}{
	{"none", nil},
	{"CAP_PERFMON", []uintptr{unix.CAP_PERFMON}},
	{"CAP_SYS_PTRACE", []uintptr{unix.CAP_SYS_PTRACE}},
	{"CAP_SYS_ADMIN", []uintptr{unix.CAP_SYS_ADMIN}},
}

// rights tries which rights a mechanism needs, as an ordinary user.
func (l *laboratory) rights(m *mechanism, calls int) string {
	s := subject{program: "subject", what: m.measured, calls: calls, counted: true}
	s.function = map[string]string{"call": "getppid", "clock": "clock_gettime"}[m.measured]
	if os.Geteuid() != 0 {
		o, err := l.intercept(m, s, nil)
		if err := works(o, err); err != nil {
			return err.Error()
		}
		return withoutPrivileges("none", o)
	}
	if _, err := l.intercept(&native, s, &ladder[0].capabilities); err != nil {
		return fmt.Sprintf("an ordinary user cannot run programs in %s: %v", l.folder, err)
	}
	var refused error
	for _, step := range ladder {
		o, err := l.intercept(m, s, &step.capabilities)
		if err = works(o, err); err == nil {
			return withoutPrivileges(step.name, o)
		}
		if refused == nil {
			refused = err
		}
	}
	if o, err := l.intercept(m, s, nil); works(o, err) == nil {
		return fmt.Sprintf("root's: %v", refused)
	}
	return refused.Error()
}

// works tells why a mechanism did not see calls.
func works(o outcome, err error) error {
	if err == nil && max(o.answered, o.seen) == 0 {
		return errors.New("it sees nothing")
	}
	return err
}

// withoutPrivileges adds that programs under a mechanism cannot gain rights any more.
func withoutPrivileges(rights string, o outcome) string {
	if o.noNewPrivileges {
		return rights + "; set-id programs lose theirs (no_new_privs)"
	}
	return rights
}
