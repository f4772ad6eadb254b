# Every door by which a Python program learns the time, or something that differs from
# run to run: all agree. What Python does not offer is asked through ctypes: calls,
# the vDSO's functions and, by code in memory that may be executed, the processor.
# What is random goes to the standard error, for the test to compare runs.
import ctypes, datetime, email.utils, errno, mmap, os, resource, secrets, select, signal, socket, struct, sys, threading, time

S, MS, TICK, US = 10**9, 10**6, 10**7, 1000
EARLY = 0 if "GUEST_SLACK_NS" in os.environ else MS  # clocks of the machine drift apart
emulated = "GUEST_EPOCH" in os.environ
libc = ctypes.CDLL(None, use_errno=True)
failed = False


def check(name, good, told=""):
    global failed
    print("ok  " if good else "BAD ", name if good else f"{name}: {told}")
    failed = failed or not good


def agrees(name, reference, resolution, door):
    before, told, after = reference(), door(), reference()
    # A load may fall.
    check(name, min(before, after) - resolution <= told <= max(before, after) + resolution, f"{told} is not between {before} and {after}")


# Calls, by their numbers, and structures.
GETTIMEOFDAY, TIMES, SYSINFO, ADJTIMEX, TIME, CLOCK_GETTIME, CLOCK_GETRES, CLOCK_ADJTIME = 96, 100, 99, 159, 201, 228, 229, 305
ALARM_OF_CALENDAR, ALARM_OF_BOOT, COARSE, COARSE_MONOTONIC, RAW = 8, 9, 5, 6, 4


def call(number, *arguments):
    return libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])


libc.syscall.restype = ctypes.c_long


def two(function, scale, *arguments):
    """the seconds and fraction that a function writes, in nanoseconds"""
    t = (ctypes.c_long * 2)()
    function(*arguments, t)
    return t[0] * S + t[1] * scale


def by_call(clock):
    return lambda: two(lambda t: call(CLOCK_GETTIME, clock, t), 1)


def clock(number):
    return lambda: time.clock_gettime_ns(number)


def alarm_clock(number, instead):
    """a clock that machines without a battery-backed one lack"""
    try:
        return time.clock_gettime_ns(number)
    except OSError:
        return time.clock_gettime_ns(instead)


def adjusted(number, *first):
    """struct timex: the time is 72 bytes in, the status 40, TAI's distance 160"""
    t = ctypes.create_string_buffer(208)
    call(number, *first, t)
    seconds, fraction = struct.unpack_from("qq", t, 72)
    nanoseconds = struct.unpack_from("i", t, 40)[0] & 0x2000
    return seconds * S + fraction * (1 if nanoseconds else 1000), struct.unpack_from("i", t, 160)[0]


def timerfd(clock_id, delay, flags=1):
    fd = libc.timerfd_create(clock_id, os.O_NONBLOCK)
    at = time.clock_gettime_ns(clock_id) + delay
    libc.timerfd_settime(fd, flags, (ctypes.c_long * 4)(0, 0, at // S, at % S), None)
    return fd, at


def waited(clock_id):
    fd, at = timerfd(clock_id, 5 * MS)
    select.select([fd], [], [])
    os.close(fd)
    return at


def fired(clock_id):
    """when a timer of POSIX fires; the event says signal 10"""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    timer = ctypes.c_void_p()
    event = struct.pack("qii", 0, signal.SIGUSR1, 0) + bytes(48)
    at = time.clock_gettime_ns(clock_id) + 5 * MS
    libc.timer_create(clock_id, event, ctypes.byref(timer))
    libc.timer_settime(timer, 1, (ctypes.c_long * 4)(0, 0, at // S, at % S), None)
    signal.sigwait([signal.SIGUSR1])
    libc.timer_delete(timer)
    return at


def slept(clock_id):
    at = time.clock_gettime_ns(clock_id) + 5 * MS
    libc.clock_nanosleep(clock_id, 1, (ctypes.c_long * 2)(at // S, at % S), None)
    return at


def touched(act, path="python-door"):
    act()
    return os.stat(path).st_mtime_ns


def written():
    with open("python-door", "a") as f:
        f.write("x")


def changed(path):
    os.chmod(path, 0o600)
    return os.stat(path).st_ctime_ns


def born(path):
    open(path, "w").close()
    s = ctypes.create_string_buffer(256)
    libc.statx(-100, path.encode(), 0, 0x800, s)  # STATX_BTIME
    return struct.unpack_from("q", s, 80)[0] * S + struct.unpack_from("I", s, 88)[0]


def content(path):
    with open(path) as f:
        return f.read()


def stamped():
    """when a datagram came, as SO_TIMESTAMPNS tells"""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    s.setsockopt(socket.SOL_SOCKET, 35, 1)
    s.sendto(b"x", s.getsockname())
    control = s.recvmsg(1, 100)[1]
    s.close()
    seconds, fraction = struct.unpack("qq", control[0][2])
    return seconds * S + fraction


def own(field, file="/proc/self/stat"):
    return int(content(file).rpartition(")")[2].split()[field - 3])


def idled():
    """how long the processors were idle or busy, all together"""
    return sum(map(int, content("/proc/stat").splitlines()[0].split()[1:])) * TICK // os.sysconf("SC_NPROCESSORS_ONLN")


now, mono, cpu, boot = time.time_ns, time.monotonic_ns, time.process_time_ns, clock(time.CLOCK_BOOTTIME)

print("the calendar is set")
# Only emulated, where it is the host's alone; natively by what is an error. It stays
# wrong, so that all that is asked afterwards has to know.
fd, at = timerfd(time.CLOCK_REALTIME, 1000 * S, 1 | 2)  # TFD_TIMER_CANCEL_ON_SET
ahead = now() - mono()
to = now() + 50 * S
told = libc.clock_settime(time.CLOCK_REALTIME, (ctypes.c_long * 2)(to // S, to % S if emulated else -1))
check("clock_settime", told == (0 if emulated else -1), told)
told = now() - mono() - ahead
check("it is 50 s ahead", not emulated or abs(told - 50 * S) < MS, told)
try:
    told = os.read(fd, 8)
except OSError as e:
    told = e.errno
check("TFD_TIMER_CANCEL_ON_SET", told == (errno.ECANCELED if emulated else errno.EAGAIN), told)
os.close(fd)
told = libc.settimeofday((ctypes.c_long * 2)(now() // S - 30, 0 if emulated else -1), None)
check("settimeofday", told == (0 if emulated else -1), told)
told = now() - mono() - ahead
check("it is 20 s ahead", not emulated or 18 * S < told < 21 * S, told)

print("the calendar")
check("the epoch", not emulated or 0 <= time.time() - int(os.environ["GUEST_EPOCH"]) < 3600, time.time())
agrees("time.time", now, 3 * US, lambda: int(time.time() * 1e9))
agrees("time.clock_gettime", now, 0, clock(time.CLOCK_REALTIME))
agrees("datetime", now, 3 * US, lambda: int(datetime.datetime.now(datetime.timezone.utc).timestamp() * 1e9))
agrees("localtime", now, S, lambda: int(time.mktime(time.localtime())) * S)
agrees("gmtime", now, S, lambda: int(datetime.datetime(*time.gmtime()[:6], tzinfo=datetime.timezone.utc).timestamp()) * S)
agrees("a mail's date", now, S, lambda: int(email.utils.parsedate_to_datetime(email.utils.formatdate()).timestamp()) * S)
agrees("CLOCK_REALTIME, by a call", now, 0, by_call(time.CLOCK_REALTIME))
agrees("gettimeofday", now, US, lambda: two(lambda t: libc.gettimeofday(t, None), 1000))
agrees("gettimeofday, by a call", now, US, lambda: two(lambda t: call(GETTIMEOFDAY, t, 0), 1000))
agrees("time", now, S + TICK, lambda: libc.time(None) * S)
agrees("time, by a call", now, S + TICK, lambda: call(TIME, 0) * S)
agrees("CLOCK_REALTIME_COARSE", now, TICK, clock(COARSE))
agrees("CLOCK_REALTIME_ALARM", now, 0, lambda: alarm_clock(ALARM_OF_CALENDAR, time.CLOCK_REALTIME))
agrees("CLOCK_TAI", now, 0, lambda: time.clock_gettime_ns(time.CLOCK_TAI) - adjusted(ADJTIMEX)[1] * S)
agrees("adjtimex", now, US, lambda: adjusted(ADJTIMEX)[0])
agrees("clock_adjtime", now, US, lambda: adjusted(CLOCK_ADJTIME, 0)[0])
agrees("a timerfd", now, 0, lambda: waited(time.CLOCK_REALTIME))
agrees("a POSIX timer", now, 0, lambda: fired(time.CLOCK_REALTIME))
agrees("clock_nanosleep", now, 0, lambda: slept(time.CLOCK_REALTIME))
agrees("btime in /proc/stat", now, 2 * S, lambda: int(content("/proc/stat").partition("btime ")[2].split()[0]) * S + boot())
agrees("SO_TIMESTAMPNS", now, MS, stamped)
agrees("a new folder", now, TICK, lambda: touched(lambda: os.mkdir("python-folder"), "python-folder"))
agrees("a new file", now, TICK, lambda: touched(lambda: open("python-door", "w").close()))
time.sleep(0.03)
agrees("write", now, TICK, lambda: touched(written))
time.sleep(0.03)
agrees("utimensat", now, TICK, lambda: touched(lambda: os.utime("python-door")))
time.sleep(0.03)
agrees("chmod", now, TICK, lambda: changed("python-door"))
agrees("birth", now, TICK, lambda: born("python-new"))
os.unlink("python-door")
os.unlink("python-new")
os.rmdir("python-folder")

print("since the start")
agrees("time.monotonic", mono, 3 * US, lambda: int(time.monotonic() * 1e9))
agrees("time.perf_counter", mono, US, time.perf_counter_ns)
agrees("CLOCK_MONOTONIC, by a call", mono, 0, by_call(time.CLOCK_MONOTONIC))
agrees("CLOCK_MONOTONIC_COARSE", mono, TICK, clock(COARSE_MONOTONIC))
agrees("CLOCK_MONOTONIC_RAW, by a call", clock(RAW), 0, by_call(RAW))
agrees("CLOCK_BOOTTIME, by a call", boot, 0, by_call(time.CLOCK_BOOTTIME))
agrees("CLOCK_BOOTTIME_ALARM", boot, 0, lambda: alarm_clock(ALARM_OF_BOOT, time.CLOCK_BOOTTIME))
agrees("/proc/uptime", boot, TICK, lambda: int(float(content("/proc/uptime").split()[0]) * 1e9))
information = ctypes.create_string_buffer(128)
agrees("sysinfo", boot, S, lambda: (call(SYSINFO, information), struct.unpack_from("q", information)[0] * S)[1])
load = lambda: float(content("/proc/loadavg").split()[0])
agrees("/proc/loadavg", load, 0.02, lambda: os.getloadavg()[0])
all_clocks = [time.CLOCK_REALTIME, time.CLOCK_MONOTONIC, RAW, time.CLOCK_BOOTTIME, time.CLOCK_TAI, time.CLOCK_PROCESS_CPUTIME_ID, time.CLOCK_THREAD_CPUTIME_ID]
told = [round(time.clock_getres(c) * S) for c in all_clocks] + [two(lambda t: call(CLOCK_GETRES, c, t), 1) for c in all_clocks]
check("clock_getres", told == [1] * 14, told)
agrees("a process's start", boot, 60 * S, lambda: own(22) * TICK)
began = [clock(RAW)(), call(TIMES, ctypes.create_string_buffer(32)), idled()]
time.sleep(0.1)
ended = [clock(RAW)(), call(TIMES, ctypes.create_string_buffer(32)), idled()]
passed, counted, idle = ended[0] - began[0], (ended[1] - began[1]) * TICK, ended[2] - began[2]
slack = 3 * TICK if emulated else 10 * S
check("times since boot", abs(counted - passed) <= slack, (counted, passed))
check("/proc/stat", abs(idle - passed) <= slack, (idle, passed))
agrees("time.sleep", mono, EARLY, lambda: (mono() + 20 * MS, time.sleep(0.02))[0])
agrees("select", mono, EARLY, lambda: (mono() + 20 * MS, select.select([], [], [], 0.02))[0])
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
agrees("setitimer", mono, EARLY, lambda: (mono() + 20 * MS, signal.setitimer(signal.ITIMER_REAL, 0.02), signal.sigwait([signal.SIGALRM]))[0])
event = threading.Event()
agrees("a condition", mono, EARLY, lambda: (mono() + 20 * MS, event.wait(0.02))[0])
agrees("a timerfd of the monotonic clock", mono, 0, lambda: waited(time.CLOCK_MONOTONIC))
agrees("a POSIX timer of the monotonic clock", mono, 0, lambda: fired(time.CLOCK_MONOTONIC))

print("processor time")
of_thread = time.thread_time_ns


def used(who):
    u = resource.getrusage(who)
    return int((u.ru_utime + u.ru_stime) * 1e9)


def profiled():
    start = cpu()
    signal.setitimer(signal.ITIMER_PROF, 1000)
    left = signal.setitimer(signal.ITIMER_PROF, 0)[0]
    return start + 1000 * S - int(left * 1e9)


def of_process():
    number = ctypes.c_int()
    libc.clock_getcpuclockid(os.getpid(), ctypes.byref(number))
    return time.clock_gettime_ns(number.value)


agrees("CLOCK_PROCESS_CPUTIME_ID, by a call", cpu, 0, by_call(time.CLOCK_PROCESS_CPUTIME_ID))
agrees("CLOCK_THREAD_CPUTIME_ID, by a call", of_thread, 0, by_call(time.CLOCK_THREAD_CPUTIME_ID))
agrees("clock_getcpuclockid", cpu, 0, of_process)
agrees("pthread_getcpuclockid", of_thread, 0, lambda: time.clock_gettime_ns(time.pthread_getcpuclockid(threading.get_ident())))
agrees("clock", cpu, US, lambda: libc.clock() * 1000)
agrees("getrusage of the process", cpu, TICK, lambda: used(resource.RUSAGE_SELF))
agrees("getrusage of the thread", of_thread, TICK, lambda: used(resource.RUSAGE_THREAD))
agrees("times", cpu, 2 * TICK, lambda: int((os.times().user + os.times().system) * 1e9))
agrees("/proc/self/stat", cpu, 2 * TICK, lambda: (own(14) + own(15)) * TICK)
agrees("/proc/self/schedstat", cpu, TICK, lambda: int(content("/proc/self/schedstat").split()[0]))
agrees("ITIMER_PROF", cpu, TICK, profiled)
earlier = used(resource.RUSAGE_CHILDREN)
child = os.fork()
if child == 0:
    start = cpu()
    while cpu() - start < MS:
        pass
    os._exit(0)
usage = os.wait4(child, 0)[2]
agrees("getrusage of children", lambda: int((usage.ru_utime + usage.ru_stime) * 1e9), TICK, lambda: used(resource.RUSAGE_CHILDREN) - earlier)

print("the vDSO itself")
vdso = ctypes.CDLL("linux-vdso.so.1")
agrees("__vdso_clock_gettime", now, 0, lambda: two(lambda t: vdso.__vdso_clock_gettime(0, t), 1))
agrees("__vdso_clock_gettime", mono, 0, lambda: two(lambda t: vdso.__vdso_clock_gettime(1, t), 1))
agrees("__vdso_gettimeofday", now, US, lambda: two(lambda t: vdso.__vdso_gettimeofday(t, None), 1000))
agrees("__vdso_time", now, S + TICK, lambda: vdso.__vdso_time(None) * S)
told = two(lambda t: vdso.__vdso_clock_getres(1, t), 1)
check("__vdso_clock_getres", told == 1, told)
number = ctypes.c_uint(2**32 - 1)
vdso.__vdso_getcpu(ctypes.byref(number), None, None)
check("__vdso_getcpu", number.value < os.sysconf("SC_NPROCESSORS_CONF"), number.value)
some = ctypes.create_string_buffer(8)
if hasattr(vdso, "__vdso_getrandom"):  # kernels before 6.11 have none
    parameters = (ctypes.c_uint * 16)()
    vdso.__vdso_getrandom(None, ctypes.c_size_t(0), 0, parameters, ctypes.c_size_t(2**64 - 1))
    libc.mmap.restype = ctypes.c_void_p
    state = libc.mmap(None, ctypes.c_size_t(4096), parameters[1], parameters[2], -1, ctypes.c_long(0))
    vdso.__vdso_getrandom(some, ctypes.c_size_t(8), 0, ctypes.c_void_p(state), ctypes.c_size_t(parameters[0]))
    check("__vdso_getrandom", some.raw != bytes(8), some.raw)
else:
    check("__vdso_getrandom", True)

print("the time stamp counter")
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
start_of_code = ctypes.addressof(ctypes.c_char.from_buffer(code))


def instruction(text):
    at = code.tell()
    code.write(bytes.fromhex(text))
    return ctypes.CFUNCTYPE(ctypes.c_long)(start_of_code + at)


join = "48c1e2204809d0c3"
rdtsc, rdtscp = instruction("0f31" + join), instruction("0f01f9" + join)
for name, door in ("rdtsc", rdtsc), ("rdtscp", rdtscp):
    if "GUEST_TSC" in os.environ:
        agrees(name, mono, 0, door)
    else:
        check(name, door() > 0)

print("random numbers")


def tell(name, value):
    print("random:", name, value.hex(), file=sys.stderr)
    check(name, len(value) == 16 and value != bytes(16), value)


def of_kernel():
    """AT_RANDOM: 25 in the auxiliary vector, then read from the memory"""
    with open("/proc/self/auxv", "rb") as vector, open("/proc/self/mem", "rb", 0) as memory:
        memory.seek(dict(struct.iter_unpack("QQ", vector.read()))[25])
        return memory.read(16)


libc.getauxval.restype = ctypes.c_void_p
tell("AT_RANDOM", of_kernel())
check("AT_RANDOM by getauxval", ctypes.string_at(libc.getauxval(ctypes.c_ulong(25)), 16) == of_kernel())
tell("getrandom", os.getrandom(16))
tell("secrets", secrets.token_bytes(16))
for name in "/dev/urandom", "/dev/random", "/proc/sys/kernel/random/boot_id", "/proc/sys/kernel/random/uuid":
    with open(name, "rb", 0) as f:
        tell(name.rpartition("/")[2] if name[1] == "p" else name, f.read(16))
flags = content("/proc/cpuinfo").partition("flags")[2].partition("\n")[0].split()
rdrand, rdseed = instruction("480fc7f073fac3"), instruction("480fc7f873fac3")
check("RDRAND", "rdrand" not in flags or rdrand() != rdrand())
check("RDSEED", "rdseed" not in flags or rdseed() != rdseed())
print("failed" if failed else "passed")
sys.exit(failed)
