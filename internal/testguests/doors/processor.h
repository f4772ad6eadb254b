/* What a program asks the processor itself: its counter, and its random numbers. */
#ifndef PROCESSOR_H
#define PROCESSOR_H

#include <cpuid.h>
#include <stdint.h>
#include <x86intrin.h>

static inline int64_t processor_counter(void) { return __rdtsc(); }

static inline int64_t processor_counter_and_number(void)
{
	unsigned number;

	return __rdtscp(&number);
}

/* processor_random and processor_seed give a number, or 0 where the processor has
 * none to give. */
static inline int64_t processor_random(void)
{
	unsigned a, b, c, d;
	uint64_t n = 0;
	unsigned char good = 0;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_RDRND))
		return 0;
	for (int i = 0; i < 100 && !good; i++)
		__asm__ volatile("rdrand %0; setc %1" : "=r"(n), "=qm"(good) : : "cc");
	return good ? (int64_t)n : 0;
}

static inline int64_t processor_seed(void)
{
	unsigned a, b, c, d;
	uint64_t n = 0;
	unsigned char good = 0;

	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & bit_RDSEED))
		return 0;
	for (int i = 0; i < 10000 && !good; i++)
		__asm__ volatile("rdseed %0; setc %1" : "=r"(n), "=qm"(good) : : "cc");
	return good ? (int64_t)n : 0;
}

#endif
