/* The futex call itself: values, timeouts, bitsets, requeue, shared between processes. */
#include "check.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static uint32_t word, other;
static volatile int woken;

static long futex(void *at, int op, uint32_t value, void *timeout_or_value2, void *at2, uint32_t value3)
{
	return syscall(SYS_futex, at, op, value, timeout_or_value2, at2, value3);
}

static void *waiter(void *unused)
{
	(void)unused;
	while (futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0) == -1 && errno == EINTR)
		;
	__sync_fetch_and_add(&woken, 1);
	return NULL;
}

static void *bit_waiter(void *bits)
{
	futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, (uintptr_t)bits);
	__sync_fetch_and_add(&woken, (int)(uintptr_t)bits);
	return NULL;
}

static void until_woken(int n)
{
	for (int i = 0; i < 500 && woken < n; i++)
		sleep_ns(2 * MS);
}

int main(void)
{
	struct timespec t = timespec_of(25 * MS), bad = {.tv_nsec = SECOND};
	int64_t start;
	pthread_t threads[4];
	uint32_t *shared;
	pid_t child;
	int n;

	SAY("values and timeouts");
	FAILS(futex(&word, FUTEX_WAIT, 1, NULL, NULL, 0), EAGAIN);
	FAILS(futex((char *)&word + 1, FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL);
	FAILS(futex((void *)16, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
	FAILS(futex(&word, FUTEX_WAIT, 0, &bad, NULL, 0), EINVAL);
	FAILS(futex(&word, 99, 0, NULL, NULL, 0), ENOSYS);
	start = now_ns();
	FAILS(futex(&word, FUTEX_WAIT, 0, &t, NULL, 0), ETIMEDOUT);
	TOOK(start, 25 * MS);
	start = now_ns();
	t = timespec_of(now_ns() + 20 * MS);
	FAILS(futex(&word, FUTEX_WAIT_BITSET, 0, &t, NULL, FUTEX_BITSET_MATCH_ANY), ETIMEDOUT);
	TOOK(start, 20 * MS);
	start = now_ns();
	t = timespec_of(clock_ns(CLOCK_REALTIME) + 20 * MS);
	FAILS(futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &t, NULL, 1), ETIMEDOUT);
	TOOK(start, 20 * MS);
	FAILS(futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
	IS(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0), 0);

	SAY("waking some, then all");
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, waiter, NULL);
	sleep_ns(50 * MS);
	IS(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1);
	until_woken(1);
	IS(woken, 1);
	SAY("the number to wake is looked at after the first one");
	IS(futex(&word, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0), 2);
	IS(futex(&word, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0), 1);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	IS(woken, 4);

	SAY("bitsets");
	woken = 0;
	pthread_create(&threads[0], NULL, bit_waiter, (void *)1);
	pthread_create(&threads[1], NULL, bit_waiter, (void *)2);
	pthread_create(&threads[2], NULL, bit_waiter, (void *)4);
	sleep_ns(50 * MS);
	IS(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 8), 0);
	IS(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 2), 1);
	until_woken(2);
	IS(woken, 2);
	IS(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 5), 2);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	IS(woken, 7);

	SAY("requeue: one wakes, the others wait elsewhere");
	woken = 0;
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, waiter, NULL);
	sleep_ns(50 * MS);
	FAILS(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)10, &other, 5), EAGAIN);
	IS(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)10, &other, 0), 3);
	until_woken(1);
	IS(woken, 1);
	IS(futex(&word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 0);
	IS(futex(&other, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 2);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);

	SAY("wake-op changes the second word and wakes both");
	woken = 0;
	other = 5;
	pthread_create(&threads[0], NULL, waiter, NULL);
	sleep_ns(30 * MS);
	n = futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &other,
		  FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 5));
	IS(n, 1);
	IS(other, 8);
	pthread_join(threads[0], NULL);

	SAY("between processes");
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if ((child = fork()) == 0) {
		sleep_ns(30 * MS);
		*shared = 1;
		_exit(futex(shared, FUTEX_WAKE, 1, NULL, NULL, 0) != 1);
	}
	start = now_ns();
	while (*shared == 0)
		futex(shared, FUTEX_WAIT, 0, NULL, NULL, 0);
	TOOK(start, 30 * MS);
	check_child(child);
	return DONE();
}
