// Every door by which a Java program learns the time, or something that differs from
// run to run: all agree. First Java's own, then those that need native code (Native.c):
// functions of the C library, calls, the vDSO, the processor. What is random goes to
// the standard error, for the test to compare runs.
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.util.Arrays;
import java.util.Calendar;
import java.util.Date;
import java.util.HexFormat;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

class Doors {
    interface Door { long read() throws Exception; }

    static final long MS = 1_000_000, SECOND = 1000 * MS, TICK = 10 * MS, US = 1000;
    static final int REALTIME = 0, MONOTONIC = 1, PROCESS = 2, THREAD = 3, RAW = 4, COARSE = 5, MONOTONIC_COARSE = 6,
        BOOTTIME = 7, REALTIME_ALARM = 8, BOOTTIME_ALARM = 9, TAI = 11;
    static final int EAGAIN = 11, EINVAL = 22, ECANCELED = 125;
    static final long GETTIMEOFDAY = 96, CLOCK_GETTIME = 228, CLOCK_GETRES = 229, TIME = 201;
    static final boolean EMULATED = System.getenv("GUEST_EPOCH") != null;
    static boolean failed;

    static native long call(String function, long... arguments);

    static native long address(ByteBuffer memory);

    static native long processor(int what);

    static void check(String name, boolean good, Object told) {
        System.out.println((good ? "ok   " : "BAD  ") + name + (good ? "" : ": " + told));
        failed |= !good;
    }

    static void agrees(String name, Door reference, long resolution, Door door) throws Exception {
        long before = reference.read(), told = door.read(), after = reference.read();
        // A load may fall.
        check(name, told >= Math.min(before, after) - resolution && told <= Math.max(before, after) + resolution, told + " is not between " + before + " and " + after);
    }

    // The memory that functions write to.
    static final ByteBuffer memory = ByteBuffer.allocateDirect(4096).order(ByteOrder.nativeOrder());
    static long start;

    static long at(int offset) { return start + offset; }

    static void clear(long... words) {
        for (int i = 0; i < 512; i++) memory.putLong(8 * i, i < words.length ? words[i] : 0);
    }

    // pair is the seconds and the fraction that a function has written.
    static long pair(int offset, long scale) { return memory.getLong(offset) * SECOND + memory.getLong(offset + 8) * scale; }

    static Door clock(int id) {
        return () -> { long failed = call("clock_gettime", id, at(0)); return failed == 0 ? pair(0, 1) : failed; };
    }

    static Door byCall(int id) {
        return () -> { call("syscall", CLOCK_GETTIME, id, at(0)); return pair(0, 1); };
    }

    // alarmClock reads one that machines without a battery-backed clock lack.
    static Door alarmClock(int id, int instead) {
        return () -> { long told = clock(id).read(); return told == -EINVAL ? clock(instead).read() : told; };
    }

    static Door adjusted(boolean byClock) { // struct timex
        return () -> {
            clear();
            if (byClock) call("clock_adjtime", REALTIME, at(0)); else call("adjtimex", at(0));
            return pair(72, (memory.getInt(40) & 0x2000) != 0 ? 1 : 1000);
        };
    }

    static Door waited(int id) {
        return () -> {
            long fd = call("timerfd_create", id, 0), fires = clock(id).read() + 5 * MS;
            clear(0, 0, fires / SECOND, fires % SECOND);
            call("timerfd_settime", fd, 1, at(0), 0);
            call("read", fd, at(0), 8);
            call("close", fd);
            return fires;
        };
    }

    // fired is when a timer of POSIX fires, which sends a signal (10) to this thread; the
    // set of signals is at 128.
    static Door fired(int id) {
        return () -> {
            clear(0, 10 | 4L << 32, call("gettid"));
            memory.putLong(128, 1 << 9);
            call("pthread_sigmask", 0, at(128), 0);
            call("timer_create", id, at(0), at(64));
            long timer = memory.getLong(64), fires = clock(id).read() + 5 * MS;
            clear(0, 0, fires / SECOND, fires % SECOND);
            memory.putLong(128, 1 << 9);
            call("timer_settime", timer, 1, at(0), 0);
            call("sigwaitinfo", at(128), 0);
            call("timer_delete", timer);
            return fires;
        };
    }

    static Door slept(int id) {
        return () -> {
            long until = clock(id).read() + 5 * MS;
            clear(until / SECOND, until % SECOND);
            call("clock_nanosleep", id, 1, at(0), 0);
            return until;
        };
    }

    static long nanos(Instant i) { return i.getEpochSecond() * SECOND + i.getNano(); }

    static long modified(Path path) throws IOException { return Files.getLastModifiedTime(path).to(TimeUnit.NANOSECONDS); }

    static String[] words(String path) throws IOException { return Files.readString(Path.of(path)).trim().split("\\s+"); }

    static long own(int field) throws IOException {
        String text = Files.readString(Path.of("/proc/self/stat"));
        return Long.parseLong(text.substring(text.lastIndexOf(')') + 2).split(" ")[field - 3]);
    }

    static Door usage(int who) {
        return () -> { call("getrusage", who, at(0)); return pair(0, 1000) + pair(16, 1000); };
    }

    static final Door now = () -> nanos(Instant.now()), mono = System::nanoTime;

    // setting sets the calendar: only emulated, where it is the host's alone; natively it
    // asks by what is an error. The clock stays wrong, so that all that is asked
    // afterwards has to know.
    static void setting() throws Exception {
        System.out.println("the calendar is set");
        long fd = call("timerfd_create", REALTIME, 2048), ahead = now.read() - mono.read();
        long later = now.read() + 1000 * SECOND, to = now.read() + 50 * SECOND, told;
        clear(0, 0, later / SECOND, later % SECOND);
        call("timerfd_settime", fd, 1 | 2, at(0), 0);
        clear(to / SECOND, EMULATED ? to % SECOND : -1);
        told = call("clock_settime", REALTIME, at(0));
        check("clock_settime", told == (EMULATED ? 0 : -EINVAL), told);
        told = now.read() - mono.read() - ahead;
        check("it is 50 s ahead", !EMULATED || Math.abs(told - 50 * SECOND) < MS, told);
        told = call("read", fd, at(0), 8);
        check("TFD_TIMER_CANCEL_ON_SET", told == -(EMULATED ? ECANCELED : EAGAIN), told);
        call("close", fd);
        clear(now.read() / SECOND - 30, EMULATED ? 0 : -1);
        told = call("settimeofday", at(0), 0);
        check("settimeofday", told == (EMULATED ? 0 : -EINVAL), told);
        told = now.read() - mono.read() - ahead;
        check("it is 20 s ahead", !EMULATED || told > 18 * SECOND && told < 21 * SECOND, told);
    }

    static void calendar() throws Exception {
        System.out.println("the calendar");
        long since = EMULATED ? System.currentTimeMillis() / 1000 - Long.parseLong(System.getenv("GUEST_EPOCH")) : 0;
        check("the epoch", since >= 0 && since < 3600, since);
        agrees("currentTimeMillis", now, MS, () -> System.currentTimeMillis() * MS);
        agrees("Clock", now, 1000, () -> nanos(Clock.systemUTC().instant()));
        agrees("Date", now, MS, () -> new Date().getTime() * MS);
        agrees("Calendar", now, MS, () -> Calendar.getInstance().getTimeInMillis() * MS);
        Door day = clock(REALTIME);
        agrees("CLOCK_REALTIME, by a call", day, 0, byCall(REALTIME));
        agrees("CLOCK_REALTIME_COARSE", day, TICK, clock(COARSE));
        agrees("CLOCK_REALTIME_ALARM", day, 0, alarmClock(REALTIME_ALARM, REALTIME));
        agrees("CLOCK_TAI", day, 0, () -> { adjusted(false).read(); long tai = memory.getInt(160); return clock(TAI).read() - tai * SECOND; });
        agrees("adjtimex", day, US, adjusted(false));
        agrees("clock_adjtime", day, US, adjusted(true));
        agrees("gettimeofday", day, US, () -> { call("gettimeofday", at(0), 0); return pair(0, 1000); });
        agrees("gettimeofday, by a call", day, US, () -> { call("syscall", GETTIMEOFDAY, at(0), 0); return pair(0, 1000); });
        agrees("time", day, SECOND + TICK, () -> call("time", 0) * SECOND);
        agrees("time, by a call", day, SECOND + TICK, () -> call("syscall", TIME, 0) * SECOND);
        agrees("a timerfd", day, 0, waited(REALTIME));
        agrees("a POSIX timer", day, 0, fired(REALTIME));
        agrees("clock_nanosleep", day, 0, slept(REALTIME));
        agrees("btime in /proc/stat", day, 2 * SECOND, () ->
            Long.parseLong(Files.readString(Path.of("/proc/stat")).split("btime ")[1].split("\n")[0]) * SECOND + clock(BOOTTIME).read());
        agrees("SO_TIMESTAMPNS", day, MS, Doors::stamped);
        Path file = Path.of("java-door"), folder = Path.of("java-folder");
        agrees("a new folder", now, TICK, () -> modified(Files.createDirectory(folder)));
        agrees("a new file", now, TICK, () -> modified(Files.write(file, new byte[0])));
        Thread.sleep(30);
        agrees("write", now, TICK, () -> modified(Files.write(file, new byte[1])));
        Thread.sleep(30);
        agrees("utimensat", now, TICK, () -> {
            byte[] name = "java-door\0".getBytes();
            for (int i = 0; i < name.length; i++) memory.put(i, name[i]);
            call("utimensat", -100, at(0), 0, 0);
            return modified(file);
        });
        Thread.sleep(30);
        agrees("chmod", now, TICK, () -> {
            file.toFile().setReadOnly();
            return ((java.nio.file.attribute.FileTime) Files.getAttribute(file, "unix:ctime")).to(TimeUnit.NANOSECONDS);
        });
        Files.delete(file);
        agrees("birth", now, TICK, () -> {
            Files.write(file, new byte[0]);
            byte[] name = "java-door\0".getBytes();
            for (int i = 0; i < name.length; i++) memory.put(i, name[i]);
            call("statx", -100, at(0), 0, 0x800, at(64));
            return memory.getLong(64 + 80) * SECOND + memory.getInt(64 + 88);
        });
        Files.delete(file);
        Files.delete(folder);
        agrees("the process's start", now, 60 * SECOND, () -> nanos(ProcessHandle.current().info().startInstant().get()));
        // The JVM adds the time since it began to the calendar of then.
        agrees("the JVM's start and uptime", now, 60 * SECOND, () ->
            (ManagementFactory.getRuntimeMXBean().getStartTime() + ManagementFactory.getRuntimeMXBean().getUptime()) * MS);
    }

    // stamped is when a datagram came: a socket on the loopback, its address at 0, the
    // message's header at 512, its part at 600, its control data at 700.
    static long stamped() {
        long fd = call("socket", 2, 2, 0);
        clear(2L | 0x0100007fL << 32);
        memory.putInt(64, 16);
        call("bind", fd, at(0), 16);
        call("getsockname", fd, at(0), at(64));
        memory.putInt(64, 1);
        call("setsockopt", fd, 1, 35, at(64), 4);
        call("sendto", fd, at(128), 1, 0, at(0), 16);
        memory.putLong(600, at(128)).putLong(608, 1);
        memory.putLong(512 + 16, at(600)).putLong(512 + 24, 1).putLong(512 + 32, at(704)).putLong(512 + 40, 100);
        call("recvmsg", fd, at(512), 0);
        call("close", fd);
        return pair(704 + 16, 1);
    }

    static long idled() throws IOException {
        long sum = 0;
        for (String word : Files.readString(Path.of("/proc/stat")).split("\n")[0].replaceFirst("cpu +", "").split(" ")) sum += Long.parseLong(word);
        return sum * TICK / Runtime.getRuntime().availableProcessors();
    }

    static void sinceBoot() throws Exception {
        System.out.println("since the start");
        long early = EMULATED ? 0 : MS; // clocks of the machine drift apart
        Door boot = clock(BOOTTIME);
        agrees("CLOCK_MONOTONIC, by a call", mono, 0, byCall(MONOTONIC));
        agrees("CLOCK_MONOTONIC_COARSE", mono, TICK, clock(MONOTONIC_COARSE));
        agrees("CLOCK_MONOTONIC_RAW, by a call", clock(RAW), 0, byCall(RAW));
        agrees("CLOCK_BOOTTIME, by a call", boot, 0, byCall(BOOTTIME));
        agrees("CLOCK_BOOTTIME_ALARM", boot, 0, alarmClock(BOOTTIME_ALARM, BOOTTIME));
        agrees("sleep", mono, early, () -> { long at = mono.read(); Thread.sleep(20); return at + 20 * MS; });
        agrees("parkNanos", mono, early, () -> {
            long at = mono.read();
            while (mono.read() < at + 20 * MS) LockSupport.parkNanos(at + 20 * MS - mono.read());
            return at + 20 * MS;
        });
        agrees("wait", mono, early, () -> { long at = mono.read(); Object o = new Object(); synchronized (o) { o.wait(20); } return at + 20 * MS; });
        agrees("Timer", mono, early, () -> {
            long at = mono.read();
            CountDownLatch rings = new CountDownLatch(1);
            new Timer(true).schedule(new TimerTask() { public void run() { rings.countDown(); } }, 20);
            rings.await();
            return at + 20 * MS;
        });
        agrees("an executor", mono, early, () -> {
            long at = mono.read();
            var executor = Executors.newSingleThreadScheduledExecutor();
            executor.schedule(() -> {}, 20, TimeUnit.MILLISECONDS).get();
            executor.shutdown();
            return at + 20 * MS;
        });
        agrees("a timerfd of the monotonic clock", mono, 0, waited(MONOTONIC));
        agrees("a POSIX timer of the monotonic clock", mono, 0, fired(MONOTONIC));
        // Its signal would go to any of the JVM's threads: what is left of it tells as much.
        agrees("setitimer", mono, MS, () -> {
            long at = mono.read();
            clear(0, 0, 1000);
            call("setitimer", 0, at(0), 0);
            Thread.sleep(20);
            clear();
            call("setitimer", 0, at(0), at(64));
            return at + 1000 * SECOND - pair(80, 1000);
        });
        long calendar = now.read(), nano = mono.read();
        Thread.sleep(50);
        agrees("nanoTime beside the calendar", now, SECOND, () -> calendar + mono.read() - nano);
        agrees("/proc/uptime", boot, TICK, () -> (long) (Double.parseDouble(words("/proc/uptime")[0]) * SECOND));
        agrees("sysinfo", boot, SECOND, () -> { call("sysinfo", at(0)); return memory.getLong(0) * SECOND; });
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        agrees("/proc/loadavg", () -> (long) (Double.parseDouble(words("/proc/loadavg")[0]) * SECOND), 20 * MS,
            () -> (long) (system.getSystemLoadAverage() * SECOND));
        boolean good = true;
        for (int id : new int[] {REALTIME, MONOTONIC, RAW, BOOTTIME, TAI, PROCESS, THREAD}) {
            clear();
            good &= call("clock_getres", id, at(0)) == 0 && call("syscall", CLOCK_GETRES, id, at(16)) == 0 && pair(0, 1) == 1 && pair(16, 1) == 1;
        }
        check("clock_getres", good, "");
        agrees("a process's start", boot, 60 * SECOND, () -> own(22) * TICK);
        long passed = clock(RAW).read(), counted = call("times", at(0)), idle = idled();
        Thread.sleep(100);
        passed = clock(RAW).read() - passed;
        counted = (call("times", at(0)) - counted) * TICK;
        idle = idled() - idle;
        long slack = EMULATED ? 3 * TICK : 10 * SECOND;
        check("times since boot", Math.abs(counted - passed) <= slack, counted + " " + passed);
        check("/proc/stat", Math.abs(idle - passed) <= slack, idle + " " + passed);
    }

    static void processorTime() throws Exception {
        System.out.println("processor time");
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        Door cpu = clock(PROCESS);
        agrees("getProcessCpuTime", cpu, 2 * TICK, system::getProcessCpuTime);
        agrees("CLOCK_PROCESS_CPUTIME_ID, by a call", cpu, 0, byCall(PROCESS));
        agrees("CLOCK_THREAD_CPUTIME_ID, by a call", clock(THREAD), 0, byCall(THREAD));
        Door handle = () -> ProcessHandle.current().info().totalCpuDuration().get().toNanos();
        agrees("the process's handle", cpu, 30 * MS, handle);
        Door thread = () -> ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        agrees("ThreadMXBean", clock(THREAD), 0, thread);
        agrees("the thread's user time", thread, SECOND, () -> ManagementFactory.getThreadMXBean().getCurrentThreadUserTime());
        agrees("clock_getcpuclockid", cpu, 0, () -> {
            call("clock_getcpuclockid", 0, at(0));
            return clock(memory.getInt(0)).read();
        });
        agrees("clock", cpu, US, () -> call("clock") * 1000);
        agrees("getrusage of the process", cpu, TICK, usage(0));
        agrees("getrusage of the thread", thread, TICK, usage(1));
        agrees("times", cpu, 2 * TICK, () -> { call("times", at(0)); return (memory.getLong(0) + memory.getLong(8)) * TICK; });
        agrees("/proc/self/stat", cpu, 2 * TICK, () -> (own(14) + own(15)) * TICK);
        agrees("/proc/thread-self/schedstat", thread, TICK, () -> Long.parseLong(words("/proc/thread-self/schedstat")[0]));
        agrees("ITIMER_PROF", cpu, TICK, () -> {
            long start = cpu.read();
            clear(0, 0, 1000);
            call("setitimer", 2, at(0), 0);
            clear();
            call("setitimer", 2, at(0), at(64));
            return start + 1000 * SECOND - pair(80, 1000);
        });
        Process child = new ProcessBuilder("/bin/true").start();
        child.waitFor();
        long children = usage(-1).read();
        check("getrusage of children", children > 0 && children < 10 * SECOND, children);
    }

    static void vdso() throws Exception {
        System.out.println("the vDSO itself");
        agrees("__vdso_clock_gettime", clock(REALTIME), 0, () -> { call("__vdso_clock_gettime", REALTIME, at(0)); return pair(0, 1); });
        agrees("__vdso_clock_gettime", mono, 0, () -> { call("__vdso_clock_gettime", MONOTONIC, at(0)); return pair(0, 1); });
        agrees("__vdso_gettimeofday", clock(REALTIME), US, () -> { call("__vdso_gettimeofday", at(0), 0); return pair(0, 1000); });
        agrees("__vdso_time", clock(REALTIME), SECOND + TICK, () -> call("__vdso_time", 0) * SECOND);
        clear();
        check("__vdso_clock_getres", call("__vdso_clock_getres", MONOTONIC, at(0)) == 0 && pair(0, 1) == 1, pair(0, 1));
        memory.putInt(0, -1);
        check("__vdso_getcpu", call("__vdso_getcpu", at(0), 0, 0) == 0 && memory.getInt(0) >= 0, memory.getInt(0));
        clear();
        if (call("__vdso_getrandom", 0, 0, 0, at(0), -1) == 0) { // kernels before 6.11 have none
            long size = memory.getInt(0), state = call("mmap", 0, 4096, memory.getInt(4), memory.getInt(8), -1, 0);
            clear();
            call("__vdso_getrandom", at(0), 8, 0, state, size);
            check("__vdso_getrandom", memory.getLong(0) != 0, "nothing");
        } else {
            check("__vdso_getrandom", true, "");
        }
    }

    static void counters() throws Exception {
        System.out.println("the time stamp counter");
        String[] names = {"rdtsc", "rdtscp"};
        for (int i = 0; i < 2; i++) {
            final int what = i;
            if (System.getenv("GUEST_TSC") != null) agrees(names[i], mono, 0, () -> processor(what));
            else check(names[i], processor(i) > 0, "");
        }
    }

    static void tell(String name, byte[] random) {
        System.err.println("random: " + name + " " + HexFormat.of().formatHex(random));
        check(name, random.length == 16 && !Arrays.equals(random, new byte[16]), "nothing");
    }

    // ofKernel is AT_RANDOM: where the auxiliary vector says, in the memory.
    static byte[] ofKernel() throws Exception {
        ByteBuffer vector = ByteBuffer.wrap(Files.readAllBytes(Path.of("/proc/self/auxv"))).order(ByteOrder.nativeOrder());
        byte[] random = new byte[16];
        while (vector.remaining() >= 16) {
            long kind = vector.getLong(), value = vector.getLong();
            if (kind != 25) continue;
            try (RandomAccessFile memory = new RandomAccessFile("/proc/self/mem", "r")) {
                memory.seek(value);
                memory.readFully(random);
            }
        }
        return random;
    }

    static void randomNumbers() throws Exception {
        System.out.println("random numbers");
        byte[] random = new byte[16];
        tell("AT_RANDOM", ofKernel());
        call("getrandom", at(0), 16, 0);
        memory.get(0, random);
        tell("getrandom", random);
        new SecureRandom().nextBytes(random);
        tell("SecureRandom", random);
        for (String file : new String[] {"/dev/urandom", "/dev/random", "/proc/sys/kernel/random/boot_id", "/proc/sys/kernel/random/uuid"}) {
            try (var stream = Files.newInputStream(Path.of(file))) {
                tell(file.replace("/proc/sys/kernel/random/", ""), stream.readNBytes(16));
            }
        }
        for (int what = 2; what < 4; what++) {
            long one = processor(what), two = processor(what);
            check(what == 2 ? "RDRAND" : "RDSEED", one == 0 || one != two, one);
        }
    }

    public static void main(String[] arguments) throws Exception {
        System.loadLibrary("doors");
        start = address(memory);
        setting();
        calendar();
        sinceBoot();
        processorTime();
        vdso();
        counters();
        randomNumbers();
        System.out.println(failed ? "failed" : "passed");
        System.exit(failed ? 1 : 0);
    }
}
