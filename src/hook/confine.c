/* hook/confine.c: the calls by which a program takes from itself what the engine asks the
 * kernel with: its folders, and system calls. Rules: hook/hook.h.
 *
 * libc has no function for seccomp(2) and pivot_root(2); programs call them by number. */
#include <stdarg.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../calls.h"
#include "../start.h"
#include "hook.h"

/* What is minded is the same by name and by number. */
static int confine(const struct system_call *call)
{
	long result;

	start_engine();
	if (!calls_settle(call, &result))
		result = calls_pass(call);
	return (int)hook_answer(result);
}

HOOK int prctl(int option, ...)
{
	struct system_call call = { .number = SYS_prctl, .arguments = { option } };
	va_list list;

	va_start(list, option);
	for (int i = 1; i < 5; i++)
		call.arguments[i] = va_arg(list, long);
	va_end(list);
	return confine(&call);
}

HOOK_ALIAS(__prctl_time64, prctl); /* of 32 bits */

HOOK int chroot(const char *path)
{
	const struct system_call call = { .number = SYS_chroot, .arguments = { (long)path } };

	return confine(&call);
}
