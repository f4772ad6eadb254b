/* Priorities and policies, as far as they need no privilege. */
#include "check.h"
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* struct sched_attr, which glibc does not have. */
struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t least, most;
};

static int get(struct attributes *a, unsigned size) { return syscall(SYS_sched_getattr, 0, a, size, 0); }
static int set(struct attributes *a, unsigned flags) { return syscall(SYS_sched_setattr, 0, a, flags); }

int main(void)
{
	struct sched_param param = {0};
	struct attributes a;
	pid_t child;

	SAY("nice"); /* the least, however nice whoever runs this is */
	IS(setpriority(PRIO_PROCESS, 0, 100), 0);
	IS(getpriority(PRIO_PROCESS, getpid()), 19);
	IS(nice(1), 19);
	if ((child = fork()) == 0) {
		check_quiet = 1;
		IS(getpriority(PRIO_PROCESS, 0), 19);
		_exit(DONE());
	}
	check_child(child);
	FAILS(getpriority(3, 0), EINVAL);
	FAILS(setpriority(-1, 0, 0), EINVAL);
	FAILS(getpriority(PRIO_PROCESS, 999999), ESRCH);
	FAILS(setpriority(PRIO_PGRP, 999999, 0), ESRCH);
	FAILS(setpriority(PRIO_USER, 999999, 0), ESRCH);
	SAY("policies");
	IS(sched_getscheduler(0), SCHED_OTHER);
	IS(sched_setscheduler(0, SCHED_BATCH, &param), 0);
	IS(sched_getscheduler(getpid()), SCHED_BATCH);
	IS(sched_getparam(0, &param), 0);
	IS(param.sched_priority, 0);
	IS(sched_setparam(0, &param), 0);
	FAILS(sched_setscheduler(0, 99, &param), EINVAL);
	FAILS(sched_setscheduler(0, -1, &param), EINVAL);
	FAILS(sched_setscheduler(0, SCHED_FIFO, &param), EINVAL);
	FAILS(sched_setscheduler(0, SCHED_OTHER, NULL), EINVAL);
	FAILS(sched_setscheduler(0, SCHED_OTHER, (void *)8), EFAULT);
	FAILS(sched_setscheduler(999999, SCHED_OTHER, &param), ESRCH);
	FAILS(sched_getscheduler(-1), EINVAL);
	FAILS(sched_getscheduler(999999), ESRCH);
	FAILS(sched_getparam(0, NULL), EINVAL);
	FAILS(sched_setparam(-1, &param), EINVAL);
	param.sched_priority = 1;
	FAILS(sched_setscheduler(0, SCHED_OTHER, &param), EINVAL);
	FAILS(sched_setparam(0, &param), EINVAL);
	param.sched_priority = 100;
	FAILS(sched_setscheduler(0, SCHED_RR, &param), EINVAL);
	SAY("attributes");
	IS(get(&a, 48), 0);
	OK(a.size == 48 && a.policy == SCHED_BATCH && a.nice == 19 && a.priority == 0 && a.flags == 0);
	FAILS(get(&a, 47), EINVAL);
	FAILS(get(NULL, 48), EINVAL);
	a.flags = 1; /* SCHED_FLAG_RESET_ON_FORK */
	IS(set(&a, 0), 0);
	IS(sched_getscheduler(0), SCHED_BATCH | SCHED_RESET_ON_FORK);
	if ((child = fork()) == 0) {
		check_quiet = 1;
		IS(sched_getscheduler(0), SCHED_BATCH);
		_exit(DONE());
	}
	check_child(child);
	FAILS(set(&a, 1), EINVAL);
	FAILS(set(NULL, 0), EINVAL);
	a.flags = 1 << 20;
	FAILS(set(&a, 0), EINVAL);
	a.size = 5000;
	FAILS(set(&a, 0), E2BIG);
	OK(a.size >= 48 && a.size < 5000);
	return DONE();
}
