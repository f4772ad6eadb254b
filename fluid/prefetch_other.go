//go:build !amd64

package fluid

import "unsafe"

func prefetch1(unsafe.Pointer) {}
func prefetch2(unsafe.Pointer) {}
func prefetch4(unsafe.Pointer) {}
