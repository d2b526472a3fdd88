/* hook/written.h: memory that the kernel is about to write to for the host.
 *
 * A store of the host's into a code page that is executable just now raises a
 * signal, and is settled (fault.h). The kernel's own do not: the call fails with
 * EFAULT. So the pages are made writable before it. Another thread may execute
 * them meanwhile, above all while the call waits, or move them (rung 1); then it is
 * made again. Not where the program may not write to all of it: the failure is its
 * own then, and what a socket lost by it would not come again.
 *
 * Where there are no code pages all of it is a load and a compare. A range that
 * is not the host's to write to is left alone: the kernel has the answer. */
#ifndef JITMEND_WRITTEN_H
#define JITMEND_WRITTEN_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "../codepages.h"
#include "../engine.h"

/* Whether any page of a range is a code page. */
bool written_is_code(const struct iovec *ranges, size_t count);

/* After a call that failed: whether that may have been our doing. */
bool written_was_ours(const struct iovec *ranges, size_t count);

void written_make_writable(const struct iovec *range);

/* Whether there can be pages that are not writable just now. */
static inline bool written_is_needed(void)
{
	return engine_mends_with_views();
}

static inline void written_prepare(const struct iovec *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (codepages_any_viewed((uintptr_t)ranges[i].iov_base, ranges[i].iov_len))
			written_make_writable(&ranges[i]);
}

/* After a call that gave RESULT, -1 with errno: whether to make it again. */
#define WRITTEN_TRIES 16

static inline bool written_again(long result, const struct iovec *ranges, size_t count,
				 unsigned *tries)
{
	return result == -1 && errno == EFAULT && ++*tries < WRITTEN_TRIES &&
	       written_was_ours(ranges, count);
}

/* CALL's result, made as often as it takes. */
#define WRITTEN_CALL(ranges, count, call)                                     \
	({                                                                    \
		unsigned written_tries = 0;                                   \
		long written_result;                                          \
                                                                              \
		do {                                                          \
			written_prepare(ranges, count);                       \
			written_result = (call);                              \
		} while (written_again(written_result, ranges, count,         \
				       &written_tries));                      \
		written_result;                                               \
	})

/* The same for what a host's vector names, and a host's msghdr. */
void written_prepare_vector(const struct iovec *vector, size_t count);
bool written_vector_again(long result, const struct iovec *vector, size_t count, unsigned *tries);

struct msghdr;
struct mmsghdr;
void written_prepare_messages(const struct msghdr *message, size_t count, size_t size);
bool written_messages_again(long result, const struct msghdr *message, size_t count, size_t size,
			    unsigned *tries);

/* Any system call, for hook/syscall.c: with ARGUMENTS, six of them. */
long written_syscall(long number, const long *arguments);

#endif
