/* table.h: finds a number by a hash: the index of an item in somebody's array.
 *
 * Open addressing, doubled at two thirds. The hash is seeded, so that a hostile
 * journal cannot choose keys that collide. */
#ifndef JITMEND_REPORT_TABLE_H
#define JITMEND_REPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table {
	struct table_slot *slots;
	size_t size, used;
};

/* Whether the item INDEX of ARRAY is the one that KEY describes. */
typedef bool table_same(const void *array, uint32_t index, const void *key);

uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length);
uint64_t hash_number(uint64_t hash, uint64_t number);
uint64_t hash_string(uint64_t hash, const char *string);

/* UINT32_MAX: there is none. */
uint32_t table_find(const struct table *table, uint64_t hash, table_same *same,
		    const void *array, const void *key);
void table_add(struct table *table, uint64_t hash, uint32_t index);
/* As table_add, where an item of the same hash and key may be there: it gives way. */
void table_put(struct table *table, uint64_t hash, table_same *same, const void *array,
	       const void *key, uint32_t index);
void table_clear(struct table *table);

#endif
