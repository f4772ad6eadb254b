package guest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The pages that each guest of a host shares with the emulator, also in
// vdso_amd64.s: the functions that replace the vDSO's, and the host's clock.
// They lie below every address at which a linker puts programs (2 MiB for lld,
// 4 MiB for ld and Go).
const (
	codePageAddress  = 0x100000
	clockPageAddress = 0x101000
	pageSize         = 4096

	// BootCall is the call by which a new program asks for its host's clock.
	// Its answer is Clock.Descriptor, by AnswerDescriptor.
	BootCall = 100001
)

// vdsoFunctions are the vDSO's functions by the number of their replacement
// (see vdsoText); the i-th lies at 256*(i-1) in the code page.
var vdsoFunctions = map[string]int{
	"__vdso_clock_gettime": 1,
	"__vdso_gettimeofday":  2,
	"__vdso_time":          3,
	"__vdso_clock_getres":  4,
	"__vdso_getcpu":        5,
	"__vdso_getrandom":     6,
}

// vdsoImage is what must be known of the kernel's vDSO, the same for all
// processes.
type vdsoImage struct {
	entries map[string]uint64 // offset of each function
	boot    uint64            // offset of the room for vdsoBoot
}

// readVDSO examines the emulator's own vDSO.
func readVDSO() (vdsoImage, error) {
	var image vdsoImage
	auxv, err := os.ReadFile("/proc/self/auxv")
	if err != nil {
		return image, err
	}
	base, _ := auxiliary(auxv)
	if base == 0 {
		return image, &MissingError{"this kernel gives processes no vDSO", "boot without vdso=0"}
	}
	var memory []byte
	for n := 8 * pageSize; n > 0; n -= pageSize { // its size is not told: read as far as there is memory
		memory = make([]byte, n)
		if _, errno := ReadMemory(os.Getpid(), base, memory); errno == 0 {
			break
		}
	}
	file, err := elf.NewFile(bytes.NewReader(memory))
	if err != nil {
		return image, fmt.Errorf("the kernel's vDSO: %w", err)
	}
	symbols, err := file.DynamicSymbols()
	if err != nil {
		return image, fmt.Errorf("the kernel's vDSO: %w", err)
	}
	image.entries = map[string]uint64{}
	start, end := vdsoText(0)
	need := uint64(uintptr(end) - uintptr(start))
	var room uint64
	for _, s := range symbols {
		if vdsoFunctions[s.Name] == 0 {
			continue
		}
		image.entries[s.Name] = s.Value
		if s.Size > room { // the longest function has room for vdsoBoot behind its own jump
			room, image.boot = s.Size, s.Value+jumpSize
		}
	}
	if room < need+jumpSize {
		return image, &MissingError{"the kernel's vDSO has no function of " + strconv.FormatUint(need, 10) + " bytes", "report this kernel's version"}
	}
	return image, nil
}

// auxiliary finds AT_SYSINFO_EHDR and AT_RANDOM in an auxiliary vector.
func auxiliary(auxv []byte) (vdso, random uint64) {
	const atSysinfoEHDR, atRandom = 33, 25
	for ; len(auxv) >= 16; auxv = auxv[16:] {
		value := binary.LittleEndian.Uint64(auxv[8:])
		switch binary.LittleEndian.Uint64(auxv) {
		case atSysinfoEHDR:
			vdso = value
		case atRandom:
			random = value
		}
	}
	return vdso, random
}

// jumpSize is the length of movabs $address, %rax; jmp *%rax.
const jumpSize = 12

func jump(address uint64) []byte {
	code := binary.LittleEndian.AppendUint64([]byte{0x48, 0xb8}, address)
	return append(code, 0xff, 0xe0)
}

// rewrite replaces the vDSO of a thread that is stopped at exec, its random bytes
// and what it is told of its user, and makes it ask for its host's clock (BootCall) before it starts the
// program.
func (v *vdsoImage) rewrite(tid int, random [16]byte, identity Identity) error {
	auxv, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/auxv")
	if err != nil {
		return err
	}
	base, randomAddress := auxiliary(auxv)
	if base == 0 {
		return fmt.Errorf("a new program has no vDSO")
	}
	memory, err := os.OpenFile("/proc/"+strconv.Itoa(tid)+"/mem", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer memory.Close()
	var registers unix.PtraceRegs
	if errno := ptraceGetRegisters(tid, &registers); errno != 0 {
		return errno
	}
	boot := text(vdsoText(0))
	hole := bytes.Index(boot, binary.LittleEndian.AppendUint64(nil, 0x1122334455667788))
	if hole < 0 {
		panic("guest: vdsoBoot has no place for the entry point")
	}
	binary.LittleEndian.PutUint64(boot[hole:], registers.Rip)
	if _, err := memory.WriteAt(boot, int64(base+v.boot)); err != nil {
		return err
	}
	for name, offset := range v.entries {
		code := jump(codePageAddress + 256*uint64(vdsoFunctions[name]-1))
		if _, err := memory.WriteAt(code, int64(base+offset)); err != nil {
			return err
		}
	}
	if _, err := memory.WriteAt(random[:], int64(randomAddress)); err != nil {
		return err
	}
	if identity != (Identity{}) { // the kernel says that it is root
		if err := identity.write(memory, registers.Rsp); err != nil {
			return err
		}
	}
	registers.Rip = base + v.boot
	if errno := ptraceSetRegisters(tid, &registers); errno != 0 {
		return errno
	}
	return nil
}

// Clock is the page by which one host's guests read the time without a system
// call. Times are nanoseconds since the start of the experiment.
type Clock struct {
	descriptor int
	page       *clockPage
	memory     []byte
}

type clockPage struct {
	now          int64
	limit        int64
	step         int64
	calendarAt   int64
	calendarBase int64
	calendarRate int64
	trapped      int64 // rdtsc is
	booted       int64
}

// NewClock creates a clock at time 0. step is what each reading adds; realtime
// is the calendar time of instant 0.
func NewClock(step, realtime int64) (*Clock, error) {
	fd, err := unix.MemfdCreate("clock", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	code := make([]byte, pageSize, 2*pageSize)
	for _, i := range vdsoFunctions {
		function := text(vdsoText(i))
		if len(function) > 256 {
			panic("guest: a vDSO function is too long")
		}
		copy(code[256*(i-1):], function)
	}
	placeTSC(code)
	if _, err := unix.Write(fd, append(code, make([]byte, pageSize)...)); err != nil {
		return nil, fmt.Errorf("write the clock's code: %w", err)
	}
	memory, err := unix.Mmap(fd, pageSize, pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map the clock: %w", err)
	}
	c := &Clock{descriptor: fd, page: (*clockPage)(unsafe.Pointer(&memory[0])), memory: memory}
	c.page.step, c.page.calendarAt = step, realtime
	return c, nil
}

// Descriptor is what to answer to BootCall.
func (c *Clock) Descriptor() int { return c.descriptor }

// Now is the time that the host's guests have last been told.
func (c *Clock) Now() int64 { return c.page.now }

// Set moves the clock; guests may read it up to limit without a call.
func (c *Clock) Set(now, limit int64) { c.page.now, c.page.limit = now, limit }

// SetCalendar makes the calendar show at at the instant base, and gain rate/2^32
// of the time that passes from then on.
func (c *Clock) SetCalendar(base, at, rate int64) {
	c.page.calendarBase, c.page.calendarAt, c.page.calendarRate = base, at, rate
}

// Boot makes the clocks that count from the host's start count from an instant.
func (c *Clock) Boot(at int64) { c.page.booted = at }

// Close gives the emulator's side of the clock up; guests keep theirs.
func (c *Clock) Close() {
	unix.Close(c.descriptor)
	unix.Munmap(c.memory)
}
