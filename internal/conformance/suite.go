package main

import "io"

// folder is where both machines see the folder that suites are prepared in.
const folder = "/run/experiment"

// A Suite is a program that runs test cases which others wrote.
type Suite struct {
	Name string // such as "go/net"; also of its files, with "_" for "/"
	// Short is whether the suite belongs to the subset that ends within seconds.
	Short bool
	// Prepare makes what the suite needs in a folder, which guests find as
	// [folder], and returns the program to run.
	Prepare func(folder string) (Command, error)
	// Parse reads what the program printed on both outputs together. A case that
	// began and did not end is [Unfinished].
	Parse func(output io.Reader) ([]Result, error)
	// Rest changes the command to leave out the cases that are done: it goes on
	// where a run hung or crashed. Nil when the suite cannot.
	Rest func(c Command, done []Result) Command
}

// Command is a program to run natively and emulated.
type Command struct {
	Directory   string
	Arguments   []string // the first is a path or a name of the PATH
	Environment []string // KEY=VALUE; PATH, HOME and LANG are always set
	// Measured is whether computations take simulated time, for programs that
	// compute until a time. It makes clock readings slow, and runs not repeatable.
	Measured bool
	// Epoch is the emulated host's date, where the cases want one: YYYY-MM-DD.
	Epoch string
}

// Outcome is how a case ended.
type Outcome string

// What may become of a case.
const (
	Pass       Outcome = "pass"
	Fail       Outcome = "fail"
	Skip       Outcome = "skip"
	Unfinished Outcome = "unfinished"  // it hung or took its program with it
	Missing    Outcome = "not reached" // nothing was heard of it
)

// Result is how one case ended.
type Result struct {
	Case    string // without spaces
	Outcome Outcome
}

// suites are all that are known, in the order in which they run.
func suites() []Suite {
	return append(goSuites(), pythonSuites()...)
}
