package platform

import (
	"fmt"
	"strconv"
	"strings"
)

// Error is a complaint about a place in a file.
type Error struct {
	Position
	Message string
}

func (e *Error) Error() string {
	message := shorten(e.Message, 500)
	if e.Column > 0 {
		return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, message)
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, message)
}

// shorten leaves out the middle of a text of more than so many bytes: it may
// quote a value that goes on for ever.
func shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most/2], "") + "..." + strings.ToValidUTF8(text[len(text)-most/2:], "")
}

// scanner reads the subset of XML that SimGrid's own scanner (generated from
// its DTD by flexml) reads: no character data outside of <trace>, no CDATA
// sections, no entities besides the predefined ones and numbers, and a document
// type.
type scanner struct {
	file string
	text string
	at   int
	line int

	name       string      // of the element begun or ended
	attributes []attribute // of the element begun; valid until the next call
	data       string
}

type attribute struct{ name, value string }

type event uint8

const (
	endOfFile event = iota
	begun
	ended
	characters
)

func (s *scanner) errorf(format string, arguments ...any) error {
	return &Error{Position{File: s.file, Line: s.line}, fmt.Sprintf(format, arguments...)}
}

// to moves to the given place and counts the lines on the way.
func (s *scanner) to(at int) {
	s.line += strings.Count(s.text[s.at:at], "\n")
	s.at = at
}

func (s *scanner) space() {
	at := s.at
	for at < len(s.text) && isSpace(s.text[at]) {
		at++
	}
	s.to(at)
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// ignorable skips comments and processing instructions.
func (s *scanner) ignorable() (skipped bool, err error) {
	for _, bracket := range [][2]string{{"<!--", "-->"}, {"<?", "?>"}} {
		if strings.HasPrefix(s.text[s.at:], bracket[0]) {
			end := strings.Index(s.text[s.at+len(bracket[0]):], bracket[1])
			if end < 0 {
				return false, s.errorf("%s expected after %s", bracket[1], bracket[0])
			}
			s.to(s.at + len(bracket[0]) + end + len(bracket[1]))
			return true, nil
		}
	}
	return false, nil
}

// The document types that SimGrid knows.
var documentTypes = []string{
	"https://simgrid.org/simgrid.dtd",
	"http://simgrid.gforge.inria.fr/simgrid/simgrid.dtd",
	// Of version 3, for files that SimGrid wants updated.
	"http://simgrid.gforge.inria.fr/simgrid.dtd",
	"simgrid.dtd",
	"surfxml.dtd",
}

// prolog reads what stands before the first element and returns the identifier
// of the document type.
func (s *scanner) prolog() (doctype string, err error) {
	s.text = strings.TrimPrefix(s.text, "\uFEFF")
	for {
		s.space()
		skipped, err := s.ignorable()
		switch {
		case err != nil:
			return "", err
		case skipped:
		case strings.HasPrefix(s.text[s.at:], "<!DOCTYPE"):
			if doctype != "" {
				return "", s.errorf("a second <!DOCTYPE>")
			}
			end := strings.IndexByte(s.text[s.at:], '>')
			if end < 0 {
				return "", s.errorf("> expected after <!DOCTYPE")
			}
			words := strings.Fields(s.text[s.at : s.at+end])
			if len(words) != 4 || words[1] != "platform" || words[2] != "SYSTEM" || len(words[3]) < 2 {
				return "", s.errorf(`<!DOCTYPE platform SYSTEM "%s"> expected`, documentTypes[0])
			}
			doctype = strings.Trim(words[3], `"'`)
			s.to(s.at + end + 1)
		case s.at == len(s.text):
			return "", s.errorf("element <platform> expected, found the end of the file")
		case s.text[s.at] != '<':
			return "", s.errorf("an XML file expected, found %q", firstWord(s.text[s.at:]))
		case doctype == "":
			return "", s.errorf(`<!DOCTYPE platform SYSTEM "%s"> expected before the first element`, documentTypes[0])
		default:
			return doctype, nil
		}
	}
}

func firstWord(text string) string {
	if i := strings.IndexAny(text, " \t\r\n"); i >= 0 {
		text = text[:i]
	}
	if len(text) > 30 {
		return strings.ToValidUTF8(text[:30], "") + "..."
	}
	return text
}

// next reads on to the next element, end of one, or character data. pending
// tells that the element begun last was written <x/>, so that its end is next.
func (s *scanner) next() (event, error) {
	start := s.at
	for s.at < len(s.text) && s.text[s.at] != '<' {
		end := strings.IndexByte(s.text[s.at:], '<')
		if end < 0 {
			end = len(s.text) - s.at
		}
		s.to(s.at + end)
	}
	if s.at > start {
		s.data = s.text[start:s.at]
		return characters, nil
	}
	if s.at == len(s.text) {
		return endOfFile, nil
	}
	if skipped, err := s.ignorable(); err != nil || skipped {
		s.data = ""
		return characters, err
	}
	if strings.HasPrefix(s.text[s.at:], "</") {
		s.to(s.at + 2)
		s.name = s.word()
		s.space()
		if s.at == len(s.text) || s.text[s.at] != '>' {
			return 0, s.errorf("> expected after </%s", s.name)
		}
		s.to(s.at + 1)
		return ended, nil
	}
	s.to(s.at + 1)
	if s.name = s.word(); s.name == "" {
		return 0, s.errorf("the name of an element expected after <, found %q", firstWord(s.text[s.at:]))
	}
	return begun, nil
}

// word reads a name.
func (s *scanner) word() string {
	start := s.at
	at := s.at
	for at < len(s.text) {
		c := s.text[at]
		if !('a' <= c|0x20 && c|0x20 <= 'z' || isDigit(c) || c == '_' || c == ':' || c == '-' || c == '.') {
			break
		}
		at++
	}
	s.at = at
	return s.text[start:at]
}

// maxAttributes is more than any element has.
const maxAttributes = 100

// readAttributes reads on to the end of the tag that begins an element, and
// tells whether the element ends there too.
func (s *scanner) readAttributes() (empty bool, err error) {
	s.attributes = s.attributes[:0]
	for {
		s.space()
		switch {
		case s.at == len(s.text):
			return false, s.errorf("element <%s>: > expected, found the end of the file", s.name)
		case s.text[s.at] == '>':
			s.to(s.at + 1)
			return false, nil
		case strings.HasPrefix(s.text[s.at:], "/>"):
			s.to(s.at + 2)
			return true, nil
		}
		name := s.word()
		if name == "" {
			return false, s.errorf("element <%s>: an attribute or > expected, found %q", s.name, firstWord(s.text[s.at:]))
		}
		s.space()
		if s.at == len(s.text) || s.text[s.at] != '=' {
			return false, s.errorf("element <%s>: = expected after attribute %s", s.name, name)
		}
		s.to(s.at + 1)
		s.space()
		value, err := s.quoted(name)
		if err != nil {
			return false, err
		}
		if len(s.attributes) == maxAttributes {
			return false, s.errorf("element <%s>: more than %d attributes", s.name, maxAttributes)
		}
		for _, a := range s.attributes {
			if a.name == name {
				return false, s.errorf("element <%s>: attribute %s is given twice", s.name, name)
			}
		}
		s.attributes = append(s.attributes, attribute{name, value})
	}
}

func (s *scanner) quoted(name string) (string, error) {
	if s.at == len(s.text) || s.text[s.at] != '"' && s.text[s.at] != '\'' {
		return "", s.errorf("element <%s>: a value in quotes expected for attribute %s", s.name, name)
	}
	end := strings.IndexByte(s.text[s.at+1:], s.text[s.at])
	if end < 0 {
		return "", s.errorf("element <%s>: the value of attribute %s has no end", s.name, name)
	}
	value := s.text[s.at+1 : s.at+1+end]
	if strings.IndexByte(value, '<') >= 0 {
		return "", s.errorf("element <%s>: &lt; expected for < in the value of attribute %s", s.name, name)
	}
	if strings.IndexByte(value, '&') >= 0 {
		plain, bad := unescape(value)
		if bad != "" {
			return "", s.errorf("element <%s>: attribute %s: %q is no entity (write &amp; for &)", s.name, name, bad)
		}
		value = plain
	}
	s.to(s.at + end + 2)
	return value, nil
}

var entities = map[string]string{"lt": "<", "gt": ">", "amp": "&", "apos": "'", "quot": `"`}

// unescape replaces the predefined and numbered entities; bad is one that is
// neither.
func unescape(text string) (plain, bad string) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "&")
		b.WriteString(before)
		if !found {
			return b.String(), ""
		}
		name, rest, found := strings.Cut(after, ";")
		if !found {
			return "", "&" + firstWord(after)
		}
		value, known := entities[name]
		if !known {
			digits, base := strings.TrimPrefix(name, "#"), 10
			if hex, ok := strings.CutPrefix(digits, "x"); ok {
				digits, base = hex, 16
			}
			n, err := strconv.ParseUint(digits, base, 21)
			if err != nil || name[0] != '#' || n == 0 {
				return "", "&" + firstWord(name) + ";"
			}
			value = string(rune(n))
		}
		b.WriteString(value)
		text = rest
	}
}
