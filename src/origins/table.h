/* table.h: the live allocations, by address.
 *
 * A million are kept; where the places for an address are all taken the oldest
 * there goes. Any thread, any context; no locks, no allocation. What one thread
 * is writing the others pass over. A child of fork goes on with its copy. */
#ifndef JITMEND_ORIGINS_TABLE_H
#define JITMEND_ORIGINS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum function {
	FUNCTION_MALLOC,
	FUNCTION_CALLOC,
	FUNCTION_REALLOC,
	FUNCTION_REALLOCARRAY,
	FUNCTION_COUNT,
};

struct allocation {
	uintptr_t address; /* 0: none */
	size_t length;
	unsigned stack;    /* stacks.h */
	enum function function;
};

const char *table_function_name(enum function function);

/* Before anything is put in. False: no memory for it, and nothing is kept. */
bool table_begin(void);

/* ALLOCATION's address is live, and the caller's own: nobody else puts it in or
 * takes it out meanwhile. */
void table_put(const struct allocation *allocation);

/* The allocation at ADDRESS, taken out; its address is 0 where there is none.
 * To be called before the memory is given back, or somebody else may have got
 * it already. */
struct allocation table_take(uintptr_t address);

/* As jitmend_origins_find(), origins.h. */
bool table_find(uintptr_t address, size_t length, struct allocation *found);

#endif
