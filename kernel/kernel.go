package kernel

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/epoll"
	"github.com/simterpose/simterpose/kernel/futex"
	"github.com/simterpose/simterpose/kernel/inet"
	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/transit"
	"github.com/simterpose/simterpose/kernel/unixsocket"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
)

// Config are the options of the emulated kernel.
type Config struct {
	Queue   *sim.Queue
	Machine Machine
	Log     *slog.Logger
	// Epoch is the calendar time of instant 0.
	Epoch time.Time
	// Ready is called when a parked task may go on; the emulator calls
	// Task.Resume from its loop then.
	Ready func(*Task)
	// Doomed is called for a process that a signal is about to kill; it
	// returns when the process is dead and Process.Ended has been called.
	Doomed func(*Process)
	// Continued is called for each thread of a process that SIGCONT wakes.
	Continued func(*Task)
	// Outside is called when a task waits for a descriptor that is not
	// emulated, which the machine makes ready.
	Outside func(t *Task, number int)
	// ClockChanged is called when a host's calendar clock was set or goes at
	// another rate.
	ClockChanged func(*Host)
	// TSC is how guests' rdtsc is trapped.
	TSC TSC
	// Ahead tells that simulated time follows what guests have computed: a signal
	// may come while the guest that it is for has already made its next call.
	Ahead bool
	// Moved, if not nil, is called when a task has read or written so many bytes
	// of an emulated file by read(2), write(2) and their vector forms.
	Moved func(t *Task, file socket.File, write bool, n int)
	// Strace, if not nil, is called with each call and its result.
	Strace func(t *Task, call, result string)
}

// Kernel is the emulated kernel of all hosts of an experiment.
type Kernel struct {
	Config
	// machineUID and machineGID are whose all files of guests really are.
	machineUID, machineGID uint32
	hosts                  []*Host
	tasks                  map[int]*Task // by the machine's number
	unsupported            map[string]int
	spaces                 uint64 // address spaces so far
	started                int64  // the machine's time when the experiment began
	anonymous              anonymousDevices
	namespaces             numbering[uint64] // in the order in which guests saw them

	pollItems []pollItem
	events    []epoll.Event
	epoll     *epoll.Registry

	outsideFiles []*outsideFile
	scratch      [64 << 10]byte
}

// New returns the kernel of an experiment without hosts.
func New(c Config) *Kernel {
	return &Kernel{
		Config: c, tasks: map[int]*Task{}, unsupported: map[string]int{}, started: machineTime(), epoll: epoll.NewRegistry(), anonymous: findAnonymousDevices(),
		machineUID: uint32(os.Geteuid()), machineGID: uint32(os.Getegid()),
	}
}

// Stack makes a host's Internet sockets.
type Stack interface {
	NewSocket(domain, kind, protocol int) (socket.Socket, unix.Errno)
	// ProcNet is the content of a file of /proc/net.
	ProcNet(name string) (content string, ok bool)
	// Details are those of the rows of its table of TCP.
	Details(domain int) []inet.Detail
}

// HostConfig describes a host to the kernel.
type HostConfig struct {
	Name      string
	Stack     Stack
	Addresses []netip.Addr
	Cores     int
	Memory    uint64 // bytes
	// Random answers getrandom and the like.
	Random *rand.ChaCha8
	// Before is the host as it was before it crashed, nil at first.
	Before *Host
	// Data belongs to the emulator.
	Data any
	// NetworkSocket is a descriptor of a socket in the host's network
	// namespace, for questions about its interfaces.
	NetworkSocket int
	// Root is the path by which the emulator sees the host's files.
	Root string
	// Depot, if not nil, is for the host's connections whose bytes may go
	// through the machine's kernel (see inet.Network.Translate).
	Depot *transit.Depot
	// Disk is what is wrong with the host's disk.
	Disk DiskState
	// Unsynced tells that LoseUnsynced may be called.
	Unsynced bool
	// Transfer, if not nil, reads or writes so many bytes of the file at path,
	// as guests name it, on a simulated disk of the host; done is called when
	// that is over. It returns false when the file is on none.
	Transfer func(path string, write bool, bytes int64, done func()) bool
}

// Host is one simulated host's kernel state.
type Host struct {
	HostConfig
	kernel         *Kernel
	unix           *unixsocket.Namespace
	ipc            hostIPC
	messageQueues  map[string]namedQueue // POSIX's
	futexes        *futex.Table
	processes      map[int]*Process // by the number that guests see
	threads        map[int]*Task    // by the number that guests see
	fifos          map[fileIdentity]*fifo
	machineFiles   []*machineFile // in the order in which they were opened
	hungUp         bool           // signals may have come of a terminal's or a session's end
	locks          waiter.Queue   // notified when a file lock may have become free
	clock          clockState
	load           loadAverage
	busy           int64 // simulated processor time of all its threads so far, in nanoseconds
	files          fileClock
	unsynced       *unsyncedWrites   // nil unless Unsynced
	booted         sim.Time          // when it last did; what counts from its start counts from there
	bootID         string            // of /proc/sys/kernel/random, once it was asked for
	root           int               // Root, once it is open
	proc           uint64            // the device number of /proc, once it is known
	system         uint64            // that of /sys
	interfaces     uint64            // that of the interfaces in it
	queues         uint64            // and that of /dev/mqueue
	devices        numbering[uint64] // of file systems, in the order in which guests saw them
	newFiles       newFiles
	anonymousFiles numbering[fileIdentity]     // the same for files that are in no such file system
	fileSystems    numbering[unix.Fsid]        // the same for statfs
	owners         map[fileIdentity]notedOwner // of files that cannot have attributes
	calling        *Task                       // whose call is being handled
}

// NewHost adds a host.
func (k *Kernel) NewHost(c HostConfig) *Host {
	h := &Host{
		HostConfig:    c,
		kernel:        k,
		processes:     map[int]*Process{},
		threads:       map[int]*Task{},
		fifos:         map[fileIdentity]*fifo{},
		ipc:           newHostIPC(),
		messageQueues: map[string]namedQueue{},
	}
	h.unix = unixsocket.NewNamespace(unixCaller{h}, passing{})
	h.futexes = futex.New(func(tid uint32) *futex.Owner {
		if t := h.threads[int(tid)]; t != nil {
			return t.futexOwner()
		}
		return nil
	})
	h.newFiles = newFiles{files: map[fileIdentity]newFile{}, used: map[uint64]bool{}}
	h.startClock()
	h.load.next = (k.Now()/loadInterval + 1) * loadInterval
	if c.Unsynced {
		h.unsynced = &unsyncedWrites{files: map[fileIdentity]*unsyncedFile{}}
	}
	if c.Before != nil {
		h.owners, h.newFiles, h.Before = c.Before.owners, c.Before.newFiles, nil // the disk is the same
		h.booted = k.Now()
	}
	k.hosts = append(k.hosts, h)
	return h
}

// Task finds a thread by the machine's number; nil if it is not known.
func (k *Kernel) Task(tid int) *Task { return k.tasks[tid] }

// Now is the simulated time.
func (k *Kernel) Now() sim.Time { return k.Queue.Now() }

// Processes are the processes of all hosts, in the order of hosts and numbers.
func (k *Kernel) Processes() []*Process {
	var all []*Process
	for _, h := range k.hosts {
		all = append(all, h.sortedProcesses()...)
	}
	return all
}

// Processes are the host's processes, in the order of their numbers.
func (h *Host) Processes() []*Process { return h.sortedProcesses() }

func (h *Host) sortedProcesses() []*Process {
	all := make([]*Process, 0, len(h.processes))
	for _, p := range h.processes {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *Process) int { return a.PID - b.PID })
	return all
}

// refuse records that a guest asked for something that is not emulated, and
// answers errno. The log has each kind of it once.
func (k *Kernel) refuse(t *Task, what string, errno unix.Errno) Outcome {
	key := fmt.Sprintf("%s %s: %s", t.process.host.Name, t.process.Name, what)
	k.unsupported[key]++
	if k.unsupported[key] == 1 {
		k.Log.Warn("not supported, refused", "call", what, "process", t.process.Name, "pid", t.process.PID,
			"host", t.process.host.Name, "answer", unix.ErrnoName(errno), "at", k.Now())
	}
	return fail(errno)
}

// Unsupported lists what guests asked for in vain.
func (k *Kernel) Unsupported() []string {
	list := make([]string, 0, len(k.unsupported))
	for key, n := range k.unsupported {
		list = append(list, fmt.Sprintf("%s (%d times)", key, n))
	}
	slices.Sort(list)
	return list
}

// fileIdentity tells files of the machine apart.
type fileIdentity struct{ device, inode uint64 }
