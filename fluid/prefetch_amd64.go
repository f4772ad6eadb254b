package fluid

import "unsafe"

// The numbers say how many cache lines are fetched.

//go:noescape
func prefetch1(address unsafe.Pointer)

//go:noescape
func prefetch2(address unsafe.Pointer)

//go:noescape
func prefetch4(address unsafe.Pointer)
