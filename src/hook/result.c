/* hook/result.c: what answers in a structure of the host's, which may lie on a page
 * that holds code as well (hook/written.h): tcc -run puts a program's own variables
 * right behind its code. Rules: hook/hook.h.
 *
 * Not here: what libc answers without the kernel (clock_gettime, by the vdso),
 * or out of memory of its own (statvfs), and pointers that only a device or a
 * protocol knows the size of, but for ioctl's usual ones. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../descriptors.h"
#include "hook.h"
#include "next.h"
#include "written.h"

int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room);
int __xstat(int version, const char *path, struct stat *status);
int __xstat64(int version, const char *path, struct stat64 *status);
int __lxstat(int version, const char *path, struct stat *status);
int __lxstat64(int version, const char *path, struct stat64 *status);
int __fxstat(int version, int fd, struct stat *status);
int __fxstat64(int version, int fd, struct stat64 *status);
int __fxstatat(int version, int fd, const char *path, struct stat *status, int flags);
int __fxstatat64(int version, int fd, const char *path, struct stat64 *status, int flags);

/* A system call that this libc has no function for: nobody calls it here. */
static int missing(void)
{
	errno = ENOSYS;
	return -1;
}

/* ------------------------------------------------------------------ files */

/* Programs ask fstat which numbers are open: ours are not (hook/descriptor.c). */

HOOK int stat(const char *restrict path, struct stat *restrict status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.stat)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.stat(path, status));
}

HOOK int stat64(const char *restrict path, struct stat64 *restrict status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.stat64)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.stat64(path, status));
}

HOOK int lstat(const char *restrict path, struct stat *restrict status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.lstat)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.lstat(path, status));
}

HOOK int lstat64(const char *restrict path, struct stat64 *restrict status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.lstat64)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.lstat64(path, status));
}

HOOK int fstat(int fd, struct stat *status)
{
	struct iovec range = { status, sizeof *status };

	if (descriptors_is_ours(fd))
		return (int)hook_answer(-EBADF);
	next_ensure_late();
	if (!next.fstat)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.fstat(fd, status));
}

HOOK int fstat64(int fd, struct stat64 *status)
{
	struct iovec range = { status, sizeof *status };

	if (descriptors_is_ours(fd))
		return (int)hook_answer(-EBADF);
	next_ensure_late();
	if (!next.fstat64)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.fstat64(fd, status));
}

HOOK int fstatat(int fd, const char *restrict path, struct stat *restrict status, int flags)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.fstatat)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.fstatat(fd, path, status, flags));
}

HOOK int fstatat64(int fd, const char *restrict path, struct stat64 *restrict status, int flags)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.fstatat64)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.fstatat64(fd, path, status, flags));
}

/* What stat and its kin were before glibc 2.33. */
HOOK int __xstat(int version, const char *path, struct stat *status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.xstat)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.xstat(version, path, status));
}

HOOK int __xstat64(int version, const char *path, struct stat64 *status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.xstat64)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.xstat64(version, path, status));
}

HOOK int __lxstat(int version, const char *path, struct stat *status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.lxstat)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.lxstat(version, path, status));
}

HOOK int __lxstat64(int version, const char *path, struct stat64 *status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.lxstat64)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.lxstat64(version, path, status));
}

HOOK int __fxstat(int version, int fd, struct stat *status)
{
	struct iovec range = { status, sizeof *status };

	if (descriptors_is_ours(fd))
		return (int)hook_answer(-EBADF);
	next_ensure_late();
	if (!next.fxstat)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.fxstat(version, fd, status));
}

HOOK int __fxstat64(int version, int fd, struct stat64 *status)
{
	struct iovec range = { status, sizeof *status };

	if (descriptors_is_ours(fd))
		return (int)hook_answer(-EBADF);
	next_ensure_late();
	if (!next.fxstat64)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.fxstat64(version, fd, status));
}

HOOK int __fxstatat(int version, int fd, const char *path, struct stat *status, int flags)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.fxstatat)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.fxstatat(version, fd, path, status, flags));
}

HOOK int __fxstatat64(int version, int fd, const char *path, struct stat64 *status, int flags)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.fxstatat64)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.fxstatat64(version, fd, path, status, flags));
}

HOOK int statx(int fd, const char *restrict path, int flags, unsigned mask,
	       struct statx *restrict status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.statx)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.statx(fd, path, flags, mask, status));
}

HOOK int statfs(const char *path, struct statfs *status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.statfs)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.statfs(path, status));
}

HOOK_ALIAS(__statfs, statfs);

HOOK int statfs64(const char *path, struct statfs64 *status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.statfs64)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.statfs64(path, status));
}

HOOK int fstatfs(int fd, struct statfs *status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.fstatfs)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.fstatfs(fd, status));
}

HOOK int fstatfs64(int fd, struct statfs64 *status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.fstatfs64)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.fstatfs64(fd, status));
}

HOOK int pipe(int fds[2])
{
	struct iovec range = { fds, 2 * sizeof *fds };

	next_ensure_late();
	if (!next.pipe)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.pipe(fds));
}

HOOK_ALIAS(__pipe, pipe);

/* ---------------------------------------------------------------- sockets */

HOOK int socketpair(int domain, int type, int protocol, int fds[2])
{
	struct iovec range = { fds, 2 * sizeof *fds };

	next_ensure_late();
	if (!next.socketpair)
		return missing();
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
		return missing();
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
		return missing();
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
		return missing();
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
		return missing();
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
		return missing();
	return (int)WRITTEN_CALL(ranges, 2, next.getsockopt(fd, level, option, value, length));
}

HOOK_ALIAS(__getsockopt64, getsockopt);

/* ---------------------------------------------------------------- waiting */

HOOK int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	struct iovec range = { fds, count * sizeof *fds };

	next_ensure_late();
	if (!next.poll)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.poll(fds, count, timeout));
}

HOOK_ALIAS(__poll, poll);

HOOK int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room)
{
	struct iovec range = { fds, count * sizeof *fds };

	next_ensure_late();
	if (!next.poll_chk)
		return missing();
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
		return missing();
	return (int)WRITTEN_CALL(ranges, 4, next.select(count, readers, writers, others, timeout));
}

HOOK_ALIAS(__select, select);

HOOK int epoll_wait(int fd, struct epoll_event *events, int most, int timeout)
{
	struct iovec range = { events, most > 0 ? (size_t)most * sizeof *events : 0 };

	next_ensure_late();
	if (!next.epoll_wait)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.epoll_wait(fd, events, most, timeout));
}

HOOK int nanosleep(const struct timespec *time, struct timespec *rest)
{
	struct iovec range = { rest, rest ? sizeof *rest : 0 };

	next_ensure_late();
	if (!next.nanosleep)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.nanosleep(time, rest));
}

HOOK_ALIAS(__nanosleep, nanosleep);

/* ---------------------------------------------------- what the process is */

HOOK int uname(struct utsname *name)
{
	struct iovec range = { name, sizeof *name };

	next_ensure_late();
	if (!next.uname)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.uname(name));
}

HOOK int sysinfo(struct sysinfo *information)
{
	struct iovec range = { information, sizeof *information };

	next_ensure_late();
	if (!next.sysinfo)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.sysinfo(information));
}

HOOK clock_t times(struct tms *used)
{
	struct iovec range = { used, used ? sizeof *used : 0 };

	next_ensure_late();
	if (!next.times)
		return missing();
	return WRITTEN_CALL(&range, 1, next.times(used));
}

HOOK int getrusage(__rusage_who_t who, struct rusage *used)
{
	struct iovec range = { used, sizeof *used };

	next_ensure_late();
	if (!next.getrusage)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.getrusage(who, used));
}

HOOK int getrlimit(__rlimit_resource_t resource, struct rlimit *limit)
{
	struct iovec range = { limit, sizeof *limit };

	next_ensure_late();
	if (!next.getrlimit)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.getrlimit(resource, limit));
}

HOOK int getrlimit64(__rlimit_resource_t resource, struct rlimit64 *limit)
{
	struct iovec range = { limit, sizeof *limit };

	next_ensure_late();
	if (!next.getrlimit64)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.getrlimit64(resource, limit));
}

HOOK int prlimit(pid_t pid, __rlimit_resource_t resource, const struct rlimit *limit,
		 struct rlimit *old)
{
	struct iovec range = { old, old ? sizeof *old : 0 };

	next_ensure_late();
	if (!next.prlimit)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.prlimit(pid, resource, limit, old));
}

HOOK int prlimit64(pid_t pid, __rlimit_resource_t resource, const struct rlimit64 *limit,
		   struct rlimit64 *old)
{
	struct iovec range = { old, old ? sizeof *old : 0 };

	next_ensure_late();
	if (!next.prlimit64)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.prlimit64(pid, resource, limit, old));
}

HOOK int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
	struct iovec range = { set, size };

	next_ensure_late();
	if (!next.sched_getaffinity)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.sched_getaffinity(pid, size, set));
}

HOOK int sigaltstack(const stack_t *restrict to, stack_t *restrict old)
{
	struct iovec range = { old, old ? sizeof *old : 0 };

	next_ensure_late();
	if (!next.sigaltstack)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.sigaltstack(to, old));
}

HOOK int getitimer(__itimer_which_t which, struct itimerval *value)
{
	struct iovec range = { value, sizeof *value };

	next_ensure_late();
	if (!next.getitimer)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.getitimer(which, value));
}

HOOK int setitimer(__itimer_which_t which, const struct itimerval *restrict value,
		   struct itimerval *restrict old)
{
	struct iovec range = { old, old ? sizeof *old : 0 };

	next_ensure_late();
	if (!next.setitimer)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.setitimer(which, value, old));
}

HOOK int getgroups(int count, gid_t groups[])
{
	struct iovec range = { groups, count > 0 ? (size_t)count * sizeof *groups : 0 };

	next_ensure_late();
	if (!next.getgroups)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.getgroups(count, groups));
}

HOOK int timerfd_gettime(int fd, struct itimerspec *value)
{
	struct iovec range = { value, sizeof *value };

	next_ensure_late();
	if (!next.timerfd_gettime)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.timerfd_gettime(fd, value));
}

HOOK int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
	struct iovec range = { old, old ? sizeof *old : 0 };

	next_ensure_late();
	if (!next.timerfd_settime)
		return missing();
	return (int)WRITTEN_CALL(&range, 1, next.timerfd_settime(fd, flags, value, old));
}

/* --------------------------------------------------------------- children */

/* The kernel has forgotten the child by the time it writes, and a handler of SIGCHLD
 * may have run on the page meanwhile: no call is made twice. Where the host's words
 * are among code, the kernel writes to ours. */
static bool is_code(void *address, size_t length)
{
	struct iovec range = { address, address ? length : 0 };

	return writes_is_code(&range, 1);
}

HOOK pid_t wait4(pid_t pid, int *status, int options, struct rusage *used)
{
	bool mine = is_code(status, sizeof *status), used_mine = is_code(used, sizeof *used);
	struct rusage own_used;
	int own_status = 0;
	pid_t result;

	next_ensure_late();
	if (!next.wait4)
		return missing();
	result = next.wait4(pid, mine ? &own_status : status, options,
			    used_mine ? &own_used : used);
	if (result > 0 && mine)
		*status = own_status;
	if (result > 0 && used_mine)
		*used = own_used;
	return result;
}

HOOK pid_t wait3(int *status, int options, struct rusage *used)
{
	return wait4(-1, status, options, used);
}

HOOK pid_t waitpid(pid_t pid, int *status, int options)
{
	bool mine = is_code(status, sizeof *status);
	int own_status = 0;
	pid_t result;

	next_ensure_late();
	if (!next.waitpid)
		return missing();
	result = next.waitpid(pid, mine ? &own_status : status, options);
	if (result > 0 && mine)
		*status = own_status;
	return result;
}

HOOK_ALIAS(__waitpid, waitpid);

HOOK pid_t wait(int *status)
{
	bool mine = is_code(status, sizeof *status);
	int own_status = 0;
	pid_t result;

	next_ensure_late();
	if (!next.wait)
		return missing();
	result = next.wait(mine ? &own_status : status);
	if (result > 0 && mine)
		*status = own_status;
	return result;
}

HOOK_ALIAS(__wait, wait);

HOOK int waitid(idtype_t type, id_t id, siginfo_t *information, int options)
{
	bool mine = is_code(information, sizeof *information);
	siginfo_t own = { 0 };
	int result;

	next_ensure_late();
	if (!next.waitid)
		return missing();
	result = next.waitid(type, id, mine ? &own : information, options);
	if (result == 0 && mine)
		*information = own;
	return result;
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
