package strictyaml

import "github.com/goccy/go-yaml/ast"

// maxNodes bounds the size of a document with its aliases expanded: nine
// nested levels of ten aliases each stand for a thousand million values.
const maxNodes = 1_000_000

// expander puts in place of aliases what they stand for, and takes off
// anchors.
type expander struct {
	file    string
	anchors map[string]expanded
}

// expanded is a value without aliases and the number of nodes that it has.
type expanded struct {
	node ast.Node
	size int
}

func (e *expander) expand(node ast.Node) (expanded, error) {
	size := 1
	add := func(child ast.Node) (ast.Node, error) {
		x, err := e.expand(child)
		if size += x.size; err == nil && size > maxNodes {
			err = Errorf(e.file, node, "the aliases stand for more than %d values", maxNodes)
		}
		return x.node, err
	}
	var err error
	switch n := node.(type) {
	case *ast.AnchorNode:
		x, err := e.expand(n.Value)
		if e.anchors == nil {
			e.anchors = make(map[string]expanded)
		}
		e.anchors[n.Name.GetToken().Value] = x
		return x, err
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		x, ok := e.anchors[name]
		if !ok {
			return x, Errorf(e.file, n, "unknown alias %q", "*"+name)
		}
		return x, nil
	case *ast.TagNode:
		return expanded{}, Errorf(e.file, n, "tags such as %q are not supported", n.Start.Value)
	case *ast.MappingNode:
		for _, pair := range n.Values {
			if pair.Value, err = add(pair.Value); err != nil {
				return expanded{}, err
			}
		}
	case *ast.MappingValueNode:
		if n.Value, err = add(n.Value); err != nil {
			return expanded{}, err
		}
	case *ast.SequenceNode:
		for i := range n.Values {
			if n.Values[i], err = add(n.Values[i]); err != nil {
				return expanded{}, err
			}
		}
	}
	return expanded{node, size}, nil
}
