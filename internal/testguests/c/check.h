/*
 * check.h: what every test guest shares.
 *
 * A guest is an ordinary program that asserts what Linux does and prints each
 * assertion as a line. Its transcript holds nothing that depends on the machine
 * (no time, no pid, no port), so it is the same natively and emulated, and a
 * line that differs names the call that behaves differently:
 *
 *	OK(expr)            expr is true
 *	IS(call, want)      an integer call returns want
 *	FAILS(call, ERROR)  a call returns -1 and sets errno to ERROR
 *	TOOK(start, ns)     ns nanoseconds have passed since the instant start
 *	SAY(format, ...)    a line of plain transcript
 *
 * A failed one prints a line that begins with BAD, with file, line and what was
 * seen, and makes DONE() return 1. Each line is one write, so that processes
 * that share a standard output do not mix theirs.
 *
 * Natively TOOK allows lateness of ten seconds, because the machine may be busy, and
 * a millisecond too early, because its clocks drift apart and a child may begin its
 * sleep before its parent looks at the clock. In simulated time a sleep ends when it
 * should: the runner then sets GUEST_SLACK_NS to what the calls around it may cost.
 */
#ifndef CHECK_H
#define CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000LL
#define SECOND 1000000000LL

static int check_failed;

/* A process or thread that runs beside another one sets check_quiet, so that the
 * order of the two cannot show: it then prints failures only. */
static __thread int check_quiet;

static void __attribute__((format(printf, 1, 2))) check_line(const char *format, ...)
{
	char line[1024];
	va_list args;
	int n, saved = errno;

	if (check_quiet && strncmp(format, "BAD", 3) != 0)
		return;
	va_start(args, format);
	n = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	if (write(1, line, n) != n)
		check_failed = 1;
	errno = saved;
}

static inline int check_true(const char *file, int line, const char *text, int holds)
{
	if (holds) {
		check_line("ok   %s", text);
	} else {
		check_line("BAD  %s:%d %s (errno %s)", file, line, text, strerrorname_np(errno));
		check_failed = 1;
	}
	return holds;
}

static inline int check_equal(const char *file, int line, const char *text, const char *wanted,
			      long long got, long long want)
{
	if (got == want) {
		check_line("ok   %s = %s", text, wanted);
	} else {
		check_line("BAD  %s:%d %s is %lld, not %s = %lld (errno %s)", file, line, text, got,
			   wanted, want, strerrorname_np(errno));
		check_failed = 1;
	}
	return got == want;
}

static inline int check_fails(const char *file, int line, const char *text, const char *name,
			      long long got, int got_errno, int want)
{
	if (got == -1 && got_errno == want) {
		check_line("ok   %s: %s", text, name);
		return 1;
	}
	check_line("BAD  %s:%d %s is %lld (errno %s), not %s", file, line, text, got,
		   strerrorname_np(got_errno), name);
	check_failed = 1;
	return 0;
}

static inline int64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

static inline int64_t now_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

static inline struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / SECOND, .tv_nsec = ns % SECOND};
}

static inline void sleep_ns(int64_t ns)
{
	struct timespec t = timespec_of(ns);

	while (nanosleep(&t, &t) == -1 && errno == EINTR)
		;
}

static inline int64_t check_slack(void)
{
	const char *text = getenv("GUEST_SLACK_NS");

	return text ? atoll(text) : 10 * SECOND;
}

static inline int64_t check_early(void) { return getenv("GUEST_SLACK_NS") ? 0 : 1 * MS; }

static inline void check_took(const char *file, int line, const char *text, int64_t start, int64_t ns)
{
	int64_t took = now_ns() - start;

	if (took >= ns - check_early() && took <= ns + check_slack()) {
		check_line("ok   took %s", text);
	} else {
		check_line("BAD  %s:%d took %lld ns, not %s", file, line, (long long)took, text);
		check_failed = 1;
	}
}

/* check_child waits for a child that ends with DONE() and takes over its verdict. */
static inline void check_child(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		check_line("BAD  child ended with status %#x", status);
		check_failed = 1;
	}
}

#define OK(expr) check_true(__FILE__, __LINE__, #expr, !!(expr))
#define IS(call, want) check_equal(__FILE__, __LINE__, #call, #want, (call), (want))
#define FAILS(call, error)                                                                        \
	({                                                                                        \
		errno = 0;                                                                        \
		long long check_got = (call);                                                     \
		check_fails(__FILE__, __LINE__, #call, #error, check_got, errno, (error));        \
	})
#define TOOK(start, ns) check_took(__FILE__, __LINE__, #ns, (start), (ns))
#define SAY(...) check_line(__VA_ARGS__)
#define DONE() (check_line(check_failed ? "failed" : "passed"), check_failed)

#endif
