/* All functions that tell the time or let it pass: they agree, they go forward,
 * and sleeps last as long as they should. */
#include "check.h"
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timeb.h>
#include <sys/times.h>

static int64_t day_ns(void)
{
	struct timeval t;

	gettimeofday(&t, NULL);
	return t.tv_sec * SECOND + t.tv_usec * 1000LL;
}

static int64_t raw_ns(clockid_t clock)
{
	struct timespec t;

	syscall(SYS_clock_gettime, clock, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

/* follows: b was read after a, and not long after */
static int follows(int64_t a, int64_t b) { return b >= a && b - a < 10 * SECOND; }

int main(void)
{
	clockid_t all[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
			   CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME,
			   CLOCK_TAI};
	struct timespec t, left;
	struct timeval tv;
	struct timezone zone;
	struct sysinfo info;
	struct rusage usage;
	struct tms tms;
	struct tm utc, local;
	int64_t a, b, start;
	time_t seconds;
	int forward = 1, readable = 1;

	SAY("every clock can be read, and goes forward");
	for (int i = 0; i < 9; i++) {
		if (clock_gettime(all[i], &t) == -1 || t.tv_nsec < 0 || t.tv_nsec >= SECOND)
			readable = 0;
		a = clock_ns(all[i]);
		for (int j = 0; j < 1000; j++, a = b)
			if ((b = clock_ns(all[i])) < a)
				forward = 0;
	}
	IS(readable, 1);
	IS(forward, 1);
	FAILS(clock_gettime(99, &t), EINVAL);
	FAILS(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, (void *)8), EFAULT);
	IS(clock_getres(CLOCK_MONOTONIC, &t), 0);
	OK(t.tv_sec == 0 && t.tv_nsec == 1);
	IS(clock_getres(CLOCK_MONOTONIC_COARSE, &t), 0);
	OK(t.tv_nsec >= 1000000 && t.tv_nsec <= 10000000);
	FAILS(clock_settime(CLOCK_MONOTONIC, &t), EINVAL);

	SAY("with a system call or without, the same clock");
	a = clock_ns(CLOCK_MONOTONIC);
	b = raw_ns(CLOCK_MONOTONIC);
	OK(follows(a, b));
	OK(follows(b, clock_ns(CLOCK_MONOTONIC)));
	a = raw_ns(CLOCK_REALTIME);
	OK(follows(a, clock_ns(CLOCK_REALTIME)));

	SAY("calendar time from every door");
	a = clock_ns(CLOCK_REALTIME);
	OK(follows(a / 1000 * 1000, b = day_ns()));
	seconds = time(NULL);
	OK(seconds >= b / SECOND - 1 && seconds <= b / SECOND + 10);
	OK(syscall(SYS_time, &seconds) == seconds);
	IS(gettimeofday(&tv, &zone), 0);
	OK(zone.tz_minuteswest == 0 && zone.tz_dsttime == 0);
	OK(tv.tv_usec >= 0 && tv.tv_usec < 1000000);
	OK(syscall(SYS_gettimeofday, &tv, NULL) == 0 && follows(b, tv.tv_sec * SECOND + tv.tv_usec * 1000LL));
	OK(timespec_get(&t, TIME_UTC) == TIME_UTC && follows(a, t.tv_sec * SECOND + t.tv_nsec));
	seconds = time(NULL);
	OK(gmtime_r(&seconds, &utc) && timegm(&utc) == seconds);
	OK(localtime_r(&seconds, &local) && mktime(&local) == seconds);
	a = clock_ns(CLOCK_REALTIME_COARSE);
	OK(follows(a, clock_ns(CLOCK_REALTIME)));
	a = clock_ns(CLOCK_MONOTONIC_COARSE);
	OK(follows(a, clock_ns(CLOCK_MONOTONIC)));
	OK(clock_ns(CLOCK_BOOTTIME) >= clock_ns(CLOCK_MONOTONIC) - SECOND);

	SAY("processor time");
	OK(clock() != (clock_t)-1);
	OK(times(&tms) != (clock_t)-1 && tms.tms_utime >= 0);
	IS(getrusage(RUSAGE_SELF, &usage), 0);
	OK(usage.ru_utime.tv_sec < 100 && usage.ru_utime.tv_usec < 1000000);
	IS(getrusage(RUSAGE_CHILDREN, &usage), 0);
	IS(usage.ru_utime.tv_sec, 0);
	IS(sysinfo(&info), 0);
	OK(info.uptime >= 0 && info.uptime <= clock_ns(CLOCK_BOOTTIME) / SECOND + 1);

	SAY("sleeps");
	start = now_ns();
	t = timespec_of(30 * MS);
	IS(nanosleep(&t, NULL), 0);
	TOOK(start, 30 * MS);
	start = now_ns();
	IS(usleep(20000), 0);
	TOOK(start, 20 * MS);
	start = now_ns();
	IS(sleep(1), 0);
	TOOK(start, 1 * SECOND);
	start = now_ns();
	t = timespec_of(20 * MS);
	left.tv_sec = 55;
	IS(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &left), 0);
	TOOK(start, 20 * MS);
	IS(left.tv_sec, 55);
	start = now_ns();
	IS(clock_nanosleep(CLOCK_REALTIME, 0, &t, NULL), 0);
	TOOK(start, 20 * MS);
	start = now_ns();
	t = timespec_of(start + 25 * MS);
	IS(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), 0);
	TOOK(start, 25 * MS);
	start = now_ns();
	t = timespec_of(clock_ns(CLOCK_REALTIME) + 25 * MS);
	IS(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL), 0);
	TOOK(start, 25 * MS);
	t = timespec_of(0);
	IS(nanosleep(&t, NULL), 0);
	t = timespec_of(1);
	IS(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), 0);
	t.tv_nsec = SECOND;
	FAILS(nanosleep(&t, NULL), EINVAL);
	t = (struct timespec){.tv_sec = -1};
	FAILS(nanosleep(&t, NULL), EINVAL);
	FAILS(nanosleep((void *)8, NULL), EFAULT);
	t = timespec_of(1);
	IS(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL), EINVAL);
	IS(clock_nanosleep(99, 0, &t, NULL), EINVAL);

	SAY("sleeping takes wall time, not processor time");
	a = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	sleep_ns(200 * MS);
	OK(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - a < 150 * MS);
	SAY("a loop that watches the clock ends");
	start = now_ns();
	while (now_ns() - start < 20 * MS)
		;
	TOOK(start, 20 * MS);
	a = day_ns();
	while (day_ns() - a < 20 * MS)
		;
	OK(day_ns() - a >= 20 * MS);
	return DONE();
}
