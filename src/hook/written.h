/* hook/written.h: what the kernel writes for the host (writes.h), around calls of
 * libc's, which answer with errno. */
#ifndef JITMEND_WRITTEN_H
#define JITMEND_WRITTEN_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "../engine.h"
#include "../writes.h"

/* Whether there can be pages that are not writable just now. */
static inline bool written_is_needed(void)
{
	return engine_mends_with_views();
}

/* After a call that gave RESULT, -1 with errno: whether to make it again. */
static inline bool written_again(long result, const struct iovec *ranges, size_t count,
				 unsigned *tries)
{
	return result == -1 && errno == EFAULT && ++*tries < WRITES_TRIES &&
	       writes_was_ours(ranges, count);
}

/* CALL's result, made as often as it takes. */
#define WRITTEN_CALL(ranges, count, call)                                     \
	({                                                                    \
		unsigned written_tries = 0;                                   \
		long written_result;                                          \
                                                                              \
		do {                                                          \
			writes_prepare(ranges, count);                       \
			written_result = (call);                              \
		} while (written_again(written_result, ranges, count,         \
				       &written_tries));                      \
		written_result;                                               \
	})

/* The same for what a host's vector names, and a host's msghdr. */
void written_prepare_vector(const struct iovec *vector, size_t count);
bool written_vector_again(long result, const struct iovec *vector, size_t count, unsigned *tries);

#define WRITTEN_VECTOR_CALL(vector, count, call)                              \
	({                                                                    \
		unsigned written_tries = 0;                                   \
		long written_result;                                          \
                                                                              \
		do {                                                          \
			written_prepare_vector(vector, count);                \
			written_result = (call);                              \
		} while (written_vector_again(written_result, vector, count,  \
					      &written_tries));               \
		written_result;                                               \
	})

struct msghdr;
struct mmsghdr;
void written_prepare_messages(const struct msghdr *message, size_t count, size_t size);
bool written_messages_again(long result, const struct msghdr *message, size_t count, size_t size,
			    unsigned *tries);

#endif
