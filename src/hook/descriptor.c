/* hook/descriptor.c: closing, and putting files on numbers. Rules: hook/hook.h.
 *
 * Our descriptors (descriptors.h) stay open. To the host their numbers are not:
 * EBADF, or a range that leaves them out. Everything else goes to the next
 * definition, since close is a cancellation point; the check before it is a load
 * and a compare.
 *
 * What posix_spawn closes is closed in its child, inside libc, where ours would be
 * closed by exec anyway. */
#include "descriptor.h"

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "../descriptors.h"
#include "../lock.h"
#include "hook.h"
#include "next.h"

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1) /* linux/close_range.h */
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

#define LAST_NUMBER (~0U)

/* ------------------------------------------------------------------ close */

HOOK int close(int fd)
{
	if (descriptors_is_ours(fd))
		return (int)hook_answer(-EBADF);
	next_ensure_late();
	if (next.close)
		return next.close(fd);
	return (int)hook_answer(sys_close(fd));
}

long hook_close_by_syscall(int fd)
{
	return descriptors_is_ours(fd) ? -EBADF : sys_close(fd);
}

/* ----------------------------------------------------------------- ranges */

static long range(unsigned first, unsigned last, unsigned flags)
{
	return SYS_CALL(SYS_close_range, first, last, flags, 0, 0, 0);
}

/* What there is between ours. Under the lock, or what another thread begins to
 * keep meanwhile would be closed. */
static long range_without_ours(unsigned first, unsigned last, unsigned flags)
{
	long result = 0;
	uint64_t mask;
	int ours;

	lock_take(&mask);
	while (!result && (ours = descriptors_next(first, last)) >= 0) {
		if ((unsigned)ours > first)
			result = range(first, (unsigned)ours - 1, flags);
		else if (flags & CLOSE_RANGE_UNSHARE)
			result = SYS_CALL(SYS_unshare, 0x400 /* CLONE_FILES */, 0, 0, 0, 0, 0);
		first = (unsigned)ours + 1;
	}
	if (!result && first <= last)
		result = range(first, last, flags);
	lock_release(&mask);
	return result;
}

/* Closing on exec is what ours have anyway; and what is no range at all has
 * nothing of ours in it. */
static bool reaches_ours(unsigned first, unsigned last, unsigned flags)
{
	return !(flags & ~CLOSE_RANGE_UNSHARE) && descriptors_next(first, last) >= 0;
}

HOOK int close_range(unsigned first, unsigned last, int flags)
{
	if (reaches_ours(first, last, (unsigned)flags))
		return (int)hook_answer(range_without_ours(first, last, (unsigned)flags));
	next_ensure_late();
	if (next.close_range)
		return next.close_range(first, last, flags);
	return (int)hook_answer(range(first, last, (unsigned)flags));
}

long hook_close_range_by_syscall(unsigned first, unsigned last, unsigned flags)
{
	if (reaches_ours(first, last, flags))
		return range_without_ours(first, last, flags);
	return range(first, last, flags);
}

static void close_each(unsigned first, unsigned end)
{
	for (; first < end; first++)
		if (!descriptors_look((int)first))
			sys_close((int)first);
}

/* The numbers from FIRST on, where the kernel has no close_range: those below the
 * last of ours by themselves. Returns where the rest begins. */
static unsigned close_up_to_last(unsigned first)
{
	unsigned end = first;
	int ours;

	while ((ours = descriptors_next(end, LAST_NUMBER)) >= 0)
		end = (unsigned)ours + 1;
	close_each(first, end);
	return end;
}

HOOK void closefrom(int lowest)
{
	unsigned first = lowest < 0 ? 0 : (unsigned)lowest;

	if (reaches_ours(first, LAST_NUMBER, 0)) {
		if (!range_without_ours(first, LAST_NUMBER, 0))
			return;
		first = close_up_to_last(first);
	}
	next_ensure_late();
	if (next.closefrom)
		next.closefrom((int)first);
	else
		range(first, LAST_NUMBER, 0);
}

/* ------------------------------------------------------------------- dup2 */

static bool concerns_ours(int old, int fd)
{
	return descriptors_is_ours(fd) || descriptors_is_ours(old);
}

long hook_dup2_by_syscall(int old, int fd)
{
	if (concerns_ours(old, fd))
		return descriptors_give_way(old, fd, DESCRIPTORS_DUP2);
#ifdef SYS_dup2
	return SYS_CALL(SYS_dup2, old, fd, 0, 0, 0, 0);
#else
	if (old == fd) {
		long status = sys_fcntl(fd, F_GETFD, 0);

		return sys_failed(status) ? status : fd;
	}
	return SYS_CALL(SYS_dup3, old, fd, 0, 0, 0, 0);
#endif
}

/* Flags that there are not are the kernel's to refuse. */
long hook_dup3_by_syscall(int old, int fd, int flags)
{
	if (!(flags & ~O_CLOEXEC) && concerns_ours(old, fd))
		return descriptors_give_way(old, fd, flags);
	return SYS_CALL(SYS_dup3, old, fd, flags, 0, 0, 0);
}

HOOK int dup2(int old, int fd)
{
	next_ensure_late();
	if (!next.dup2 || concerns_ours(old, fd))
		return (int)hook_answer(hook_dup2_by_syscall(old, fd));
	return next.dup2(old, fd);
}

HOOK int dup3(int old, int fd, int flags)
{
	next_ensure_late();
	if (!next.dup3 || concerns_ours(old, fd))
		return (int)hook_answer(hook_dup3_by_syscall(old, fd, flags));
	return next.dup3(old, fd, flags);
}
