package platform

import (
	"fmt"
	"strconv"
	"strings"
)

// gmlValue is a value of GML (Himsolt: GML: A portable Graph File Format,
// 1997): a number, a string or a list of keys with values.
type gmlValue struct {
	text   string // of a number, or inside the quotes of a string
	string bool
	list   []gmlPair
	isList bool
}

type gmlPair struct {
	key   string
	value gmlValue
	line  int
}

// maxGMLDepth bounds the nesting of lists.
const maxGMLDepth = 50

// gmlScanner reads GML.
type gmlScanner struct {
	file, text string
	at, line   int
}

func (s *gmlScanner) errorf(format string, arguments ...any) error {
	return &Error{Position{File: s.file, Line: s.line}, fmt.Sprintf(format, arguments...)}
}

// skip moves past white space and comments.
func (s *gmlScanner) skip() {
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '\n':
			s.line++
		case c == '#':
			for s.at+1 < len(s.text) && s.text[s.at+1] != '\n' {
				s.at++
			}
		case !isSpace(c):
			return
		}
	}
}

// pairs reads keys with values up to the closing bracket, or the end of the
// file at depth 0.
func (s *gmlScanner) pairs(depth int) ([]gmlPair, error) {
	if depth > maxGMLDepth {
		return nil, s.errorf("lists are nested more than %d deep", maxGMLDepth)
	}
	var pairs []gmlPair
	for {
		s.skip()
		switch {
		case s.at == len(s.text) && depth == 0:
			return pairs, nil
		case s.at == len(s.text):
			return nil, s.errorf("] expected, found the end of the file")
		case s.text[s.at] == ']' && depth > 0:
			s.at++
			return pairs, nil
		}
		pair := gmlPair{key: s.key(), line: s.line}
		if pair.key == "" {
			return nil, s.errorf("a key expected, found %q", firstWord(s.text[s.at:]))
		}
		var err error
		if pair.value, err = s.value(pair.key, depth); err != nil {
			return nil, err
		}
		pairs = append(pairs, pair)
	}
}

func (s *gmlScanner) key() string {
	start := s.at
	for s.at < len(s.text) {
		c := s.text[s.at]
		if !('a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || s.at > start && isDigit(c)) {
			break
		}
		s.at++
	}
	return s.text[start:s.at]
}

func (s *gmlScanner) value(key string, depth int) (gmlValue, error) {
	s.skip()
	switch {
	case s.at == len(s.text):
		return gmlValue{}, s.errorf("a value expected after %s, found the end of the file", key)
	case s.text[s.at] == '[':
		s.at++
		list, err := s.pairs(depth + 1)
		return gmlValue{list: list, isList: true}, err
	case s.text[s.at] == '"':
		end := strings.IndexByte(s.text[s.at+1:], '"')
		if end < 0 {
			return gmlValue{}, s.errorf("the string after %s has no end", key)
		}
		text := s.text[s.at+1 : s.at+1+end]
		s.line += strings.Count(text, "\n")
		s.at += end + 2
		return gmlValue{text: text, string: true}, nil
	}
	start := s.at
	for s.at < len(s.text) && strings.IndexByte("+-.0123456789eE", s.text[s.at]) >= 0 {
		s.at++
	}
	text := s.text[start:s.at]
	if _, err := strconv.ParseFloat(text, 64); err != nil {
		return gmlValue{}, s.errorf("a number, a string in quotes or a list in brackets expected after %s, found %q",
			key, firstWord(s.text[start:]))
	}
	return gmlValue{text: text}, nil
}
