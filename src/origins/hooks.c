/* hooks.c: malloc and its kin, as the host calls them.
 *
 * What is returned is the next allocator's, untouched, and errno is what that
 * left. Called from everywhere: by the dynamic loader before any constructor, in
 * threads that are going away, between fork and exec, by the unwinder and by
 * dlsym on behalf of ourselves. What comes from within our own noting is passed
 * on and not noted. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "../memory.h"
#include "../stacks.h"
#include "host.h"
#include "next.h"
#include "table.h"

#define HOOK __attribute__((visibility("default")))
#define HOOK_CALL_SITE ((uintptr_t)__builtin_return_address(0))

static __thread bool inside;

static void *noted(enum function function, void *memory, size_t length, uintptr_t call_site)
{
	struct allocation made = {
		.address = (uintptr_t)memory, .length = length, .function = function,
	};
	int before = errno;

	if (!memory || inside || !host_wants())
		return memory;
	inside = true;
	made.stack = stacks_note(call_site);
	table_put(&made);
	inside = false;
	errno = before;
	return memory;
}

/* Before it is given back: afterwards another thread may have it. */
static struct allocation forget(void *memory)
{
	host_freed((uintptr_t)memory);
	return table_take((uintptr_t)memory);
}

HOOK void *malloc(size_t length)
{
	const struct next *next = next_get();

	if (!next)
		return next_store(length);
	return noted(FUNCTION_MALLOC, next->malloc(length), length, HOOK_CALL_SITE);
}

HOOK void *calloc(size_t count, size_t size)
{
	const struct next *next = next_get();

	if (!next)
		return next_store(count * size); /* dlsym's: no overflow */
	return noted(FUNCTION_CALLOC, next->calloc(count, size), count * size, HOOK_CALL_SITE);
}

/* Memory of the store becomes the allocator's, once there is one. */
static void *move_out(const struct next *next, const void *memory, size_t length)
{
	size_t room = next_stored_room(memory);
	void *made = next ? next->malloc(length) : next_store(length);

	if (made)
		memcpy(made, memory, length < room ? length : room);
	return made;
}

/* reallocarray is realloc and a check: not every allocator has one. */
static void *resize(enum function function, void *memory, size_t length, uintptr_t call_site)
{
	const struct next *next = next_get();
	struct allocation before = { 0 };
	void *made;

	if (!next || next_is_stored(memory))
		return memory ? move_out(next, memory, length) : next_store(length);
	if (memory)
		before = forget(memory);
	made = next->realloc(memory, length);
	/* Where there was no memory for it, the old one lives on. */
	if (!made && length != 0 && before.address)
		table_put(&before);
	return noted(function, made, length, call_site);
}

HOOK void *realloc(void *memory, size_t length)
{
	return resize(FUNCTION_REALLOC, memory, length, HOOK_CALL_SITE);
}

HOOK void *reallocarray(void *memory, size_t count, size_t size)
{
	size_t length;

	if (!__builtin_mul_overflow(count, size, &length))
		return resize(FUNCTION_REALLOCARRAY, memory, length, HOOK_CALL_SITE);
	errno = ENOMEM;
	return NULL;
}

HOOK void free(void *memory)
{
	const struct next *next;

	if (!memory || next_is_stored(memory))
		return;
	next = next_get();
	if (!next)
		return; /* dlsym gives back what is not its own: it stays */
	forget(memory);
	next->free(memory);
}
