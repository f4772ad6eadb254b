package experiment

import (
	"errors"
	"fmt"
)

// problems collects what is wrong with an experiment, so that all of it can be
// told at once.
type problems struct {
	list []error
}

// maxProblems bounds what is told: a wrong platform can make every one of a
// thousand processes wrong.
const maxProblems = 20

func (p *problems) add(err error) {
	if err != nil {
		p.list = append(p.list, err)
	}
}

func (p *problems) addf(at Position, format string, arguments ...any) {
	p.add(fmt.Errorf("%s: %s", at, fmt.Sprintf(format, arguments...)))
}

// err returns the collected errors as one, a line each, or nil.
func (p *problems) err() error {
	switch more := len(p.list) - maxProblems; {
	case len(p.list) == 0:
		return nil
	case more > 1:
		return errors.Join(append(p.list[:maxProblems:maxProblems], fmt.Errorf("and %d more errors", more))...)
	}
	return errors.Join(p.list...)
}
