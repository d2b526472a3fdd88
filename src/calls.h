/* calls.h: what jitmend minds of the system calls that are seen by number, not by
 * the name of a libc function: by libc's syscall(), and by a door that stands
 * before the kernel itself.
 *
 * Forking, becoming another program and what the kernel writes are the door's: how
 * they are gone through differs.
 *
 * Any thread, any context but the fault handler; no libc. Pointers are the
 * program's and may lead nowhere. */
#ifndef JITMEND_CALLS_H
#define JITMEND_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct system_call {
	long number;
	long arguments[6];
	uintptr_t call_site; /* where it goes on */
	bool by_loader;      /* see request.h */

	/* The mask that the thread goes on with, where the kernel is going to take it
	 * from a signal's frame; NULL: it is the kernel's now. */
	uint64_t *mask;

	/* A page that can be read and written without asking first: the kernel has just
	 * done so for this thread. 0: none is known. */
	uintptr_t touched;
};

/* True: it was settled, and *RESULT is the answer, a result or a negated errno. */
bool calls_settle(const struct system_call *call, long *result);

/* A child with memory of its own that goes on where its parent does. */
bool calls_is_plain_fork(const struct system_call *call);

/* The kernel's own answer. */
long calls_pass(const struct system_call *call);

/* What the program points to, which may be nowhere: some programs ask so whether an
 * address can be read. The second: 0 or -EFAULT. */
bool calls_copy_in(void *to, long from, size_t length);
long calls_copy_out(long to, const void *from, size_t length);

/* The same of what lies on the stack as a rule. */
bool calls_read(const struct system_call *call, void *to, long from, size_t length);
long calls_write(const struct system_call *call, long to, const void *from, size_t length);

#endif
