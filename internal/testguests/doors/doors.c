/* Every door by which a C program learns the time: all agree. The reference of a
 * door is a clock read before and after it. */
#include "../c/check.h"
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/timex.h>

#define US 1000LL
#define TICK (10 * MS)

/* agrees tells of a door whether what it told lies between two readings of the
 * reference clock, as far as its resolution goes. */
#define agrees(name, clock, resolution, expression)                                                    \
	do {                                                                                           \
		int64_t before = clock_ns(clock), told = (expression), after = clock_ns(clock);        \
		check_true(__FILE__, __LINE__, name,                                                   \
			   told >= before - (resolution) && told <= after + (resolution));             \
		if (told < before - (resolution) || told > after + (resolution))                       \
			SAY("     %lld is not between %lld and %lld", (long long)told,                 \
			    (long long)before, (long long)after);                                      \
	} while (0)

static int64_t of_timespec(struct timespec t) { return t.tv_sec * SECOND + t.tv_nsec; }
static int64_t of_timeval(struct timeval t) { return t.tv_sec * SECOND + t.tv_usec * US; }

static int64_t raw(clockid_t clock)
{
	struct timespec t;

	syscall(SYS_clock_gettime, clock, &t);
	return of_timespec(t);
}

static int64_t day(void)
{
	struct timeval t;

	gettimeofday(&t, NULL);
	return of_timeval(t);
}

static int64_t raw_day(void)
{
	struct timeval t;

	syscall(SYS_gettimeofday, &t, NULL);
	return of_timeval(t);
}

static int64_t standard(void)
{
	struct timespec t;

	timespec_get(&t, TIME_UTC);
	return of_timespec(t);
}

static int64_t adjusted(void)
{
	struct timex t = {0};

	adjtimex(&t);
	return t.time.tv_sec * SECOND + t.time.tv_usec * (t.status & STA_NANO ? 1 : US);
}

static int64_t atomic_time(void)
{
	struct timex t = {0};

	adjtimex(&t);
	return clock_ns(CLOCK_TAI) - t.tai * SECOND;
}

/* fields reads the numbers of a file; a name in parentheses is skipped. */
static int fields(const char *file, double *list, int n)
{
	static char text[1 << 16];
	int fd = open(file, O_RDONLY), i = 0;
	ssize_t size = read(fd, text, sizeof(text) - 1);
	char *at;

	close(fd);
	if (size < 0)
		return 0;
	text[size] = 0;
	at = strrchr(text, ')');
	for (at = strtok(at ? at + 1 : text, " \n"); at && i < n; at = strtok(NULL, " \n"))
		list[i++] = atof(at);
	return i;
}

static int64_t uptime(void)
{
	double v[2] = {0};

	fields("/proc/uptime", v, 2);
	return v[0] * SECOND;
}

static int64_t booted(void)
{
	static char text[1 << 16];
	int fd = open("/proc/stat", O_RDONLY);
	ssize_t size = read(fd, text, sizeof(text) - 1);
	char *at;

	close(fd);
	text[size < 0 ? 0 : size] = 0;
	at = strstr(text, "btime ");
	return (at ? atoll(at + 6) : 0) * SECOND + clock_ns(CLOCK_BOOTTIME);
}

static int64_t status_time(const char *file, int field)
{
	double v[60] = {0};

	fields(file, v, 60);
	return v[field - 3] * TICK;
}

static int64_t information(void)
{
	struct sysinfo i;

	sysinfo(&i);
	return i.uptime * SECOND;
}

/* load tells whether sysinfo and /proc/loadavg agree. */
static int load(void)
{
	double before = 0, after = 0, told;
	struct sysinfo i;

	fields("/proc/loadavg", &before, 1);
	sysinfo(&i);
	told = i.loads[0] / 65536.0;
	fields("/proc/loadavg", &after, 1);
	return told > (before < after ? before : after) - 0.02 && told < (before > after ? before : after) + 0.02;
}

static int64_t timed(clockid_t clock)
{
	struct itimerspec t = {.it_value = timespec_of(clock_ns(clock) + 5 * MS)};
	uint64_t n;
	int fd = timerfd_create(clock, 0);

	timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL);
	if (read(fd, &n, 8) != 8)
		return 0;
	close(fd);
	return of_timespec(t.it_value);
}

static int64_t changed(const char *file)
{
	struct stat s;

	stat(file, &s);
	return of_timespec(s.st_mtim);
}

static int64_t made(const char *file, int how)
{
	struct statx s;
	struct stat old;
	int fd;

	switch (how) {
	case 0:
		mkdir(file, 0755);
		break;
	case 1:
		close(open(file, O_CREAT | O_WRONLY, 0644));
		break;
	case 2:
		utimensat(AT_FDCWD, file, NULL, 0);
		break;
	case 3:
		fd = open(file, O_WRONLY | O_APPEND);
		if (write(fd, "x", 1) != 1)
			return 0;
		fstat(fd, &old);
		close(fd);
		return of_timespec(old.st_mtim);
	case 4:
		chmod(file, 0600);
		stat(file, &old);
		return of_timespec(old.st_ctim);
	case 5:
		close(open(file, O_CREAT | O_WRONLY, 0644));
		statx(AT_FDCWD, file, 0, STATX_BTIME, &s);
		return s.stx_btime.tv_sec * SECOND + s.stx_btime.tv_nsec;
	case 6:
		close(open("doors-in", O_CREAT | O_WRONLY, 0644));
		rename("doors-in", "doors-folder/in");
		unlink("doors-folder/in");
		break;
	}
	return changed(file);
}

static int64_t stamped(int ask)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(to);
	int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
	char byte = 0, control[256];
	struct iovec part = {&byte, 1};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct timespec t = {0};
	struct timeval tv = {0};

	bind(fd, (void *)&to, size);
	getsockname(fd, (void *)&to, &size);
	if (!ask)
		setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	else
		ioctl(fd, SIOCGSTAMP, &tv);
	if (sendto(fd, "x", 1, 0, (void *)&to, size) != 1 || recvmsg(fd, &m, 0) != 1)
		return 0;
	if (ask) {
		ioctl(fd, SIOCGSTAMP, &tv);
		close(fd);
		return of_timeval(tv);
	}
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
			memcpy(&t, CMSG_DATA(c), sizeof(t));
	close(fd);
	return of_timespec(t);
}

static int64_t used(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return of_timeval(u.ru_utime) + of_timeval(u.ru_stime);
}

static int64_t counted(void)
{
	struct tms t;

	times(&t);
	return (t.tms_utime + t.tms_stime) * TICK;
}

static int64_t scheduled(void)
{
	double v[3] = {0};

	fields("/proc/self/schedstat", v, 3);
	return v[0];
}

static int64_t by_clock(int thread)
{
	clockid_t clock;

	if (thread)
		pthread_getcpuclockid(pthread_self(), &clock);
	else
		clock_getcpuclockid(getpid(), &clock);
	return clock_ns(clock);
}

static int64_t profiled(void)
{
	struct itimerval t = {.it_value = {1000, 0}}, left;
	int64_t start = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

	setitimer(ITIMER_PROF, &t, NULL);
	getitimer(ITIMER_PROF, &left);
	t.it_value.tv_sec = 0;
	setitimer(ITIMER_PROF, &t, NULL);
	return start + 1000 * SECOND - of_timeval(left.it_value);
}

static void calendar(void)
{
	const char *epoch = getenv("GUEST_EPOCH");

	SAY("the calendar");
	OK(!epoch || (time(NULL) >= atoll(epoch) && time(NULL) < atoll(epoch) + 3600));
	agrees("clock_gettime, by a call", CLOCK_REALTIME, 0, raw(CLOCK_REALTIME));
	agrees("gettimeofday", CLOCK_REALTIME, US, day());
	agrees("gettimeofday, by a call", CLOCK_REALTIME, US, raw_day());
	agrees("time", CLOCK_REALTIME, SECOND, time(NULL) * SECOND);
	agrees("time, by a call", CLOCK_REALTIME, SECOND, syscall(SYS_time, NULL) * SECOND);
	agrees("timespec_get", CLOCK_REALTIME, 0, standard());
	agrees("CLOCK_REALTIME_COARSE", CLOCK_REALTIME, TICK, clock_ns(CLOCK_REALTIME_COARSE));
	agrees("CLOCK_TAI", CLOCK_REALTIME, 0, atomic_time());
	agrees("adjtimex", CLOCK_REALTIME, US, adjusted());
	agrees("a timerfd", CLOCK_REALTIME, 0, timed(CLOCK_REALTIME));
	agrees("btime in /proc/stat", CLOCK_REALTIME, 2 * SECOND, booted());
	SAY("files");
	agrees("a new folder", CLOCK_REALTIME, TICK, made("doors-folder", 0));
	agrees("a new file", CLOCK_REALTIME, TICK, made("doors-file", 1));
	sleep_ns(30 * MS);
	agrees("utimensat", CLOCK_REALTIME, TICK, made("doors-file", 2));
	sleep_ns(30 * MS);
	agrees("write", CLOCK_REALTIME, TICK, made("doors-file", 3));
	sleep_ns(30 * MS);
	agrees("chmod", CLOCK_REALTIME, TICK, made("doors-file", 4));
	agrees("birth", CLOCK_REALTIME, TICK, made("doors-new", 5));
	sleep_ns(30 * MS);
	agrees("a folder after rename and unlink", CLOCK_REALTIME, TICK, made("doors-folder", 6));
	unlink("doors-file");
	unlink("doors-new");
	rmdir("doors-folder");
	SAY("datagrams");
	agrees("SO_TIMESTAMPNS", CLOCK_REALTIME, MS, stamped(0));
	agrees("SIOCGSTAMP", CLOCK_REALTIME, MS, stamped(1));
}

static void since_boot(void)
{
	int64_t first, second;
	struct tms t;

	SAY("since the start");
	agrees("clock_gettime, by a call", CLOCK_MONOTONIC, 0, raw(CLOCK_MONOTONIC));
	agrees("CLOCK_MONOTONIC_COARSE", CLOCK_MONOTONIC, TICK, clock_ns(CLOCK_MONOTONIC_COARSE));
	agrees("a timerfd", CLOCK_MONOTONIC, 0, timed(CLOCK_MONOTONIC));
	agrees("/proc/uptime", CLOCK_BOOTTIME, TICK, uptime());
	agrees("sysinfo", CLOCK_BOOTTIME, SECOND, information());
	OK(load());
	OK(status_time("/proc/self/stat", 22) <= clock_ns(CLOCK_BOOTTIME) &&
	   status_time("/proc/self/stat", 22) >= clock_ns(CLOCK_BOOTTIME) - 60 * SECOND);
	first = clock_ns(CLOCK_MONOTONIC_RAW);
	second = times(&t) * TICK;
	sleep_ns(100 * MS);
	first = clock_ns(CLOCK_MONOTONIC_RAW) - first;
	second = times(&t) * TICK - second;
	OK(first >= 100 * MS && second >= first - 2 * TICK - check_slack() && second <= first + 2 * TICK);
}

static void processor(void)
{
	int64_t children;
	struct rusage usage = {0};
	int status;

	SAY("processor time");
	for (int64_t start = clock_ns(CLOCK_PROCESS_CPUTIME_ID); clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start < 5 * MS;)
		;
	agrees("clock_getcpuclockid", CLOCK_PROCESS_CPUTIME_ID, 0, by_clock(0));
	agrees("pthread_getcpuclockid", CLOCK_THREAD_CPUTIME_ID, 0, by_clock(1));
	agrees("clock", CLOCK_PROCESS_CPUTIME_ID, US, clock() * US);
	agrees("getrusage of the process", CLOCK_PROCESS_CPUTIME_ID, TICK, used(RUSAGE_SELF));
	agrees("getrusage of the thread", CLOCK_THREAD_CPUTIME_ID, TICK, used(RUSAGE_THREAD));
	agrees("times", CLOCK_PROCESS_CPUTIME_ID, 2 * TICK, counted());
	agrees("/proc/self/stat", CLOCK_PROCESS_CPUTIME_ID, 2 * TICK,
	       status_time("/proc/self/stat", 14) + status_time("/proc/self/stat", 15));
	agrees("/proc/self/schedstat", CLOCK_PROCESS_CPUTIME_ID, TICK, scheduled());
	agrees("ITIMER_PROF", CLOCK_PROCESS_CPUTIME_ID, TICK, profiled());
	if (fork() == 0) {
		while (clock_ns(CLOCK_PROCESS_CPUTIME_ID) < 12 * MS)
			;
		_exit(0);
	}
	wait4(-1, &status, 0, &usage);
	children = of_timeval(usage.ru_utime) + of_timeval(usage.ru_stime);
	OK(children >= 10 * MS && children < 10 * SECOND);
	OK(llabs(used(RUSAGE_CHILDREN) - children) <= TICK);
	OK(llabs(status_time("/proc/self/stat", 16) + status_time("/proc/self/stat", 17) - children) <= 3 * TICK);
}

int main(void)
{
	calendar();
	since_boot();
	processor();
	return DONE();
}
