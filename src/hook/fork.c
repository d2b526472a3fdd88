/* hook/fork.c: the ways to a child of one's own that fork handlers do not see.
 * fork, forkpty and daemon run the handlers of src/start.c. Rules: hook/hook.h.
 *
 * What a child has of memory that other threads were changing is settled there
 * (rung/views.h). vfork and CLONE_VM share the memory, where they go on. */
#include <sched.h>
#include <stdarg.h>
#include <unistd.h>

#include "../engine.h"
#include "../start.h"
#include "fork.h"
#include "hook.h"
#include "next.h"

int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void),
		      void *dso_handle);

/* What pthread_atfork comes to. Ours have to be the first, before those that
 * constructors register which run before our own. */
HOOK int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void),
			   void *dso_handle)
{
	start_watch_forks();
	next_begin();
	if (!next.register_atfork)
		return ENOMEM;
	return next.register_atfork(prepare, parent, child, dso_handle);
}

/* What each side of a fork has to do. */
static void leave_fork(long result)
{
	if (result == 0)
		start_child();
	else
		start_fork_over();
}

HOOK pid_t _Fork(void)
{
	pid_t result;

	next_ensure();
	if (!next._Fork)
		return errno = ENOSYS, -1;
	start_fork();
	result = next._Fork();
	leave_fork(result);
	return result;
}

struct beginning {
	int (*function)(void *);
	void *argument;
};

static int begin_child(void *argument)
{
	struct beginning *beginning = argument;

	start_child();
	return beginning->function(beginning->argument);
}

HOOK int clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
	struct beginning beginning = { .function = function, .argument = argument };
	void *parent_tid, *tls, *child_tid;
	const int told = CLONE_PARENT_SETTID | CLONE_PIDFD;
	va_list arguments;
	int result, number = 0;

	va_start(arguments, argument);
	parent_tid = va_arg(arguments, void *);
	tls = va_arg(arguments, void *);
	child_tid = va_arg(arguments, void *);
	va_end(arguments);
	next_ensure();
	if (!next.clone)
		return errno = ENOSYS, -1;
	/* The kernel says nothing if it cannot write there. */
	if (flags & told)
		engine_will_write((uintptr_t)parent_tid, sizeof(int));
	if (flags & CLONE_VM || !function)
		return next.clone(function, stack, flags, argument, parent_tid, tls, child_tid);
	start_fork();
	/* The child's copy of this frame is its own. */
	result = next.clone(begin_child, stack, flags, &beginning, flags & told ? &number : parent_tid,
			    tls, child_tid);
	start_fork_over();
	if (result != -1 && flags & told) /* here: a fork may make pages read-only */
		*(int *)parent_tid = number;
	return result;
}

HOOK_ALIAS(__clone, clone);

long hook_fork_by_syscall(long number, long a, long b, long c, long d, long e)
{
	long result;

	start_fork();
	result = SYS_CALL(number, a, b, c, d, e, 0);
	leave_fork(result);
	return result;
}
