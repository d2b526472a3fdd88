/* backtrace.c: what the journal asks of an unwinder (../backtrace.h), where there is
 * none: no library can be opened in a program without a loader. The call site is the
 * whole of it. */
#include "../backtrace.h"

void backtrace_begin(void)
{
}

const char *backtrace_unwinder(void)
{
	return "none";
}

unsigned backtrace_from(uintptr_t call_site, uintptr_t *frames, unsigned most)
{
	if (most)
		frames[0] = call_site;
	return most ? 1 : 0;
}

void backtrace_locks_held(bool held)
{
	(void)held;
}

bool backtrace_fault(ucontext_t *context)
{
	(void)context;
	return false;
}
