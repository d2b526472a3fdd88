/* hook/pipe.c: the unwinder's descriptors. Rules: hook/hook.h.
 *
 * libunwind makes a pipe when it first looks whether an address can be read, and
 * would get the lowest numbers: the host's own files would get others than they
 * have without us, and a host that closes by number and opens anew would find
 * the unwinder writing into its file. Its pipe goes where the host does not. */
#include <fcntl.h>
#include <unistd.h>

#include "../backtrace.h"
#include "hook.h"

HOOK int pipe2(int fds[2], int flags)
{
	long result = SYS_CALL(SYS_pipe2, fds, flags, 0, 0, 0, 0);

	if (!sys_failed(result) && backtrace_is_unwinding())
		backtrace_keep_pipe(fds);
	return (int)hook_answer(result);
}
