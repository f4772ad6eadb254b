/* Every door by which a C program learns the time, or something that differs from
 * run to run: all agree. The reference of a door is a clock read before and after it.
 * What is random goes to the standard error, for the test to compare runs. */
#include "../c/check.h"
#include "processor.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
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

/* alarm reads a clock that machines without a battery-backed clock lack. */
static int64_t alarm_clock(clockid_t clock, clockid_t instead)
{
	struct timespec t;

	return clock_ns(clock_gettime(clock, &t) == 0 ? clock : instead);
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

static int64_t adjusted_by_clock(void)
{
	struct timex t = {0};

	clock_adjtime(CLOCK_REALTIME, &t);
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

/* fired is when a timer of POSIX fires. */
static int64_t fired(clockid_t clock)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec t = {.it_value = timespec_of(clock_ns(clock) + 5 * MS)};
	sigset_t set;
	timer_t timer;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (timer_create(clock, &event, &timer) != 0 || timer_settime(timer, TIMER_ABSTIME, &t, NULL) != 0)
		return 0;
	sigwaitinfo(&set, NULL);
	timer_delete(timer);
	return of_timespec(t.it_value);
}

/* rung is when a timer as old as System V fires, natively a little early. */
static int64_t rung(void)
{
	struct itimerval t = {.it_value = {0, 5000}};
	int64_t start = clock_ns(CLOCK_MONOTONIC);
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
	sigwaitinfo(&set, NULL);
	return start + 5 * MS;
}

static int64_t slept(clockid_t clock)
{
	struct timespec t = timespec_of(clock_ns(clock) + 5 * MS);

	clock_nanosleep(clock, TIMER_ABSTIME, &t, NULL);
	return of_timespec(t);
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

/* setting sets the calendar: only emulated, where it is the host's alone. The clock
 * stays wrong, so that all that is asked afterwards has to know. */
static void setting(void)
{
	int emulated = getenv("GUEST_EPOCH") != NULL, fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	int64_t start = clock_ns(CLOCK_REALTIME), ahead = start - clock_ns(CLOCK_MONOTONIC), told;
	struct itimerspec later = {.it_value = timespec_of(start + 1000 * SECOND)};
	struct timespec t = timespec_of(start + 50 * SECOND);
	struct timeval tv;
	uint64_t n;

	SAY("the calendar is set");
	timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &later, NULL);
	if (!emulated)
		t.tv_nsec = -1; /* an error */
	check_true(__FILE__, __LINE__, "clock_settime", clock_settime(CLOCK_REALTIME, &t) == (emulated ? 0 : -1));
	told = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC) - ahead;
	OK(!emulated || llabs(told - 50 * SECOND) < MS);
	errno = 0;
	check_true(__FILE__, __LINE__, "TFD_TIMER_CANCEL_ON_SET",
		   read(fd, &n, 8) == -1 && errno == (emulated ? ECANCELED : EAGAIN));
	close(fd);
	tv = (struct timeval){day() / SECOND - 30, emulated ? 0 : -1};
	check_true(__FILE__, __LINE__, "settimeofday", settimeofday(&tv, NULL) == (emulated ? 0 : -1));
	told = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC) - ahead;
	OK(!emulated || (told > 18 * SECOND && told < 21 * SECOND));
}

static void calendar(void)
{
	const char *epoch = getenv("GUEST_EPOCH");

	SAY("the calendar");
	OK(!epoch || (time(NULL) >= atoll(epoch) && time(NULL) < atoll(epoch) + 3600));
	agrees("CLOCK_REALTIME, by a call", CLOCK_REALTIME, 0, raw(CLOCK_REALTIME));
	agrees("gettimeofday", CLOCK_REALTIME, US, day());
	agrees("gettimeofday, by a call", CLOCK_REALTIME, US, raw_day());
	agrees("time", CLOCK_REALTIME, SECOND + TICK, time(NULL) * SECOND);
	agrees("time, by a call", CLOCK_REALTIME, SECOND + TICK, syscall(SYS_time, NULL) * SECOND);
	agrees("timespec_get", CLOCK_REALTIME, 0, standard());
	agrees("CLOCK_REALTIME_COARSE", CLOCK_REALTIME, TICK, clock_ns(CLOCK_REALTIME_COARSE));
	agrees("CLOCK_REALTIME_ALARM", CLOCK_REALTIME, 0, alarm_clock(CLOCK_REALTIME_ALARM, CLOCK_REALTIME));
	agrees("CLOCK_TAI", CLOCK_REALTIME, 0, atomic_time());
	agrees("adjtimex", CLOCK_REALTIME, US, adjusted());
	agrees("clock_adjtime", CLOCK_REALTIME, US, adjusted_by_clock());
	agrees("a timerfd", CLOCK_REALTIME, 0, timed(CLOCK_REALTIME));
	agrees("a POSIX timer", CLOCK_REALTIME, 0, fired(CLOCK_REALTIME));
	agrees("clock_nanosleep", CLOCK_REALTIME, 0, slept(CLOCK_REALTIME));
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

/* resolved tells whether a clock's resolution is one that Linux has, and the same
 * by a call. */
static int resolved(void)
{
	const clockid_t all[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID,
				 CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME, CLOCK_TAI,
				 CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE};
	struct timespec one, two;

	for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (clock_getres(all[i], &one) != 0 || syscall(SYS_clock_getres, all[i], &two) != 0)
			return 0;
		if (of_timespec(one) != of_timespec(two) || of_timespec(one) < 1 ||
		    of_timespec(one) > (i < 7 ? 1 : TICK))
			return 0;
	}
	return 1;
}

/* idled is how long the processors were idle or busy, all together. */
static int64_t idled(void)
{
	static char text[1 << 16];
	int fd = open("/proc/stat", O_RDONLY);
	ssize_t size = read(fd, text, sizeof(text) - 1);
	int64_t sum = 0;
	char *at = text + 3, *end;

	close(fd);
	text[size < 0 ? 0 : size] = 0;
	for (;; at = end) {
		int64_t ticks = strtoll(at, &end, 10);
		if (end == at)
			return sum * TICK / sysconf(_SC_NPROCESSORS_ONLN);
		sum += ticks;
	}
}

static void since_boot(void)
{
	int64_t first, second, third;
	struct tms t;

	SAY("since the start");
	agrees("CLOCK_MONOTONIC, by a call", CLOCK_MONOTONIC, 0, raw(CLOCK_MONOTONIC));
	agrees("CLOCK_MONOTONIC_COARSE", CLOCK_MONOTONIC, TICK, clock_ns(CLOCK_MONOTONIC_COARSE));
	agrees("CLOCK_BOOTTIME, by a call", CLOCK_BOOTTIME, 0, raw(CLOCK_BOOTTIME));
	agrees("CLOCK_BOOTTIME_ALARM", CLOCK_BOOTTIME, 0, alarm_clock(CLOCK_BOOTTIME_ALARM, CLOCK_BOOTTIME));
	agrees("CLOCK_MONOTONIC_RAW, by a call", CLOCK_MONOTONIC_RAW, 0, raw(CLOCK_MONOTONIC_RAW));
	agrees("a timerfd", CLOCK_MONOTONIC, 0, timed(CLOCK_MONOTONIC));
	agrees("a POSIX timer", CLOCK_MONOTONIC, 0, fired(CLOCK_MONOTONIC));
	agrees("setitimer", CLOCK_MONOTONIC, check_early(), rung());
	agrees("clock_nanosleep", CLOCK_MONOTONIC, 0, slept(CLOCK_MONOTONIC));
	agrees("/proc/uptime", CLOCK_BOOTTIME, TICK, uptime());
	agrees("sysinfo", CLOCK_BOOTTIME, SECOND, information());
	check_true(__FILE__, __LINE__, "clock_getres", resolved());
	check_true(__FILE__, __LINE__, "/proc/loadavg", load());
	OK(status_time("/proc/self/stat", 22) <= clock_ns(CLOCK_BOOTTIME) &&
	   status_time("/proc/self/stat", 22) >= clock_ns(CLOCK_BOOTTIME) - 60 * SECOND);
	first = clock_ns(CLOCK_MONOTONIC_RAW);
	second = times(&t) * TICK;
	third = idled();
	sleep_ns(100 * MS);
	first = clock_ns(CLOCK_MONOTONIC_RAW) - first;
	second = times(&t) * TICK - second;
	third = idled() - third;
	check_true(__FILE__, __LINE__, "/proc/stat",
		   third >= first - 3 * TICK - check_slack() && third <= first + 3 * TICK + check_slack());
	OK(first >= 100 * MS && second >= first - 2 * TICK - check_slack() && second <= first + 2 * TICK);
}

static void processor(void)
{
	int64_t children, earlier = used(RUSAGE_CHILDREN);
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
	agrees("CLOCK_PROCESS_CPUTIME_ID, by a call", CLOCK_PROCESS_CPUTIME_ID, 0, raw(CLOCK_PROCESS_CPUTIME_ID));
	agrees("CLOCK_THREAD_CPUTIME_ID, by a call", CLOCK_THREAD_CPUTIME_ID, 0, raw(CLOCK_THREAD_CPUTIME_ID));
	agrees("ITIMER_PROF", CLOCK_PROCESS_CPUTIME_ID, TICK, profiled());
	if (fork() == 0) {
		while (clock_ns(CLOCK_PROCESS_CPUTIME_ID) < 12 * MS)
			;
		_exit(0);
	}
	wait4(-1, &status, 0, &usage);
	children = of_timeval(usage.ru_utime) + of_timeval(usage.ru_stime);
	OK(children >= 10 * MS && children < 10 * SECOND);
	check_true(__FILE__, __LINE__, "getrusage of children", llabs(used(RUSAGE_CHILDREN) - earlier - children) <= TICK);
	OK(llabs(status_time("/proc/self/stat", 16) + status_time("/proc/self/stat", 17) - earlier - children) <= 3 * TICK);
}

/* through_vdso calls each function of the vDSO itself; kernels before 6.11 have no
 * getrandom there. */
static void through_vdso(void)
{
	void *vdso = dlopen("linux-vdso.so.1", RTLD_LAZY | RTLD_NOLOAD);
	int (*gettime)(clockid_t, struct timespec *) = dlsym(vdso, "__vdso_clock_gettime");
	int (*getres)(clockid_t, struct timespec *) = dlsym(vdso, "__vdso_clock_getres");
	int (*getday)(struct timeval *, struct timezone *) = dlsym(vdso, "__vdso_gettimeofday");
	time_t (*seconds)(time_t *) = dlsym(vdso, "__vdso_time");
	long (*getcpu)(unsigned *, unsigned *, void *) = dlsym(vdso, "__vdso_getcpu");
	ssize_t (*getrandom)(void *, size_t, unsigned, void *, size_t) = dlsym(vdso, "__vdso_getrandom");
	struct timespec t;
	struct timeval tv;
	unsigned number = ~0U, node;
	uint32_t parameters[16] = {0};
	uint64_t one = 0, two = 0;
	char *state = NULL;

	SAY("the vDSO itself");
	agrees("__vdso_clock_gettime", CLOCK_REALTIME, 0, (gettime(CLOCK_REALTIME, &t), of_timespec(t)));
	agrees("__vdso_clock_gettime", CLOCK_MONOTONIC, 0, (gettime(CLOCK_MONOTONIC, &t), of_timespec(t)));
	agrees("__vdso_gettimeofday", CLOCK_REALTIME, US, (getday(&tv, NULL), of_timeval(tv)));
	agrees("__vdso_time", CLOCK_REALTIME, SECOND + TICK, seconds(NULL) * SECOND);
	check_true(__FILE__, __LINE__, "__vdso_clock_getres", getres(CLOCK_MONOTONIC, &t) == 0 && of_timespec(t) == 1);
	check_true(__FILE__, __LINE__, "__vdso_getcpu",
		   getcpu(&number, &node, NULL) == 0 && number < (unsigned)sysconf(_SC_NPROCESSORS_CONF));
	/* size of the state, protection and flags of its memory */
	if (getrandom && getrandom(NULL, 0, 0, parameters, ~0UL) == 0)
		state = mmap(NULL, 4096, parameters[1], parameters[2], -1, 0);
	if (getrandom) {
		getrandom(&one, 8, 0, state, parameters[0]);
		getrandom(&two, 8, 0, state, parameters[0]);
	}
	check_true(__FILE__, __LINE__, "__vdso_getrandom", !getrandom || (one && one != two));
	fprintf(stderr, "random: __vdso_getrandom %016lx\n", one);
}

/* tell prints what must differ between hosts and runs natively. */
static void tell(const char *door, const void *bytes, int n)
{
	char text[64];

	for (int i = 0; i < n && i < 31; i++)
		sprintf(text + 2 * i, "%02x", ((const unsigned char *)bytes)[i]);
	fprintf(stderr, "random: %s %s\n", door, text);
}

static int tell_file(const char *door, const char *file)
{
	unsigned char bytes[16] = {0};
	int fd = open(file, O_RDONLY);
	ssize_t n = read(fd, bytes, 16);

	close(fd);
	tell(door, bytes, 16);
	return n == 16;
}

static void random_numbers(void)
{
	unsigned char bytes[16] = {0};
	int64_t one, two;

	SAY("random numbers");
	check_true(__FILE__, __LINE__, "AT_RANDOM", getauxval(AT_RANDOM) != 0);
	tell("AT_RANDOM", (void *)getauxval(AT_RANDOM), 16);
	check_true(__FILE__, __LINE__, "getrandom", getrandom(bytes, 16, 0) == 16);
	tell("getrandom", bytes, 16);
	check_true(__FILE__, __LINE__, "/dev/urandom", tell_file("/dev/urandom", "/dev/urandom"));
	check_true(__FILE__, __LINE__, "/dev/random", tell_file("/dev/random", "/dev/random"));
	check_true(__FILE__, __LINE__, "boot_id", tell_file("boot_id", "/proc/sys/kernel/random/boot_id"));
	check_true(__FILE__, __LINE__, "uuid", tell_file("uuid", "/proc/sys/kernel/random/uuid"));
	one = processor_random();
	two = processor_random();
	check_true(__FILE__, __LINE__, "RDRAND", one == 0 || one != two);
	one = processor_seed();
	two = processor_seed();
	check_true(__FILE__, __LINE__, "RDSEED", one == 0 || one != two);
}

/* counted_by_processor reads the time stamp counter, which has a billion ticks in a
 * simulated second if the experiment says so. */
static void counted_by_processor(void)
{
	SAY("the time stamp counter");
	if (getenv("GUEST_TSC")) {
		agrees("rdtsc", CLOCK_MONOTONIC, 0, processor_counter());
		agrees("rdtscp", CLOCK_MONOTONIC, 0, processor_counter_and_number());
	} else {
		int64_t first = processor_counter(), second = processor_counter_and_number();

		check_true(__FILE__, __LINE__, "rdtsc", first > 0);
		check_true(__FILE__, __LINE__, "rdtscp", second > 0);
	}
}

int main(void)
{
	setting();
	calendar();
	since_boot();
	processor();
	through_vdso();
	counted_by_processor();
	random_numbers();
	return DONE();
}
