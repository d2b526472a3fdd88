/* stacks.c: a table of stacks, found by their hash. See stacks.h.
 *
 * Frames lie in one array, a stack's next to each other; it is written once and
 * only then named in the table. */
#include "stacks.h"

#include <stdatomic.h>

#include "tables.h"

#define SLOTS STACKS_SLOTS
#define ROOM (SLOTS * 12u)   /* frames */
#define PROBES 16u

enum { FREE, TAKEN, READY };

struct slot {
	atomic_uint state;
	unsigned first, count;
	uint64_t hash;
};

struct table {
	struct slot slots[SLOTS]; /* number: place in the table, plus one */
	uint64_t frames[ROOM];    /* module in the upper 16 bits, offset in the others */
};

static table_place place;
static atomic_uint frames_used;
static atomic_uint limit_but_one;

#define OFFSET_BITS 48

bool stacks_make_room(void)
{
	return tables_make(&place, sizeof(struct table));
}

static struct table *table_now(void)
{
	return atomic_load_explicit(&place, memory_order_acquire);
}

void stacks_limit(unsigned most)
{
	atomic_store(&limit_but_one, (most < BACKTRACE_MOST ? most : BACKTRACE_MOST) - 1);
}

unsigned stacks_frames(void)
{
	return atomic_load_explicit(&limit_but_one, memory_order_relaxed) + 1;
}

static uint64_t pack(struct place frame)
{
	return (uint64_t)frame.module << OFFSET_BITS |
	       (frame.offset & ((1ULL << OFFSET_BITS) - 1));
}

static uint64_t hash_of(const uint64_t *packed, unsigned count)
{
	uint64_t hash = 0xcbf29ce484222325ULL; /* FNV-1a, by word */

	for (unsigned i = 0; i < count; i++)
		hash = (hash ^ packed[i]) * 0x100000001b3ULL;
	return hash ^ hash >> 32;
}

static bool is_same(const struct table *table, const struct slot *slot, const uint64_t *packed,
		    unsigned count, uint64_t hash)
{
	if (slot->hash != hash || slot->count != count)
		return false;
	for (unsigned i = 0; i < count; i++)
		if (table->frames[slot->first + i] != packed[i])
			return false;
	return true;
}

static bool fill(struct table *table, struct slot *slot, const uint64_t *packed, unsigned count,
		 uint64_t hash)
{
	unsigned first = atomic_fetch_add(&frames_used, count);

	if (first + count > ROOM) {
		atomic_fetch_sub(&frames_used, count);
		return false;
	}
	for (unsigned i = 0; i < count; i++)
		table->frames[first + i] = packed[i];
	slot->first = first;
	slot->count = count;
	slot->hash = hash;
	return true;
}

static unsigned number_of(struct table *table, const uint64_t *packed, unsigned count)
{
	uint64_t hash = hash_of(packed, count);

	for (unsigned i = 0; i < PROBES; i++) {
		unsigned at = (unsigned)(hash + i) % SLOTS;
		struct slot *slot = &table->slots[at];
		unsigned state = atomic_load_explicit(&slot->state, memory_order_acquire);
		unsigned expected = FREE;

		if (state == READY && is_same(table, slot, packed, count, hash))
			return at + 1;
		if (state != FREE || !atomic_compare_exchange_strong(&slot->state, &expected, TAKEN))
			continue;
		if (!fill(table, slot, packed, count, hash))
			return 0; /* the slot stays taken: there is no room for any */
		atomic_store_explicit(&slot->state, READY, memory_order_release);
		return at + 1;
	}
	return 0;
}

unsigned stacks_keep(const struct stack *stack)
{
	uint64_t packed[BACKTRACE_MOST];
	struct table *table = table_now();

	if (!table || !stack->count)
		return 0;
	for (unsigned i = 0; i < stack->count; i++)
		packed[i] = pack(stack->places[i]);
	return number_of(table, packed, stack->count);
}

unsigned stacks_note(uintptr_t call_site)
{
	uintptr_t addresses[BACKTRACE_MOST];
	uint64_t packed[BACKTRACE_MOST];
	struct table *table = table_now();
	unsigned count;

	if (!table)
		return 0;
	count = backtrace_from(call_site, addresses, stacks_frames());
	for (unsigned i = 0; i < count; i++)
		packed[i] = pack(module_place(addresses[i]));
	return count ? number_of(table, packed, count) : 0;
}

bool stacks_get(unsigned number, struct stack *stack)
{
	const struct table *table = table_now();
	const struct slot *slot;

	if (!table || number == 0 || number > SLOTS)
		return false;
	slot = &table->slots[number - 1];
	stack->count = slot->count;
	for (unsigned i = 0; i < slot->count; i++)
		stack->places[i] = (struct place){
			.module = (unsigned)(table->frames[slot->first + i] >> OFFSET_BITS),
			.offset = table->frames[slot->first + i] & ((1ULL << OFFSET_BITS) - 1),
		};
	return true;
}
