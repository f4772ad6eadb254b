"""What /proc and /sys tell of processors and memory agrees with what the calls tell."""
import glob
import os


def ranges(text):
    found = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def status():
    with open("/proc/self/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def kilobytes(name, key):
    with open(name) as file:
        return sum(int(line.split()[-2]) for line in file if key + ":" in line)


def agree():
    allowed = os.sched_getaffinity(0)
    told = status()
    print(ranges(told["Cpus_allowed_list"]) == allowed)
    print(int(told["Cpus_allowed"].replace(",", ""), 16) == sum(1 << i for i in allowed))


agree()
os.sched_setaffinity(0, {0})
agree()
nodes = glob.glob("/sys/devices/system/node/node[0-9]*/meminfo")
of_nodes = sum(kilobytes(name, "MemTotal") for name in nodes)  # a virtual machine may have lent some away
print(0 < of_nodes <= kilobytes("/proc/meminfo", "MemTotal"))
with open("/proc/1/stat") as file:
    print(len(file.read().split()))
