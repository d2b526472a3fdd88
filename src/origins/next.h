/* next.h: the allocator that ours stands in front of: libc's, or that of another
 * preloaded library.
 *
 * Looked up on the first call, which comes from the dynamic loader, long before
 * any constructor. dlsym may allocate: what it asks for meanwhile comes from a
 * small store of our own and is never given back. Nobody waits for anybody: two
 * threads that come first both look up, and find the same. */
#ifndef JITMEND_ORIGINS_NEXT_H
#define JITMEND_ORIGINS_NEXT_H

#include <stdbool.h>
#include <stddef.h>

struct next {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void (*free)(void *);
};

/* NULL while this thread is looking it up. */
const struct next *next_get(void);

/* Zeroed memory from the store; NULL and ENOMEM when it is used up. */
void *next_store(size_t length);
bool next_is_stored(const void *memory);

/* How much there is behind a piece of the store, at most. */
size_t next_stored_room(const void *memory);

#endif
