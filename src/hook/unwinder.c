/* hook/unwinder.c: two calls of libunwind that it makes when it looks whether an
 * address can be read. Rules: hook/hook.h.
 *
 * First it makes a pipe, which would get the lowest numbers: the host's own files would
 * get others than they have without us, and a host that closes by number and opens anew
 * would find the unwinder writing into its file. Its pipe goes where the host does not.
 *
 * Then it asks mincore whether there is a mapping. That call is in none of systemd's
 * sets, so that a service with a SystemCallFilter= would end for a line in its log. One
 * that the engine makes anyway says it too. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../backtrace.h"
#include "hook.h"
#include "written.h"

HOOK int pipe2(int fds[2], int flags)
{
	struct iovec range = { fds, 2 * sizeof *fds };
	long result;

	writes_prepare(&range, 1);
	result = SYS_CALL(SYS_pipe2, fds, flags, 0, 0, 0, 0);
	if (!sys_failed(result) && backtrace_is_unwinding())
		backtrace_keep_pipe(fds);
	return (int)hook_answer(result);
}

/* Where nobody tells, libunwind has a way of its own. */
static long look(uintptr_t start, size_t length, unsigned char *there)
{
	char byte;

	for (size_t at = 0; at < length; at += PAGE_BYTES) {
		if (sys_read_memory(sys_getpid(), &byte, start + at, 1) != 1)
			return -ENOMEM;
		*there++ = 1;
	}
	return 0;
}

HOOK int mincore(void *start, size_t length, unsigned char *there)
{
	struct iovec range = { there, page_up(length) / PAGE_BYTES };

	if (backtrace_is_unwinding())
		return (int)hook_answer(look((uintptr_t)start, length, there));
	writes_prepare(&range, 1);
	return (int)hook_answer(SYS_CALL(SYS_mincore, start, length, there, 0, 0, 0));
}
