/* Runs a program under a seccomp filter as a container may have: "refused" lets
   nobody make a listener, "taken" has one already. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sock_filter refuse[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, SECCOMP_FILTER_FLAG_NEW_LISTENER, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {sizeof refuse / sizeof *refuse, refuse};
	unsigned flags = 0;

	if (argc < 3)
		return 2;
	if (strcmp(argv[1], "taken") == 0) {
		program = (struct sock_fprog){1, &allow};
		flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	}
	int listener = -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    (listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program)) < 0) {
		perror("seccomp");
		return 2;
	}
	if (flags != 0)
		fcntl(listener, F_SETFD, 0); /* it is there as long as the program */
	execv(argv[2], argv + 2);
	perror(argv[2]);
	return 2;
}
