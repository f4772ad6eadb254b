/* Signals: masks, pending ones, order, sigsuspend, sigtimedwait, values, stacks. */
#include "check.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

static char trail[64];
static int trailed;
static siginfo_t last;
static sigset_t mask_inside;
static char alternate[65536];
static int on_alternate;
static sigjmp_buf back;

static void mark(int signal)
{
	trail[trailed++] = signal == SIGUSR1 ? '1' : signal == SIGUSR2 ? '2' : signal == SIGALRM ? 'a' : 'r';
}

static void inform(int signal, siginfo_t *info, void *context)
{
	(void)context;
	last = *info;
	mark(signal);
	sigprocmask(SIG_SETMASK, NULL, &mask_inside);
}

static void where(int signal)
{
	char here;

	(void)signal;
	on_alternate = &here >= alternate && &here < alternate + sizeof(alternate);
}

static void nested(int signal)
{
	mark(signal);
	if (signal == SIGUSR1)
		raise(SIGUSR2);
	mark(signal);
}

static void escape(int signal)
{
	(void)signal;
	siglongjmp(back, 1);
}

static void handle(int signal, void (*handler)(int), int flags)
{
	struct sigaction a = {.sa_handler = handler, .sa_flags = flags};

	sigaction(signal, &a, NULL);
}

static const char *taken(void)
{
	static char text[64];

	memcpy(text, trail, trailed);
	text[trailed] = 0;
	trailed = 0;
	return text;
}

static sigset_t set_of(int a, int b)
{
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, a);
	if (b)
		sigaddset(&s, b);
	return s;
}

static void *thread_mask(void *unused)
{
	sigset_t now;

	(void)unused;
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	return (void *)(intptr_t)(sigismember(&now, SIGUSR1) && !sigismember(&now, SIGUSR2));
}

int main(void)
{
	struct sigaction a = {.sa_sigaction = inform, .sa_flags = SA_SIGINFO}, old;
	sigset_t s, usr1 = set_of(SIGUSR1, 0), both = set_of(SIGUSR1, SIGUSR2), none;
	stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)}, old_stack;
	struct timespec t = timespec_of(20 * MS);
	siginfo_t info;
	int64_t start;
	int status, signal_number;
	pid_t child;
	pthread_t thread;
	void *result;

	sigemptyset(&none);
	SAY("handlers and masks");
	IS(sigaction(SIGUSR1, &a, NULL), 0);
	IS(sigaction(SIGUSR1, NULL, &old), 0);
	OK(old.sa_sigaction == inform && (old.sa_flags & SA_SIGINFO));
	IS(raise(SIGUSR1), 0);
	OK(last.si_signo == SIGUSR1 && last.si_code == SI_TKILL && last.si_pid == getpid());
	OK(sigismember(&mask_inside, SIGUSR1) && !sigismember(&mask_inside, SIGUSR2));
	IS(kill(getpid(), SIGUSR1), 0);
	OK(last.si_code == SI_USER && last.si_uid == getuid());
	SAY("trail %s", taken());
	handle(SIGUSR2, mark, 0);
	IS(sigprocmask(SIG_BLOCK, &both, NULL), 0);
	raise(SIGUSR2);
	raise(SIGUSR1);
	raise(SIGUSR1);
	SAY("trail %s", taken());
	IS(sigpending(&s), 0);
	OK(sigismember(&s, SIGUSR1) && sigismember(&s, SIGUSR2) && !sigismember(&s, SIGALRM));
	IS(sigprocmask(SIG_UNBLOCK, &both, NULL), 0);
	SAY("trail %s", taken());
	FAILS(sigprocmask(99, &both, NULL), EINVAL);
	FAILS(sigaction(SIGKILL, &a, NULL), EINVAL);
	FAILS(kill(getpid(), 99), EINVAL);
	FAILS(kill(999999, 0), ESRCH);
	IS(kill(getpid(), 0), 0);

	SAY("a handler interrupted by another; SA_NODEFER and SA_RESETHAND");
	handle(SIGUSR1, nested, 0);
	raise(SIGUSR1);
	SAY("trail %s", taken());
	handle(SIGUSR2, mark, SA_RESETHAND);
	raise(SIGUSR2);
	sigaction(SIGUSR2, NULL, &old);
	OK(old.sa_handler == SIG_DFL);
	taken();

	SAY("real-time signals queue, lower numbers first, with values");
	a.sa_flags = SA_SIGINFO;
	for (int i = 0; i < 3; i++)
		sigaction(SIGRTMIN + i, &a, NULL);
	sigemptyset(&s);
	for (int i = 0; i < 3; i++)
		sigaddset(&s, SIGRTMIN + i);
	sigprocmask(SIG_BLOCK, &s, NULL);
	sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = 20});
	sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 10});
	sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 11});
	IS(sigwaitinfo(&s, &info), SIGRTMIN + 1);
	OK(info.si_value.sival_int == 10 && info.si_code == SI_QUEUE);
	IS(sigwaitinfo(&s, &info), SIGRTMIN + 1);
	IS(info.si_value.sival_int, 11);
	sigprocmask(SIG_UNBLOCK, &s, NULL);
	IS(last.si_value.sival_int, 20);
	SAY("trail %s", taken());

	SAY("sigtimedwait");
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	start = now_ns();
	FAILS(sigtimedwait(&usr1, &info, &t), EAGAIN);
	TOOK(start, 20 * MS);
	t = timespec_of(0);
	FAILS(sigtimedwait(&usr1, NULL, &t), EAGAIN);
	if ((child = fork()) == 0) {
		sleep_ns(20 * MS);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	t = timespec_of(100 * SECOND);
	IS(sigtimedwait(&usr1, &info, &t), SIGUSR1);
	OK(info.si_pid == child);
	check_child(child);
	raise(SIGUSR1);
	IS(sigwait(&usr1, &signal_number), 0);
	IS(signal_number, SIGUSR1);

	SAY("sigsuspend: lets in what its mask allows, then restores");
	handle(SIGUSR1, mark, 0);
	handle(SIGALRM, mark, 0);
	raise(SIGUSR1);
	FAILS(sigsuspend(&none), EINTR);
	SAY("trail %s", taken());
	sigprocmask(SIG_SETMASK, NULL, &s);
	OK(sigismember(&s, SIGUSR1));
	if ((child = fork()) == 0) {
		sleep_ns(20 * MS);
		kill(getppid(), SIGUSR1);
		sleep_ns(20 * MS);
		kill(getppid(), SIGALRM);
		_exit(0);
	}
	FAILS(sigsuspend(&usr1), EINTR);
	SAY("trail %s", taken());
	check_child(child);
	SAY("a thread inherits the mask");
	pthread_create(&thread, NULL, thread_mask, NULL);
	pthread_join(thread, &result);
	IS((intptr_t)result, 1);
	sigprocmask(SIG_SETMASK, &none, NULL);
	SAY("trail %s", taken());

	SAY("alternate stack");
	IS(sigaltstack(&stack, &old_stack), 0);
	OK(old_stack.ss_flags == SS_DISABLE);
	handle(SIGUSR1, where, SA_ONSTACK);
	raise(SIGUSR1);
	IS(on_alternate, 1);
	handle(SIGUSR1, where, 0);
	raise(SIGUSR1);
	IS(on_alternate, 0);
	stack.ss_size = 100;
	FAILS(sigaltstack(&stack, NULL), ENOMEM);

	SAY("leaving a handler by siglongjmp; a fault that is handled");
	handle(SIGSEGV, escape, SA_ONSTACK);
	if (sigsetjmp(back, 1) == 0)
		*(volatile int *)8 = 1;
	else
		SAY("came back");
	if (sigsetjmp(back, 1) == 0)
		*(volatile int *)8 = 1;
	else
		SAY("came back again");

	SAY("ends by signals");
	int fatal[] = {SIGTERM, SIGKILL, SIGUSR1, SIGALRM, SIGPIPE, SIGRTMIN};
	for (int i = 0; i < 6; i++) {
		if ((child = fork()) == 0) {
			signal(fatal[i], SIG_DFL);
			raise(fatal[i]);
			_exit(0);
		}
		waitpid(child, &status, 0);
		OK(WIFSIGNALED(status) && WTERMSIG(status) == fatal[i]);
	}
	if ((child = fork()) == 0) {
		signal(SIGSEGV, SIG_DFL);
		*(volatile int *)8 = 1;
	}
	waitpid(child, &status, 0);
	IS(WTERMSIG(status), SIGSEGV);
	if ((child = fork()) == 0)
		abort();
	waitpid(child, &status, 0);
	IS(WTERMSIG(status), SIGABRT);
	SAY("ignored ones do nothing");
	signal(SIGUSR1, SIG_IGN);
	raise(SIGUSR1);
	signal(SIGCHLD, SIG_DFL);
	kill(getpid(), SIGCHLD);
	return DONE();
}
