package trace

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Header is how a trace was recorded: pairs of a key and a value, in order.
type Header [][2]string

// Get returns the value of a key, "" without one.
func (h Header) Get(key string) string {
	for _, pair := range h {
		if pair[0] == key {
			return pair[1]
		}
	}
	return ""
}

// Trace is a whole trace: the actions of each actor, in its order.
type Trace struct {
	Header Header
	// Actors are indexed by their number; one that does nothing is empty.
	Actors [][]Record
}

// Error is a line that is not understood.
type Error struct {
	File    string
	Line    int
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message) }

const (
	// longestLine bounds a line, in bytes.
	longestLine = 1 << 20
	// mostActors bounds the number of an actor.
	mostActors = 1 << 20
	// mostErrors is after how many a file is given up.
	mostErrors = 20
)

// headerMark begins a line of the header. For SMPI it is a comment.
const headerMark = "#:"

// version is the value of the header's key "simterpose-trace".
const version = "1"

// Parse reads a trace. Errors of lines are joined, each an *Error.
func Parse(file string, r io.Reader) (*Trace, error) {
	t := &Trace{}
	return t, t.read(file, r)
}

// read adds the lines of a file.
func (t *Trace) read(file string, r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	var problems []error
	n := 0
	complain := func(err error) { problems = append(problems, &Error{file, n, err.Error()}) }
	for lines.Scan() && len(problems) < mostErrors {
		n++
		text := lines.Text()
		if pair, ok := strings.CutPrefix(text, headerMark); ok {
			key, value, _ := strings.Cut(strings.TrimSpace(pair), " ")
			if strings.ContainsFunc(text, unicode.IsControl) {
				complain(errors.New("a line without control characters expected"))
				continue
			}
			if key == versionKey && value != version {
				return &Error{file, n, fmt.Sprintf("a trace of version %s expected, found %q", version, value)}
			}
			t.Header = append(t.Header, [2]string{key, value})
			continue
		}
		words := strings.Fields(text)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		var record Record
		if err := record.parse(words); err != nil {
			complain(err)
			continue
		}
		if record.Actor >= mostActors {
			complain(fmt.Errorf("an actor below %d expected, found %d", mostActors, record.Actor))
			continue
		}
		for len(t.Actors) <= record.Actor {
			t.Actors = append(t.Actors, nil)
		}
		t.Actors[record.Actor] = append(t.Actors[record.Actor], record)
	}
	if err := lines.Err(); err != nil {
		complain(err)
	}
	return errors.Join(problems...)
}

const versionKey = "simterpose-trace"

// Writer writes a trace line by line. Errors are kept for Flush.
type Writer struct {
	out  *bufio.Writer
	line []byte
}

// NewWriter begins a trace with its header.
func NewWriter(out io.Writer, h Header) *Writer {
	w := &Writer{out: bufio.NewWriterSize(out, 1<<16)}
	for _, pair := range append(Header{{versionKey, version}}, h...) {
		if pair[0] == versionKey && pair[1] != version || strings.ContainsAny(pair[1], "\n\r") {
			panic("trace: header that cannot be written")
		}
		fmt.Fprintln(w.out, headerMark, pair[0], pair[1])
	}
	return w
}

// Write appends a line.
func (w *Writer) Write(r *Record) {
	w.line = append(r.appendText(w.line[:0]), '\n')
	_, _ = w.out.Write(w.line) // Flush tells of errors
}

// Flush writes what is buffered and returns the first error of all writes.
func (w *Writer) Flush() error { return w.out.Flush() }

// Write writes the whole trace, one actor after the other.
func (t *Trace) Write(out io.Writer) error {
	w := NewWriter(out, t.Header)
	for _, records := range t.Actors {
		for i := range records {
			w.Write(&records[i])
		}
	}
	return w.Flush()
}
