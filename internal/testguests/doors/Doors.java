// Every door by which a Java program learns the time: all agree.
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.Calendar;
import java.util.Date;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

class Doors {
    interface Door { long read() throws Exception; }

    static final long MS = 1_000_000, SECOND = 1000 * MS;
    static boolean failed;

    static void agrees(String name, Door reference, long resolution, Door door) throws Exception {
        long before = reference.read(), told = door.read(), after = reference.read();
        boolean good = told >= before - resolution && told <= after + resolution;
        System.out.println((good ? "ok   " : "BAD  ") + name + (good ? "" : ": " + told + " is not between " + before + " and " + after));
        failed |= !good;
    }

    static long nanos(Instant i) { return i.getEpochSecond() * SECOND + i.getNano(); }

    static long modified(Path path) throws IOException { return Files.getLastModifiedTime(path).to(TimeUnit.NANOSECONDS); }

    public static void main(String[] arguments) throws Exception {
        String epoch = System.getenv("GUEST_EPOCH");
        long since = epoch == null ? 0 : System.currentTimeMillis() / 1000 - Long.parseLong(epoch);
        if (since < 0 || since > 3600) {
            System.out.println("BAD  epoch " + since);
            failed = true;
        }
        Door now = () -> nanos(Instant.now());
        Path file = Path.of("java-door");
        agrees("currentTimeMillis", now, MS, () -> System.currentTimeMillis() * MS);
        agrees("Clock", now, 1000, () -> nanos(Clock.systemUTC().instant()));
        agrees("Date", now, MS, () -> new Date().getTime() * MS);
        agrees("Calendar", now, MS, () -> Calendar.getInstance().getTimeInMillis() * MS);
        agrees("a new file", now, 10 * MS, () -> modified(Files.write(file, new byte[0])));
        Thread.sleep(30);
        agrees("a file written to", now, 10 * MS, () -> modified(Files.write(file, new byte[1])));
        Files.delete(file);
        agrees("the process's start", now, 60 * SECOND, () -> nanos(ProcessHandle.current().info().startInstant().get()));
        agrees("the JVM's start and uptime", now, SECOND, () ->
            (ManagementFactory.getRuntimeMXBean().getStartTime() + ManagementFactory.getRuntimeMXBean().getUptime()) * MS);
        Door mono = System::nanoTime;
        agrees("sleep", mono, SECOND, () -> { long at = mono.read(); Thread.sleep(20); return at + 20 * MS; });
        agrees("parkNanos", mono, SECOND, () -> { long at = mono.read(); LockSupport.parkNanos(20 * MS); return at + 20 * MS; });
        agrees("wait", mono, SECOND, () -> { long at = mono.read(); Object o = new Object(); synchronized (o) { o.wait(20); } return at + 20 * MS; });
        long calendar = now.read(), nano = mono.read();
        Thread.sleep(50);
        agrees("nanoTime beside the calendar", now, SECOND, () -> calendar + mono.read() - nano);
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        Door cpu = system::getProcessCpuTime;
        agrees("the process's handle", cpu, 30 * MS, () -> ProcessHandle.current().info().totalCpuDuration().get().toNanos());
        Door thread = () -> ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        agrees("the thread's user time", thread, SECOND, () -> ManagementFactory.getThreadMXBean().getCurrentThreadUserTime());
        Door load = () -> (long) (Double.parseDouble(Files.readString(Path.of("/proc/loadavg")).split(" ")[0]) * SECOND);
        agrees("the load average", load, 20 * MS, () -> (long) (system.getSystemLoadAverage() * SECOND));
        System.out.println(failed ? "failed" : "passed");
        System.exit(failed ? 1 : 0);
    }
}
