/* writes.h: memory that the kernel is about to write to for the program.
 *
 * A store of the program's into a code page that is executable just now raises a
 * signal, and is settled (fault.h). The kernel's own do not: the call fails with
 * EFAULT. So the pages are made writable before it. Another thread may execute
 * them meanwhile, above all while the call waits, or move them (rung 1); then it is
 * made again. Not where the program may not write to all of it: the failure is its
 * own then, and what a socket lost by it would not come again.
 *
 * Where there are no code pages all of it is a load and a compare. A range that
 * is not the program's to write to is left alone: the kernel has the answer.
 *
 * Any thread, any context but the fault handler; no libc. */
#ifndef JITMEND_WRITES_H
#define JITMEND_WRITES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "codepages.h"

/* How often a call is made again. Who turns a page all the time, on a busy machine, lets a
 * caller that waits for it go on just before the next turn: 16 were too few once. */
#define WRITES_TRIES 1000

/* Whether any page of a range is a code page. */
bool writes_is_code(const struct iovec *ranges, size_t count);

/* After a call that failed: whether that may have been our doing. */
bool writes_was_ours(const struct iovec *ranges, size_t count);

/* Makes writable what are code pages of rungs 2 and 3. */
void writes_make_writable(const struct iovec *range);

static inline void writes_prepare(const struct iovec *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (codepages_any_viewed((uintptr_t)ranges[i].iov_base, ranges[i].iov_len))
			writes_make_writable(&ranges[i]);
}

/* What there is among the memory that a call is to write to. */
enum {
	WRITES_CODE = 1,
	WRITES_FORBIDDEN = 2, /* the program may not write there; only looked for after a failure */
};

/* What a program's vector names, and a program's headers, each SIZE bytes from the
 * next. MAKE, before the call: code is made writable. */
struct msghdr;
unsigned writes_walk_vector(const struct iovec *vector, size_t count, bool make);
unsigned writes_walk_messages(const struct msghdr *message, size_t count, size_t size, bool make);

/* Any system call with its six ARGUMENTS: a result or a negated errno. */
long writes_call(long number, const long *arguments);

/* One pointer of a call: which argument, and how much is behind it: SIZE bytes, or
 * as many as the argument LENGTH says of SIZE bytes each. */
struct writes_target {
	short number;
	signed char argument, length; /* length -1: one of them */
	unsigned short size;
};

#define WRITES_MOST_TARGETS 96
extern const struct writes_target writes_targets[];
extern const size_t writes_target_count;

/* Calls whose pointers lie in memory: vectors and headers. */
#define WRITES_MOST_BY_VECTOR 8
extern const short writes_by_vector[];
extern const size_t writes_by_vector_count;

#endif
