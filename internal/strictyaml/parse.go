package strictyaml

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxDepth bounds the nesting of a document, which the parser reads by
// recursion. Each level needs a character at least, so that lines shorter than
// this cannot be nested deeper.
const maxDepth = 100

// Parse reads a file of one document and returns its value, with aliases
// expanded and syntax errors turned into errors of this package.
func Parse(file string, text []byte) (node ast.Node, err error) {
	if line := tooDeep(text); line > 0 {
		return nil, &Error{Position{file, line, 1}, fmt.Sprintf("nested more than %d levels deep", maxDepth)}
	}
	defer func() {
		// The parser panics on some malformed documents (v1.19.2).
		if r := recover(); r != nil {
			node, err = nil, &Error{Position{file, 1, 1}, fmt.Sprint("malformed YAML: ", r)}
		}
	}()
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, syntaxError(file, err)
	}
	var body ast.Node
	for _, document := range parsed.Docs {
		switch document.Body.(type) {
		case nil, *ast.CommentGroupNode:
			continue
		}
		if body != nil {
			return nil, Errorf(file, document.Body, "one document expected, found a second")
		}
		body = document.Body
	}
	if body == nil {
		return nil, &Error{Position{file, 1, 1}, "the file is empty"}
	}
	x, err := (&expander{file: file}).expand(body)
	return x.node, err
}

// tooDeep returns a line on which brackets or dashes are nested too deep, or 0.
func tooDeep(text []byte) int {
	brackets := 0
	for i, line := range strings.Split(string(text), "\n") {
		level := 0
		for _, c := range line {
			switch c {
			case '[', '{':
				brackets++
			case ']', '}':
				brackets = max(0, brackets-1)
			case '-', '?', '!', '&', '*', ':':
				level++
			}
			if brackets > maxDepth || level > 10*maxDepth {
				return i + 1
			}
		}
		if indent := len(line) - len(strings.TrimLeft(line, " ")); indent > 10*maxDepth {
			return i + 1
		}
	}
	return 0
}

func syntaxError(file string, err error) error {
	at := Position{File: file, Line: 1, Column: 1}
	message := err.Error()
	var syntax yaml.Error
	if errors.As(err, &syntax) {
		message = syntax.GetMessage()
		if t := syntax.GetToken(); t != nil && t.Position != nil {
			at.Line, at.Column = t.Position.Line, t.Position.Column
		}
	}
	message, _, _ = strings.Cut(message, "\n")
	return &Error{at, message}
}
