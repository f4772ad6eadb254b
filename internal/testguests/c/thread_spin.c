/* Threads that wait without a call: for a sleeper, for each other, for a lock. */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_int flag, turn, lock;
static long shared;

static void *set_late(void *unused)
{
	sleep_ns(20 * MS);
	atomic_store(&flag, 1);
	return unused;
}

static int is_set(void) { return atomic_load(&flag); }

enum { passes = 8, rounds = 4 };

static void *pass(void *me)
{
	int mine = *(int *)me;

	for (int i = 0; i < passes; i++) {
		while (atomic_load(&turn) != mine)
			;
		shared++;
		atomic_store(&turn, 1 - mine);
	}
	return NULL;
}

static void *add_locked(void *unused)
{
	for (int i = 0; i < rounds; i++) {
		while (atomic_exchange(&lock, 1))
			;
		shared++;
		usleep(100); /* the other one spins meanwhile */
		atomic_store(&lock, 0);
		usleep(1);
	}
	return unused;
}

int main(void)
{
	static int numbers[2] = {0, 1};
	pthread_t threads[2];
	int64_t start = now_ns();

	SAY("a loop with a function ends soon after what it waits for");
	pthread_create(&threads[0], NULL, set_late, NULL);
	while (!is_set())
		;
	TOOK(start, 20 * MS);
	pthread_join(threads[0], NULL);

	SAY("two threads that hand over to each other");
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, pass, &numbers[i]);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	IS(shared, 2 * passes);

	SAY("a lock whose holder sleeps");
	shared = 0;
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, add_locked, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	IS(shared, 2 * rounds);
	return DONE();
}
