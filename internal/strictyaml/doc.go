// Package strictyaml decodes YAML into structs and refuses whatever it does
// not know: unknown and repeated keys, wrong kinds of values, missing required
// keys. Each error names file, line and column, and an unknown key the nearest
// known one:
//
//	lab.yaml:3:5: unknown key "proccesses" (did you mean "processes"?)
//
// Struct fields are matched by their tag `yaml:"key"`; `yaml:"key,required"`
// makes the key compulsory. Fields without a tag are left alone, except one of
// type [Position], which receives the place of the mapping. Supported types are
// strings, booleans, integers, floats, structs, pointers to them, slices, maps
// with string keys, ast.Node for a value that the caller reads later,
// and types that implement [Unmarshaler]. A string field takes the text of any
// scalar as it is written, so that 10 and 010 and 1e3 stay what they are.
package strictyaml
