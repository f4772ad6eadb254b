package strictyaml

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Unmarshaler is a type that reads its own YAML. It should return errors made
// with [Errorf] or by [Decode].
type Unmarshaler interface {
	DecodeYAML(file string, node ast.Node) error
}

// Decode reads a node of a document that [Parse] returned into the value that
// into points to.
func Decode(file string, node ast.Node, into any) error {
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		panic("strictyaml: Decode into something that is not a pointer")
	}
	d := decoder{file}
	return d.value(node, target.Elem())
}

type decoder struct{ file string }

var (
	nodeType        = reflect.TypeFor[ast.Node]()
	positionType    = reflect.TypeFor[Position]()
	unmarshalerType = reflect.TypeFor[Unmarshaler]()
)

func (d decoder) value(node ast.Node, into reflect.Value) error {
	switch {
	case node == nil:
		return &Error{Position{d.file, 1, 1}, "a value expected"}
	case into.Type() == nodeType:
		into.Set(reflect.ValueOf(node))
		return nil
	case into.CanAddr() && into.Addr().Type().Implements(unmarshalerType):
		return into.Addr().Interface().(Unmarshaler).DecodeYAML(d.file, node)
	}
	switch into.Kind() {
	case reflect.Pointer:
		if into.IsNil() {
			into.Set(reflect.New(into.Type().Elem()))
		}
		return d.value(node, into.Elem())
	case reflect.Struct:
		return d.structure(node, into)
	case reflect.Map:
		return d.mapping(node, into)
	case reflect.Slice:
		return d.sequence(node, into)
	}
	return d.scalar(node, into)
}

// pairs returns the entries of a mapping, with keys that are strings and
// differ from each other.
func (d decoder) pairs(node ast.Node) ([]*ast.MappingValueNode, error) {
	var pairs []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		return nil, Errorf(d.file, node, "a mapping (key: value) expected, found %s", kind(node))
	}
	seen := make(map[string]bool, len(pairs))
	for _, pair := range pairs {
		key, ok := scalarText(pair.Key)
		switch {
		case !ok:
			return nil, Errorf(d.file, pair.Key, "a plain key expected")
		case seen[key]:
			return nil, Errorf(d.file, pair.Key, "key %q is given twice", key)
		}
		seen[key] = true
	}
	return pairs, nil
}

func (d decoder) structure(node ast.Node, into reflect.Value) error {
	pairs, err := d.pairs(node)
	if err != nil {
		return err
	}
	known, fields, required := fieldsOf(into.Type())
	for i := range into.NumField() {
		if into.Type().Field(i).Type == positionType && into.Field(i).CanSet() {
			into.Field(i).Set(reflect.ValueOf(At(d.file, node)))
		}
	}
	given := make(map[string]bool, len(pairs))
	for _, pair := range pairs {
		key, _ := scalarText(pair.Key)
		field, ok := fields[key]
		if !ok {
			return unknownKey(d.file, pair.Key, key, known)
		}
		given[key] = true
		if err := d.value(pair.Value, into.Field(field)); err != nil {
			return d.placed(err, pair)
		}
	}
	for _, key := range required {
		if !given[key] {
			return Errorf(d.file, node, "key %q is missing", key)
		}
	}
	return nil
}

// placed gives an error about a missing value the place of its key.
func (d decoder) placed(err error, pair *ast.MappingValueNode) error {
	if e, ok := err.(*Error); ok && pair.Value == nil {
		e.Position = At(d.file, pair.Key)
	}
	return err
}

func unknownKey(file string, node ast.Node, key string, known []string) error {
	if near := Nearest(key, known); near != "" {
		return Errorf(file, node, "unknown key %q (did you mean %q?)", key, near)
	}
	return Errorf(file, node, "unknown key %q (known here: %s)", key, strings.Join(known, ", "))
}

// fieldsOf returns the keys of a struct in order, the fields they belong to
// and those that must be there.
func fieldsOf(t reflect.Type) (known []string, fields map[string]int, required []string) {
	fields = make(map[string]int, t.NumField())
	for i := range t.NumField() {
		tag, ok := t.Field(i).Tag.Lookup("yaml")
		if !ok || tag == "-" {
			continue
		}
		key, option, _ := strings.Cut(tag, ",")
		known = append(known, key)
		fields[key] = i
		if option == "required" {
			required = append(required, key)
		}
	}
	return known, fields, required
}

func (d decoder) mapping(node ast.Node, into reflect.Value) error {
	pairs, err := d.pairs(node)
	if err != nil {
		return err
	}
	if into.IsNil() {
		into.Set(reflect.MakeMapWithSize(into.Type(), len(pairs)))
	}
	for _, pair := range pairs {
		key, _ := scalarText(pair.Key)
		value := reflect.New(into.Type().Elem()).Elem()
		if err := d.value(pair.Value, value); err != nil {
			return d.placed(err, pair)
		}
		into.SetMapIndex(reflect.ValueOf(key).Convert(into.Type().Key()), value)
	}
	return nil
}

func (d decoder) sequence(node ast.Node, into reflect.Value) error {
	list, ok := node.(*ast.SequenceNode)
	if !ok {
		return Errorf(d.file, node, "a list expected, found %s", kind(node))
	}
	for _, item := range list.Values {
		value := reflect.New(into.Type().Elem()).Elem()
		if err := d.value(item, value); err != nil {
			return err
		}
		into.Set(reflect.Append(into, value))
	}
	return nil
}

func (d decoder) scalar(node ast.Node, into reflect.Value) error {
	text, ok := scalarText(node)
	if !ok {
		return Errorf(d.file, node, "%s expected, found %s", wanted(into.Kind()), kind(node))
	}
	wrong := func() error {
		return Errorf(d.file, node, "%s expected, found %q", wanted(into.Kind()), text)
	}
	switch into.Kind() {
	case reflect.String:
		into.SetString(text)
	case reflect.Bool:
		boolean, ok := node.(*ast.BoolNode)
		if !ok {
			return wrong()
		}
		into.SetBool(boolean.Value)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 0, into.Type().Bits())
		if err != nil {
			return wrong()
		}
		into.SetInt(n)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, err := strconv.ParseUint(text, 0, into.Type().Bits())
		if err != nil {
			return wrong()
		}
		into.SetUint(n)
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(text, into.Type().Bits())
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return wrong()
		}
		into.SetFloat(f)
	default:
		panic(fmt.Sprintf("strictyaml: cannot decode into %s", into.Type()))
	}
	return nil
}

// scalarText returns the text of a scalar as it is written, without quotes.
func scalarText(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// Text returns the text of a scalar node as it is written, without quotes, and
// whether the node is a scalar.
func Text(node ast.Node) (string, bool) { return scalarText(node) }

func wanted(k reflect.Kind) string {
	switch k {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "an integer"
}

func kind(node ast.Node) string {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "nothing"
	}
	if text, ok := scalarText(node); ok {
		return strconv.Quote(text)
	}
	return "something else"
}

// Strings is a list of strings that may also be written as one string.
type Strings []string

// DecodeYAML implements [Unmarshaler].
func (s *Strings) DecodeYAML(file string, node ast.Node) error {
	if text, ok := scalarText(node); ok {
		*s = Strings{text}
		return nil
	}
	return Decode(file, node, (*[]string)(s))
}
