/* The prototype's pipelines: dup2 with pipe, fork and exec. */
#include "check.h"
#include <fcntl.h>

/* run starts a command between two descriptors, closing a third in the child. */
static pid_t run(int in, int out, int other, char *const command[])
{
	pid_t child = fork();

	if (child == 0) {
		dup2(in, 0);
		dup2(out, 1);
		close(other);
		if (in > 2)
			close(in);
		if (out > 2)
			close(out);
		execvp(command[0], command);
		_exit(127);
	}
	return child;
}

int main(void)
{
	char *const print[] = {"printf", "pear\\napple\\nplum\\nfig\\n", NULL};
	char *const sort[] = {"sort", NULL};
	char *const count[] = {"wc", "-l", NULL};
	char *const missing[] = {"no-such-command", NULL};
	char text[256];
	int first[2], second[2], status;
	pid_t a, b, c;
	ssize_t n, total = 0;

	SAY("printf | sort, read by the parent");
	IS(pipe(first), 0);
	IS(pipe(second), 0);
	a = run(0, first[1], second[0], print);
	close(first[1]);
	b = run(first[0], second[1], second[0], sort);
	close(first[0]);
	close(second[1]);
	while ((n = read(second[0], text + total, sizeof(text) - 1 - total)) > 0)
		total += n;
	text[total] = 0;
	close(second[0]);
	SAY("%s", text);
	check_child(a);
	check_child(b);

	SAY("printf | sort | wc -l, to the same standard output");
	IS(pipe(first), 0);
	a = run(0, first[1], first[0], print);
	close(first[1]);
	IS(pipe(second), 0);
	b = run(first[0], second[1], second[0], sort);
	close(first[0]);
	close(second[1]);
	c = run(second[0], 1, second[0], count);
	close(second[0]);
	check_child(a);
	check_child(b);
	check_child(c);

	SAY("to a file, and from it");
	int file = open("dup_exec.text", O_CREAT | O_RDWR | O_TRUNC, 0600);
	check_child(run(0, file, 99, print));
	IS(lseek(file, 0, SEEK_SET), 0);
	check_child(run(file, 1, 99, sort));
	unlink("dup_exec.text");
	waitpid(run(0, 1, 99, missing), &status, 0);
	IS(WEXITSTATUS(status), 127);
	return DONE();
}
