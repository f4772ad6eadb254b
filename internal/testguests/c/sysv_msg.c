/* System V message queues: types, waiting, limits, control. */
#include "children.h"
#include <limits.h>
#include <sys/ipc.h>
#include <sys/msg.h>

struct message {
	long type;
	char text[9000];
};

static int queue;
static struct message m;

static int put(long type, const char *text, int flags)
{
	struct message out = {.type = type};

	strcpy(out.text, text);
	return msgsnd(queue, &out, strlen(text), flags);
}

static ssize_t get(long type, int flags)
{
	ssize_t n = msgrcv(queue, &m, sizeof(m.text) - 1, type, flags);

	if (n >= 0)
		m.text[n] = 0;
	return n;
}

static int holds(const char *text, long type) { return strcmp(m.text, text) == 0 && m.type == type; }

static struct msqid_ds status(void)
{
	struct msqid_ds s = {0};

	msgctl(queue, IPC_STAT, &s);
	return s;
}

static void receive_second(void)
{
	IS(get(2, 0), 5);
	OK(holds("other", 2));
}
static void send_late(void) { IS(put(9, "late", 0), 0); }
static void receive_removed(void) { FAILS(get(77, 0), EIDRM); }
static void receive_short(void) { FAILS(msgrcv(queue, &m, 2, 5, 0), E2BIG); }
static void be_interrupted(void)
{
	interruptible(SA_RESTART);
	FAILS(get(77, 0), EINTR);
}
static void not_root(void)
{
	struct msqid_ds s;

	if (!ordinary())
		return;
	FAILS(put(1, "x", 0), EACCES);
	FAILS(get(0, IPC_NOWAIT), EACCES);
	FAILS(msgctl(queue, IPC_STAT, &s), EACCES);
	FAILS(msgctl(queue, IPC_RMID, NULL), EPERM);
}

static void types(void)
{
	SAY("types");
	IS(put(3, "three", 0), 0);
	IS(put(1, "one", 0), 0);
	IS(put(2, "two", 0), 0);
	IS(put(1, "uno", 0), 0);
	IS(status().msg_qnum, 4);
	IS(status().msg_cbytes, 14);
	IS(status().msg_lspid == getpid(), 1);
	IS(get(0, MSG_COPY | IPC_NOWAIT), 5);
	OK(holds("three", 3));
	IS(get(3, MSG_COPY | IPC_NOWAIT), 3);
	OK(holds("uno", 1));
	FAILS(get(4, MSG_COPY | IPC_NOWAIT), ENOMSG);
	FAILS(get(0, MSG_COPY), EINVAL);
	IS(get(-2, 0), 3);
	OK(holds("one", 1));
	IS(get(2, 0), 3);
	OK(holds("two", 2));
	IS(get(3, MSG_EXCEPT), 3);
	OK(holds("uno", 1));
	IS(get(LONG_MIN, 0), 5);
	OK(holds("three", 3));
	FAILS(get(0, IPC_NOWAIT), ENOMSG);
	IS(status().msg_qnum, 0);
}

static void sizes(void)
{
	struct message big = {.type = 1};

	SAY("sizes");
	FAILS(msgsnd(queue, &big, 8193, 0), EINVAL);
	FAILS(put(0, "x", 0), EINVAL);
	FAILS(put(-1, "x", 0), EINVAL);
	FAILS(msgsnd(queue, (void *)8, 1, 0), EFAULT);
	FAILS(msgsnd(queue + 1, &big, 1, 0), EINVAL);
	IS(put(4, "", 0), 0);
	IS(get(4, 0), 0);
	IS(put(4, "hello", 0), 0);
	FAILS(msgrcv(queue, &m, 4, 0, 0), E2BIG);
	IS(msgrcv(queue, &m, 4, 0, MSG_NOERROR), 4);
	FAILS(msgrcv(queue, &m, 4, 0, IPC_NOWAIT), ENOMSG);
	IS(msgsnd(queue, &big, 8192, IPC_NOWAIT), 0);
	IS(msgsnd(queue, &big, 8192, IPC_NOWAIT), 0);
	FAILS(msgsnd(queue, &big, 1, IPC_NOWAIT), EAGAIN);
	IS(msgsnd(queue, &big, 0, IPC_NOWAIT), 0);
}

static void waiting(void)
{
	pid_t child;

	SAY("waiting");
	child = start(send_late);
	sleep_ns(100 * MS);
	IS(status().msg_qnum, 3);
	IS(get(1, 0), 8192);
	while (status().msg_qnum != 3) /* until the sender has run */
		sleep_ns(1 * MS);
	IS(get(1, 0), 8192);
	IS(get(1, 0), 0);
	IS(get(9, 0), 4);
	OK(holds("late", 9));
	check_child(child);

	child = start(receive_second);
	sleep_ns(100 * MS);
	IS(put(1, "first", 0), 0);
	IS(put(2, "other", 0), 0);
	check_child(child);
	IS(status().msg_qnum, 1);
	IS(get(0, 0), 5);

	child = start(receive_short);
	sleep_ns(100 * MS);
	IS(put(5, "long", 0), 0);
	check_child(child);
	IS(get(5, 0), 4);

	child = start(be_interrupted);
	sleep_ns(100 * MS);
	kill(child, SIGUSR1);
	check_child(child);
}

static void control(void)
{
	struct msqid_ds s = status();
	struct msginfo info;

	SAY("control");
	IS(s.msg_qbytes, 16384);
	OK((s.msg_perm.mode & 0777) == 0600 && s.msg_perm.cuid == geteuid());
	s.msg_qbytes = 10;
	s.msg_perm.mode = 0660;
	IS(msgctl(queue, IPC_SET, &s), 0);
	OK((status().msg_perm.mode & 0777) == 0660);
	FAILS(put(1, "eleven bytes", IPC_NOWAIT), EAGAIN);
	IS(put(1, "ten bytes!", IPC_NOWAIT), 0);
	IS(get(0, 0), 10);
	FAILS(msgctl(queue, 99, &s), EINVAL);
	OK(msgctl(0, IPC_INFO, (void *)&info) >= 0);
	IS(info.msgmax, 8192);
	IS(info.msgmnb, 16384);
}

int main(void)
{
	key_t key = 0x5eef0000 + getpid() % 60000;
	pid_t child;

	SAY("making");
	FAILS(msgget(key, 0600), ENOENT);
	queue = msgget(key, IPC_CREAT | 0600);
	OK(queue >= 0);
	IS(msgget(key, 0) == queue, 1);
	FAILS(msgget(key, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	types();
	sizes();
	waiting();
	control();
	check_child(start(not_root));
	SAY("removing");
	child = start(receive_removed);
	sleep_ns(100 * MS);
	IS(msgctl(queue, IPC_RMID, NULL), 0);
	check_child(child);
	FAILS(put(1, "x", 0), EINVAL);
	return DONE();
}
