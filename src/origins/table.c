/* table.c: a table of live allocations. See table.h.
 *
 * An address hashes to a set of slots, which are searched one by one. A slot's
 * version is odd while it is written: whoever makes it odd owns it, a reader
 * that sees it change takes nothing. A thread that vanishes in between, as those
 * of a fork's parent do in the child, costs a slot and no more. */
#include "table.h"

#include <stdatomic.h>

#include "../hash.h"
#include "../stacks.h"
#include "../sys.h"
#include "../tables.h"

#define SLOTS (1u << 20)
#define WAYS 8u          /* slots of a set; a power of two */
#define TRIES 4u         /* against writers of the same set */
#define STACK_BITS 24

struct slot {
	_Atomic uint32_t version;
	_Atomic uint32_t origin; /* the function in the upper bits, the stack in the others */
	_Atomic uintptr_t address;
	_Atomic size_t length;
	_Atomic uint64_t sequence; /* of all that were put in, 0 where the slot is free */
};

_Static_assert(STACKS_SLOTS < 1u << STACK_BITS, "a stack's number fits");

static table_place place;
static _Alignas(64) _Atomic uint64_t sequences;

const char *table_function_name(enum function function)
{
	static const char *const names[FUNCTION_COUNT] = {
		[FUNCTION_MALLOC] = "malloc",
		[FUNCTION_CALLOC] = "calloc",
		[FUNCTION_REALLOC] = "realloc",
		[FUNCTION_REALLOCARRAY] = "reallocarray",
	};

	return (unsigned)function < FUNCTION_COUNT ? names[function] : "?";
}

bool table_begin(void)
{
	return stacks_make_room() && tables_make(&place, SLOTS * sizeof(struct slot));
}

static struct slot *slots_now(void)
{
	return atomic_load_explicit(&place, memory_order_acquire);
}

/* The first slot of the address's set. Allocations are 16 bytes apart. */
static struct slot *set_of(uintptr_t address)
{
	struct slot *all = slots_now();
	uint64_t hash = (uint64_t)(address >> 4) * HASH_FACTOR;

	return all ? all + (hash >> 32) % (SLOTS / WAYS) * WAYS : NULL;
}

static bool own(struct slot *slot, uint32_t version)
{
	return !(version & 1) &&
	       atomic_compare_exchange_strong(&slot->version, &version, version + 1);
}

static void disown(struct slot *slot)
{
	atomic_fetch_add(&slot->version, 1);
}

/* The address's own slot, or a free one, or the oldest, with the VERSION that it
 * had before it was looked at. NULL: all are being written. */
static struct slot *slot_for(struct slot *set, uintptr_t address, uint32_t *version)
{
	struct slot *best = NULL;
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < WAYS; i++) {
		uint32_t seen = atomic_load(&set[i].version);
		uint64_t sequence = atomic_load(&set[i].sequence);
		bool same = sequence && atomic_load(&set[i].address) == address;

		if (seen & 1 || (!same && sequence >= least))
			continue;
		best = &set[i];
		least = sequence;
		*version = seen;
		if (same)
			break;
	}
	return best;
}

void table_put(const struct allocation *allocation)
{
	struct slot *set = set_of(allocation->address);
	uint64_t sequence = atomic_fetch_add_explicit(&sequences, 1, memory_order_relaxed) + 1;

	for (unsigned i = 0; set && i < TRIES; i++) {
		uint32_t version;
		struct slot *slot = slot_for(set, allocation->address, &version);

		if (!slot || !own(slot, version))
			continue;
		atomic_store(&slot->origin, (uint32_t)allocation->function << STACK_BITS |
						    allocation->stack);
		atomic_store(&slot->address, allocation->address);
		atomic_store(&slot->length, allocation->length);
		atomic_store(&slot->sequence, sequence);
		disown(slot);
		return;
	}
}

static struct allocation read_slot(struct slot *slot)
{
	uint32_t origin = atomic_load(&slot->origin);

	return (struct allocation){
		.address = atomic_load(&slot->address),
		.length = atomic_load(&slot->length),
		.stack = origin & ((1u << STACK_BITS) - 1),
		.function = (enum function)(origin >> STACK_BITS),
	};
}

/* Somebody who owns the slot meanwhile is putting another allocation there: this
 * one is out. */
struct allocation table_take(uintptr_t address)
{
	struct slot *set = set_of(address);

	for (unsigned i = 0; set && i < WAYS; i++) {
		uint32_t version = atomic_load(&set[i].version);
		struct allocation taken;

		if (atomic_load(&set[i].address) != address || !own(&set[i], version))
			continue;
		taken = read_slot(&set[i]);
		atomic_store(&set[i].address, 0);
		atomic_store(&set[i].sequence, 0);
		disown(&set[i]);
		return taken;
	}
	return (struct allocation){ 0 };
}

/* What an allocation has to do with a piece of memory. */
struct bearing {
	uint64_t sequence;
	size_t bytes; /* that they have in common */
	bool reaches; /* each page of the piece */
};

static struct bearing bearing_of(const struct allocation *allocation, uintptr_t start,
				 uintptr_t end)
{
	uintptr_t from = allocation->address, to = from + allocation->length;
	struct bearing bearing = { 0 };

	if (from < start)
		from = start;
	if (to > end)
		to = end;
	if (from < to)
		bearing.bytes = to - from;
	bearing.reaches = from < start + PAGE_BYTES && to > end - PAGE_BYTES;
	return bearing;
}

/* A program makes executable what it has just filled, rounded to whole pages. So
 * that reaches each page of the piece, which no two do in a piece of several;
 * and in a piece of one page it is the youngest more often than the largest
 * (tcc -run has a dozen small allocations on its page of code). */
static bool is_likelier(const struct bearing *a, const struct bearing *b)
{
	if (b->bytes == 0)
		return a->bytes != 0;
	if (a->reaches != b->reaches)
		return a->reaches;
	return a->reaches ? a->sequence > b->sequence : a->bytes > b->bytes;
}

bool table_find(uintptr_t address, size_t length, struct allocation *found)
{
	struct slot *all = slots_now();
	struct bearing best = { 0 };

	for (unsigned i = 0; all && i < SLOTS; i++) {
		uint32_t version = atomic_load(&all[i].version);
		uintptr_t start = atomic_load_explicit(&all[i].address, memory_order_relaxed);
		struct allocation seen;
		struct bearing bearing;

		if (!start || start >= address + length)
			continue;
		seen = read_slot(&all[i]);
		bearing = bearing_of(&seen, address, address + length);
		bearing.sequence = atomic_load(&all[i].sequence);
		if (version & 1 || atomic_load(&all[i].version) != version ||
		    bearing.bytes == 0 || !is_likelier(&bearing, &best))
			continue;
		best = bearing;
		*found = seen;
	}
	return best.bytes != 0;
}
