/* /dev/net/tun without an interface, of somebody who may not make one. */
#include "../c/check.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

static void unattached(const char *name, int mode)
{
	struct ifreq request = {.ifr_name = "tun0", .ifr_flags = IFF_TUN | IFF_NO_PI};
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	int fd = open(name, mode), epoll = epoll_create1(0), index = 7, number = 1;
	struct pollfd poll_ = {.fd = fd};
	struct stat status;
	unsigned features = 0;
	char byte = 0;

	SAY("%s, mode %d", name, mode & O_ACCMODE);
	OK(fd >= 0);
	IS(fstat(fd, &status), 0);
	OK(S_ISCHR(status.st_mode) && status.st_rdev == makedev(10, 200));
	FAILS(read(fd, &byte, 1), (mode & O_ACCMODE) == O_WRONLY ? EBADF : EBADFD);
	FAILS(read(fd, &byte, 0), (mode & O_ACCMODE) == O_WRONLY ? EBADF : EBADFD);
	FAILS(write(fd, &byte, 1), (mode & O_ACCMODE) == O_RDONLY ? EBADF : EBADFD);
	FAILS(pread(fd, &byte, 1, 0), (mode & O_ACCMODE) == O_WRONLY ? EBADF : EBADFD);
	FAILS(lseek(fd, 0, SEEK_SET), ESPIPE);
	FAILS(fsync(fd), EINVAL);
	IS(poll(&poll_, 1, -1), 1);
	IS(poll_.revents, POLLERR);
	IS(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
	IS(epoll_wait(epoll, &event, 1, -1), 1);
	IS(event.events, EPOLLERR);
	IS(epoll_wait(epoll, &event, 1, 0), 0);
	IS(ioctl(fd, TUNGETFEATURES, &features), 0);
	OK((features & (IFF_TUN | IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE)) == (IFF_TUN | IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE));
	FAILS(ioctl(fd, TUNSETIFF, (void *)8), EFAULT);
	FAILS(ioctl(fd, TUNSETIFF, &request), EPERM);
	FAILS(ioctl(fd, TUNGETIFF, &request), EBADFD);
	FAILS(ioctl(fd, TUNSETPERSIST, 1), EBADFD);
	FAILS(ioctl(fd, FIONREAD, &number), EBADFD);
	request.ifr_flags = IFF_ATTACH_QUEUE;
	FAILS(ioctl(fd, TUNSETQUEUE, &request), EINVAL);
	IS(ioctl(fd, TUNSETIFINDEX, &index), 0);
	IS(ioctl(fd, FIONBIO, &number), 0);
	OK(fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(epoll);
	close(fd);
}

int main(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {0};

	if (syscall(SYS_capset, &header, none) == -1)
		return 2;
	FAILS(open("/dev/net/tun", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	unattached("/dev/net/tun", O_RDWR);
	unattached("/dev/net/tun", O_RDONLY | O_NONBLOCK);
	unattached("/dev/net/tun", O_WRONLY);
	unattached("/proc/self/root/dev/net/tun", O_RDWR);
	return DONE();
}
