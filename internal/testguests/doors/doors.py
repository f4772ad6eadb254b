# Every door by which a Python program learns the time: all agree.
import datetime, email.utils, os, resource, select, signal, sys, tempfile, threading, time

failed = False


def agrees(name, reference, resolution, door):
    global failed
    before, told, after = reference(), door(), reference()
    if before - resolution <= told <= after + resolution:
        print("ok  ", name)
    else:
        print("BAD ", name, told, "is not between", before, "and", after)
        failed = True


def touched(act):
    act()
    return os.stat("python-door").st_mtime_ns


def written():
    with open("python-door", "a") as f:
        f.write("x")


def content(path):
    with open(path) as f:
        return f.read()


S, TICK, US = 10**9, 10**7, 1000
epoch = os.environ.get("GUEST_EPOCH")
if epoch and not 0 <= time.time() - int(epoch) < 3600:
    print("BAD  epoch", time.time())
    failed = True
now = time.time_ns
agrees("time.time", now, 3 * US, lambda: int(time.time() * 1e9))
agrees("clock_gettime", now, 0, lambda: time.clock_gettime_ns(time.CLOCK_REALTIME))
agrees("datetime", now, 3 * US, lambda: int(datetime.datetime.now(datetime.timezone.utc).timestamp() * 1e9))
agrees("localtime", now, S, lambda: int(time.mktime(time.localtime())) * S)
agrees("gmtime", now, S, lambda: int(datetime.datetime(*time.gmtime()[:6], tzinfo=datetime.timezone.utc).timestamp()) * S)
agrees("a mail's date", now, S, lambda: int(email.utils.parsedate_to_datetime(email.utils.formatdate()).timestamp()) * S)
agrees("a new file", now, TICK, lambda: touched(lambda: open("python-door", "w").close()))
time.sleep(0.03)
agrees("a file written to", now, TICK, lambda: touched(written))
time.sleep(0.03)
agrees("os.utime", now, TICK, lambda: touched(lambda: os.utime("python-door")))
os.unlink("python-door")
mono = time.monotonic_ns
agrees("time.monotonic", mono, 3 * US, lambda: int(time.monotonic() * 1e9))
agrees("time.perf_counter", mono, US, time.perf_counter_ns)
agrees("boot time", lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME), TICK, lambda: int(float(content("/proc/uptime").split()[0]) * 1e9))
boot = lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME)
agrees("btime in /proc/stat", now, 2 * S, lambda: int(content("/proc/stat").partition("btime ")[2].split()[0]) * S + boot())
start = mono()
time.sleep(0.02)
agrees("time.sleep", mono, 10**9, lambda: start + 20_000_000)
begin = mono()
select.select([], [], [], 0.02)
agrees("select", lambda: mono() - begin >= 20_000_000, 0, lambda: True)
told = []
signal.signal(signal.SIGALRM, lambda *_: told.append(mono()))
begin = mono()
signal.setitimer(signal.ITIMER_REAL, 0.02)
signal.pause()
agrees("setitimer", lambda: told[0] - begin >= 20_000_000, 0, lambda: True)
event = threading.Event()
begin = mono()
event.wait(0.02)
agrees("a condition", lambda: mono() - begin >= 20_000_000, 0, lambda: True)
cpu = time.process_time_ns
agrees("getrusage", cpu, TICK, lambda: int((resource.getrusage(resource.RUSAGE_SELF).ru_utime + resource.getrusage(resource.RUSAGE_SELF).ru_stime) * 1e9))
agrees("os.times", cpu, 2 * TICK, lambda: int((os.times().user + os.times().system) * 1e9))
agrees("a thread's time", time.thread_time_ns, 0, lambda: time.clock_gettime_ns(time.pthread_getcpuclockid(threading.get_ident())))
agrees("/proc/self/stat", cpu, 2 * TICK, lambda: sum(map(int, content("/proc/self/stat").rpartition(")")[2].split()[11:13])) * TICK)
agrees("schedstat", cpu, TICK, lambda: int(content("/proc/self/schedstat").split()[0]))
print("failed" if failed else "passed")
sys.exit(failed)
