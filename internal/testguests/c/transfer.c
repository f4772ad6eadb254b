/* sendfile, splice, tee, copy_file_range, vectored and positioned reads and writes. */
#include "net.h"
#include <sys/sendfile.h>
#include <sys/stat.h>

enum { size = 200000 };

static char data[size], back[size];

int main(void)
{
	int file, copy, folder, end, pipe_[2], second[2], tcp[2], got;
	struct iovec parts[3] = {{back, 3}, {back + 10, 0}, {back + 20, 5}};
	off_t offset = 1000;
	loff_t at = 5, to = 100;
	ssize_t n;
	pid_t child;

	for (int i = 0; i < size; i++)
		data[i] = i * 7 + i / 256;
	file = open("transfer.data", O_CREAT | O_RDWR | O_TRUNC, 0600);
	IS(write(file, data, size), size);

	SAY("sendfile to a socket");
	tcp_pair(tcp);
	child = fork();
	if (child == 0) {
		check_quiet = 1;
		close(tcp[0]);
		for (got = 0; (n = read(tcp[1], back + got, size - got)) > 0; got += n)
			;
		IS(got, size - 1000);
		OK(memcmp(back, data + 1000, got) == 0);
		_exit(check_failed);
	}
	close(tcp[1]);
	lseek(file, 10, SEEK_SET);
	for (got = 0; (n = sendfile(tcp[0], file, &offset, size)) > 0; got += n)
		;
	IS(got, size - 1000);
	IS(offset, size);
	IS(lseek(file, 0, SEEK_CUR), 10);
	close(tcp[0]);
	check_child(child);

	SAY("sendfile with the file's own position, to a pipe and a file");
	IS(pipe(pipe_), 0);
	IS(sendfile(pipe_[1], file, NULL, 100), 100);
	IS(lseek(file, 0, SEEK_CUR), 110);
	IS(read(pipe_[0], back, 200), 100);
	OK(memcmp(back, data + 10, 100) == 0);
	copy = open("transfer.copy", O_CREAT | O_RDWR | O_TRUNC, 0600);
	IS(sendfile(copy, file, NULL, size), size - 110);
	IS(sendfile(copy, file, NULL, size), 0);
	FAILS(sendfile(copy, 99, NULL, 1), EBADF);
	offset = -1;
	FAILS(sendfile(copy, file, &offset, 1), EINVAL);
	IS(ftruncate(copy, 0), 0);

	SAY("splice: file to pipe to socket and back");
	tcp_pair(tcp);
	IS(splice(file, &at, pipe_[1], NULL, 1000, 0), 1000);
	IS(at, 1005);
	IS(splice(pipe_[0], NULL, tcp[0], NULL, 1000, 0), 1000);
	IS(recv(tcp[1], back, 1000, MSG_WAITALL), 1000);
	OK(memcmp(back, data + 5, 1000) == 0);
	IS(write(tcp[0], data, 500), 500);
	IS(poll_for(tcp[1], POLLIN, 1000), POLLIN);
	IS(splice(tcp[1], NULL, pipe_[1], NULL, 4096, 0), 500);
	IS(splice(pipe_[0], NULL, copy, &to, 4096, 0), 500);
	IS(pread(copy, back, 500, 100), 500);
	OK(memcmp(back, data, 500) == 0);
	FAILS(splice(file, NULL, copy, NULL, 10, 0), EINVAL);
	FAILS(splice(pipe_[0], NULL, copy, NULL, 10, SPLICE_F_NONBLOCK), EAGAIN);
	FAILS(splice(pipe_[0], &at, copy, NULL, 10, 0), ESPIPE);
	FAILS(splice(file, NULL, pipe_[1], NULL, 10, 0xff), EINVAL);
	folder = open(".", O_RDONLY | O_DIRECTORY);
	FAILS(splice(folder, NULL, pipe_[1], NULL, 10, 0), EINVAL);
	FAILS(sendfile(pipe_[1], folder, NULL, 10), EINVAL);
	end = open("transfer.end", O_CREAT | O_WRONLY | O_APPEND, 0600);
	FAILS(splice(pipe_[0], NULL, end, NULL, 10, 0), EINVAL);
	SAY("tee leaves the data where it is");
	IS(pipe(second), 0);
	IS(write(pipe_[1], "twice", 5), 5);
	IS(tee(pipe_[0], second[1], 100, 0), 5);
	IS(read(second[0], back, 100), 5);
	IS(read(pipe_[0], back, 100), 5);
	IS(splice(pipe_[0], NULL, second[1], NULL, 10, SPLICE_F_NONBLOCK) == -1 && errno == EAGAIN, 1);
	parts[0].iov_base = "vm";
	parts[0].iov_len = 2;
	IS(vmsplice(pipe_[1], parts, 1, 0), 2);
	IS(read(pipe_[0], back, 100), 2);
	close(tcp[0]);
	close(tcp[1]);

	SAY("copy_file_range");
	at = 0;
	to = 0;
	IS(copy_file_range(file, &at, copy, &to, 5000, 0), 5000);
	IS(pread(copy, back, 5000, 0), 5000);
	OK(memcmp(back, data, 5000) == 0);

	SAY("vectors and positions");
	parts[0] = (struct iovec){back, 3};
	IS(lseek(file, 0, SEEK_SET), 0);
	IS(readv(file, parts, 3), 8);
	OK(memcmp(back, data, 3) == 0 && memcmp(back + 20, data + 3, 5) == 0);
	IS(preadv(file, parts, 3, 100), 8);
	OK(memcmp(back, data + 100, 3) == 0);
	IS(preadv2(file, parts, 3, -1, 0), 8);
	IS(lseek(file, 0, SEEK_CUR), 16);
	IS(pwritev(copy, parts, 3, 50), 8);
	IS(pread(copy, back + 100, 8, 50), 8);
	OK(memcmp(back + 100, data + 8, 8) == 0);
	IS(pread(file, back, 10, size - 4), 4);
	IS(pread(file, back, 10, size), 0);
	FAILS(pread(file, back, 10, -1), EINVAL);
	FAILS(preadv(pipe_[0], parts, 3, 0), ESPIPE);
	FAILS(readv(file, parts, -1), EINVAL);
	SAY("appending ignores the position");
	fcntl(copy, F_SETFL, O_APPEND);
	n = lseek(copy, 0, SEEK_END);
	IS(lseek(copy, 0, SEEK_SET), 0);
	IS(write(copy, "end", 3), 3);
	IS(lseek(copy, 0, SEEK_CUR) == n + 3, 1);
	unlink("transfer.data");
	unlink("transfer.copy");
	return DONE();
}
