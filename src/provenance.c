/* provenance.c: a table of allocations, by address. See provenance.h. */
#include "provenance.h"

#include <stdatomic.h>

#include "backtrace.h"
#include "memory.h"
#include "module.h"
#include "origins/origins.h"
#include "stacks.h"
#include "sys.h"
#include "tables.h"

#pragma weak jitmend_origins_begin
#pragma weak jitmend_origins_find

#define SLOTS 4096u /* a power of two */
#define PROBES 8u

/* VERSION is odd while the slot is written; a reader that sees it change
 * between its first and last look takes nothing. SEQUENCE 0 is a free slot. */
struct slot {
	atomic_uint version;
	atomic_uint stack;
	_Atomic uint64_t sequence;
	const char *_Atomic function;
	_Atomic uintptr_t address;
	_Atomic size_t length;
};

static table_place place;
static atomic_bool wanted; /* room is made by the first that is noted */
static _Atomic uint64_t sequences;
static atomic_bool mappings;

bool provenance_make_room(void)
{
	return tables_make(&place, SLOTS * sizeof(struct slot));
}

void provenance_want(void)
{
	atomic_store(&wanted, true);
}

/* NULL: nothing is kept. */
static struct slot *slots_now(void)
{
	return atomic_load_explicit(&place, memory_order_acquire);
}

static struct slot *slots_to_fill(void)
{
	struct slot *slots = slots_now();

	if (!slots && atomic_load_explicit(&wanted, memory_order_relaxed) && module_make_room() &&
	    stacks_make_room() && provenance_make_room())
		slots = slots_now();
	return slots;
}

void provenance_watch_mappings(void)
{
	atomic_store(&mappings, true);
}

bool provenance_watches_mappings(void)
{
	return atomic_load_explicit(&mappings, memory_order_relaxed);
}

static struct slot *slot_at(struct slot *slots, uintptr_t address, unsigned probe)
{
	unsigned hash = (unsigned)(address / PAGE_BYTES) * 2654435761u >> 16;

	return &slots[(hash + probe) % SLOTS];
}

/* The address's own slot, or a free one, or the one used longest ago. */
static struct slot *slot_for(struct slot *slots, uintptr_t address)
{
	struct slot *best = NULL;

	for (unsigned i = 0; i < PROBES; i++) {
		struct slot *slot = slot_at(slots, address, i);

		if (atomic_load(&slot->sequence) && atomic_load(&slot->address) == address)
			return slot;
		if (!best || atomic_load(&slot->sequence) < atomic_load(&best->sequence))
			best = slot;
	}
	return best;
}

static void write_slot(struct slot *slot, const struct provenance *p, uint64_t sequence)
{
	unsigned version = atomic_load(&slot->version);

	if (version & 1 || !atomic_compare_exchange_strong(&slot->version, &version, version + 1))
		return;
	atomic_store(&slot->function, p->function);
	atomic_store(&slot->address, p->address);
	atomic_store(&slot->length, p->length);
	atomic_store(&slot->stack, p->stack);
	atomic_store(&slot->sequence, sequence);
	atomic_store(&slot->version, version + 2);
}

/* Memory as the kernel gives it, on which an allocator may build. */
static bool is_ground(const char *function)
{
	return function && (string_equal(function, "mmap") || string_equal(function, "sbrk"));
}

void provenance_note(const char *function, uintptr_t address, size_t length,
		     uintptr_t call_site)
{
	struct provenance p = { .function = function, .address = address, .length = length };
	struct slot *slots;

	if (address == 0 || address % PAGE_BYTES)
		return;
	slots = slots_to_fill();
	if (!slots)
		return;
	backtrace_locks_held(is_ground(function));
	p.stack = stacks_note(call_site);
	backtrace_locks_held(false);
	write_slot(slot_for(slots, address), &p, atomic_fetch_add(&sequences, 1) + 1);
}

void provenance_freed(uintptr_t address)
{
	static const struct provenance none;
	struct slot *slots = slots_now();

	for (unsigned i = 0; slots && i < PROBES; i++) {
		struct slot *slot = slot_at(slots, address, i);

		if (atomic_load(&slot->sequence) && atomic_load(&slot->address) == address &&
		    !is_ground(atomic_load(&slot->function)))
			write_slot(slot, &none, 0);
	}
}

/* The sequence of what the slot holds, 0 where it is free or being written. */
static uint64_t read_slot(struct slot *slot, struct provenance *p)
{
	unsigned version = atomic_load(&slot->version);
	uint64_t sequence = atomic_load(&slot->sequence);

	p->function = atomic_load(&slot->function);
	p->address = atomic_load(&slot->address);
	p->length = atomic_load(&slot->length);
	p->stack = atomic_load(&slot->stack);
	return !(version & 1) && atomic_load(&slot->version) == version ? sequence : 0;
}

/* What is left keeps its origin, and is found by its new beginning. */
void provenance_forget(uintptr_t address, size_t length)
{
	static const struct provenance none;
	struct slot *slots = slots_now();

	for (unsigned i = 0; slots && i < PROBES; i++) {
		struct slot *slot = slot_at(slots, address, i);
		struct provenance p;
		uint64_t sequence = read_slot(slot, &p);

		if (!sequence || p.address != address)
			continue;
		write_slot(slot, &none, 0);
		if (p.length <= length)
			continue;
		p.address += length;
		p.length -= length;
		write_slot(slot_for(slots, p.address), &p, sequence);
	}
}

unsigned provenance_stack_at(uintptr_t address)
{
	struct slot *slots = slots_now();
	struct provenance p;

	for (unsigned i = 0; slots && i < PROBES; i++)
		if (read_slot(slot_at(slots, address, i), &p) && p.address == address)
			return p.stack;
	return 0;
}

/* Mostly what is asked for begins there; then nothing is searched. */
static bool find_noted(uintptr_t address, struct provenance *found)
{
	struct slot *slots = slots_now();
	uint64_t latest = 0;

	if (!slots)
		return false;
	for (unsigned i = 0; i < PROBES; i++)
		if (read_slot(slot_at(slots, address, i), found) && found->address == address)
			return true;

	for (unsigned i = 0; i < SLOTS; i++) {
		struct provenance p;
		uint64_t sequence;

		if (atomic_load(&slots[i].sequence) <= latest)
			continue;
		sequence = read_slot(&slots[i], &p);
		if (sequence <= latest || address < p.address || address - p.address >= p.length)
			continue;
		latest = sequence;
		*found = p;
	}
	return latest != 0;
}

/* ---------------------------------------------------------------- --origins */

void provenance_begin(bool asked)
{
	static struct origins_host host;

	if (!jitmend_origins_begin)
		return;
	host = (struct origins_host){
		.backtrace_from = backtrace_from,
		.module_place = module_place,
		.freed = provenance_freed,
		.frames = stacks_frames(),
	};
	jitmend_origins_begin(asked ? &host : NULL);
}

static bool find_origin(uintptr_t address, size_t length, struct provenance *found)
{
	struct origin origin; /* a kilobyte: the caller is no signal handler of ours */

	if (!jitmend_origins_find || !jitmend_origins_find(address, length, &origin))
		return false;
	*found = (struct provenance){
		.function = origin.function,
		.address = origin.address,
		.length = origin.length,
		.stack = stacks_keep(&origin.stack),
	};
	return true;
}

bool provenance_find(uintptr_t address, size_t length, struct provenance *found)
{
	bool noted = find_noted(address, found);

	if (noted && !is_ground(found->function))
		return true;
	return find_origin(address, length, found) || noted;
}
