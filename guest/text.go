package guest

import "unsafe"

func agentText() (start, end unsafe.Pointer)

func vdsoText(i int) (start, end unsafe.Pointer)

// text returns a copy of the machine code between two addresses of this
// binary. The linker may have put padding before end.
func text(start, end unsafe.Pointer) []byte {
	code := unsafe.Slice((*byte)(start), uintptr(end)-uintptr(start))
	return append([]byte(nil), code...)
}
