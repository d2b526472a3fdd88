/* writes.c: what a call has the kernel write to. See writes.h.
 *
 * Vectors and headers are the host's, and may lie nowhere: they are copied by the
 * kernel, in small pieces, since stack is scarce. */
#include "writes.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <linux/net.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <time.h>

#include "engine.h"
#include "memory.h"
#include "sys.h"

#define MOST_VECTORS 1024   /* the kernel takes no more */
#define MOST_BYTES 0x7ffff000UL /* nor writes more in one call */
#define PIECE 8

void writes_make_writable(const struct iovec *range)
{
	size_t length = range->iov_len < MOST_BYTES ? range->iov_len : MOST_BYTES;

	engine_will_write((uintptr_t)range->iov_base, length);
}

bool writes_is_code(const struct iovec *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (codepages_any((uintptr_t)ranges[i].iov_base, ranges[i].iov_len))
			return true;
	return false;
}

/* Whether there has been any code page: where there was none, no system call is
 * made that the host would not have made. */
static bool any_code(void)
{
	static atomic_bool seen;

	if (atomic_load_explicit(&seen, memory_order_relaxed))
		return true;
	if (!codepages_any(0, (size_t)-1))
		return false;
	atomic_store_explicit(&seen, true, memory_order_relaxed);
	return true;
}

static bool is_forbidden(const struct iovec *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!engine_may_write((uintptr_t)ranges[i].iov_base,
				      ranges[i].iov_len < MOST_BYTES ? ranges[i].iov_len : MOST_BYTES))
			return true;
	return false;
}

/* Before a call (MAKE) code is made writable. */
static unsigned walk_ranges(const struct iovec *ranges, size_t count, bool make)
{
	unsigned found = writes_is_code(ranges, count) ? WRITES_CODE : 0;

	if (make && found)
		writes_prepare(ranges, count);
	if (!make && is_forbidden(ranges, count))
		found |= WRITES_FORBIDDEN;
	return found;
}

bool writes_was_ours(const struct iovec *ranges, size_t count)
{
	return writes_is_code(ranges, count) && !is_forbidden(ranges, count);
}

/* ---------------------------------------------------------------- vectors */

static bool copy_in(void *to, const void *from, size_t length)
{
	return sys_read_memory(sys_getpid(), to, (uintptr_t)from, length) == (long)length;
}

unsigned writes_walk_vector(const struct iovec *vector, size_t count, bool make)
{
	struct iovec piece[PIECE];
	unsigned found = 0;

	if (count > MOST_VECTORS || !any_code())
		return 0;
	for (size_t done = 0, n; done < count; done += n) {
		n = count - done < PIECE ? count - done : PIECE;
		if (!copy_in(piece, vector + done, n * sizeof *piece))
			break;
		found |= walk_ranges(piece, n, make);
	}
	return found;
}

/* --------------------------------------------------------------- messages */

/* The header itself is written to as well, and where SIZE says that it is the
 * first part of a struct mmsghdr, the length behind it. */
static unsigned walk_message(const char *at, const struct msghdr *header, size_t size, bool make)
{
	struct iovec ranges[] = {
		{ (void *)at, size },
		{ header->msg_name, header->msg_namelen },
		{ header->msg_control, header->msg_controllen },
	};
	unsigned found = walk_ranges(ranges, 3, make);

	return found | writes_walk_vector(header->msg_iov, header->msg_iovlen, make);
}

/* The kernel takes any number of them, and as many as it can read. */
unsigned writes_walk_messages(const struct msghdr *message, size_t count, size_t size, bool make)
{
	const char *at = (const char *)message;
	unsigned found = 0;
	struct msghdr header;

	if (!any_code())
		return 0;
	for (size_t i = 0; i < count && copy_in(&header, at, sizeof header); i++, at += size)
		found |= walk_message(at, &header, size, make);
	return found;
}

/* ------------------------------------------------------- by system call */

#define SOCKET_ADDRESS sizeof(struct sockaddr_storage)

/* The usual ones are no larger: TCP_INFO, a termios. */
#define MOST_OPTION 256
#define MOST_CONTROL 256

#define LONG_TIME (2 * sizeof(int64_t)) /* of the calls whose names say 64 */

const struct writes_target writes_targets[] = {
	{ SYS_read, 1, 2, 1 },
	{ SYS_pread64, 1, 2, 1 },
	{ SYS_recvfrom, 1, 2, 1 },
	{ SYS_recvfrom, 4, -1, SOCKET_ADDRESS },
	{ SYS_recvfrom, 5, -1, sizeof(socklen_t) },
	{ SYS_getrandom, 0, 1, 1 },
	{ SYS_getdents64, 1, 2, 1 },
	{ SYS_readlinkat, 2, 3, 1 },
	{ SYS_getcwd, 0, 1, 1 },
	{ SYS_fstat, 1, -1, sizeof(struct stat) },
	{ SYS_statx, 4, -1, sizeof(struct statx) },
	{ SYS_pipe2, 0, -1, 2 * sizeof(int) },
	{ SYS_socketpair, 3, -1, 2 * sizeof(int) },
	{ SYS_getsockopt, 3, -1, MOST_OPTION },
	{ SYS_getsockopt, 4, -1, sizeof(socklen_t) },
	{ SYS_accept4, 1, -1, SOCKET_ADDRESS },
	{ SYS_accept4, 2, -1, sizeof(socklen_t) },
	{ SYS_getsockname, 1, -1, SOCKET_ADDRESS },
	{ SYS_getsockname, 2, -1, sizeof(socklen_t) },
	{ SYS_getpeername, 1, -1, SOCKET_ADDRESS },
	{ SYS_getpeername, 2, -1, sizeof(socklen_t) },
	{ SYS_statfs, 1, -1, sizeof(struct statfs) },
	{ SYS_fstatfs, 1, -1, sizeof(struct statfs) },
	{ SYS_getgroups, 1, 0, sizeof(gid_t) },
	{ SYS_prlimit64, 3, -1, sizeof(struct rlimit64) },
	{ SYS_sched_getaffinity, 2, 1, 1 },
	/* Not sigaltstack: the agent is asked on that very stack, and its answer would be
	 * another. */
	{ SYS_timerfd_gettime, 1, -1, sizeof(struct itimerspec) },
	{ SYS_timerfd_settime, 3, -1, sizeof(struct itimerspec) },
	{ SYS_getitimer, 1, -1, sizeof(struct itimerval) },
	{ SYS_setitimer, 2, -1, sizeof(struct itimerval) },
	{ SYS_ioctl, 2, -1, MOST_CONTROL },
	{ SYS_wait4, 1, -1, sizeof(int) },
	{ SYS_wait4, 3, -1, sizeof(struct rusage) },
	{ SYS_waitid, 2, -1, sizeof(siginfo_t) },
	{ SYS_waitid, 4, -1, sizeof(struct rusage) },
	{ SYS_ppoll, 0, 1, sizeof(struct pollfd) },
	{ SYS_epoll_pwait, 1, 2, sizeof(struct epoll_event) },
	{ SYS_pselect6, 1, -1, sizeof(fd_set) },
	{ SYS_pselect6, 2, -1, sizeof(fd_set) },
	{ SYS_pselect6, 3, -1, sizeof(fd_set) },
	{ SYS_uname, 0, -1, sizeof(struct utsname) },
	{ SYS_sysinfo, 0, -1, sizeof(struct sysinfo) },
	{ SYS_times, 0, -1, sizeof(struct tms) },
	{ SYS_getrusage, 1, -1, sizeof(struct rusage) },
	{ SYS_clock_gettime, 1, -1, sizeof(struct timespec) },
	{ SYS_clock_getres, 1, -1, sizeof(struct timespec) },
	{ SYS_gettimeofday, 0, -1, sizeof(struct timeval) },
	{ SYS_nanosleep, 1, -1, sizeof(struct timespec) },
	{ SYS_clock_nanosleep, 3, -1, sizeof(struct timespec) },
#ifdef SYS_newfstatat
	{ SYS_newfstatat, 2, -1, sizeof(struct stat) },
#endif
#ifdef SYS_accept
	{ SYS_accept, 1, -1, SOCKET_ADDRESS },
	{ SYS_accept, 2, -1, sizeof(socklen_t) },
#endif
#ifdef SYS_stat
	{ SYS_getrlimit, 1, -1, sizeof(struct rlimit) },
	{ SYS_stat, 1, -1, sizeof(struct stat) },
	{ SYS_lstat, 1, -1, sizeof(struct stat) },
	{ SYS_readlink, 1, 2, 1 },
	{ SYS_getdents, 1, 2, 1 },
	{ SYS_pipe, 0, -1, 2 * sizeof(int) },
	{ SYS_poll, 0, 1, sizeof(struct pollfd) },
	{ SYS_epoll_wait, 1, 2, sizeof(struct epoll_event) },
	{ SYS_time, 0, -1, sizeof(time_t) },
#endif
#if defined(SYS_select) && !defined(SYS__newselect)
	{ SYS_select, 1, -1, sizeof(fd_set) },
	{ SYS_select, 2, -1, sizeof(fd_set) },
	{ SYS_select, 3, -1, sizeof(fd_set) },
#endif
#ifdef SYS__newselect /* the older one has its arguments in memory */
	{ SYS__newselect, 1, -1, sizeof(fd_set) },
	{ SYS__newselect, 2, -1, sizeof(fd_set) },
	{ SYS__newselect, 3, -1, sizeof(fd_set) },
	{ SYS_fstat64, 1, -1, sizeof(struct stat64) },
	{ SYS_fstatat64, 2, -1, sizeof(struct stat64) },
	{ SYS_stat64, 1, -1, sizeof(struct stat64) },
	{ SYS_lstat64, 1, -1, sizeof(struct stat64) },
	{ SYS_statfs64, 2, -1, sizeof(struct statfs64) },
	{ SYS_fstatfs64, 2, -1, sizeof(struct statfs64) },
	{ SYS_getgroups32, 1, 0, sizeof(gid_t) },
	{ SYS_ugetrlimit, 1, -1, sizeof(struct rlimit) },
	{ SYS_waitpid, 1, -1, sizeof(int) },
	{ SYS_clock_gettime64, 1, -1, LONG_TIME },
	{ SYS_clock_getres_time64, 1, -1, LONG_TIME },
	{ SYS_clock_nanosleep_time64, 3, -1, LONG_TIME },
	{ SYS_ppoll_time64, 0, 1, sizeof(struct pollfd) },
	{ SYS_pselect6_time64, 1, -1, sizeof(fd_set) },
	{ SYS_pselect6_time64, 2, -1, sizeof(fd_set) },
	{ SYS_pselect6_time64, 3, -1, sizeof(fd_set) },
#endif
};

const size_t writes_target_count = sizeof writes_targets / sizeof *writes_targets;

_Static_assert(sizeof writes_targets / sizeof *writes_targets <= WRITES_MOST_TARGETS,
	       "whoever has a place for each has enough");

static size_t ranges_of(long number, const long *arguments, struct iovec *ranges)
{
	size_t count = 0;

	for (size_t i = 0; i < writes_target_count; i++) {
		const struct writes_target *target = &writes_targets[i];
		size_t length = target->size;

		if (target->number != number || !arguments[target->argument])
			continue;
		if (target->length >= 0 &&
		    __builtin_mul_overflow(length, (size_t)arguments[target->length], &length))
			length = MOST_BYTES;
		ranges[count++] = (struct iovec){ (void *)arguments[target->argument], length };
	}
	return count;
}

const short writes_by_vector[] = {
	SYS_readv, SYS_preadv, SYS_preadv2, SYS_recvmsg, SYS_recvmmsg,
#ifdef SYS_recvmmsg_time64
	SYS_recvmmsg_time64,
#endif
};
const size_t writes_by_vector_count = sizeof writes_by_vector / sizeof *writes_by_vector;

_Static_assert(sizeof writes_by_vector / sizeof *writes_by_vector <= WRITES_MOST_BY_VECTOR,
	       "the same");

/* In the places of the vectors and headers; false: the call has none. */
static bool walk_special(long number, const long *arguments, bool make, unsigned *found)
{
	switch (number) {
	case SYS_readv:
	case SYS_preadv:
	case SYS_preadv2:
		*found = writes_walk_vector((const struct iovec *)arguments[1], (size_t)arguments[2], make);
		return true;
	case SYS_recvmsg:
		*found = writes_walk_messages((const struct msghdr *)arguments[1], 1,
				      sizeof(struct msghdr), make);
		return true;
	case SYS_recvmmsg:
#ifdef SYS_recvmmsg_time64
	case SYS_recvmmsg_time64:
#endif
		*found = writes_walk_messages((const struct msghdr *)arguments[1], (size_t)arguments[2],
				      sizeof(struct mmsghdr), make);
		return true;
	default:
		return false;
	}
}

/* Calls of sockets by one number: which of them, and where its arguments are. *NUMBER and
 * ARGUMENTS become those of the call that it stands for. */
static void unfold(long *number, const long **arguments, long own[6])
{
#ifdef SYS_socketcall
	static const short calls[] = {
		[SYS_ACCEPT] = SYS_accept4, [SYS_GETSOCKNAME] = SYS_getsockname,
		[SYS_GETPEERNAME] = SYS_getpeername, [SYS_SOCKETPAIR] = SYS_socketpair,
		[SYS_RECV] = SYS_recvfrom, [SYS_RECVFROM] = SYS_recvfrom,
		[SYS_GETSOCKOPT] = SYS_getsockopt, [SYS_RECVMSG] = SYS_recvmsg,
		[SYS_ACCEPT4] = SYS_accept4, [SYS_RECVMMSG] = SYS_recvmmsg,
	};
	static const unsigned char counts[] = {
		[SYS_ACCEPT] = 3, [SYS_GETSOCKNAME] = 3, [SYS_GETPEERNAME] = 3,
		[SYS_SOCKETPAIR] = 4, [SYS_RECV] = 4, [SYS_RECVFROM] = 6, [SYS_GETSOCKOPT] = 5,
		[SYS_RECVMSG] = 3, [SYS_ACCEPT4] = 4, [SYS_RECVMMSG] = 5,
	};
	unsigned long call = (unsigned long)(*arguments)[0];

	if (*number != SYS_socketcall || call >= sizeof counts || !counts[call] ||
	    !copy_in(own, (const void *)(*arguments)[1], counts[call] * sizeof *own))
		return;
	*number = calls[call];
	*arguments = own;
#else
	(void)number;
	(void)arguments;
	(void)own;
#endif
}

static unsigned walk_arguments(long number, const long *arguments, bool make)
{
	long own[6] = { 0 };
	struct iovec ranges[3];
	unsigned found = 0;

	unfold(&number, &arguments, own);
	if (walk_special(number, arguments, make, &found))
		return found;
	return walk_ranges(ranges, ranges_of(number, arguments, ranges), make);
}

long writes_call(long number, const long *arguments)
{
	long result;

	for (unsigned tries = 0;; tries++) {
		if (engine_mends_with_views())
			walk_arguments(number, arguments, true);
		result = SYS_CALL(number, arguments[0], arguments[1], arguments[2], arguments[3],
				  arguments[4], arguments[5]);
		if (result != -EFAULT || tries == WRITES_TRIES ||
		    walk_arguments(number, arguments, false) != WRITES_CODE)
			return result;
	}
}
