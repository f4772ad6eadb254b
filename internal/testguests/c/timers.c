/* setitimer, alarm, timer_create: periods, overruns, what is left, threads told. */
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

static volatile sig_atomic_t ticks;
static volatile int told;
static siginfo_t last;

static void tick(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	last = *info;
	ticks++;
}

static void tell(union sigval value) { __sync_fetch_and_add(&told, value.sival_int); }

static void wait_ticks(int n)
{
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	sigprocmask(SIG_BLOCK, &all, &none);
	while (ticks < n)
		sigsuspend(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void intervals(void)
{
	struct itimerval t = {.it_value = {.tv_usec = 20000}}, old;
	int64_t start = now_ns();

	SAY("setitimer");
	ticks = 0;
	IS(setitimer(ITIMER_REAL, &t, NULL), 0);
	wait_ticks(1);
	TOOK(start, 20 * MS);
	IS(getitimer(ITIMER_REAL, &old), 0);
	OK(old.it_value.tv_sec == 0 && old.it_value.tv_usec == 0);
	t = (struct itimerval){.it_value = {.tv_usec = 10000}, .it_interval = {.tv_usec = 10000}};
	start = now_ns();
	ticks = 0;
	setitimer(ITIMER_REAL, &t, NULL);
	wait_ticks(5);
	TOOK(start, 50 * MS);
	t = (struct itimerval){.it_value = {0}};
	IS(setitimer(ITIMER_REAL, &t, &old), 0);
	OK(old.it_interval.tv_usec == 10000 && old.it_value.tv_usec <= 10000);
	t.it_value.tv_usec = 1000000;
	FAILS(setitimer(ITIMER_REAL, &t, NULL), EINVAL);
	FAILS(setitimer(99, &old, NULL), EINVAL);

	SAY("alarm: replaced, told in seconds rounded up, gone in a child");
	IS(alarm(100), 0);
	IS(alarm(50), 100);
	t = (struct itimerval){.it_value = {.tv_sec = 7, .tv_usec = 600000}};
	setitimer(ITIMER_REAL, &t, NULL);
	IS(alarm(0), 8);
	IS(alarm(0), 0);
	alarm(1000);
	pid_t child = fork();
	if (child == 0)
		_exit(alarm(0) != 0);
	check_child(child);
	IS(alarm(0), 1000);
	start = now_ns();
	ticks = 0;
	alarm(1);
	wait_ticks(1);
	TOOK(start, 1 * SECOND);
}

static void posix(void)
{
	struct sigevent to_signal = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN,
				     .sigev_value.sival_int = 42};
	struct sigevent none = {.sigev_notify = SIGEV_NONE};
	struct sigevent to_thread = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = tell,
				     .sigev_value.sival_int = 5};
	struct itimerspec its = {.it_value = timespec_of(20 * MS)}, old;
	sigset_t set;
	timer_t timer, silent, threaded;
	int64_t start = now_ns();

	SAY("timer_create");
	FAILS(timer_create(99, &to_signal, &timer), EINVAL);
	IS(timer_create(CLOCK_MONOTONIC, &to_signal, &timer), 0);
	ticks = 0;
	IS(timer_settime(timer, 0, &its, NULL), 0);
	wait_ticks(1);
	TOOK(start, 20 * MS);
	OK(last.si_code == SI_TIMER && last.si_value.sival_int == 42);
	SAY("overruns while the signal is blocked");
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	its = (struct itimerspec){.it_value = timespec_of(10 * MS), .it_interval = timespec_of(10 * MS)};
	start = now_ns();
	timer_settime(timer, 0, &its, NULL);
	sleep_ns(start + 55 * MS - now_ns());
	ticks = 0;
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	OK(ticks >= 1);
	OK(last.si_overrun >= 4);
	its = (struct itimerspec){.it_value = {0}};
	IS(timer_settime(timer, 0, &its, &old), 0);
	IS(old.it_interval.tv_nsec, 10 * MS);
	SAY("absolute");
	ticks = 0;
	start = now_ns();
	its.it_value = timespec_of(start + 30 * MS);
	IS(timer_settime(timer, TIMER_ABSTIME, &its, NULL), 0);
	IS(timer_gettime(timer, &old), 0);
	OK(old.it_value.tv_sec == 0 && old.it_value.tv_nsec > 0 && old.it_value.tv_nsec <= 30 * MS);
	wait_ticks(1);
	TOOK(start, 30 * MS);
	IS(timer_delete(timer), 0);
	FAILS(timer_delete(timer), EINVAL);
	FAILS(timer_gettime(timer, &old), EINVAL);

	SAY("told to nobody, and to a thread");
	IS(timer_create(CLOCK_REALTIME, &none, &silent), 0);
	its = (struct itimerspec){.it_value = timespec_of(100 * SECOND)};
	IS(timer_settime(silent, 0, &its, NULL), 0);
	IS(timer_gettime(silent, &old), 0);
	OK(old.it_value.tv_sec == 99 || old.it_value.tv_sec == 100);
	IS(timer_create(CLOCK_MONOTONIC, &to_thread, &threaded), 0);
	its.it_value = timespec_of(10 * MS);
	IS(timer_settime(threaded, 0, &its, NULL), 0);
	while (told == 0)
		sleep_ns(5 * MS);
	IS(told, 5);
	IS(timer_delete(threaded), 0);
}

int main(void)
{
	struct sigaction a = {.sa_sigaction = tick, .sa_flags = SA_SIGINFO};

	sigaction(SIGALRM, &a, NULL);
	sigaction(SIGRTMIN, &a, NULL);
	intervals();
	posix();
	return DONE();
}
