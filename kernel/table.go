package kernel

import (
	"fmt"
	"maps"

	"golang.org/x/sys/unix"
)

// Status says who answers a call.
type Status int

const (
	// StatusRefused calls get ENOSYS (or what Note says), and the log tells.
	StatusRefused Status = iota
	// StatusNative calls never stop the guest: they show nothing of the world
	// outside the host, or its namespaces answer truly.
	StatusNative
	// StatusEmulated calls are answered here, or let through when they are
	// about a file of the machine's.
	StatusEmulated
)

func (s Status) String() string { return [...]string{"refused", "native", "emulated"}[s] }

// Entry is what the emulator does with one system call.
type Entry struct {
	Number  int
	Status  Status
	Handler func(*Task) Outcome
	// Arguments says how to print the arguments, a letter each: d number,
	// x flags, p address, s string, f descriptor, b buffer (its size follows).
	Arguments string
	// Note is for docs/syscalls.md: limits, or why a call is refused.
	Note string
	// Free calls take no simulated time.
	Free bool
}

// Name is the call's name.
func (e *Entry) Name() string { return callName(e.Number) }

// Foreign is the number to give for a call of another architecture.
const Foreign = -1

// bootCall is guest.BootCall.
const bootCall = 100001

func callName(number int) string {
	switch {
	case number == Foreign:
		return "32-bit call"
	case number == bootCall:
		return "start of a program"
	case number >= 0 && number < len(names) && names[number] != "":
		return names[number]
	}
	return fmt.Sprintf("number %d", number)
}

// emulated are the calls with a handler.
var emulated = []Entry{
	{Number: unix.SYS_READ, Handler: sysRead, Arguments: "fpd"},
	{Number: unix.SYS_WRITE, Handler: sysWrite, Arguments: "fbd"},
	{Number: unix.SYS_READV, Handler: sysReadv, Arguments: "fpd"},
	{Number: unix.SYS_WRITEV, Handler: sysWritev, Arguments: "fpd"},
	{Number: unix.SYS_PREADV, Handler: sysPositioned, Arguments: "fpdd"},
	{Number: unix.SYS_PWRITEV, Handler: sysPositioned, Arguments: "fpdd"},
	{Number: unix.SYS_PREADV2, Handler: sysPositioned, Arguments: "fpddx"},
	{Number: unix.SYS_PWRITEV2, Handler: sysPositioned, Arguments: "fpddx"},
	{Number: unix.SYS_OPEN, Handler: sysOpen, Arguments: "sxx"},
	{Number: unix.SYS_OPENAT, Handler: sysOpen, Arguments: "fsxx"},
	{Number: unix.SYS_OPENAT2, Handler: sysOpen, Arguments: "fspd"},
	{Number: unix.SYS_CREAT, Handler: sysOpen, Arguments: "sx"},
	{Number: unix.SYS_CLOSE, Handler: sysClose, Arguments: "f"},
	{Number: unix.SYS_CLOSE_RANGE, Handler: sysCloseRange, Arguments: "ddx"},
	{Number: unix.SYS_DUP, Handler: sysDup, Arguments: "f"},
	{Number: unix.SYS_DUP2, Handler: sysDup2, Arguments: "ff"},
	{Number: unix.SYS_DUP3, Handler: sysDup2, Arguments: "ffx"},
	{Number: unix.SYS_FCNTL, Handler: sysFcntl, Arguments: "fdx", Note: "the siginfo of a file's signal does not tell which file"},
	{Number: unix.SYS_FLOCK, Handler: sysFlock, Arguments: "fd"},
	{Number: unix.SYS_IOCTL, Handler: sysIoctl, Arguments: "fxp"},
	{Number: unix.SYS_PIPE, Handler: sysPipe, Arguments: "p"},
	{Number: unix.SYS_PIPE2, Handler: sysPipe, Arguments: "px"},
	{Number: unix.SYS_SENDFILE, Handler: sysSendfile, Arguments: "ffpd"},
	{Number: unix.SYS_SPLICE, Handler: sysSplice, Arguments: "fpfpdx"},
	{Number: unix.SYS_TEE, Handler: sysTee, Arguments: "ffdx"},
	{Number: unix.SYS_VMSPLICE, Handler: sysVmsplice, Arguments: "fpdx"},
	{Number: unix.SYS_COPY_FILE_RANGE, Handler: sysCopyFileRange, Arguments: "fpfpdx"},

	{Number: unix.SYS_POLL, Handler: sysPoll, Arguments: "pdd"},
	{Number: unix.SYS_PPOLL, Handler: sysPoll, Arguments: "pdppd"},
	{Number: unix.SYS_SELECT, Handler: sysSelect, Arguments: "dpppp"},
	{Number: unix.SYS_PSELECT6, Handler: sysSelect, Arguments: "dppppp"},
	{Number: unix.SYS_EPOLL_CREATE, Handler: sysEpollCreate, Arguments: "d"},
	{Number: unix.SYS_EPOLL_CREATE1, Handler: sysEpollCreate, Arguments: "x"},
	{Number: unix.SYS_EPOLL_CTL, Handler: sysEpollCtl, Arguments: "fdfp"},
	{Number: unix.SYS_EPOLL_WAIT, Handler: sysEpollWait, Arguments: "fpdd"},
	{Number: unix.SYS_EPOLL_PWAIT, Handler: sysEpollWait, Arguments: "fpddpd"},
	{Number: unix.SYS_EPOLL_PWAIT2, Handler: sysEpollWait, Arguments: "fpdppd"},
	{Number: unix.SYS_EVENTFD, Handler: sysEventfd, Arguments: "d"},
	{Number: unix.SYS_EVENTFD2, Handler: sysEventfd, Arguments: "dx"},
	{Number: unix.SYS_TIMERFD_CREATE, Handler: sysTimerfdCreate, Arguments: "dx"},
	{Number: unix.SYS_TIMERFD_SETTIME, Handler: sysTimerfdSettime, Arguments: "fxpp"},
	{Number: unix.SYS_TIMERFD_GETTIME, Handler: sysTimerfdGettime, Arguments: "fp"},
	{Number: unix.SYS_SIGNALFD, Handler: sysSignalfd, Arguments: "fpd"},
	{Number: unix.SYS_SIGNALFD4, Handler: sysSignalfd, Arguments: "fpdx"},
	{Number: unix.SYS_INOTIFY_INIT, Handler: sysInotifyInit},
	{Number: unix.SYS_INOTIFY_INIT1, Handler: sysInotifyInit, Arguments: "x"},
	{Number: unix.SYS_PIDFD_OPEN, Handler: sysPidfdOpen, Arguments: "dx"},
	{Number: unix.SYS_PIDFD_GETFD, Handler: sysPidfdGetfd, Arguments: "fdx"},

	{Number: unix.SYS_SOCKET, Handler: sysSocket, Arguments: "dxd", Note: "Internet, Unix and netlink families"},
	{Number: unix.SYS_SOCKETPAIR, Handler: sysSocketpair, Arguments: "dxdp"},
	{Number: unix.SYS_BIND, Handler: sysBind, Arguments: "fbd"},
	{Number: unix.SYS_LISTEN, Handler: sysListen, Arguments: "fd"},
	{Number: unix.SYS_ACCEPT, Handler: sysAccept, Arguments: "fpp"},
	{Number: unix.SYS_ACCEPT4, Handler: sysAccept, Arguments: "fppx"},
	{Number: unix.SYS_CONNECT, Handler: sysConnect, Arguments: "fbd"},
	{Number: unix.SYS_SHUTDOWN, Handler: sysShutdown, Arguments: "fd"},
	{Number: unix.SYS_GETSOCKNAME, Handler: sysGetsockname, Arguments: "fpp"},
	{Number: unix.SYS_GETPEERNAME, Handler: sysGetsockname, Arguments: "fpp"},
	{Number: unix.SYS_SETSOCKOPT, Handler: sysSetsockopt, Arguments: "fddbd"},
	{Number: unix.SYS_GETSOCKOPT, Handler: sysGetsockopt, Arguments: "fddpp"},
	{Number: unix.SYS_SENDTO, Handler: sysSendto, Arguments: "fbdxpd"},
	{Number: unix.SYS_SENDMSG, Handler: sysSendmsg, Arguments: "fpx"},
	{Number: unix.SYS_SENDMMSG, Handler: sysSendmmsg, Arguments: "fpdx"},
	{Number: unix.SYS_RECVFROM, Handler: sysRecvfrom, Arguments: "fpdxpp"},
	{Number: unix.SYS_RECVMSG, Handler: sysRecvmsg, Arguments: "fpx"},
	{Number: unix.SYS_RECVMMSG, Handler: sysRecvmmsg, Arguments: "fpdxp"},

	{Number: unix.SYS_CLONE, Handler: sysClone, Arguments: "xpppp"},
	{Number: unix.SYS_CLONE3, Handler: sysClone, Arguments: "pd"},
	{Number: unix.SYS_FORK, Handler: sysClone},
	{Number: unix.SYS_VFORK, Handler: sysClone},
	{Number: unix.SYS_EXECVE, Handler: sysExecve, Arguments: "spp"},
	{Number: unix.SYS_EXECVEAT, Handler: sysExecve, Arguments: "fsppx"},
	{Number: unix.SYS_EXIT, Handler: sysExit, Arguments: "d"},
	{Number: unix.SYS_EXIT_GROUP, Handler: sysExitGroup, Arguments: "d"},
	{Number: unix.SYS_WAIT4, Handler: sysWait, Arguments: "dpxp"},
	{Number: unix.SYS_WAITID, Handler: sysWait, Arguments: "ddpxp"},
	{Number: unix.SYS_SET_TID_ADDRESS, Handler: sysSetTIDAddress, Arguments: "p"},
	{Number: unix.SYS_GETUID, Handler: sysGetuid},
	{Number: unix.SYS_GETEUID, Handler: sysGeteuid},
	{Number: unix.SYS_GETGID, Handler: sysGetgid},
	{Number: unix.SYS_GETEGID, Handler: sysGetegid},
	{Number: unix.SYS_GETRESUID, Handler: sysGetresuid, Arguments: "ppp"},
	{Number: unix.SYS_GETRESGID, Handler: sysGetresgid, Arguments: "ppp"},
	{Number: unix.SYS_SETUID, Handler: sysSetuid, Arguments: "d"},
	{Number: unix.SYS_SETGID, Handler: sysSetgid, Arguments: "d"},
	{Number: unix.SYS_SETREUID, Handler: sysSetreuid, Arguments: "dd"},
	{Number: unix.SYS_SETREGID, Handler: sysSetregid, Arguments: "dd"},
	{Number: unix.SYS_SETRESUID, Handler: sysSetresuid, Arguments: "ddd"},
	{Number: unix.SYS_SETRESGID, Handler: sysSetresgid, Arguments: "ddd"},
	{Number: unix.SYS_SETFSUID, Handler: sysSetfsuid, Arguments: "d"},
	{Number: unix.SYS_SETFSGID, Handler: sysSetfsgid, Arguments: "d"},
	{Number: unix.SYS_GETGROUPS, Handler: sysGetgroups, Arguments: "dp"},
	{Number: unix.SYS_SETGROUPS, Handler: sysSetgroups, Arguments: "dp"},
	{Number: unix.SYS_CAPGET, Handler: sysCapget, Arguments: "pp"},
	{Number: unix.SYS_CAPSET, Handler: sysCapset, Arguments: "pp"},
	{Number: unix.SYS_PRCTL, Handler: sysPrctl, Arguments: "dxxxx", Note: "all of credentials; other commands are native"},
	{Number: unix.SYS_STAT, Handler: sysStat, Arguments: "sp"},
	{Number: unix.SYS_LSTAT, Handler: sysStat, Arguments: "sp"},
	{Number: unix.SYS_FSTAT, Handler: sysStat, Arguments: "fp"},
	{Number: unix.SYS_NEWFSTATAT, Handler: sysStat, Arguments: "fspx"},
	{Number: unix.SYS_STATX, Handler: sysStatx, Arguments: "fsxxp"},
	{Number: unix.SYS_STATFS, Handler: sysStatfs, Arguments: "sp", Note: "a disk has 128 GiB, 96 of them free"},
	{Number: unix.SYS_FSTATFS, Handler: sysStatfs, Arguments: "fp"},
	{Number: unix.SYS_READLINK, Handler: sysReadlink, Arguments: "spd", Free: true},
	{Number: unix.SYS_READLINKAT, Handler: sysReadlink, Arguments: "fspd", Free: true},
	{Number: unix.SYS_GETDENTS64, Handler: sysGetdents, Arguments: "fpd", Free: true},
	{Number: unix.SYS_ACCESS, Handler: sysAccess, Arguments: "sx"},
	{Number: unix.SYS_FACCESSAT, Handler: sysAccess, Arguments: "fsx"},
	{Number: unix.SYS_FACCESSAT2, Handler: sysAccess, Arguments: "fsxx"},
	{Number: unix.SYS_CHOWN, Handler: sysChown, Arguments: "sdd", Note: "owners are noted beside files, which really belong to one user"},
	{Number: unix.SYS_LCHOWN, Handler: sysChown, Arguments: "sdd"},
	{Number: unix.SYS_FCHOWN, Handler: sysChown, Arguments: "fdd"},
	{Number: unix.SYS_FCHOWNAT, Handler: sysChown, Arguments: "fsddx"},
	{Number: unix.SYS_CHMOD, Handler: sysChmod, Arguments: "sx"},
	{Number: unix.SYS_FCHMOD, Handler: sysChmod, Arguments: "fx"},
	{Number: unix.SYS_FCHMODAT, Handler: sysChmod, Arguments: "fsx"},
	{Number: unix.SYS_FCHMODAT2, Handler: sysChmod, Arguments: "fsxx"},
	{Number: unix.SYS_UTIME, Handler: sysUtime, Arguments: "sp"},
	{Number: unix.SYS_UTIMES, Handler: sysUtime, Arguments: "sp"},
	{Number: unix.SYS_FUTIMESAT, Handler: sysUtime, Arguments: "fsp"},
	{Number: unix.SYS_UTIMENSAT, Handler: sysUtime, Arguments: "fspx"},
	{Number: unix.SYS_TRUNCATE, Handler: sysTruncate, Arguments: "sd"},
	{Number: unix.SYS_FTRUNCATE, Handler: (*Task).onDisk, Arguments: "fd"},
	{Number: unix.SYS_FALLOCATE, Handler: (*Task).onDisk, Arguments: "fddd"},
	{Number: unix.SYS_CHDIR, Handler: sysChdir, Arguments: "s"},
	{Number: unix.SYS_FCHDIR, Handler: sysFchdir, Arguments: "f"},
	{Number: unix.SYS_SETXATTR, Handler: sysSetxattr, Arguments: "sspdx"},
	{Number: unix.SYS_LSETXATTR, Handler: sysSetxattr, Arguments: "sspdx"},
	{Number: unix.SYS_FSETXATTR, Handler: sysSetxattr, Arguments: "fspdx"},
	{Number: unix.SYS_REMOVEXATTR, Handler: sysSetxattr, Arguments: "ss"},
	{Number: unix.SYS_LREMOVEXATTR, Handler: sysSetxattr, Arguments: "ss"},
	{Number: unix.SYS_FREMOVEXATTR, Handler: sysSetxattr, Arguments: "fs"},
	{Number: unix.SYS_GETXATTR, Handler: sysGetxattr, Arguments: "sspd"},
	{Number: unix.SYS_LGETXATTR, Handler: sysGetxattr, Arguments: "sspd"},
	{Number: unix.SYS_FGETXATTR, Handler: sysGetxattr, Arguments: "fspd"},
	{Number: unix.SYS_LISTXATTR, Handler: sysListxattr, Arguments: "spd"},
	{Number: unix.SYS_LLISTXATTR, Handler: sysListxattr, Arguments: "spd"},
	{Number: unix.SYS_FLISTXATTR, Handler: sysListxattr, Arguments: "fpd"},
	{Number: unix.SYS_MKDIR, Handler: sysMkdir, Arguments: "sx"},
	{Number: unix.SYS_MKDIRAT, Handler: sysMkdir, Arguments: "fsx"},
	{Number: unix.SYS_MKNOD, Handler: sysMknod, Arguments: "sxd"},
	{Number: unix.SYS_MKNODAT, Handler: sysMknod, Arguments: "fsxd"},
	{Number: unix.SYS_SYMLINK, Handler: sysSymlink, Arguments: "ss"},
	{Number: unix.SYS_SYMLINKAT, Handler: sysSymlink, Arguments: "sfs"},
	{Number: unix.SYS_LINK, Handler: sysLink, Arguments: "ss"},
	{Number: unix.SYS_LINKAT, Handler: sysLink, Arguments: "fsfsx"},
	{Number: unix.SYS_UNLINK, Handler: sysUnlink, Arguments: "s"},
	{Number: unix.SYS_UNLINKAT, Handler: sysUnlink, Arguments: "fsx"},
	{Number: unix.SYS_RMDIR, Handler: sysUnlink, Arguments: "s"},
	{Number: unix.SYS_RENAME, Handler: sysRename, Arguments: "ss"},
	{Number: unix.SYS_RENAMEAT, Handler: sysRename, Arguments: "fsfs"},
	{Number: unix.SYS_RENAMEAT2, Handler: sysRename, Arguments: "fsfsx"},
	{Number: unix.SYS_CHROOT, Handler: sysChroot, Arguments: "s", Note: "paths are the kernel's alone from then on"},
	{Number: unix.SYS_MOUNT, Handler: privileged(capSysAdmin), Arguments: "sssxp"},
	{Number: unix.SYS_UMOUNT2, Handler: privileged(capSysAdmin), Arguments: "sx"},
	{Number: unix.SYS_PIVOT_ROOT, Handler: privileged(capSysAdmin), Arguments: "ss"},
	{Number: unix.SYS_SETHOSTNAME, Handler: privileged(capSysAdmin), Arguments: "sd"},
	{Number: unix.SYS_SETDOMAINNAME, Handler: privileged(capSysAdmin), Arguments: "sd"},
	{Number: unix.SYS_SETNS, Handler: privileged(capSysAdmin), Arguments: "fx"},
	{Number: unix.SYS_FSOPEN, Handler: privileged(capSysAdmin), Arguments: "sx"},
	{Number: unix.SYS_FSMOUNT, Handler: privileged(capSysAdmin), Arguments: "fxx"},
	{Number: unix.SYS_FSPICK, Handler: privileged(capSysAdmin), Arguments: "fsx"},
	{Number: unix.SYS_MOVE_MOUNT, Handler: privileged(capSysAdmin), Arguments: "fsfsx"},
	{Number: unix.SYS_OPEN_TREE, Handler: privileged(capSysAdmin), Arguments: "fsx"},
	{Number: unix.SYS_MOUNT_SETATTR, Handler: privileged(capSysAdmin), Arguments: "fsxpd"},

	{Number: unix.SYS_UNSHARE, Handler: sysUnshare, Arguments: "x", Note: "EPERM with CLONE_NEWCGROUP: control groups are the machine's"},
	{Number: unix.SYS_PROCESS_VM_READV, Handler: sysProcessMemory, Arguments: "dpdpdx", Note: "stops only for process 1, which is no guest: EPERM"},
	{Number: unix.SYS_PROCESS_VM_WRITEV, Handler: sysProcessMemory, Arguments: "dpdpdx", Note: "as `process_vm_readv`"},

	{Number: unix.SYS_PTRACE, Handler: sysPtrace, Arguments: "dddp", Note: "EPERM: a debugger outside the simulation can attach to a guest"},

	{Number: unix.SYS_KILL, Handler: sysKill, Arguments: "dd"},
	{Number: unix.SYS_TKILL, Handler: sysTgkill, Arguments: "dd"},
	{Number: unix.SYS_TGKILL, Handler: sysTgkill, Arguments: "ddd"},
	{Number: unix.SYS_RT_SIGQUEUEINFO, Handler: sysTgkill, Arguments: "ddp"},
	{Number: unix.SYS_RT_TGSIGQUEUEINFO, Handler: sysTgkill, Arguments: "dddp"},
	{Number: unix.SYS_PIDFD_SEND_SIGNAL, Handler: sysTgkill, Arguments: "fdpx"},
	{Number: unix.SYS_RT_SIGSUSPEND, Handler: sysSigsuspend, Arguments: "pd"},
	{Number: unix.SYS_PAUSE, Handler: sysSigsuspend},
	{Number: unix.SYS_RT_SIGPENDING, Handler: sysNativeAfterSignals, Arguments: "pd"},
	{Number: unix.SYS_RT_SIGPROCMASK, Handler: sysSigprocmask, Arguments: "dppd", Note: "stops only for SIG_UNBLOCK, which may let a timer's signal in, and where rdtsc is trapped"},
	{Number: unix.SYS_RT_SIGACTION, Handler: sysSigaction, Arguments: "dppd", Note: "stops only with the CPU model measured, or where rdtsc is trapped"},
	{Number: unix.SYS_RT_SIGTIMEDWAIT, Handler: sysSigtimedwait, Arguments: "pppd"},

	{Number: unix.SYS_SHMGET, Handler: sysShmget, Arguments: "xdx"},
	{Number: unix.SYS_SHMAT, Handler: sysShmat, Arguments: "dpx"},
	{Number: unix.SYS_SHMDT, Handler: sysShmdt, Arguments: "p"},
	{Number: unix.SYS_SHMCTL, Handler: sysShmctl, Arguments: "ddp"},
	{Number: unix.SYS_SEMGET, Handler: sysSemget, Arguments: "xdx"},
	{Number: unix.SYS_SEMOP, Handler: sysSemop, Arguments: "dpd"},
	{Number: unix.SYS_SEMTIMEDOP, Handler: sysSemop, Arguments: "dpdp"},
	{Number: unix.SYS_SEMCTL, Handler: sysSemctl, Arguments: "dddx"},
	{Number: unix.SYS_MSGGET, Handler: sysMsgget, Arguments: "xx"},
	{Number: unix.SYS_MSGSND, Handler: sysMsgsnd, Arguments: "dpdx"},
	{Number: unix.SYS_MSGRCV, Handler: sysMsgrcv, Arguments: "dpddx"},
	{Number: unix.SYS_MSGCTL, Handler: sysMsgctl, Arguments: "ddp"},

	{Number: unix.SYS_MQ_OPEN, Handler: sysMqOpen, Arguments: "sxxp"},
	{Number: unix.SYS_MQ_UNLINK, Handler: sysMqUnlink, Arguments: "s"},
	{Number: unix.SYS_MQ_TIMEDSEND, Handler: sysMqTimedsend, Arguments: "fpddp"},
	{Number: unix.SYS_MQ_TIMEDRECEIVE, Handler: sysMqTimedreceive, Arguments: "fpdpp"},
	{Number: unix.SYS_MQ_NOTIFY, Handler: sysMqNotify, Arguments: "fp"},
	{Number: unix.SYS_MQ_GETSETATTR, Handler: sysMqGetsetattr, Arguments: "fpp"},

	{Number: unix.SYS_FUTEX, Handler: sysFutex, Arguments: "pxdppx"},
	{Number: futexWaitvNumber, Handler: sysFutexWaitv, Arguments: "pdxpd"},

	{Number: unix.SYS_CLOCK_GETTIME, Handler: sysClockGettime, Arguments: "dp", Note: "mostly read without a call, from a page"},
	{Number: unix.SYS_CLOCK_GETRES, Handler: sysClockGetres, Arguments: "dp"},
	{Number: unix.SYS_CLOCK_NANOSLEEP, Handler: sysClockNanosleep, Arguments: "dxpp"},
	{Number: unix.SYS_NANOSLEEP, Handler: sysNanosleep, Arguments: "pp"},
	{Number: unix.SYS_GETTIMEOFDAY, Handler: sysGettimeofday, Arguments: "pp"},
	{Number: unix.SYS_TIME, Handler: sysTime, Arguments: "p"},
	{Number: unix.SYS_SETTIMEOFDAY, Handler: sysSettimeofday, Arguments: "pp", Note: "the host's own calendar clock"},
	{Number: unix.SYS_CLOCK_SETTIME, Handler: sysClockSettime, Arguments: "dp", Note: "the host's own calendar clock"},
	{Number: unix.SYS_ADJTIMEX, Handler: sysAdjtimex, Arguments: "p"},
	{Number: unix.SYS_CLOCK_ADJTIME, Handler: sysAdjtimex, Arguments: "dp"},
	{Number: unix.SYS_ALARM, Handler: sysAlarm, Arguments: "d"},
	{Number: unix.SYS_SETITIMER, Handler: sysSetitimer, Arguments: "dpp"},
	{Number: unix.SYS_GETITIMER, Handler: sysGetitimer, Arguments: "dp"},
	{Number: unix.SYS_TIMER_CREATE, Handler: sysTimerCreate, Arguments: "dpp"},
	{Number: unix.SYS_TIMER_SETTIME, Handler: sysTimerSettime, Arguments: "dxpp"},
	{Number: unix.SYS_TIMER_GETTIME, Handler: sysTimerGettime, Arguments: "dp"},
	{Number: unix.SYS_TIMER_GETOVERRUN, Handler: sysTimerGetoverrun, Arguments: "d"},
	{Number: unix.SYS_TIMER_DELETE, Handler: sysTimerDelete, Arguments: "d"},
	{Number: unix.SYS_TIMES, Handler: sysTimes, Arguments: "p"},
	{Number: unix.SYS_GETRUSAGE, Handler: sysGetrusage, Arguments: "dp"},
	{Number: unix.SYS_GETRLIMIT, Handler: sysLimit, Arguments: "dp", Note: "RLIMIT_CPU is of simulated processor time"},
	{Number: unix.SYS_SETRLIMIT, Handler: sysLimit, Arguments: "dp", Note: "RLIMIT_CPU is of simulated processor time"},
	{Number: unix.SYS_PRLIMIT64, Handler: sysLimit, Arguments: "ddpp", Note: "RLIMIT_CPU is of simulated processor time"},

	{Number: unix.SYS_GETRANDOM, Handler: sysGetrandom, Arguments: "pdx"},
	{Number: unix.SYS_SCHED_YIELD, Handler: sysSchedYield},
	{Number: unix.SYS_SCHED_GETAFFINITY, Handler: sysSchedGetaffinity, Arguments: "ddp"},
	{Number: unix.SYS_SCHED_SETAFFINITY, Handler: sysSchedSetaffinity, Arguments: "ddp"},
	{Number: unix.SYS_GETPRIORITY, Handler: sysGetpriority, Arguments: "dd"},
	{Number: unix.SYS_SETPRIORITY, Handler: sysSetpriority, Arguments: "ddd", Note: "priorities and policies are noted and have no effect"},
	{Number: unix.SYS_SCHED_SETPARAM, Handler: sysSchedSet, Arguments: "dp"},
	{Number: unix.SYS_SCHED_GETPARAM, Handler: sysSchedGetparam, Arguments: "dp"},
	{Number: unix.SYS_SCHED_SETSCHEDULER, Handler: sysSchedSet, Arguments: "ddp", Note: "EPERM with SCHED_DEADLINE"},
	{Number: unix.SYS_SCHED_GETSCHEDULER, Handler: sysSchedGetscheduler, Arguments: "d"},
	{Number: unix.SYS_SCHED_SETATTR, Handler: sysSchedSetattr, Arguments: "dpd", Note: "EPERM with SCHED_DEADLINE"},
	{Number: unix.SYS_SCHED_GETATTR, Handler: sysSchedGetattr, Arguments: "dpdd"},
	{Number: unix.SYS_MINCORE, Handler: sysMincore, Arguments: "pxp", Note: "all mapped pages are in memory"},
	{Number: unix.SYS_GETCPU, Handler: sysGetcpu, Arguments: "ppp"},
	{Number: unix.SYS_SYSINFO, Handler: sysSysinfo, Arguments: "p"},
	{Number: unix.SYS_ADD_KEY, Handler: sysAbsent, Arguments: "sspdd", Note: "ENOSYS, as by kernels without keyrings: they are the machine's"},
	{Number: unix.SYS_REQUEST_KEY, Handler: sysAbsent, Arguments: "sssd", Note: "as `add_key`"},
	{Number: unix.SYS_KEYCTL, Handler: sysAbsent, Arguments: "dxxxx", Note: "as `add_key`"},
	{Number: unix.SYS_IO_URING_SETUP, Handler: sysAbsent, Arguments: "dp", Note: "ENOSYS: programs fall back to other calls"},

	{Number: bootCall, Handler: func(*Task) Outcome { return Outcome{Kind: Boot} }},
}

// futexWaitvNumber is futex_waitv's.
const futexWaitvNumber = 449

// nativeCalls are let through: memory, files by name, identity inside the
// host's namespaces, and the signal calls that do not wait.
var nativeCalls = []int{
	unix.SYS_LSEEK, unix.SYS_MMAP, unix.SYS_MPROTECT, unix.SYS_MUNMAP, unix.SYS_BRK,
	unix.SYS_RT_SIGRETURN, unix.SYS_PREAD64, unix.SYS_PWRITE64,
	unix.SYS_MREMAP, unix.SYS_MSYNC, unix.SYS_MADVISE,
	unix.SYS_GETPID, unix.SYS_UNAME,
	unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_GETDENTS, unix.SYS_GETCWD,
	unix.SYS_UMASK,
	unix.SYS_SETPGID, unix.SYS_GETPPID, unix.SYS_GETPGRP, unix.SYS_SETSID,
	unix.SYS_GETPGID, unix.SYS_GETSID,
	unix.SYS_SIGALTSTACK,
	unix.SYS_PERSONALITY, unix.SYS_USTAT,
	unix.SYS_SCHED_GET_PRIORITY_MAX, unix.SYS_SCHED_GET_PRIORITY_MIN, unix.SYS_SCHED_RR_GET_INTERVAL,
	unix.SYS_MLOCK, unix.SYS_MUNLOCK, unix.SYS_MLOCKALL, unix.SYS_MUNLOCKALL, unix.SYS_MLOCK2, unix.SYS_VHANGUP,
	unix.SYS_ARCH_PRCTL, unix.SYS_SYNC,
	unix.SYS_GETTID, unix.SYS_READAHEAD,
	unix.SYS_REMAP_FILE_PAGES, unix.SYS_FADVISE64,
	unix.SYS_MBIND, unix.SYS_SET_MEMPOLICY, unix.SYS_GET_MEMPOLICY, unix.SYS_MIGRATE_PAGES, unix.SYS_MOVE_PAGES,
	unix.SYS_IOPRIO_SET, unix.SYS_IOPRIO_GET, unix.SYS_INOTIFY_ADD_WATCH, unix.SYS_INOTIFY_RM_WATCH,
	unix.SYS_SET_ROBUST_LIST, unix.SYS_GET_ROBUST_LIST, unix.SYS_SYNC_FILE_RANGE, unix.SYS_SYNCFS,
	unix.SYS_KCMP, unix.SYS_MEMFD_CREATE, unix.SYS_MEMBARRIER, unix.SYS_PKEY_MPROTECT, unix.SYS_PKEY_ALLOC, unix.SYS_PKEY_FREE,
	unix.SYS_RSEQ,
	unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_FSCONFIG,
	unix.SYS_LANDLOCK_CREATE_RULESET, unix.SYS_LANDLOCK_ADD_RULE, unix.SYS_LANDLOCK_RESTRICT_SELF,
	unix.SYS_SECCOMP, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PROCESS_MADVISE, unix.SYS_ACCT, unix.SYS_RESTART_SYSCALL,
}

// nativeCommands are the commands of emulated calls that are let through.
var nativeCommands = map[int][]uint32{
	unix.SYS_FCNTL:     {unix.F_GETFD, unix.F_SETFD, unix.F_GETFL, unix.F_GET_SEALS, unix.F_ADD_SEALS, unix.F_GETLK, unix.F_OFD_GETLK},
	unix.SYS_IOCTL:     {unix.TCGETS, unix.TIOCGPGRP, unix.TIOCGWINSZ, unix.TCSETS, unix.TCSETSW, unix.TCSETSF, unix.TIOCSPGRP, 0x5451, 0x5450 /* FIOCLEX, FIONCLEX */},
	unix.SYS_PRLIMIT64: otherLimits,
}

// nativeFirst are the first arguments of emulated calls with which they are let
// through.
var nativeFirst = map[int][]uint32{
	unix.SYS_RT_SIGPROCMASK: {unix.SIG_BLOCK, unix.SIG_SETMASK},
	unix.SYS_GETRLIMIT:      otherLimits,
	unix.SYS_SETRLIMIT:      otherLimits,
}

// guardedCalls would let a guest change its host's first process, which is the
// emulator's.
var guardedCalls = []int{unix.SYS_PRLIMIT64, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV}

// otherLimits are all but RLIMIT_CPU, which is 0.
var otherLimits = []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}

// refused is what happens to a call that has no entry.
var refused = Entry{Handler: sysRefused}

// nativeOnDisk is what happens to a native call that the filter stops because
// disks may fail.
var nativeOnDisk = Entry{Handler: (*Task).onDisk}

// entries is the table by number. It is filled at start, because handlers refer
// to it.
var entries []Entry

func init() {
	all := make([]Entry, bootCall+1)
	for i := range names {
		all[i] = Entry{Number: i, Status: StatusRefused}
	}
	for _, n := range nativeCalls {
		all[n].Status = StatusNative
	}
	for _, e := range emulated {
		e.Status = StatusEmulated
		all[e.Number] = e
	}
	entries = all
}

// Free tells of a call that costs nothing by itself. Those that only stop where disks
// may fail, lose or take time are among them, so that all else happens when it does
// without.
func Free(number int) bool {
	if number < 0 || number >= len(entries) {
		return false
	}
	e := &entries[number]
	return e.Free || e.Handler == nil && e.Status == StatusNative
}

// Calls lists every call of x86-64 Linux, by number.
func Calls() []Entry {
	var list []Entry
	for n, name := range names {
		if name != "" {
			list = append(list, entries[n])
		}
	}
	return list
}

// NativeCalls and NativeCommands are what a seccomp filter lets through.
func NativeCalls() []int { return nativeCalls }

// NativeCommands gives, by call, the commands (second arguments) to let through.
func NativeCommands() map[int][]uint32 { return nativeCommands }

// GuardedCalls are let through only when their first argument is not 1.
func GuardedCalls() []int { return guardedCalls }

// NativeFirst gives, by call, the first arguments to let through.
func NativeFirst() map[int][]uint32 { return maps.Clone(nativeFirst) }
