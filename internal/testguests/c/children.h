/* children.h: children that assert something beside their parent. */
#ifndef CHILDREN_H
#define CHILDREN_H

#include "check.h"
#include <grp.h>
#include <signal.h>

/* start runs a function in a child, which prints what fails only; check_child
 * takes over its verdict. */
static inline pid_t start(void (*function)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		check_quiet = 1;
		function();
		_exit(DONE());
	}
	return pid;
}

static inline void nothing(int signal) { (void)signal; }

/* interruptible makes SIGUSR1 interrupt a call and do nothing else. */
static inline void interruptible(int flags)
{
	struct sigaction a = {.sa_handler = nothing, .sa_flags = flags};

	sigaction(SIGUSR1, &a, NULL);
}

/* ordinary makes the process an ordinary user's. It returns 0 if it was not root. */
static inline int ordinary(void)
{
	return setgroups(0, NULL) == 0 && setgid(12345) == 0 && setuid(12345) == 0;
}

#endif
