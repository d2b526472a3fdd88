/* next.c: looks the next allocator up. See next.h. */
#include "next.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>

#include "table.h"

#define STORE_SIZE 16384u
#define ALIGNMENT 16u

static struct next next;
static atomic_bool ready;
static __thread bool looking;

static _Alignas(ALIGNMENT) char store[STORE_SIZE];
static atomic_size_t store_used;

static void look_up(void)
{
	struct next found = {
		.malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc"),
		.calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc"),
		.realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc"),
		.free = (void (*)(void *))dlsym(RTLD_NEXT, "free"),
	};

	next = found;
}

const struct next *next_get(void)
{
	int before;

	if (atomic_load_explicit(&ready, memory_order_acquire))
		return &next;
	if (looking)
		return NULL;
	before = errno;
	looking = true;
	look_up();
	table_begin();
	atomic_store_explicit(&ready, true, memory_order_release);
	looking = false;
	errno = before;
	return &next;
}

void *next_store(size_t length)
{
	size_t whole = (length + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1), at;

	if (whole >= length && whole <= STORE_SIZE) {
		at = atomic_fetch_add(&store_used, whole + (whole == 0) * ALIGNMENT);
		if (at <= STORE_SIZE - whole)
			return store + at;
		atomic_fetch_sub(&store_used, whole);
	}
	errno = ENOMEM;
	return NULL;
}

bool next_is_stored(const void *memory)
{
	uintptr_t at = (uintptr_t)memory, start = (uintptr_t)store;

	return at >= start && at < start + STORE_SIZE;
}

size_t next_stored_room(const void *memory)
{
	return (uintptr_t)store + STORE_SIZE - (uintptr_t)memory;
}
