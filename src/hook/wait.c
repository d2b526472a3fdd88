/* hook/wait.c: what has become of a child, which is answered in the host's words, which
 * may lie on a page that holds code as well. Rules: hook/hook.h.
 *
 * The kernel has forgotten the child by the time it writes, and a handler of SIGCHLD may
 * have run on the page meanwhile: so, unlike in hook/result.c, no call is made twice. Where
 * the host's words are among code, the kernel writes to ours. */
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "../writes.h"
#include "hook.h"
#include "next.h"

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
		return hook_missing();
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
		return hook_missing();
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
		return hook_missing();
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
		return hook_missing();
	result = next.waitid(type, id, mine ? &own : information, options);
	if (result == 0 && mine)
		*information = own;
	return result;
}
