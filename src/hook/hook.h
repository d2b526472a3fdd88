/* hook/hook.h: how a hook is declared, and how it answers.
 *
 * A hook is an ordinary definition of a libc function with HOOK before it, and
 * its name in src/libjitmend.map. It is thin: arguments into a request, the
 * engine's answer out. It may be called before any constructor, in a signal
 * handler, between fork and exec, and on a small stack. errno changes only when
 * the call fails, to what the kernel said. */
#ifndef JITMEND_HOOK_H
#define JITMEND_HOOK_H

#include <errno.h>
#include <stdint.h>

#include "../sys.h"

#define HOOK __attribute__((visibility("default")))

/* Another name that libc has for the same function. gcc wants to hear that it is like it
 * in all; clang takes that for granted. */
#if __has_attribute(copy)
#define HOOK_ALIAS(name, function) \
	HOOK __typeof__(function) name __attribute__((alias(#function), copy(function)))
#else
#define HOOK_ALIAS(name, function) HOOK __typeof__(function) name __attribute__((alias(#function)))
#endif

/* The return address of the host's call; only in the hook's own body. */
#define HOOK_CALL_SITE ((uintptr_t)__builtin_return_address(0))

/* A kernel's answer as libc would give it. */
static inline long hook_answer(long result)
{
	if (!sys_failed(result))
		return result;
	errno = (int)-result;
	return -1;
}

/* A system call that this libc has no function for: nobody calls it here. */
static inline int hook_missing(void)
{
	return (int)hook_answer(-ENOSYS);
}

#endif
