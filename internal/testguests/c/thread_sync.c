/* Condition variables, barriers, reader-writer locks, semaphores, once, spinlocks. */
#include "check.h"
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static sem_t sem;
static int turn, arrived, serial, ran, readers, most_readers;

static struct timespec in(clockid_t clock, int64_t ns) { return timespec_of(clock_ns(clock) + ns); }

/* Each thread adds its letter when its turn comes. */
static char order[32];

static void *take_turn(void *number)
{
	int me = (intptr_t)number;

	pthread_mutex_lock(&mutex);
	while (turn % 3 != me || turn >= 9) {
		if (turn >= 9)
			break;
		pthread_cond_wait(&cond, &mutex);
		if (turn >= 9)
			break;
	}
	while (turn < 9) {
		order[turn++] = 'a' + me;
		pthread_cond_broadcast(&cond);
		while (turn < 9 && turn % 3 != me)
			pthread_cond_wait(&cond, &mutex);
	}
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static void *meet(void *unused)
{
	(void)unused;
	for (int round = 0; round < 5; round++) {
		__sync_fetch_and_add(&arrived, 1);
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
			__sync_fetch_and_add(&serial, 1);
		if (arrived < (round + 1) * 4)
			check_failed = 1;
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

static void *reader(void *unused)
{
	int n;

	(void)unused;
	pthread_rwlock_rdlock(&rwlock);
	n = __sync_add_and_fetch(&readers, 1);
	sleep_ns(50 * MS);
	if (n > most_readers)
		most_readers = n;
	__sync_sub_and_fetch(&readers, 1);
	pthread_rwlock_unlock(&rwlock);
	return NULL;
}

static void run_once(void) { ran++; }

static void *call_once(void *unused)
{
	(void)unused;
	pthread_once(&once, run_once);
	return NULL;
}

static void *post_late(void *unused)
{
	(void)unused;
	sleep_ns(20 * MS);
	sem_post(&sem);
	return NULL;
}

int main(void)
{
	pthread_t threads[4];
	pthread_condattr_t attr;
	struct timespec t;
	int64_t start;
	sem_t *shared;
	int value;
	pid_t child;

	SAY("condition variables");
	for (intptr_t i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, take_turn, (void *)i);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	SAY("order %s", order);
	pthread_mutex_lock(&mutex);
	start = now_ns();
	t = in(CLOCK_REALTIME, 20 * MS);
	IS(pthread_cond_timedwait(&cond, &mutex, &t), ETIMEDOUT);
	TOOK(start, 20 * MS);
	start = now_ns();
	t = in(CLOCK_MONOTONIC, 15 * MS);
	IS(pthread_cond_clockwait(&cond, &mutex, CLOCK_MONOTONIC, &t), ETIMEDOUT);
	TOOK(start, 15 * MS);
	IS(pthread_mutex_unlock(&mutex), 0);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&cond, &attr);
	pthread_mutex_lock(&mutex);
	t = in(CLOCK_MONOTONIC, 10 * MS);
	IS(pthread_cond_timedwait(&cond, &mutex, &t), ETIMEDOUT);
	t = timespec_of(1);
	IS(pthread_cond_timedwait(&cond, &mutex, &t), ETIMEDOUT);
	pthread_mutex_unlock(&mutex);

	SAY("barriers");
	pthread_barrier_init(&barrier, NULL, 4);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, meet, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	IS(arrived, 20);
	IS(serial, 5);
	IS(pthread_barrier_destroy(&barrier), 0);

	SAY("reader-writer locks");
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, reader, NULL);
	while (*(volatile int *)&readers < 3 && most_readers < 3)
		sleep_ns(1 * MS);
	IS(pthread_rwlock_trywrlock(&rwlock), EBUSY);
	IS(pthread_rwlock_tryrdlock(&rwlock), 0);
	IS(pthread_rwlock_unlock(&rwlock), 0);
	t = in(CLOCK_REALTIME, 5 * MS);
	IS(pthread_rwlock_timedwrlock(&rwlock, &t), ETIMEDOUT);
	IS(pthread_rwlock_wrlock(&rwlock), 0);
	IS(readers, 0);
	IS(most_readers, 3);
	IS(pthread_rwlock_tryrdlock(&rwlock), EBUSY);
	IS(pthread_rwlock_unlock(&rwlock), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);

	SAY("once");
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, call_once, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	IS(ran, 1);

	SAY("semaphores");
	sem_init(&sem, 0, 1);
	IS(sem_wait(&sem), 0);
	FAILS(sem_trywait(&sem), EAGAIN);
	start = now_ns();
	t = in(CLOCK_REALTIME, 10 * MS);
	FAILS(sem_timedwait(&sem, &t), ETIMEDOUT);
	TOOK(start, 10 * MS);
	start = now_ns();
	pthread_create(&threads[0], NULL, post_late, NULL);
	IS(sem_wait(&sem), 0);
	TOOK(start, 20 * MS);
	pthread_join(threads[0], NULL);
	sem_post(&sem);
	sem_post(&sem);
	sem_getvalue(&sem, &value);
	IS(value, 2);
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sem_init(shared, 1, 0);
	if ((child = fork()) == 0) {
		sleep_ns(20 * MS);
		_exit(sem_post(shared) != 0);
	}
	IS(sem_wait(shared), 0);
	check_child(child);
	return DONE();
}
