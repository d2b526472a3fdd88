/* stacks.c: a table of stacks, found by their hash. See stacks.h.
 *
 * Frames lie in one array, a stack's next to each other; it is written once and
 * only then named in the table. */
#include "stacks.h"

#include <stdatomic.h>

#define SLOTS STACKS_SLOTS
#define ROOM (SLOTS * 12u)   /* frames */
#define PROBES 16u

enum { FREE, TAKEN, READY };

struct slot {
	atomic_uint state;
	unsigned first, count;
	uint64_t hash;
};

static struct slot slots[SLOTS]; /* number: place in the table, plus one */
static uint64_t frames[ROOM];    /* module in the upper 16 bits, offset in the others */
static atomic_uint frames_used;
static atomic_uint limit = 1;

#define OFFSET_BITS 48

void stacks_limit(unsigned most)
{
	atomic_store(&limit, most < BACKTRACE_MOST ? most : BACKTRACE_MOST);
}

unsigned stacks_frames(void)
{
	return atomic_load_explicit(&limit, memory_order_relaxed);
}

static uint64_t pack(struct place place)
{
	return (uint64_t)place.module << OFFSET_BITS |
	       (place.offset & ((1ULL << OFFSET_BITS) - 1));
}

static uint64_t hash_of(const uint64_t *packed, unsigned count)
{
	uint64_t hash = 0xcbf29ce484222325ULL; /* FNV-1a, by word */

	for (unsigned i = 0; i < count; i++)
		hash = (hash ^ packed[i]) * 0x100000001b3ULL;
	return hash ^ hash >> 32;
}

static bool is_same(const struct slot *slot, const uint64_t *packed, unsigned count, uint64_t hash)
{
	if (slot->hash != hash || slot->count != count)
		return false;
	for (unsigned i = 0; i < count; i++)
		if (frames[slot->first + i] != packed[i])
			return false;
	return true;
}

static bool fill(struct slot *slot, const uint64_t *packed, unsigned count, uint64_t hash)
{
	unsigned first = atomic_fetch_add(&frames_used, count);

	if (first + count > ROOM) {
		atomic_fetch_sub(&frames_used, count);
		return false;
	}
	for (unsigned i = 0; i < count; i++)
		frames[first + i] = packed[i];
	slot->first = first;
	slot->count = count;
	slot->hash = hash;
	return true;
}

static unsigned number_of(const uint64_t *packed, unsigned count)
{
	uint64_t hash = hash_of(packed, count);

	for (unsigned i = 0; i < PROBES; i++) {
		unsigned at = (unsigned)(hash + i) % SLOTS;
		unsigned state = atomic_load_explicit(&slots[at].state, memory_order_acquire);
		unsigned expected = FREE;

		if (state == READY && is_same(&slots[at], packed, count, hash))
			return at + 1;
		if (state != FREE ||
		    !atomic_compare_exchange_strong(&slots[at].state, &expected, TAKEN))
			continue;
		if (!fill(&slots[at], packed, count, hash))
			return 0; /* the slot stays taken: there is no room for any */
		atomic_store_explicit(&slots[at].state, READY, memory_order_release);
		return at + 1;
	}
	return 0;
}

unsigned stacks_keep(const struct stack *stack)
{
	uint64_t packed[BACKTRACE_MOST];

	for (unsigned i = 0; i < stack->count; i++)
		packed[i] = pack(stack->places[i]);
	return stack->count ? number_of(packed, stack->count) : 0;
}

unsigned stacks_note(uintptr_t call_site)
{
	uintptr_t addresses[BACKTRACE_MOST];
	uint64_t packed[BACKTRACE_MOST];
	unsigned count = backtrace_from(call_site, addresses, stacks_frames());

	for (unsigned i = 0; i < count; i++)
		packed[i] = pack(module_place(addresses[i]));
	return count ? number_of(packed, count) : 0;
}

bool stacks_get(unsigned number, struct stack *stack)
{
	const struct slot *slot;

	if (number == 0 || number > SLOTS)
		return false;
	slot = &slots[number - 1];
	stack->count = slot->count;
	for (unsigned i = 0; i < slot->count; i++)
		stack->places[i] = (struct place){
			.module = (unsigned)(frames[slot->first + i] >> OFFSET_BITS),
			.offset = frames[slot->first + i] & ((1ULL << OFFSET_BITS) - 1),
		};
	return true;
}
