/* closing.c: our descriptors are left out of it. See closing.h. */
#include "closing.h"

#include <fcntl.h>

#include "descriptors.h"
#include "lock.h"
#include "sys.h"

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1) /* linux/close_range.h */
#endif

long closing_close(int fd)
{
	return descriptors_is_ours(fd) ? -EBADF : sys_close(fd);
}

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
bool closing_reaches_ours(unsigned first, unsigned last, unsigned flags)
{
	return !(flags & ~CLOSE_RANGE_UNSHARE) && descriptors_next(first, last) >= 0;
}

long closing_range(unsigned first, unsigned last, unsigned flags)
{
	if (closing_reaches_ours(first, last, flags))
		return range_without_ours(first, last, flags);
	return range(first, last, flags);
}

bool closing_concerns_ours(int old, int fd)
{
	return descriptors_is_ours(fd) || descriptors_is_ours(old);
}

long closing_dup2(int old, int fd)
{
	if (closing_concerns_ours(old, fd))
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
long closing_dup3(int old, int fd, int flags)
{
	if (!(flags & ~O_CLOEXEC) && closing_concerns_ours(old, fd))
		return descriptors_give_way(old, fd, flags);
	return SYS_CALL(SYS_dup3, old, fd, flags, 0, 0, 0);
}
