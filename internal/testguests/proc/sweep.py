"""Prints all that /proc and /sys tell: of each file what stat, readlink, getdents and read do."""

import os
import select
import socket
import stat
import subprocess
import sys
import tempfile

# Reading these waits, has effects, or gives more than can be read.
LEFT = {"kmsg", "kcore", "mem", "clear_refs", "sysrq-trigger", "kallsyms"}
MOST = 1 << 20  # bytes of a file
# Folders of many files that are the machine's, or shown elsewhere too.
SKIPPED = {"sys", "irq", "bus", "task", "attr"}


def text(data):
    return data.decode("latin-1")


def read(name, folder=None):
    fd = os.open(name, os.O_RDONLY | os.O_NONBLOCK, dir_fd=folder)
    try:
        content = b""
        while len(content) < MOST and (piece := os.read(fd, 65536)):
            content += piece
        return text(content)
    finally:
        os.close(fd)


def told(what):
    """The value, or the error's number."""
    try:
        return what()
    except OSError as e:
        return "error %d" % e.errno


def status(name, follow=True):
    s = os.stat(name, follow_symlinks=follow)
    return "%o %d %d %d links %d device %x inode %d %d.%09d" % (
        s.st_mode, s.st_uid, s.st_gid, s.st_size, s.st_nlink, s.st_dev, s.st_ino, *divmod(s.st_mtime_ns, 10**9))


def show(name):
    print(name, told(lambda: status(name, False)))
    try:
        kind = stat.S_IFMT(os.lstat(name).st_mode)
    except OSError:
        return
    if kind == stat.S_IFLNK:
        print("->", told(lambda: os.readlink(name)), told(lambda: status(name)))
    elif kind == stat.S_IFREG and os.path.basename(name) not in LEFT:
        print(told(lambda: read(name)))
    elif kind == stat.S_IFDIR:
        entries = told(lambda: [(e.inode(), e.name) for e in os.scandir(name)])
        print(entries)
        if not isinstance(entries, str):
            for _, entry in sorted(entries, key=lambda e: e[1]):
                # Of processes the sweep has what it is told to have, and of one the network.
                skipped = entry in SKIPPED or entry == "net" and name != "/proc/self" or name == "/proc" and entry.isdigit()
                if not skipped:
                    show(os.path.join(name, entry))


def relative():
    """The same by other names."""
    folder = os.open("/proc", os.O_RDONLY)
    for name in "uptime", "self/maps", "self/net/netlink", "net/snmp6", "1/stat", "swaps":
        print(name, told(lambda: read(name, folder)))
    with tempfile.TemporaryDirectory() as place:
        os.symlink("/proc", place + "/link")
        for name in "/proc/self/root/proc/self/maps", "/proc/self/cwd/../../proc/loadavg", place + "/link/stat", place + "/link/self/smaps":
            print(name, told(lambda: read(name)))
    os.close(folder)


def main():
    # Descriptors of all kinds, some of which the emulator has and some the machine.
    tcp = socket.create_server(("127.0.0.1", 0))
    other = socket.create_connection(tcp.getsockname())
    kept = [
        tcp, other, tcp.accept(), socket.socketpair(), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0), os.pipe(), os.memfd_create("name"), os.eventfd(3),
        select.epoll(), tempfile.TemporaryFile(), open(sys.argv[1], "w"), open("/proc/stat"), os.pidfd_open(os.getpid()),
    ]
    for file in kept[6] + (kept[7],):
        print(status(file), status("/proc/self/fd/%d" % file), os.readlink("/proc/self/fd/%d" % file))
    child = subprocess.Popen(["sleep", "1000"])
    for name in "/proc", "/proc/self", "/proc/%d" % child.pid, "/proc/1", "/sys":
        show(name)
    for name in "kernel/pty/nr", "kernel/cad_pid", "kernel/random/entropy_avail", "net/ipv4/ping_group_range", "fs/file-nr":
        show("/proc/sys/" + name)
    relative()
    child.kill()


sys.setrecursionlimit(100)
main()
