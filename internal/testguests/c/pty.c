/* Pseudoterminals: both sides, modes, waiting, signals, job control. */
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

static int master, slave;
static char buffer[4096];

/* say_from reads once and prints what came, escaped. */
static void say_from(int fd, const char *whose)
{
	char text[400];
	ssize_t n = read(fd, buffer, 100);
	int at = 0;

	if (n < 0) {
		SAY("%s: %s", whose, strerrorname_np(errno));
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		at += snprintf(text + at, sizeof(text) - at, buffer[i] < ' ' ? "\\%o" : "%c", buffer[i]);
	text[at] = 0;
	SAY("%s: %s", whose, text);
}

static void put(int fd, const char *text) { IS(write(fd, text, strlen(text)), (long)strlen(text)); }

/* drain reads from the master until so many bytes have come. */
static void drain(int bytes)
{
	while (bytes > 0)
		bytes -= read(master, buffer, bytes < 100 ? bytes : 100);
}

static volatile sig_atomic_t got[65];
static void note(int signal) { got[signal]++; }

static void catch(int signal, int flags)
{
	struct sigaction a = {.sa_handler = note, .sa_flags = flags};

	sigaction(signal, &a, NULL);
}

static void modes(void)
{
	struct termios t;
	struct winsize w = {25, 80, 0, 0}, seen;

	SAY("canonical");
	OK(isatty(slave) && isatty(master));
	put(master, "hello");
	drain(5);
	IS(fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK), 0);
	say_from(slave, "slave");
	put(master, "x\177\r");
	say_from(slave, "slave");
	drain(6);
	IS(fcntl(slave, F_SETFL, O_RDWR), 0);
	put(master, "one\ntwo\n");
	drain(10);
	say_from(slave, "slave");
	say_from(slave, "slave");
	put(master, "\4");
	IS(read(slave, buffer, 10), 0);
	put(slave, "a\nb\n");
	drain(6);
	SAY("raw");
	tcgetattr(slave, &t);
	cfmakeraw(&t);
	t.c_cc[VMIN] = 3;
	t.c_cc[VTIME] = 0;
	IS(tcsetattr(slave, TCSANOW, &t), 0);
	put(master, "abc");
	say_from(slave, "slave");
	t.c_cc[VMIN] = 0;
	tcsetattr(slave, TCSANOW, &t);
	IS(read(slave, buffer, 10), 0);
	IS(ioctl(slave, TIOCSWINSZ, &w), 0);
	IS(ioctl(master, TIOCGWINSZ, &seen), 0);
	OK(seen.ws_row == 25 && seen.ws_col == 80);
}

static void waiting(void)
{
	struct termios t;
	struct pollfd p = {slave, POLLIN, 0};
	int64_t before;
	pid_t child;

	SAY("waiting");
	tcgetattr(slave, &t);
	t.c_cc[VMIN] = 0;
	t.c_cc[VTIME] = 3;
	tcsetattr(slave, TCSANOW, &t);
	before = now_ns();
	IS(read(slave, buffer, 10), 0);
	TOOK(before, 300 * MS);
	t.c_cc[VMIN] = 4;
	tcsetattr(slave, TCSANOW, &t);
	before = now_ns();
	child = fork();
	if (child == 0) {
		check_quiet = 1;
		for (int i = 0; i < 3; i++) {
			sleep_ns(200 * MS);
			put(master, "x");
		}
		_exit(DONE());
	}
	IS(read(slave, buffer, 10), 3); /* two pauses of 200 ms, then one of 300 */
	TOOK(before, 900 * MS);
	check_child(child);
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	tcsetattr(slave, TCSANOW, &t);
	before = now_ns();
	child = fork();
	if (child == 0) {
		check_quiet = 1;
		sleep_ns(200 * MS);
		put(master, "late");
		sleep_ns(200 * MS);
		put(slave, "back");
		_exit(DONE());
	}
	IS(poll(&p, 1, 100), 0);
	IS(poll(&p, 1, -1), 1);
	IS(p.revents, POLLIN);
	TOOK(before, 200 * MS);
	say_from(slave, "slave");
	say_from(master, "master");
	TOOK(before, 400 * MS);
	check_child(child);
	/* more than the terminal holds */
	child = fork();
	if (child == 0) {
		static char many[200000];

		check_quiet = 1;
		IS(write(slave, many, sizeof(many)), (long)sizeof(many));
		_exit(DONE());
	}
	sleep_ns(200 * MS);
	drain(200000);
	check_child(child);
}

/* session is the leader of a session of which the terminal is. */
static void session(const char *name)
{
	struct termios t;
	pid_t background, child;
	int status, tty;

	close(slave);
	IS(setsid() == getpid(), 1);
	FAILS(open("/dev/tty", O_RDWR), ENXIO);
	slave = open(name, O_RDWR);
	tty = open("/dev/tty", O_RDWR);
	OK(tty >= 0);
	IS(tcgetpgrp(tty) == getpid(), 1);
	IS(tcgetsid(slave) == getpid(), 1);
	tcgetattr(slave, &t);
	t.c_lflag |= ICANON | ISIG;
	tcsetattr(slave, TCSANOW, &t);

	SAY("job control");
	background = fork();
	if (background == 0) {
		check_quiet = 1;
		setpgid(0, 0);
		signal(SIGTTIN, SIG_DFL);
		IS(read(tty, buffer, 10), 4); /* after it has been stopped and continued */
		_exit(DONE());
	}
	setpgid(background, background);
	IS(waitpid(background, &status, WUNTRACED) == background, 1);
	OK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
	IS(tcsetpgrp(tty, background), 0);
	kill(background, SIGCONT);
	put(master, "you\n");
	IS(waitpid(background, &status, 0) == background, 1);
	OK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	catch(SIGTTOU, SA_RESTART);
	signal(SIGTTOU, SIG_IGN);
	IS(tcsetpgrp(tty, getpgrp()), 0);

	SAY("signals of keys");
	child = fork();
	if (child == 0) {
		signal(SIGINT, SIG_DFL);
		for (;;)
			pause();
	}
	catch(SIGINT, SA_RESTART);
	catch(SIGWINCH, 0);
	sleep_ns(100 * MS);
	put(master, "\3");
	IS(waitpid(child, &status, 0) == child, 1);
	OK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
	IS(got[SIGINT], 1);
	background = fork();
	if (background == 0) {
		struct winsize w = {50, 100, 0, 0};

		check_quiet = 1;
		sleep_ns(200 * MS);
		IS(ioctl(master, TIOCSWINSZ, &w), 0);
		_exit(DONE());
	}
	FAILS(read(tty, buffer, 10), EINTR);
	IS(got[SIGWINCH], 1);
	check_child(background);

	SAY("hangup");
	catch(SIGHUP, 0);
	child = fork();
	if (child == 0) { /* the last who has the master */
		check_quiet = 1;
		sleep_ns(200 * MS);
		_exit(DONE());
	}
	close(master);
	IS(read(tty, buffer, 10) <= 0, 1);
	while (got[SIGHUP] == 0)
		sleep_ns(1 * MS);
	IS(got[SIGHUP], 1);
	IS(read(tty, buffer, 10), 0);
	FAILS(write(tty, "x", 1), EIO);
	check_child(child);
	_exit(DONE());
}

int main(void)
{
	char name[100];
	struct stat s;
	pid_t child;

	IS(openpty(&master, &slave, name, NULL, NULL), 0);
	OK(strncmp(name, "/dev/pts/", 9) == 0);
	IS(fstat(slave, &s), 0);
	OK(S_ISCHR(s.st_mode) && s.st_uid == getuid());
	modes();
	waiting();
	SAY("closing");
	close(slave);
	FAILS(read(master, buffer, 10), EIO);
	close(master);
	IS(openpty(&master, &slave, name, NULL, NULL), 0);
	child = fork();
	if (child == 0)
		session(name);
	close(master);
	close(slave);
	check_child(child);
	return DONE();
}
