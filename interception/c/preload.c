// A library for LD_PRELOAD: its functions come before the C library's.
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "madeup.h"

pid_t getppid(void) { return MADE_UP; }

int clock_gettime(clockid_t id, struct timespec *t)
{
	if (id != CLOCK_REALTIME)
		return syscall(SYS_clock_gettime, id, t);
	t->tv_sec = MADE_UP;
	t->tv_nsec = 0;
	return 0;
}
