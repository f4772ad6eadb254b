// What the benchmarks measure, chosen by the first argument, repeated as often
// as the second says.
#define _GNU_SOURCE
#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long futex(int *word, int operation, int value) {
	return syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

static void wait_for(int *word) {
	while (!__atomic_load_n(word, __ATOMIC_SEQ_CST)) futex(word, FUTEX_WAIT, 0);
	*word = 0;
}

static void set(int *word) {
	__atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
	futex(word, FUTEX_WAKE, 1);
}

// Two processes on one processor hand a turn to and fro.
static void pingpong(long n) {
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof one, &one);
	int *words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int *there = words, *back = words + 64;
	if (fork() == 0) {
		for (long i = 0; i < n; i++) { wait_for(there); set(back); }
		_exit(0);
	}
	for (long i = 0; i < n; i++) { set(there); wait_for(back); }
	wait(NULL);
}

int main(int argc, char **argv) {
	if (argc < 3) return 2;
	long n = atol(argv[2]);
	struct timespec t;
	if (!strcmp(argv[1], "yield")) for (long i = 0; i < n; i++) sched_yield();
	if (!strcmp(argv[1], "clock")) for (long i = 0; i < n; i++) clock_gettime(CLOCK_MONOTONIC, &t);
	if (!strcmp(argv[1], "pingpong")) pingpong(n);
	return 0;
}
