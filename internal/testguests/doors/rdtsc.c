/* rdtsc and rdtscp, and the guest's own handler of SIGSEGV beside them. */
#include "../c/check.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <x86intrin.h>

static sigjmp_buf out;
static volatile int faults;
static void *volatile address;

static void fault(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	faults++;
	address = info->si_addr;
	siglongjmp(out, 1);
}

static void *count(void *unused)
{
	(void)unused;
	unsigned processor;

	return (void *)(long)(__rdtsc() <= __rdtscp(&processor));
}

static int fails(void)
{
	if (sigsetjmp(out, 1) == 0) {
		*(volatile char *)64 = 0;
		return 0;
	}
	return address == (void *)64;
}

int main(void)
{
	struct sigaction a = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO}, old;
	unsigned processor;
	pthread_t thread;
	void *result;
	sigset_t all, before;
	uint64_t first = __rdtsc(), second;
	pid_t child;
	int status;

	SAY("the counter goes forward");
	second = __rdtscp(&processor);
	OK(second >= first);
	sleep_ns(100 * MS);
	OK(__rdtsc() - second > 50000000);
	SAY("the guest's own faults are its own");
	IS(sigaction(SIGSEGV, NULL, &old), 0);
	OK(old.sa_handler == SIG_DFL);
	IS(sigaction(SIGSEGV, &a, &old), 0);
	OK(old.sa_handler == SIG_DFL);
	OK(fails());
	OK(fails());
	IS(faults, 2);
	IS(sigaction(SIGSEGV, &a, &old), 0);
	OK(old.sa_sigaction == fault && old.sa_flags & SA_SIGINFO);
	OK(__rdtsc() > second);
	IS(faults, 2);
	SAY("a handler for one fault is reset by a fault, not by the counter");
	a.sa_flags |= SA_RESETHAND;
	IS(sigaction(SIGSEGV, &a, &old), 0);
	OK(__rdtsc() > second);
	IS(sigaction(SIGSEGV, NULL, &old), 0);
	OK(old.sa_sigaction == fault && old.sa_flags & SA_RESETHAND);
	OK(fails());
	IS(sigaction(SIGSEGV, NULL, &old), 0);
	OK(old.sa_handler == SIG_DFL);
	OK(__rdtsc() > second);
	SAY("in threads, children and new programs, with all signals blocked");
	pthread_create(&thread, NULL, count, NULL);
	pthread_join(thread, &result);
	OK(result);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	OK(__rdtsc() > second);
	child = fork();
	if (child == 0)
		_exit(__rdtsc() <= second);
	check_child(child);
	sigprocmask(SIG_SETMASK, &before, NULL);
	SAY("a fault without a handler kills");
	child = fork();
	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		(void)__rdtsc();
		*(volatile char *)64 = 0;
		_exit(0);
	}
	waitpid(child, &status, 0);
	OK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	child = fork();
	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		raise(SIGSEGV);
		_exit(0);
	}
	waitpid(child, &status, 0);
	OK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	child = fork();
	if (child == 0) {
		signal(SIGSEGV, SIG_IGN);
		raise(SIGSEGV);
		_exit(7);
	}
	waitpid(child, &status, 0);
	OK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	return DONE();
}
