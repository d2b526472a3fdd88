/* hook/confine.c: the calls by which a program takes from itself what the engine asks the
 * kernel with: its folders, and system calls. Rules: hook/hook.h.
 *
 * libc has no function for seccomp(2) and pivot_root(2), and before 2.36 none for
 * move_mount(2); programs call them by number. */
#include <sched.h>
#include <stdarg.h>
#include <sys/mount.h>
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

HOOK int mount(const char *source, const char *target, const char *type, unsigned long flags,
	       const void *data)
{
	const struct system_call call = {
		.number = SYS_mount,
		.arguments = { (long)source, (long)target, (long)type, (long)flags, (long)data },
	};

	return confine(&call);
}

HOOK int umount2(const char *target, int flags)
{
	const struct system_call call = {
		.number = SYS_umount2, .arguments = { (long)target, flags },
	};

	return confine(&call);
}

HOOK int umount(const char *target)
{
	return umount2(target, 0);
}

HOOK int setns(int fd, int type)
{
	const struct system_call call = { .number = SYS_setns, .arguments = { fd, type } };

	return confine(&call);
}

/* glibc 2.36 and later declare it. */
int move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags);

HOOK int move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags)
{
	const struct system_call call = {
		.number = SYS_move_mount,
		.arguments = { from, (long)from_path, to, (long)to_path, flags },
	};

	return confine(&call);
}
