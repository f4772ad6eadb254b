/* The prototype's N-queens: forked processes count the solutions of a first column
 * each and send them over TCP to the parent. */
#include "net.h"

enum { board = 9, workers = 3 };

static int count(int row, unsigned columns, unsigned left, unsigned right)
{
	int solutions = 0;

	if (row == board)
		return 1;
	for (int c = 0; c < board; c++) {
		unsigned bit = 1u << c;

		if (!(columns & bit) && !(left & bit) && !(right & bit))
			solutions += count(row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1);
	}
	return solutions;
}

int main(void)
{
	struct sockaddr_in at;
	int listening = listener4(&at), counts[board] = {0}, total = 0, result[2];
	pid_t children[workers];

	for (int w = 0; w < workers; w++)
		if ((children[w] = fork()) == 0) {
			int fd = socket(AF_INET, SOCK_STREAM, 0);

			if (connect(fd, SA(&at), sizeof(at)) == -1)
				_exit(1);
			for (int c = w; c < board; c += workers) {
				result[0] = c;
				result[1] = count(1, 1u << c, 2u << c, 1u << c >> 1);
				if (send(fd, result, sizeof(result), 0) != sizeof(result))
					_exit(1);
			}
			_exit(0);
		}
	for (int w = 0; w < workers; w++) {
		int fd = accept(listening, NULL, NULL);

		while (recv(fd, result, sizeof(result), MSG_WAITALL) == sizeof(result))
			counts[result[0]] = result[1];
		close(fd);
	}
	for (int w = 0; w < workers; w++)
		check_child(children[w]);
	for (int c = 0; c < board; c++) {
		SAY("first queen in column %d: %d", c, counts[c]);
		total += counts[c];
	}
	IS(total, 352);
	return DONE();
}
