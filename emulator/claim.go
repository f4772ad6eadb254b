package emulator

import (
	"fmt"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// claim is a processor of the machine's for the guests of one run. Those of runs side
// by side that shared one would wait for each other while others idle.
type claim struct {
	processor int
	socket    *os.File // whose name tells other runs of it
}

// allowedProcessors are those that this program may use, before a run keeps its own
// thread on one.
var allowedProcessors = sync.OnceValues(func() (set unix.CPUSet, err error) {
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return set, fmt.Errorf("sched_getaffinity: %w", err)
	}
	return set, nil
})

// claimProcessor picks the processor that this thread is on, as the machine puts a new
// program where there is least to do, or the next one that no other run has. When all
// are taken, it is the first again.
func claimProcessor() (claim, error) {
	allowed, err := allowedProcessors()
	if err != nil {
		return claim{}, err
	}
	var current uint32
	if _, _, errno := unix.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&current)), 0, 0); errno != 0 {
		return claim{}, fmt.Errorf("getcpu: %w", errno)
	}
	const most = int(unsafe.Sizeof(allowed)) * 8
	for i := range most {
		processor := (int(current) + i) % most
		if !allowed.IsSet(processor) {
			continue
		}
		if socket := claimName(processor); socket != nil {
			return claim{processor, socket}, nil
		}
	}
	return claim{int(current), nil}, nil
}

// claimName takes the name of a processor, an abstract one (unix(7)), which the kernel
// frees with its owner: nil if somebody has it.
func claimName(processor int) *os.File {
	socket, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	if err := unix.Bind(socket, &unix.SockaddrUnix{Name: fmt.Sprintf("@simterpose-processor-%d", processor)}); err != nil {
		unix.Close(socket)
		return nil
	}
	return os.NewFile(uintptr(socket), "claim")
}

func (c claim) release() { c.socket.Close() }
