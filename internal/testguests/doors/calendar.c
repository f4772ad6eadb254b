/* A host's calendar clock, set and adjusted; only emulated, since it would change
 * this machine's. */
#include "../c/check.h"
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/timex.h>

static int64_t day(void) { return clock_ns(CLOCK_REALTIME); }

static void set(int64_t to)
{
	struct timespec t = timespec_of(to);

	IS(clock_settime(CLOCK_REALTIME, &t), 0);
}

static int near(int64_t a, int64_t b) { return llabs(a - b) < MS; }

int main(void)
{
	struct itimerspec later = {0};
	struct timespec t;
	struct timeval tv, old;
	struct timex x = {0};
	int64_t start, mono;
	uint64_t n;
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	int plain = timerfd_create(CLOCK_REALTIME, 0);
	struct pollfd waits = {fd, POLLIN, 0};

	SAY("timers of the calendar follow when it is set");
	start = day();
	mono = now_ns();
	later.it_value = timespec_of(start + 100 * SECOND);
	IS(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &later, NULL), 0);
	IS(timerfd_settime(plain, TFD_TIMER_ABSTIME, &later, NULL), 0);
	FAILS(read(fd, &n, 8), EAGAIN);
	set(start + 90 * SECOND);
	OK(near(day(), start + 90 * SECOND));
	IS(poll(&waits, 1, 0), 1);
	FAILS(read(fd, &n, 8), ECANCELED);
	FAILS(read(fd, &n, 8), EAGAIN);
	IS(read(plain, &n, 8), 8);
	OK(near(now_ns() - mono, 10 * SECOND));
	mono = now_ns();
	set(day() - 50 * SECOND);
	t = timespec_of(day() + 5 * SECOND);
	IS(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL), 0);
	OK(near(now_ns() - mono, 5 * SECOND));
	FAILS(clock_settime(CLOCK_MONOTONIC, &t), EINVAL);
	SAY("a child that sets the clock wakes who waits for a time");
	start = day();
	mono = now_ns();
	if (fork() == 0) {
		sleep(1);
		t = timespec_of(day() + 1000 * SECOND);
		_exit(clock_settime(CLOCK_REALTIME, &t) != 0);
	}
	t = timespec_of(start + 900 * SECOND);
	IS(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL), 0);
	OK(near(now_ns() - mono, 1 * SECOND));
	check_child(-1);
	SAY("adjtime: 500 ppm until it is done");
	start = day() - now_ns();
	tv = (struct timeval){.tv_sec = 0, .tv_usec = 100000};
	IS(adjtime(&tv, &old), 0);
	IS(old.tv_usec, 0);
	sleep(100);
	OK(near(day() - now_ns() - start, 50 * MS));
	IS(adjtime(NULL, &old), 0);
	OK(old.tv_usec > 49000 && old.tv_usec < 51000);
	sleep(200);
	OK(near(day() - now_ns() - start, 100 * MS));
	SAY("adjtimex: a frequency, a step, an offset");
	x.modes = ADJ_FREQUENCY;
	x.freq = 100 << 16;
	OK(adjtimex(&x) >= 0);
	start = day() - now_ns();
	sleep(1000);
	OK(near(day() - now_ns() - start, 100 * MS));
	x.modes = ADJ_FREQUENCY;
	x.freq = 0;
	adjtimex(&x);
	start = day() - now_ns();
	x.modes = ADJ_SETOFFSET | ADJ_NANO;
	x.time.tv_sec = -7;
	x.time.tv_usec = 250000000;
	OK(adjtimex(&x) >= 0);
	OK(near(day() - now_ns() - start, -7 * SECOND + 250 * MS));
	start = day() - now_ns();
	x.modes = ADJ_OFFSET | ADJ_STATUS | ADJ_NANO;
	x.status = STA_PLL;
	x.offset = 20000000;
	OK(adjtimex(&x) >= 0);
	sleep(2000);
	OK(near(day() - now_ns() - start, 20 * MS));
	x.modes = 0;
	adjtimex(&x);
	OK(x.tick == 10000 && x.freq == 0);
	SAY("as far as numbers go");
	for (int sign = -1; sign <= 1; sign += 2) {
		x.modes = ADJ_OFFSET_SINGLESHOT;
		x.offset = sign < 0 ? LONG_MIN : LONG_MAX;
		OK(adjtimex(&x) >= 0);
		start = day() - now_ns();
		sleep(100);
		OK(near(day() - now_ns() - start, sign * 50 * MS));
		x.modes = ADJ_OFFSET | ADJ_STATUS;
		x.offset = sign < 0 ? LONG_MIN : LONG_MAX;
		OK(adjtimex(&x) >= 0);
		x.offset = 0;
		OK(adjtimex(&x) >= 0);
		x.modes = ADJ_SETOFFSET;
		x.time.tv_sec = sign < 0 ? LONG_MIN : LONG_MAX;
		x.time.tv_usec = 0;
		FAILS(adjtimex(&x), EINVAL);
	}
	t = (struct timespec){.tv_sec = 8277292036};
	FAILS(clock_settime(CLOCK_REALTIME, &t), EINVAL);
	t.tv_sec--;
	IS(clock_settime(CLOCK_REALTIME, &t), 0);
	return DONE();
}
