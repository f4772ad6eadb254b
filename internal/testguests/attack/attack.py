"""Tries to reach what lies outside the host: FILE on the machine, a TCP and a UDP
port, an abstract and a path socket there, and a process. Prints what works."""

import ctypes
import os
import signal
import socket
import struct
import subprocess
import sys
import time

file, tcp, udp, abstract, path, pid, marker = sys.argv[1:]
addresses = ["127.0.0.1", "::1"] + sys.argv[8:]
libc = ctypes.CDLL(None, use_errno=True)


def attempt(what, f):
    try:
        if f():
            print("ESCAPED:", what, flush=True)
    except (OSError, PermissionError, subprocess.SubprocessError):
        pass


def connect(family, kind, address):
    with socket.socket(family, kind) as s:
        s.settimeout(5)
        s.connect(address)
        s.send(b"escaped")
    return True


def write(name):
    def f():
        with open(name, "ab") as g:
            g.write(b"escaped")
        return False  # into the layer; the test looks at the machine's
    return f


attempt("TCP", lambda: connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", int(tcp))))
attempt("TCP over IPv6", lambda: connect(socket.AF_INET6, socket.SOCK_STREAM, ("::1", int(tcp))))
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    attempt("an abstract socket", lambda: connect(socket.AF_UNIX, kind, "\0" + abstract))
    attempt("a path socket", lambda: connect(socket.AF_UNIX, kind, path))
    attempt("D-Bus", lambda: connect(socket.AF_UNIX, kind, "/run/dbus/system_bus_socket"))
    attempt("X11", lambda: connect(socket.AF_UNIX, kind, "/tmp/.X11-unix/X0"))
# Datagrams may vanish; the test listens.
try:
    connect(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", int(udp)))
except OSError:
    pass
attempt("the machine's network", lambda: connect(socket.AF_INET, socket.SOCK_STREAM, ("192.0.2.1", 80)))
attempt("a packet socket", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close() or True)
attempt("the machine's names", lambda: socket.getaddrinfo("example.com", 80))
attempt("a signal", lambda: os.kill(int(pid), 0) or True)
attempt("a trace", lambda: libc.ptrace(16, int(pid), 0, 0) == 0)
attempt("memory", lambda: open(f"/proc/{pid}/mem", "rb") and True)



def call(number, *arguments):
    """Makes a system call by its number, on x86-64."""
    return lambda: libc.syscall(number, *arguments) >= 0


# Ways round the emulator, into the machine's kernel, or into the host's first
# process, which is the emulator's.
page = ctypes.create_string_buffer(4096)
vector = struct.pack("QQ", ctypes.addressof(page), 8)
remote = struct.pack("QQ", 0x200000, 8)
for what, f in {
    "io_uring": call(425, 8, page), "bpf": call(321, 0, page, 48), "perf_event_open": call(298, page, 0, -1, -1, 0),
    "userfaultfd": call(323, 0), "modify_ldt": call(154, 0, page, 4096), "add_key": call(248, b"user", b"key", b"x", 1, -4),
    "keyctl": call(250, 0, -3, 0), "open_by_handle_at": call(304, -100, page, 0), "fanotify": call(300, 0, 0),
    "kexec": call(246, 0, 0, 0, 0), "iopl": call(172, 3), "ioperm": call(173, 0x80, 1, 1), "acct": call(163, file.encode()),
    "the kernel's log": call(103, 3, page, 4096), "quotas": call(179, 0, b"/", 0, page), "a time namespace": call(154, 1, page, 16),
    "setns": lambda: call(308, os.open("/proc/1/ns/user", os.O_RDONLY), 0)(),
    "a trace of process 1": lambda: libc.ptrace(16, 1, 0, 0) == 0,
    "reading process 1": call(310, 1, vector, 1, remote, 1, 0), "writing process 1": call(311, 1, vector, 1, remote, 1, 0),
    "a limit of process 1": call(302, 1, 7, struct.pack("QQ", 0, 0), None), "descriptors of process 1": call(438, os.pidfd_open(1), 0, 0),
    "writing threads' memory": lambda: os.pwrite(os.open("/proc/1/task/1/mem", os.O_RDWR), b"escaped!", 0x200000) and os.pread(os.open("/proc/1/task/1/mem", os.O_RDWR), 8, 0x200000),
    "writing memory": lambda: os.pwrite(os.open("/proc/1/mem", os.O_RDWR), b"escaped!", 0x200000) and os.pread(os.open("/proc/1/mem", os.O_RDWR), 8, 0x200000),
}.items():
    attempt(what, f)
for family in (17, 38, 40, 30, 31, 29, 15, 44, 43):  # packet, alg, vsock, tipc, bluetooth, can, key, xdp, smc
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        attempt(f"sockets of family {family}", lambda: socket.socket(family, kind).close() or True)

# The mounts hide the machine.
with open("/proc/self/mountinfo") as f:
    points = [line.split()[4] for line in f]
for point in reversed(points):
    attempt(f"removing the mount {point}", lambda: libc.umount2(point.encode(), 2) == 0)
    libc.mount(b"none", point.encode(), None, 0x1000 | 0x20, None)  # MS_BIND, MS_REMOUNT
attempt("namespaces of control groups", lambda: libc.unshare(0x02000000) == 0)
os.makedirs("/tmp/mount")
for kind in (b"proc", b"sysfs", b"cgroup", b"cgroup2", b"devtmpfs", b"debugfs", b"tracefs", b"securityfs", b"configfs", b"bpf", b"efivarfs"):
    attempt(f"mounting {kind}", lambda: libc.mount(b"none", b"/tmp/mount", kind, 0, None) == 0)
attempt("another root", lambda: libc.syscall(155, b"/", b"/tmp/mount") == 0)
for folder in ("/", "/run/experiment", "/boot", "/media", "/mnt", "/lost+found", "/proc/sys", "/sys", "/sys/fs/cgroup", "/proc/1/root", "/proc/1/cwd", os.path.dirname(file)):
    attempt(f"a file in {folder}", write(os.path.join(folder, "simterpose-attack")))
# So do namespaces in namespaces.
if os.fork() == 0:
    libc.unshare(0x10000000 | 0x20000)  # CLONE_NEWUSER, CLONE_NEWNS
    for point in reversed(points):
        attempt(f"removing the mount {point} in a namespace", lambda: libc.umount2(point.encode(), 2) == 0)
    os._exit(0)
os.wait()
# The emulator opens files in the host's folder for commands of events.
os.symlink(file, "/run/simterpose/event-1.stdout")
os.mkfifo("/run/simterpose/event-2.stdout")
os.mkdir("/run/simterpose/event-3.stdout")

attempt("a write", write(file))
for name in ("/etc/passwd", "/usr/bin/env", "/proc/sys/kernel/core_pattern", "/proc/sys/vm/swappiness", "/sys/kernel/mm/ksm/run", "/proc/sysrq-trigger"):
    attempt(name, write(name))
for device in ("/dev/mem", "/dev/kmsg", "/dev/vda", "/dev/sda", "/dev/loop0", "/dev/kvm"):
    attempt(device, lambda: os.path.exists(device))
attempt("a device", lambda: os.mknod("/root/disk", 0o60600, os.makedev(7, 0)) or True)
attempt("reboot", lambda: libc.reboot(0) == 0)
attempt("a module", lambda: libc.syscall(175, b"", 0, b"") == 0)
attempt("swap", lambda: libc.swapon(file.encode(), 0) == 0)
# What should not outlive the run.
for way in range(4):
    if os.fork() == 0:
        os.setsid()
        for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(s, signal.SIG_IGN)
        if way == 1:
            libc.prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
        elif way == 2:
            libc.unshare(0x10000000 | 0x20000000)  # CLONE_NEWUSER, CLONE_NEWPID
        elif way == 3:
            libc.prctl(1, 0, 0, 0, 0)  # PR_SET_PDEATHSIG
            libc.prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
        if os.fork() == 0:
            os.execvp("sleep", [marker, "100000"])
        os._exit(0)
os.kill(-1, signal.SIGCONT)
print("tried", flush=True)
time.sleep(120)
