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
if os.fork() == 0:
    os.setsid()
    for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(s, signal.SIG_IGN)
    if os.fork() == 0:
        os.execvp("sleep", [marker, "100000"])
    os._exit(0)
os.kill(-1, signal.SIGCONT)
print("tried", flush=True)
