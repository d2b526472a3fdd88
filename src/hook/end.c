/* hook/end.c: the ends of a process that run no destructor. Rules: hook/hook.h.
 *
 * exit(3) runs ours (src/start.c); exec is in hook/exec.c, a fatal SIGSEGV in
 * src/signals.c. What kills at once, as SIGKILL does, leaves the journal with
 * the counts that it has. */
#include <stdlib.h>
#include <unistd.h>

#include "../backtrace.h"
#include "../journal.h"
#include "hook.h"
#include "next.h"

HOOK void _exit(int status)
{
	journal_end();
	for (;;)
		SYS_CALL(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

HOOK_ALIAS(_Exit, _exit);

HOOK void quick_exit(int status)
{
	journal_end();
	next_ensure();
	if (next.quick_exit)
		next.quick_exit(status);
	_exit(status);
}

HOOK void abort(void)
{
	backtrace_abort(HOOK_CALL_SITE);
	journal_end();
	next_ensure();
	if (next.abort)
		next.abort();
	__builtin_trap(); /* before the constructor: what libc does as its last means */
}
