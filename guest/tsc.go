package guest

import (
	"encoding/binary"
	"unsafe"
)

// The time stamp counter: see tsc_amd64.s.

// Where its code and data lie in the code page, behind the vDSO's functions.
const (
	tscSetupOffset    = 0x600 // 1536
	tscHandlerOffset  = 0x680
	tscActionOffset   = 0x800 // struct sigaction of our handler
	tscNoActionOffset = 0x840 // struct sigaction of SIG_DFL
	tscRestorerOffset = 0x880
)

// TSCHandler is the address of the handler of SIGSEGV in guests whose rdtsc is
// trapped.
const TSCHandler = codePageAddress + tscHandlerOffset

// CodePage is the address of the page that it lies in.
const CodePage = codePageAddress

// Flags of sigaction(2).
const (
	saSigInfo  = 4
	saRestorer = 0x04000000
	saOnStack  = 0x08000000
)

func tscText(i int) (start, end unsafe.Pointer)

// placeTSC puts the code that answers rdtsc into a code page.
func placeTSC(page []byte) {
	for i, place := range []struct{ offset, end int }{
		{tscSetupOffset, tscHandlerOffset}, {tscHandlerOffset, tscActionOffset}, {tscRestorerOffset, pageSize},
	} {
		code := text(tscText(i))
		if place.offset+len(code) > place.end {
			panic("guest: the code for rdtsc is too long")
		}
		copy(page[place.offset:], code)
	}
	binary.LittleEndian.PutUint64(page[tscActionOffset:], TSCHandler)
	binary.LittleEndian.PutUint64(page[tscActionOffset+8:], saSigInfo|saRestorer|saOnStack)
}

// TrapTSC makes the programs that start from now on on the clock's host see a
// time stamp counter of simulated time, which counts nanoseconds.
func (c *Clock) TrapTSC() { c.page.trapped = 1 }
