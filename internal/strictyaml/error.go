package strictyaml

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Position is a place in a file; lines and columns count from 1.
type Position struct {
	File         string
	Line, Column int
}

func (p Position) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Error is a complaint about a place in a file.
type Error struct {
	Position
	Message string
}

func (e *Error) Error() string {
	message := e.Message
	if len(message) > maxMessage { // it may quote a value that goes on for ever
		message = strings.ToValidUTF8(message[:maxMessage/2], "") + "..." + strings.ToValidUTF8(message[len(message)-maxMessage/2:], "")
	}
	return e.Position.String() + ": " + message
}

// maxMessage is in bytes.
const maxMessage = 500

// At returns the place where node begins.
func At(file string, node ast.Node) Position {
	p := Position{File: file, Line: 1, Column: 1}
	if node == nil {
		return p
	}
	// A mapping's own token is that of its first colon.
	switch n := node.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return At(file, n.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return At(file, n.Key)
	}
	if t := node.GetToken(); t != nil && t.Position != nil {
		p.Line, p.Column = t.Position.Line, t.Position.Column
	}
	return p
}

// Errorf returns an [Error] about node.
func Errorf(file string, node ast.Node, format string, arguments ...any) error {
	return &Error{At(file, node), fmt.Sprintf(format, arguments...)}
}
