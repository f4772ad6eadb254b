package trace

import (
	"encoding/hex"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/simterpose/simterpose/internal/strictyaml"
)

// most bounds whatever numbers a trace: actors, sockets, tags.
const most = 1 << 31

// parse fills r in from the words of a line.
func (r *Record) parse(words []string) error {
	*r = Record{Type: Absent, Type2: Absent}
	if len(words) < 2 {
		return fmt.Errorf("an actor and an action expected, found %q", words[0])
	}
	var err error
	if r.Actor, err = natural(words[0]); err != nil {
		return fmt.Errorf("actor: %w", err)
	}
	a, ok := actions[words[1]]
	if !ok {
		hint := ""
		if near := strictyaml.Nearest(words[1], actionNames); near != "" {
			hint = fmt.Sprintf(" (did you mean %q?)", near)
		}
		return fmt.Errorf("unknown action %q%s", words[1], hint)
	}
	r.Action = a
	f := &forms[a]
	words = words[2:]
	least := 0
	for _, kind := range f.arguments {
		if kind&optional == 0 && kind != rest {
			least++
		}
	}
	open := len(f.arguments) > 0 && f.arguments[0] == rest
	if len(words) < least || len(words) > len(f.arguments) && !open {
		return fmt.Errorf("%s expected, found %q", strings.TrimSpace(f.name+" "+f.usage), strings.TrimSpace(f.name+" "+strings.Join(words, " ")))
	}
	r.Given = len(words)
	if open {
		r.Rest = strings.Join(words, " ")
		return nil
	}
	for i, word := range words {
		if err := r.set(f.arguments[i]&^optional, word); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

var (
	actions     = make(map[string]Action)
	actionNames []string
)

func init() {
	for a := range forms {
		actions[forms[a].name] = Action(a)
		actionNames = append(actionNames, forms[a].name)
	}
}

// natural parses an index. SimGrid writes some of them as floating-point
// numbers.
func natural(word string) (int, error) {
	if v, err := strconv.ParseFloat(word, 64); err == nil && v >= 0 && v < most && v == math.Trunc(v) {
		return int(v), nil
	}
	return 0, fmt.Errorf("a whole number of 0 or more expected, found %q", word)
}

// integer returns where the number that a word means belongs; nil for those
// that are no plain numbers.
func (r *Record) integer(a argument) *int {
	switch a {
	case peer:
		return &r.Peer
	case from:
		return &r.From
	case tag:
		return &r.Tag
	case root:
		return &r.Root
	case datatype:
		return &r.Type
	case datatype2:
		return &r.Type2
	case sock:
		return &r.Socket
	case sock2:
		return &r.Accepted
	case pid:
		return &r.PID
	case tid:
		return &r.TID
	case flags:
		return &r.Flags
	case number:
		return &r.Number
	}
	return nil
}

func (r *Record) set(a argument, word string) (err error) {
	if p := r.integer(a); p != nil {
		if a == tag && word == "-1" || a == peer && word == "-1" { // any tag, any source
			*p = -1
			return nil
		}
		*p, err = natural(word)
		return err
	}
	switch a {
	case amount:
		r.Amount, err = quantity(word)
	case amount2:
		r.Amount2, err = quantity(word)
	case name:
		r.Name, err = unescape(word)
	case label:
		r.Label, err = unescape(word)
	case port:
		v, problem := strconv.ParseUint(word, 10, 16)
		if problem != nil {
			return fmt.Errorf("a port from 0 to 65535 expected, found %q", word)
		}
		r.Port = uint16(v)
	case data:
		if r.Data, err = hex.DecodeString(strings.TrimPrefix(word, "x")); err != nil {
			err = fmt.Errorf("x and hexadecimal digits expected, found %q", word)
		}
	}
	return err
}

// quantity parses an amount. A receive of SMPI may have -1: as much as comes.
func quantity(word string) (float64, error) {
	v, err := strconv.ParseFloat(word, 64)
	if err != nil || !(v >= 0 || v == -1) || math.IsInf(v, 1) {
		return 0, fmt.Errorf("a finite number of 0 or more expected, found %q", word)
	}
	return v, nil
}

// empty is how a name without a character is written.
const empty = "%00"

func unescape(word string) (string, error) {
	if word == empty {
		return "", nil
	}
	s, err := url.PathUnescape(word)
	if err != nil || strings.ContainsFunc(s, unicode.IsControl) {
		return "", fmt.Errorf("a name expected, with %%20 for a space and %%25 for a percent sign, found %q", word)
	}
	return s, nil
}

// appendText appends the record's line, without its end.
func (r *Record) appendText(b []byte) []byte {
	f := &forms[r.Action]
	b = strconv.AppendInt(b, int64(r.Actor), 10)
	b = append(append(b, ' '), f.name...)
	if len(f.arguments) > 0 && f.arguments[0] == rest {
		if r.Rest != "" {
			b = append(append(b, ' '), r.Rest...)
		}
		return b
	}
	for i, a := range f.arguments {
		if a&optional != 0 && i >= r.Given {
			break
		}
		b = r.appendWord(append(b, ' '), a&^optional)
	}
	return b
}

func (r *Record) appendWord(b []byte, a argument) []byte {
	if p := r.integer(a); p != nil {
		return strconv.AppendInt(b, int64(*p), 10)
	}
	switch a {
	case amount:
		return appendQuantity(b, r.Amount)
	case amount2:
		return appendQuantity(b, r.Amount2)
	case name:
		return append(b, escape(r.Name)...)
	case label:
		return append(b, escape(r.Label)...)
	case port:
		return strconv.AppendUint(b, uint64(r.Port), 10)
	case data:
		return hex.AppendEncode(append(b, 'x'), r.Data)
	}
	return b
}

// appendQuantity writes bytes as whole numbers and all else with as many digits
// as it takes to read the same again.
func appendQuantity(b []byte, v float64) []byte {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.AppendInt(b, int64(v), 10)
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}

// escape makes one word of a name.
func escape(s string) string {
	if s == "" {
		return empty
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == '%' || c >= 0x7f {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// String is the record's line without the actor.
func (r *Record) String() string {
	_, text, _ := strings.Cut(string(r.appendText(nil)), " ")
	return text
}
