/* hook/mask.c: what a host blocks, and the calls that wait under a mask of
 * their own. Rules: hook/hook.h.
 *
 * Sets go to the kernel by signals_to_kernel and come back by signals_to_host.
 * The waiting calls are cancellation points: they go to the next definition. What
 * they answer may lie among code (hook/written.h). */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "../memory.h"
#include "../engine.h"
#include "../signals.h"
#include "../start.h"
#include "hook.h"
#include "next.h"
#include "written.h"

/* glibc declares it for fortified programs alone. */
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		const sigset_t *set, size_t size);

/* The signals that glibc keeps for its threads, which no host may block. */
#define LIBC_SIGNALS (1ULL << 31 | 1ULL << 32)

/* A negated errno or 0. */
static long change_mask(int how, const sigset_t *set, sigset_t *old)
{
	uint64_t kernel = 0;
	long result;

	start_engine();
	if (set) {
		memcpy(&kernel, set, sizeof kernel);
		kernel = signals_change_to_kernel(how, kernel) & ~LIBC_SIGNALS;
	}
	if (old)
		engine_will_write((uintptr_t)old, sizeof kernel);
	result = sys_sigprocmask(how, set ? &kernel : NULL, (uint64_t *)old);
	if (!sys_failed(result) && old)
		signals_set_to_host(old);
	return result;
}

HOOK int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	return (int)hook_answer(change_mask(how, set, old));
}

HOOK int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	return (int)-change_mask(how, set, old);
}

/* The BSD calls have the first 32 signals in an int. */
static int change_int_mask(int how, int mask)
{
	uint64_t word = (uint32_t)mask;
	sigset_t set, old;

	memset(&set, 0, sizeof set);
	memcpy(&set, &word, sizeof word);
	if (change_mask(how, &set, &old))
		return -1;
	memcpy(&word, &old, sizeof word);
	return (int)word;
}

HOOK int sigblock(int mask)
{
	return change_int_mask(SIG_BLOCK, mask);
}

HOOK int sigsetmask(int mask)
{
	return change_int_mask(SIG_SETMASK, mask);
}

HOOK int siggetmask(void)
{
	return change_int_mask(SIG_BLOCK, 0);
}

HOOK int sigpending(sigset_t *set)
{
	struct iovec range = { set, sizeof(uint64_t) };
	long result;

	writes_prepare(&range, 1);
	result = SYS_CALL(SYS_rt_sigpending, set, sizeof(uint64_t), 0, 0, 0, 0);

	if (!sys_failed(result))
		signals_set_to_host(set);
	return (int)hook_answer(result);
}

/* The kernel reads the set first, and then finds that there is no such way to change a
 * mask (rt_sigprocmask in its kernel/signal.c). */
static bool can_be_read(const sigset_t *set)
{
	const int no_way = -1;

	return sys_sigprocmask(no_way, (const uint64_t *)set, NULL) != -EFAULT;
}

/* SET translated into STORAGE. NULL stays NULL, and of what cannot be read the kernel is
 * to say so. */
static const sigset_t *translated(const sigset_t *set, sigset_t *storage)
{
	if (!set || !can_be_read(set))
		return set;
	*storage = signals_set_to_kernel(set);
	return storage;
}

HOOK int sigsuspend(const sigset_t *set)
{
	sigset_t storage;

	next_ensure();
#ifdef ARCH_RESULT_TAKES_FIRST_ARGUMENT
	/* The same wait, with the set where arch_call_argument finds it again. */
	if (next.ppoll)
		return next.ppoll(NULL, 0, NULL, translated(set, &storage));
#endif
	if (next.sigsuspend)
		return next.sigsuspend(translated(set, &storage));
	return (int)hook_answer(SYS_CALL(SYS_rt_sigsuspend, translated(set, &storage),
					 sizeof(uint64_t), 0, 0, 0, 0));
}

HOOK_ALIAS(__sigsuspend, sigsuspend);

/* The host waits for SIGSEGV; the stand-in is what comes. */
static int as_host_signal(int signal, siginfo_t *info)
{
	if (!signals_guarded() || signal != SIGNAL_STAND_IN)
		return signal;
	if (info) {
		info->si_signo = SIGSEGV;
		info->si_errno = 0;
	}
	return SIGSEGV;
}

HOOK int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
	struct iovec range = { info, sizeof *info };
	bool mine = info && writes_is_code(&range, 1);
	sigset_t storage;
	siginfo_t own;
	int signal;

	next_ensure();
	if (!next.sigtimedwait)
		return errno = ENOSYS, -1;
	/* By the time that the kernel writes there the signal is pending no more. */
	signal = next.sigtimedwait(translated(set, &storage), mine ? &own : info, timeout);
	if (signal > 0 && mine)
		*info = own;
	return as_host_signal(signal, info);
}

HOOK int sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
	return sigtimedwait(set, info, NULL);
}

HOOK int sigwait(const sigset_t *set, int *signal)
{
	sigset_t storage;
	int result;

	next_ensure();
	if (!next.sigwait)
		return ENOSYS;
	result = next.sigwait(translated(set, &storage), signal);
	if (result == 0)
		*signal = as_host_signal(*signal, NULL);
	return result;
}

HOOK int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
	       const sigset_t *set)
{
	struct iovec range = { fds, count * sizeof *fds };
	sigset_t storage;

	next_ensure();
	if (!next.ppoll)
		return errno = ENOSYS, -1;
	return (int)WRITTEN_CALL(&range, 1,
				 next.ppoll(fds, count, timeout, translated(set, &storage)));
}

/* What fortified programs call; SIZE is the room behind FDS, which the next
 * definition looks at. */
HOOK int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		     const sigset_t *set, size_t size)
{
	struct iovec range = { fds, count * sizeof *fds };
	sigset_t storage;

	next_ensure();
	if (!next.ppoll_chk)
		return ppoll(fds, count, timeout, set);
	return (int)WRITTEN_CALL(&range, 1, next.ppoll_chk(fds, count, timeout,
							   translated(set, &storage), size));
}

HOOK int pselect(int count, fd_set *readers, fd_set *writers, fd_set *others,
		 const struct timespec *timeout, const sigset_t *set)
{
	struct iovec ranges[] = {
		{ readers, readers ? sizeof *readers : 0 },
		{ writers, writers ? sizeof *writers : 0 },
		{ others, others ? sizeof *others : 0 },
	};
	sigset_t storage;

	next_ensure();
	if (!next.pselect)
		return errno = ENOSYS, -1;
	return (int)WRITTEN_CALL(ranges, 3, next.pselect(count, readers, writers, others, timeout,
							 translated(set, &storage)));
}

HOOK int epoll_pwait(int fd, struct epoll_event *events, int most, int timeout,
		     const sigset_t *set)
{
	struct iovec range = { events, most > 0 ? (size_t)most * sizeof *events : 0 };
	sigset_t storage;

	next_ensure();
	if (!next.epoll_pwait)
		return errno = ENOSYS, -1;
	return (int)WRITTEN_CALL(&range, 1, next.epoll_pwait(fd, events, most, timeout,
							    translated(set, &storage)));
}

HOOK int epoll_pwait2(int fd, struct epoll_event *events, int most,
		      const struct timespec *timeout, const sigset_t *set)
{
	struct iovec range = { events, most > 0 ? (size_t)most * sizeof *events : 0 };
	sigset_t storage;

	next_ensure();
	if (!next.epoll_pwait2)
		return errno = ENOSYS, -1;
	return (int)WRITTEN_CALL(&range, 1, next.epoll_pwait2(fd, events, most, timeout,
							    translated(set, &storage)));
}

HOOK int pthread_attr_setsigmask_np(pthread_attr_t *attr, const sigset_t *set)
{
	sigset_t storage;

	next_ensure();
	if (!next.attr_setsigmask)
		return ENOSYS;
	return next.attr_setsigmask(attr, translated(set, &storage));
}

HOOK int pthread_attr_getsigmask_np(const pthread_attr_t *attr, sigset_t *set)
{
	int result;

	next_ensure();
	if (!next.attr_getsigmask)
		return ENOSYS;
	result = next.attr_getsigmask(attr, set);
	if (result == 0)
		signals_set_to_host(set);
	return result;
}
