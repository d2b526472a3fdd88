/* hook/syscall.c: libc's syscall(), for the calls that the other hooks know.
 * Everything else is passed on untouched. Rules: hook/hook.h.
 *
 * Some programs map their memory so (SBCL), some set their signals so. */
#include <stdarg.h>
#include <unistd.h>

#include "../calls.h"
#include "../start.h"
#include "../writes.h"
#include "fork.h"
#include "hook.h"

static long settle(const struct system_call *call)
{
	const long *a = call->arguments;
	long result;

	if (calls_settle(call, &result))
		return result;
	if (calls_is_plain_fork(call))
		return hook_fork_by_syscall(call->number, a[0], a[1], a[2], a[3], a[4]);
	return writes_call(call->number, a);
}

HOOK long syscall(long number, ...)
{
	struct system_call call = { .number = number, .call_site = HOOK_CALL_SITE };
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		call.arguments[i] = va_arg(list, long);
	va_end(list);
	start_engine();
	return hook_answer(settle(&call));
}
