/* A thread that computes for long in a small loop waits for nobody: without a call
 * no simulated time passes for it, though its registers come back to the same
 * values, and another thread has much to do. */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_int over;

static void *tick(void *unused)
{
	while (!atomic_load(&over))
		sleep_ns(MS / 10);
	return unused;
}

int main(void)
{
	volatile uint64_t left = 100000000;
	double sum = 0, step = 1, end = 100000000;
	pthread_t ticker;
	int64_t start;

	pthread_create(&ticker, NULL, tick, NULL);
	SAY("a loop that counts in memory");
	start = now_ns();
	__asm__ volatile("1: decq %0\n\tjnz 1b" : "+m"(left)::"cc");
	IS(left, 0);
	TOOK(start, 0);

	SAY("a loop that counts in a vector register");
	start = now_ns();
	__asm__ volatile("1: addsd %1, %0\n\tucomisd %0, %2\n\tja 1b" : "+x"(sum) : "x"(step), "x"(end) : "cc");
	OK(sum == end);
	TOOK(start, 0);

	atomic_store(&over, 1);
	pthread_join(ticker, NULL);
	return DONE();
}
