package kernel

import (
	"strconv"
	"strings"
)

// procFile is what a name below /proc means for a file of a process.
type procFile struct {
	process *Process // nil for the host's first, which is no guest
	thread  *Task    // nil unless it is named
	file    string   // below the folder of the process or thread
	whole   bool     // the process is meant, by the number of its thread
}

// task is the thread that is named, or the process's first; nil when there is none.
func (f procFile) task() *Task {
	switch {
	case f.thread != nil:
		return f.thread
	case f.process != nil && len(f.process.tasks) > 0:
		return f.process.tasks[0]
	}
	return nil
}

// procFile takes a name below /proc apart; ok is false when it is none of a process.
func (t *Task) procFile(name string) (f procFile, ok bool) {
	rest, found := strings.CutPrefix(name, "/proc/")
	if !found {
		return f, false
	}
	first, rest, _ := strings.Cut(rest, "/")
	h := t.host()
	switch id, err := strconv.Atoi(first); {
	case first == "net":
		return procFile{process: t.process, file: "net/" + rest}, true
	case first == "mounts":
		return procFile{process: t.process, file: first}, true
	case first == "self":
		f.process = t.process
	case first == "thread-self":
		f.process, f.thread = t.process, t
	case err != nil:
		return f, false
	case h.processes[id] != nil:
		f.process = h.processes[id]
	case h.threads[id] != nil: // /proc/TID works too
		f.process, f.thread, f.whole = h.threads[id].process, h.threads[id], true
	case id != firstPID:
		return f, false
	}
	f.file = rest
	below, found := strings.CutPrefix(rest, "task/")
	if !found {
		return f, rest != ""
	}
	number, rest, _ := strings.Cut(below, "/")
	id, err := strconv.Atoi(number)
	switch {
	case err != nil:
		return f, false
	case f.process == nil:
		return procFile{file: rest}, id == firstPID && rest != ""
	}
	f.thread, f.file, f.whole = h.threads[id], rest, false
	return f, rest != "" && f.thread != nil && f.thread.process == f.process
}

// folder is the folder of the process as the machine's kernel shows it to the host.
func (f procFile) folder() string {
	switch {
	case f.process == nil:
		return "/proc/" + strconv.Itoa(firstPID)
	case f.thread != nil:
		return "/proc/" + strconv.Itoa(f.process.PID) + "/task/" + strconv.Itoa(f.thread.ID)
	}
	return "/proc/" + strconv.Itoa(f.process.PID)
}

// machineText is the file as the machine's kernel shows it.
func (t *Task) machineText(f procFile) (string, bool) {
	return t.host().read(f.folder() + "/" + f.file)
}
