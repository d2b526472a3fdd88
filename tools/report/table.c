/* table.c: see table.h. */
#include <config.h>

#include "table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "report.h"

struct table_slot {
	uint64_t hash;
	uint32_t index; /* NONE: empty */
};

static uint64_t seed(void)
{
	static uint64_t kept;

	/* Without it the tables are as right, and only less safe from collisions. */
	if (!kept && getrandom(&kept, sizeof kept, GRND_NONBLOCK) < 0)
		kept = 0;
	kept |= 1;
	return kept;
}

uint64_t hash_number(uint64_t hash, uint64_t number)
{
	hash = (hash ^ number ^ seed()) * 0xff51afd7ed558ccdULL;
	hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53ULL;
	return hash ^ hash >> 29;
}

uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
	const unsigned char *from = bytes;
	uint64_t word;

	for (; length >= sizeof word; from += sizeof word, length -= sizeof word) {
		memcpy(&word, from, sizeof word);
		hash = hash_number(hash, word);
	}
	word = 0;
	memcpy(&word, from, length);
	return hash_number(hash, word + ((uint64_t)length << 56));
}

uint64_t hash_string(uint64_t hash, const char *string)
{
	return hash_bytes(hash, string, strlen(string));
}

static struct table_slot *slot_of(const struct table *table, uint64_t hash, table_same *same,
				  const void *array, const void *key)
{
	for (size_t i = hash & (table->size - 1);; i = (i + 1) & (table->size - 1)) {
		struct table_slot *slot = &table->slots[i];

		if (slot->index == NONE)
			return slot;
		if (same && slot->hash == hash && same(array, slot->index, key))
			return slot;
	}
}

uint32_t table_find(const struct table *table, uint64_t hash, table_same *same,
		    const void *array, const void *key)
{
	return table->size ? slot_of(table, hash, same, array, key)->index : NONE;
}

static void make_room(struct table *table)
{
	struct table old = *table;

	if ((table->used + 1) * 3 <= table->size * 2)
		return;
	table->size = old.size ? old.size * 2 : 64;
	table->slots = malloc(table->size * sizeof *table->slots);
	if (!table->slots)
		fail("no memory");
	for (size_t i = 0; i < table->size; i++)
		table->slots[i].index = NONE;
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i].index != NONE)
			*slot_of(table, old.slots[i].hash, NULL, NULL, NULL) = old.slots[i];
	free(old.slots);
}

void table_add(struct table *table, uint64_t hash, uint32_t index)
{
	table_put(table, hash, NULL, NULL, NULL, index);
}

void table_put(struct table *table, uint64_t hash, table_same *same, const void *array,
	       const void *key, uint32_t index)
{
	struct table_slot *slot;

	make_room(table);
	slot = slot_of(table, hash, same, array, key);
	table->used += slot->index == NONE;
	*slot = (struct table_slot){ .hash = hash, .index = index };
}

void table_clear(struct table *table)
{
	free(table->slots);
	*table = (struct table){ 0 };
}
