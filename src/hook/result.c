/* hook/result.c: what answers in a structure of the host's, which may lie on a page
 * that holds code as well (hook/written.h): tcc -run puts a program's own variables
 * right behind its code. Rules: hook/hook.h. Files have one of their own (hook/stat.c), and
 * so have children (hook/wait.c).
 *
 * Not here: what libc answers without the kernel (clock_gettime, by the vdso),
 * or out of memory of its own (statvfs), and pointers that only a device or a
 * protocol knows the size of, but for ioctl's usual ones. */
#include <dirent.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "hook.h"
#include "next.h"
#include "written.h"

int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room);

/* ------------------------------------------------------ pipes and sockets */

HOOK int pipe(int fds[2])
{
	struct iovec range = { fds, 2 * sizeof *fds };

	next_ensure_late();
	if (!next.pipe)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.pipe(fds));
}

HOOK_ALIAS(__pipe, pipe);

HOOK int socketpair(int domain, int type, int protocol, int fds[2])
{
	struct iovec range = { fds, 2 * sizeof *fds };

	next_ensure_late();
	if (!next.socketpair)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.socketpair(domain, type, protocol, fds));
}

HOOK int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
	struct iovec ranges[] = {
		{ address, address ? sizeof(struct sockaddr_storage) : 0 },
		{ length, sizeof *length },
	};

	next_ensure_late();
	if (!next.accept)
		return hook_missing();
	return (int)WRITTEN_CALL(ranges, 2, next.accept(fd, address, length));
}

HOOK int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict length, int flags)
{
	struct iovec ranges[] = {
		{ address, address ? sizeof(struct sockaddr_storage) : 0 },
		{ length, sizeof *length },
	};

	next_ensure_late();
	if (!next.accept4)
		return hook_missing();
	return (int)WRITTEN_CALL(ranges, 2, next.accept4(fd, address, length, flags));
}

HOOK int getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
	struct iovec ranges[] = {
		{ address, address ? sizeof(struct sockaddr_storage) : 0 },
		{ length, sizeof *length },
	};

	next_ensure_late();
	if (!next.getsockname)
		return hook_missing();
	return (int)WRITTEN_CALL(ranges, 2, next.getsockname(fd, address, length));
}

HOOK int getpeername(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
	struct iovec ranges[] = {
		{ address, address ? sizeof(struct sockaddr_storage) : 0 },
		{ length, sizeof *length },
	};

	next_ensure_late();
	if (!next.getpeername)
		return hook_missing();
	return (int)WRITTEN_CALL(ranges, 2, next.getpeername(fd, address, length));
}

HOOK int getsockopt(int fd, int level, int option, void *restrict value,
		    socklen_t *restrict length)
{
	struct iovec ranges[] = {
		{ value, value ? sizeof(struct sockaddr_storage) : 0 },
		{ length, sizeof *length },
	};

	next_ensure_late();
	if (!next.getsockopt)
		return hook_missing();
	return (int)WRITTEN_CALL(ranges, 2, next.getsockopt(fd, level, option, value, length));
}

HOOK_ALIAS(__getsockopt64, getsockopt);

/* ---------------------------------------------------------------- waiting */

HOOK int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	struct iovec range = { fds, count * sizeof *fds };

	next_ensure_late();
	if (!next.poll)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.poll(fds, count, timeout));
}

HOOK_ALIAS(__poll, poll);

HOOK int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room)
{
	struct iovec range = { fds, count * sizeof *fds };

	next_ensure_late();
	if (!next.poll_chk)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.poll_chk(fds, count, timeout, room));
}

HOOK int select(int count, fd_set *restrict readers, fd_set *restrict writers,
		fd_set *restrict others, struct timeval *restrict timeout)
{
	struct iovec ranges[] = {
		{ readers, readers ? sizeof *readers : 0 },
		{ writers, writers ? sizeof *writers : 0 },
		{ others, others ? sizeof *others : 0 },
		{ timeout, timeout ? sizeof *timeout : 0 },
	};

	next_ensure_late();
	if (!next.select)
		return hook_missing();
	return (int)WRITTEN_CALL(ranges, 4, next.select(count, readers, writers, others, timeout));
}

HOOK_ALIAS(__select, select);

HOOK int epoll_wait(int fd, struct epoll_event *events, int most, int timeout)
{
	struct iovec range = { events, most > 0 ? (size_t)most * sizeof *events : 0 };

	next_ensure_late();
	if (!next.epoll_wait)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.epoll_wait(fd, events, most, timeout));
}

HOOK int nanosleep(const struct timespec *time, struct timespec *rest)
{
	struct iovec range = { rest, rest ? sizeof *rest : 0 };

	next_ensure_late();
	if (!next.nanosleep)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.nanosleep(time, rest));
}

HOOK_ALIAS(__nanosleep, nanosleep);

/* ---------------------------------------------------- what the process is */

HOOK int uname(struct utsname *name)
{
	struct iovec range = { name, sizeof *name };

	next_ensure_late();
	if (!next.uname)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.uname(name));
}

HOOK int sysinfo(struct sysinfo *information)
{
	struct iovec range = { information, sizeof *information };

	next_ensure_late();
	if (!next.sysinfo)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.sysinfo(information));
}

HOOK clock_t times(struct tms *used)
{
	struct iovec range = { used, used ? sizeof *used : 0 };

	next_ensure_late();
	if (!next.times)
		return hook_missing();
	return WRITTEN_CALL(&range, 1, next.times(used));
}

HOOK int getrusage(__rusage_who_t who, struct rusage *used)
{
	struct iovec range = { used, sizeof *used };

	next_ensure_late();
	if (!next.getrusage)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.getrusage(who, used));
}

HOOK int getrlimit(__rlimit_resource_t resource, struct rlimit *limit)
{
	struct iovec range = { limit, sizeof *limit };

	next_ensure_late();
	if (!next.getrlimit)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.getrlimit(resource, limit));
}

HOOK int getrlimit64(__rlimit_resource_t resource, struct rlimit64 *limit)
{
	struct iovec range = { limit, sizeof *limit };

	next_ensure_late();
	if (!next.getrlimit64)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.getrlimit64(resource, limit));
}

HOOK int prlimit(pid_t pid, __rlimit_resource_t resource, const struct rlimit *limit,
		 struct rlimit *old)
{
	struct iovec range = { old, old ? sizeof *old : 0 };

	next_ensure_late();
	if (!next.prlimit)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.prlimit(pid, resource, limit, old));
}

HOOK int prlimit64(pid_t pid, __rlimit_resource_t resource, const struct rlimit64 *limit,
		   struct rlimit64 *old)
{
	struct iovec range = { old, old ? sizeof *old : 0 };

	next_ensure_late();
	if (!next.prlimit64)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.prlimit64(pid, resource, limit, old));
}

HOOK int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
	struct iovec range = { set, size };

	next_ensure_late();
	if (!next.sched_getaffinity)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.sched_getaffinity(pid, size, set));
}

HOOK int sigaltstack(const stack_t *restrict to, stack_t *restrict old)
{
	struct iovec range = { old, old ? sizeof *old : 0 };

	next_ensure_late();
	if (!next.sigaltstack)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.sigaltstack(to, old));
}

HOOK int getitimer(__itimer_which_t which, struct itimerval *value)
{
	struct iovec range = { value, sizeof *value };

	next_ensure_late();
	if (!next.getitimer)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.getitimer(which, value));
}

HOOK int setitimer(__itimer_which_t which, const struct itimerval *restrict value,
		   struct itimerval *restrict old)
{
	struct iovec range = { old, old ? sizeof *old : 0 };

	next_ensure_late();
	if (!next.setitimer)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.setitimer(which, value, old));
}

HOOK int getgroups(int count, gid_t groups[])
{
	struct iovec range = { groups, count > 0 ? (size_t)count * sizeof *groups : 0 };

	next_ensure_late();
	if (!next.getgroups)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.getgroups(count, groups));
}

HOOK int timerfd_gettime(int fd, struct itimerspec *value)
{
	struct iovec range = { value, sizeof *value };

	next_ensure_late();
	if (!next.timerfd_gettime)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.timerfd_gettime(fd, value));
}

HOOK int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
	struct iovec range = { old, old ? sizeof *old : 0 };

	next_ensure_late();
	if (!next.timerfd_settime)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.timerfd_settime(fd, flags, value, old));
}

/* ----------------------------------------------------------------- others */

/* What the request says, where it says it; or as much as a terminal's settings. */
HOOK int ioctl(int fd, unsigned long request, ...)
{
	struct iovec range = { .iov_len = _IOC_SIZE(request) ? _IOC_SIZE(request) : 64 };
	va_list list;

	va_start(list, request);
	range.iov_base = va_arg(list, void *);
	va_end(list);
	next_ensure_late();
	if (!next.ioctl)
		return (int)hook_answer(sys_ioctl(fd, request, range.iov_base));
	return (int)WRITTEN_CALL(&range, 1, next.ioctl(fd, request, range.iov_base));
}

HOOK_ALIAS(__ioctl_time64, ioctl);

/* The entries lie behind what libc keeps of a directory, in memory of malloc's. */
static void before_readdir(DIR *directory)
{
	struct iovec range = { directory, 32768 + 64 };

	next_ensure_late();
	writes_prepare(&range, 1);
}

HOOK struct dirent *readdir(DIR *directory)
{
	before_readdir(directory);
	return next.readdir ? next.readdir(directory) : NULL;
}

HOOK struct dirent64 *readdir64(DIR *directory)
{
	before_readdir(directory);
	return next.readdir64 ? next.readdir64(directory) : NULL;
}
