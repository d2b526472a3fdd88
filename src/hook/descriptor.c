/* hook/descriptor.c: closing, putting files on numbers, and what is asked of a number.
 * Rules: hook/hook.h.
 *
 * Our descriptors (descriptors.h) stay open. To the host their numbers are not:
 * EBADF, or a range that leaves them out. Everything else goes to the next
 * definition, since close is a cancellation point; the check before it is a load
 * and a compare.
 *
 * What posix_spawn closes is closed in its child, inside libc, where ours would be
 * closed by exec anyway. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <unistd.h>

#include "../closing.h"
#include "../descriptors.h"
#include "hook.h"
#include "next.h"
#include "written.h"

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

HOOK_ALIAS(__close, close);

/* ----------------------------------------------------------------- ranges */

HOOK int close_range(unsigned first, unsigned last, int flags)
{
	if (!closing_reaches_ours(first, last, (unsigned)flags)) {
		next_ensure_late();
		if (next.close_range)
			return next.close_range(first, last, flags);
	}
	return (int)hook_answer(closing_range(first, last, (unsigned)flags));
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

	if (closing_reaches_ours(first, LAST_NUMBER, 0)) {
		if (!closing_range(first, LAST_NUMBER, 0))
			return;
		first = close_up_to_last(first);
	}
	next_ensure_late();
	if (next.closefrom)
		next.closefrom((int)first);
	else
		closing_range(first, LAST_NUMBER, 0);
}

/* ------------------------------------------------------------------- dup2 */

HOOK int dup2(int old, int fd)
{
	next_ensure_late();
	if (!next.dup2 || closing_concerns_ours(old, fd))
		return (int)hook_answer(closing_dup2(old, fd));
	return next.dup2(old, fd);
}

HOOK_ALIAS(__dup2, dup2);

HOOK int dup3(int old, int fd, int flags)
{
	next_ensure_late();
	if (!next.dup3 || closing_concerns_ours(old, fd))
		return (int)hook_answer(closing_dup3(old, fd, flags));
	return next.dup3(old, fd, flags);
}

/* ------------------------------------------------------------------ fcntl */

/* What the kernel answers there, which may be among code (hook/written.h). */
static size_t size_of_answer(int command)
{
	switch (command) {
	case F_GETLK:
#if F_GETLK64 != F_GETLK
	case F_GETLK64:
#endif
	case F_OFD_GETLK:
		return sizeof(struct flock64);
	case F_GETOWN_EX:
		return sizeof(struct f_owner_ex);
	default:
		return 0;
	}
}

/* The third argument is an int, a pointer, or not there: a register, whatever it is. */
static int call_fcntl(int (*next_one)(int, int, ...), int fd, int command, va_list list)
{
	void *argument = va_arg(list, void *);
	struct iovec range = { argument, size_of_answer(command) };

	if (descriptors_is_ours(fd))
		return (int)hook_answer(-EBADF);
	if (next_one)
		return (int)WRITTEN_CALL(&range, 1, next_one(fd, command, argument));
	return (int)hook_answer(sys_fcntl(fd, command, (long)argument));
}

HOOK int fcntl(int fd, int command, ...)
{
	va_list list;
	int result;

	next_ensure_late();
	va_start(list, command);
	result = call_fcntl(next.fcntl, fd, command, list);
	va_end(list);
	return result;
}

HOOK_ALIAS(__fcntl, fcntl);
HOOK_ALIAS(__fcntl_time64, fcntl); /* of 32 bits, as others that end so */

/* glibc 2.28 and later, where file offsets have 64 bits. */
HOOK int fcntl64(int fd, int command, ...)
{
	va_list list;
	int result;

	next_ensure_late();
	va_start(list, command);
	result = call_fcntl(next.fcntl64, fd, command, list);
	va_end(list);
	return result;
}
