/* Threads: joined, detached, cancelled, not joined; what they share; their ends. */
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static __thread int own;
static int shared_value, cleaned, detached_done;
static pid_t leader;

static void *add(void *n)
{
	own += (intptr_t)n;
	__sync_fetch_and_add(&shared_value, own);
	return (void *)(intptr_t)(own * 10);
}

static void *ids(void *unused)
{
	(void)unused;
	return (void *)(intptr_t)(getpid() == leader && gettid() != leader && getppid() != leader);
}

static void *detached(void *unused)
{
	(void)unused;
	sleep_ns(10 * MS);
	__sync_fetch_and_add(&detached_done, 1);
	return NULL;
}

static void clean(void *unused)
{
	(void)unused;
	cleaned++;
}

static void *endless(void *unused)
{
	(void)unused;
	pthread_cleanup_push(clean, NULL);
	for (;;)
		sleep(1000);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *spin(void *flag)
{
	while (!*(volatile int *)flag)
		sched_yield();
	return NULL;
}

static void *named(void *unused)
{
	char name[16] = "";

	(void)unused;
	pthread_setname_np(pthread_self(), "worker-7");
	prctl(PR_GET_NAME, name);
	return (void *)(intptr_t)(strcmp(name, "worker-7") == 0);
}

static void *leave_process(void *unused)
{
	(void)unused;
	sleep_ns(10 * MS);
	_exit(5);
}

static void *outlive(void *unused)
{
	(void)unused;
	sleep_ns(20 * MS);
	SAY("the last thread ends the process");
	pthread_exit(NULL);
}

static void *late(void *unused)
{
	(void)unused;
	sleep_ns(40 * MS);
	return (void *)3;
}

static void *exec_true(void *unused)
{
	execl("/bin/true", "true", NULL);
	return unused;
}

int main(void)
{
	pthread_t threads[16], t;
	pthread_attr_t attr;
	struct timespec when;
	void *result;
	int sum = 0, flag = 0, status;
	int64_t start;
	pid_t child;

	leader = getpid();
	IS(gettid(), leader);
	SAY("joined");
	for (intptr_t i = 0; i < 16; i++)
		IS(pthread_create(&threads[i], NULL, add, (void *)i), 0);
	for (int i = 0; i < 16; i++) {
		pthread_join(threads[i], &result);
		sum += (intptr_t)result;
	}
	IS(shared_value, 120);
	IS(sum, 1200);
	IS(own, 0);
	pthread_create(&t, NULL, ids, NULL);
	pthread_join(t, &result);
	IS((intptr_t)result, 1);
	start = now_ns();
	pthread_create(&t, NULL, late, NULL);
	IS(pthread_tryjoin_np(t, &result), EBUSY);
	when = timespec_of(clock_ns(CLOCK_REALTIME) + 10 * MS);
	IS(pthread_timedjoin_np(t, &result, &when), ETIMEDOUT);
	IS(pthread_join(t, &result), 0);
	TOOK(start, 40 * MS);
	IS((intptr_t)result, 3);
	IS(pthread_join(pthread_self(), NULL), EDEADLK);

	SAY("the clock goes on while a new thread waits for its turn");
	pthread_create(&t, NULL, ids, NULL);
	for (int i = 0; i < 1000; i++)
		start = clock_ns(CLOCK_MONOTONIC);
	sched_yield();
	OK(clock_ns(CLOCK_MONOTONIC) > start);
	IS(pthread_join(t, NULL), 0);

	SAY("detached");
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (int i = 0; i < 4; i++)
		IS(pthread_create(&t, &attr, detached, NULL), 0);
	while (*(volatile int *)&detached_done < 4)
		sleep_ns(1 * MS);
	IS(detached_done, 4);

	SAY("cancelled in a sleep");
	pthread_create(&t, NULL, endless, NULL);
	sleep_ns(10 * MS);
	IS(pthread_cancel(t), 0);
	IS(pthread_join(t, &result), 0);
	OK(result == PTHREAD_CANCELED);
	IS(cleaned, 1);

	SAY("one that only yields sees what another writes");
	pthread_create(&t, NULL, spin, &flag);
	sleep_ns(5 * MS);
	flag = 1;
	IS(pthread_join(t, NULL), 0);
	pthread_create(&t, NULL, named, NULL);
	pthread_join(t, &result);
	IS((intptr_t)result, 1);

	SAY("not joined: main's return ends them");
	if ((child = fork()) == 0) {
		pthread_create(&t, NULL, endless, NULL);
		pthread_create(&t, NULL, endless, NULL);
		exit(4);
	}
	waitpid(child, &status, 0);
	IS(WEXITSTATUS(status), 4);
	SAY("_exit from another thread ends the process");
	if ((child = fork()) == 0) {
		pthread_create(&t, NULL, leave_process, NULL);
		pause();
	}
	waitpid(child, &status, 0);
	IS(WEXITSTATUS(status), 5);
	SAY("pthread_exit in main leaves the others running");
	if ((child = fork()) == 0) {
		pthread_create(&t, NULL, outlive, NULL);
		pthread_exit(NULL);
	}
	waitpid(child, &status, 0);
	OK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	SAY("execve ends threads that have not begun");
	if ((child = fork()) == 0) {
		for (int i = 0; i < 20; i++)
			pthread_create(&t, NULL, i == 10 ? exec_true : endless, NULL);
		pause();
	}
	waitpid(child, &status, 0);
	OK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	SAY("fork takes only the calling thread along");
	pthread_create(&t, NULL, endless, NULL);
	if ((child = fork()) == 0)
		_exit(gettid() != getpid() || own != 0);
	check_child(child);
	return DONE();
}
