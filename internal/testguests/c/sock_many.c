/* A server of many clients in one process tree: fork per connection, accept shared
 * by several processes, threads that write to one socket. */
#include "net.h"
#include <pthread.h>

enum { clients = 8, acceptors = 3 };

static void client(struct sockaddr_in *at, int i)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), n = i * 1000, back = 0;

	check_quiet = 1;
	IS(connect(fd, SA(at), sizeof(*at)), 0);
	IS(write(fd, &n, sizeof(n)), sizeof(n));
	IS(recv(fd, &back, sizeof(back), MSG_WAITALL), sizeof(back));
	IS(back, n + 1);
	_exit(check_failed);
}

static void serve_one(int listening)
{
	int fd = accept(listening, NULL, NULL), n = 0;

	if (recv(fd, &n, sizeof(n), MSG_WAITALL) == sizeof(n)) {
		n++;
		IS(write(fd, &n, sizeof(n)), sizeof(n));
	}
	close(fd);
}

static int shared[2];

static void *writer(void *tag)
{
	char block[1000];

	memset(block, *(char *)tag, sizeof(block));
	for (int i = 0; i < 50; i++)
		if (write(shared[0], block, sizeof(block)) != sizeof(block))
			exit(1);
	return NULL;
}

int main(void)
{
	struct sockaddr_in at;
	int listening = listener4(&at), counts[2] = {0};
	pid_t children[clients], servers[acceptors];
	pthread_t threads[2];
	char block[1000];

	SAY("one server, clients one after the other");
	for (int i = 0; i < clients; i++)
		if ((children[i] = fork()) == 0)
			client(&at, i);
	check_quiet = 1;
	for (int i = 0; i < clients; i++)
		serve_one(listening);
	check_quiet = 0;
	for (int i = 0; i < clients; i++)
		check_child(children[i]);

	SAY("several processes accept from one listener");
	for (int i = 0; i < acceptors; i++)
		if ((servers[i] = fork()) == 0) {
			check_quiet = 1;
			for (int j = 0; j < 2; j++)
				serve_one(listening);
			_exit(check_failed);
		}
	for (int i = 0; i < 2 * acceptors; i++)
		if ((children[i] = fork()) == 0)
			client(&at, i);
	for (int i = 0; i < 2 * acceptors; i++)
		check_child(children[i]);
	for (int i = 0; i < acceptors; i++)
		check_child(servers[i]);

	SAY("a child per connection");
	for (int i = 0; i < 3; i++)
		if ((children[i] = fork()) == 0)
			client(&at, i);
	for (int i = 0; i < 3; i++) {
		int fd = accept(listening, NULL, NULL), n;

		if ((servers[i] = fork()) == 0) {
			check_quiet = 1;
			close(listening);
			IS(recv(fd, &n, sizeof(n), MSG_WAITALL), sizeof(n));
			n++;
			IS(send(fd, &n, sizeof(n), 0), sizeof(n));
			_exit(check_failed);
		}
		close(fd);
	}
	for (int i = 0; i < 3; i++) {
		check_child(children[i]);
		check_child(servers[i]);
	}

	SAY("two threads write to one socket: no byte is lost");
	tcp_pair(shared);
	pthread_create(&threads[0], NULL, writer, "a");
	pthread_create(&threads[1], NULL, writer, "b");
	for (int i = 0; i < 100; i++) {
		if (recv(shared[1], block, sizeof(block), MSG_WAITALL) != sizeof(block))
			break;
		for (int j = 0; j < (int)sizeof(block); j++)
			counts[block[j] == 'b']++;
	}
	IS(counts[0], 50000);
	IS(counts[1], 50000);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return DONE();
}
