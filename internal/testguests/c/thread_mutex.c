/* Mutexes of every kind: normal, error-checking, recursive, timed, robust, with
 * priority inheritance, and shared between processes. */
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

static pthread_mutex_t mutex;
static int counter;

static void make(pthread_mutex_t *m, int type, int robust, int protocol, int shared)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, type);
	pthread_mutexattr_setrobust(&a, robust);
	pthread_mutexattr_setprotocol(&a, protocol);
	pthread_mutexattr_setpshared(&a, shared);
	IS(pthread_mutex_init(m, &a), 0);
}

static void *count(void *unused)
{
	(void)unused;
	for (int i = 0; i < 2000; i++) {
		pthread_mutex_lock(&mutex);
		int seen = counter;
		if (i % 500 == 0)
			sleep_ns(1000);
		counter = seen + 1;
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void *hold(void *ns)
{
	pthread_mutex_lock(&mutex);
	sleep_ns((intptr_t)ns);
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static void *die_holding(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&mutex);
	sleep_ns(30 * MS);
	return NULL;
}

static struct timespec in(clockid_t clock, int64_t ns) { return timespec_of(clock_ns(clock) + ns); }

static void contend(const char *name, int protocol)
{
	pthread_t threads[4];
	struct timespec t;
	int64_t start;

	SAY("%s", name);
	make(&mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, protocol, PTHREAD_PROCESS_PRIVATE);
	counter = 0;
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, count, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	IS(counter, 8000);
	pthread_create(&threads[0], NULL, hold, (void *)(100 * MS));
	sleep_ns(20 * MS);
	IS(pthread_mutex_trylock(&mutex), EBUSY);
	start = now_ns();
	t = in(CLOCK_REALTIME, 20 * MS);
	IS(pthread_mutex_timedlock(&mutex, &t), ETIMEDOUT);
	TOOK(start, 20 * MS);
	IS(pthread_mutex_lock(&mutex), 0);
	IS(pthread_mutex_unlock(&mutex), 0);
	pthread_join(threads[0], NULL);
	IS(pthread_mutex_destroy(&mutex), 0);
}

int main(void)
{
	pthread_t thread;
	pthread_mutex_t *shared;
	struct timespec t;
	int64_t start;
	pid_t child;
	int *value;

	contend("normal", PTHREAD_PRIO_NONE);
	contend("priority inheritance", PTHREAD_PRIO_INHERIT);

	SAY("clocklock");
	make(&mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE, PTHREAD_PROCESS_PRIVATE);
	pthread_create(&thread, NULL, hold, (void *)(60 * MS));
	sleep_ns(20 * MS);
	start = now_ns();
	t = in(CLOCK_MONOTONIC, 10 * MS);
	IS(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &t), ETIMEDOUT);
	TOOK(start, 10 * MS);
	pthread_join(thread, NULL);

	SAY("error-checking and recursive");
	make(&mutex, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE, PTHREAD_PROCESS_PRIVATE);
	IS(pthread_mutex_unlock(&mutex), EPERM);
	IS(pthread_mutex_lock(&mutex), 0);
	IS(pthread_mutex_lock(&mutex), EDEADLK);
	IS(pthread_mutex_unlock(&mutex), 0);
	make(&mutex, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE, PTHREAD_PROCESS_PRIVATE);
	IS(pthread_mutex_lock(&mutex), 0);
	IS(pthread_mutex_lock(&mutex), 0);
	IS(pthread_mutex_unlock(&mutex), 0);
	IS(pthread_mutex_unlock(&mutex), 0);
	IS(pthread_mutex_unlock(&mutex), EPERM);

	SAY("robust: a thread that dies hands it over");
	make(&mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE, PTHREAD_PROCESS_PRIVATE);
	pthread_create(&thread, NULL, die_holding, NULL);
	sleep_ns(15 * MS);
	IS(pthread_mutex_lock(&mutex), EOWNERDEAD);
	IS(pthread_mutex_consistent(&mutex), 0);
	IS(pthread_mutex_unlock(&mutex), 0);
	IS(pthread_mutex_lock(&mutex), 0);
	IS(pthread_mutex_unlock(&mutex), 0);
	pthread_join(thread, NULL);
	SAY("given up when nobody makes it consistent");
	pthread_create(&thread, NULL, die_holding, NULL);
	pthread_join(thread, NULL);
	IS(pthread_mutex_lock(&mutex), EOWNERDEAD);
	IS(pthread_mutex_unlock(&mutex), 0);
	IS(pthread_mutex_lock(&mutex), ENOTRECOVERABLE);
	SAY("robust with priority inheritance");
	make(&mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_INHERIT, PTHREAD_PROCESS_PRIVATE);
	pthread_create(&thread, NULL, die_holding, NULL);
	sleep_ns(15 * MS);
	IS(pthread_mutex_lock(&mutex), EOWNERDEAD);
	IS(pthread_mutex_consistent(&mutex), 0);
	IS(pthread_mutex_unlock(&mutex), 0);
	pthread_join(thread, NULL);

	SAY("between processes; a child killed while it holds the lock");
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	value = (int *)(shared + 1);
	make(shared, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE, PTHREAD_PROCESS_SHARED);
	if ((child = fork()) == 0) {
		pthread_mutex_lock(shared);
		*value = 1;
		sleep_ns(30 * MS);
		*value = 2;
		pthread_mutex_unlock(shared);
		while (*(volatile int *)value == 2) /* until the parent had it */
			sleep_ns(1 * MS);
		pthread_mutex_lock(shared);
		*value = 4;
		pause();
	}
	while (*(volatile int *)value == 0)
		sleep_ns(1 * MS);
	IS(pthread_mutex_lock(shared), 0);
	IS(*value, 2);
	*value = 3;
	IS(pthread_mutex_unlock(shared), 0);
	while (*(volatile int *)value != 4)
		sleep_ns(1 * MS);
	IS(kill(child, SIGKILL), 0);
	IS(pthread_mutex_lock(shared), EOWNERDEAD);
	IS(waitpid(child, NULL, 0), child);
	return DONE();
}
