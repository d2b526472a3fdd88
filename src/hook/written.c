/* hook/written.c: calls that failed because of a code page. See hook/written.h. */
#include "written.h"

void written_prepare_vector(const struct iovec *vector, size_t count)
{
	if (written_is_needed())
		writes_walk_vector(vector, count, true);
}

bool written_vector_again(long result, const struct iovec *vector, size_t count, unsigned *tries)
{
	return result == -1 && errno == EFAULT && ++*tries < WRITES_TRIES &&
	       writes_walk_vector(vector, count, false) == WRITES_CODE;
}

void written_prepare_messages(const struct msghdr *message, size_t count, size_t size)
{
	if (written_is_needed())
		writes_walk_messages(message, count, size, true);
}

bool written_messages_again(long result, const struct msghdr *message, size_t count, size_t size,
			    unsigned *tries)
{
	return result == -1 && errno == EFAULT && ++*tries < WRITES_TRIES &&
	       writes_walk_messages(message, count, size, false) == WRITES_CODE;
}
