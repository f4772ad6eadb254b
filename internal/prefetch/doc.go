// Package prefetch lets the processor fetch memory that will soon be needed, while
// it goes on with something else.
package prefetch

import "unsafe"

// Line is the size of a cache line, in bytes.
const Line = 64

// Address is what Lines takes for a line that holds the beginning of something.
func Address[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }
