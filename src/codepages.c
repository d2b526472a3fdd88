/* codepages.c: a radix tree of page entries. See codepages.h. */
#include "codepages.h"

#include <errno.h>
#include <stdatomic.h>

#include "own.h"
#include "sys.h"

/* 35 bits of page number on x86_64: 11 for the root, 12 for a middle node, 12
 * for a leaf. A leaf of 32 KiB covers 16 MiB of the program. Of the 20 bits of a
 * processor of 32: 2, 8 and 10, a leaf of 8 KiB for 4 MiB. */
#if ARCH_ADDRESS_BITS > 32
#define LEAF_BITS 12
#define MIDDLE_BITS 12
#else
#define LEAF_BITS 10
#define MIDDLE_BITS 8
#endif
#define PAGE_BITS 12
#define ROOT_BITS (ARCH_ADDRESS_BITS - PAGE_BITS - LEAF_BITS - MIDDLE_BITS)
#define LEAF_ENTRIES (1UL << LEAF_BITS)
#define MIDDLE_ENTRIES (1UL << MIDDLE_BITS)
#define ROOT_ENTRIES (1UL << ROOT_BITS)
#define LAST_PAGE (1UL << (ARCH_ADDRESS_BITS - PAGE_BITS))

struct leaf {
	_Atomic uint64_t entries[LEAF_ENTRIES];
};

/* A slot is 0 (no entries), the address of a leaf, or, where all pages of the
 * leaf have one entry without backing, that entry: its state, never 0, lies in
 * the bits that are 0 in an address. */
struct middle {
	_Atomic uint64_t slots[MIDDLE_ENTRIES];
};

LARGE static struct middle *_Atomic root[ROOT_ENTRIES];
static atomic_bool in_use;

/* An entry's bits, from the lowest. */
#define STATE_SHIFT 0    /* 2 */
#define ASK_SHIFT 2      /* 3 */
#define VIEW_SHIFT 5     /* 3 */
#define STORES_SHIFT 8   /* 4 */
#define BACKING_SHIFT 12 /* 14 */
#define LENT_SHIFT 26    /* 1 */
#define OFFSET_SHIFT 27  /* 37 */

#define STATE_MASK 3ULL
#define BACKING_MASK 0x3fffULL

static uint64_t pack(struct code_page page)
{
	return (uint64_t)page.state << STATE_SHIFT | (uint64_t)(page.ask & 7) << ASK_SHIFT |
	       (uint64_t)(page.view & 7) << VIEW_SHIFT |
	       (uint64_t)(page.stores & CODE_PAGE_STORES_MOST) << STORES_SHIFT |
	       (page.backing & BACKING_MASK) << BACKING_SHIFT |
	       (uint64_t)page.lent << LENT_SHIFT | page.offset << OFFSET_SHIFT;
}

static struct code_page unpack(uint64_t entry)
{
	return (struct code_page){
		.state = (enum page_state)(entry >> STATE_SHIFT & STATE_MASK),
		.ask = entry >> ASK_SHIFT & 7,
		.view = entry >> VIEW_SHIFT & 7,
		.stores = entry >> STORES_SHIFT & CODE_PAGE_STORES_MOST,
		.backing = entry >> BACKING_SHIFT & BACKING_MASK,
		.lent = entry >> LENT_SHIFT & 1,
		.offset = entry >> OFFSET_SHIFT,
	};
}

/* By how much an entry differs from its left neighbour's in a run. */
static uint64_t step_of(uint64_t entry)
{
	return entry >> BACKING_SHIFT & BACKING_MASK ? 1ULL << OFFSET_SHIFT : 0;
}

static bool is_leaf(uint64_t slot)
{
	return slot != 0 && !(slot & STATE_MASK);
}

static struct leaf *as_leaf(uint64_t slot)
{
	return (struct leaf *)(uintptr_t)slot;
}

static uint64_t slot_of(uint64_t number)
{
	struct middle *middle = atomic_load(&root[number >> (LEAF_BITS + MIDDLE_BITS)]);

	return middle ? atomic_load(&middle->slots[number >> LEAF_BITS & (MIDDLE_ENTRIES - 1)]) : 0;
}

static uint64_t entry_of(uint64_t number)
{
	uint64_t slot = slot_of(number);

	return is_leaf(slot) ? atomic_load(&as_leaf(slot)->entries[number & (LEAF_ENTRIES - 1)]) :
			       slot;
}

static uint64_t leaf_end(uint64_t number)
{
	return ((number >> LEAF_BITS) + 1) << LEAF_BITS;
}

struct code_page codepages_get(uintptr_t address)
{
	uint64_t number = address >> PAGE_BITS;

	return unpack(number < LAST_PAGE ? entry_of(number) : 0);
}

/* The pages of a range, whole ones, cut off where the table ends. */
struct span {
	uint64_t first, end;
};

static struct span span_of(uintptr_t address, size_t length)
{
	struct span span = { .first = address >> PAGE_BITS };
	uintptr_t last = address + length - 1;

	if (length == 0 || span.first >= LAST_PAGE)
		return (struct span){ 0, 0 };
	span.end = last < address ? LAST_PAGE : (last >> PAGE_BITS) + 1;
	if (span.end > LAST_PAGE)
		span.end = LAST_PAGE;
	return span;
}

/* The first page at or after NUMBER that may have an entry: steps over nodes
 * that were never made, so that gigabytes of nothing cost nothing. */
static uint64_t skip_absent(uint64_t number, uint64_t end)
{
	while (number < end) {
		struct middle *middle = atomic_load(&root[number >> (LEAF_BITS + MIDDLE_BITS)]);

		if (!middle) {
			number = ((number >> (LEAF_BITS + MIDDLE_BITS)) + 1)
				 << (LEAF_BITS + MIDDLE_BITS);
			continue;
		}
		if (atomic_load(&middle->slots[number >> LEAF_BITS & (MIDDLE_ENTRIES - 1)]))
			return number;
		number = leaf_end(number);
	}
	return end;
}

/* The first page at or after NUMBER whose entry has one of the bits of MASK. */
static uint64_t find(uint64_t number, uint64_t end, uint64_t mask)
{
	while ((number = skip_absent(number, end)) < end) {
		uint64_t slot = slot_of(number), last = leaf_end(number);

		if (!is_leaf(slot)) {
			if (slot & mask)
				return number;
			number = last;
			continue;
		}
		if (last > end)
			last = end;
		for (; number < last; number++)
			if (atomic_load_explicit(
				    &as_leaf(slot)->entries[number & (LEAF_ENTRIES - 1)],
				    memory_order_relaxed) & mask)
				return number;
	}
	return end;
}

static bool any(uintptr_t address, size_t length, uint64_t mask)
{
	struct span span;

	if (!atomic_load_explicit(&in_use, memory_order_relaxed))
		return false;
	span = span_of(address, length);
	return find(span.first, span.end, mask) < span.end;
}

bool codepages_any(uintptr_t address, size_t length)
{
	return any(address, length, STATE_MASK);
}

bool codepages_any_viewed(uintptr_t address, size_t length)
{
	return any(address, length, PAGE_VIEWED);
}

uintptr_t codepages_next(uintptr_t start, uintptr_t limit)
{
	struct span span = span_of(start, limit - start);

	if (!atomic_load_explicit(&in_use, memory_order_relaxed) || span.end == span.first)
		return limit;

	uint64_t number = find(span.first, span.end, STATE_MASK);

	return number < span.end ? number << PAGE_BITS : limit;
}

uintptr_t codepages_run(uintptr_t start, uintptr_t limit, struct code_page *page)
{
	struct span span = span_of(start, limit - start);
	uint64_t number = span.first, entry, step;

	*page = (struct code_page){ 0 };
	if (span.first == span.end)
		return limit;
	entry = entry_of(number);
	*page = unpack(entry);
	if (entry == 0)
		return codepages_next(start, limit);
	step = step_of(entry);
	while (number < span.end) {
		uint64_t slot = slot_of(number), last = leaf_end(number);

		if (last > span.end)
			last = span.end;
		if (!is_leaf(slot)) {
			if (slot != entry)
				break;
			number = last;
			continue;
		}
		for (; number < last; number++, entry += step)
			if (atomic_load_explicit(
				    &as_leaf(slot)->entries[number & (LEAF_ENTRIES - 1)],
				    memory_order_relaxed) != entry)
				return number << PAGE_BITS;
	}
	return number < span.end ? number << PAGE_BITS : limit;
}

/* Whoever looks without the lock may find a range half changed, in order. One barrier
 * after many makes it as if each entry had one. */
static void set_entry(struct leaf *leaf, uint64_t number, uint64_t entry)
{
	atomic_store_explicit(&leaf->entries[number & (LEAF_ENTRIES - 1)], entry,
			      memory_order_release);
}

static void entries_are_set(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}

static void mark_in_use(void)
{
	if (!atomic_load_explicit(&in_use, memory_order_relaxed))
		atomic_store(&in_use, true);
}

static void *new_node(size_t size)
{
	long node = own_memory(size);

	return sys_failed(node) ? NULL : (void *)node;
}

static _Atomic uint64_t *make_slot(uint64_t number)
{
	struct middle *_Atomic *top = &root[number >> (LEAF_BITS + MIDDLE_BITS)];
	struct middle *middle = atomic_load(top);

	if (!middle) {
		middle = new_node(sizeof *middle);
		if (!middle)
			return NULL;
		atomic_store(top, middle);
	}
	return &middle->slots[number >> LEAF_BITS & (MIDDLE_ENTRIES - 1)];
}

static bool make_leaf(uint64_t number)
{
	_Atomic uint64_t *slot = make_slot(number);
	uint64_t common;
	struct leaf *leaf;

	if (!slot)
		return false;
	common = atomic_load(slot);
	if (is_leaf(common))
		return true;
	leaf = new_node(sizeof *leaf);
	if (!leaf)
		return false;
	for (size_t i = 0; common && i < LEAF_ENTRIES; i++)
		atomic_store_explicit(&leaf->entries[i], common, memory_order_relaxed);
	atomic_store(slot, (uint64_t)(uintptr_t)leaf);
	return true;
}

static bool reaches_too_far(struct span span, size_t length)
{
	return length && span.end - span.first < length >> PAGE_BITS;
}

long codepages_prepare(uintptr_t address, size_t length)
{
	struct span span = span_of(address, length);

	if (reaches_too_far(span, length))
		return -ENOMEM;
	mark_in_use();
	for (uint64_t n = span.first; n < span.end; n = leaf_end(n))
		if (!make_leaf(n))
			return -ENOMEM;
	return 0;
}

long codepages_room(uintptr_t address, size_t length)
{
	struct span span = span_of(address, length);

	if (reaches_too_far(span, length))
		return -ENOMEM;
	mark_in_use();
	for (uint64_t n = span.first; n < span.end; n = leaf_end(n)) {
		bool whole = n % LEAF_ENTRIES == 0 && span.end - n >= LEAF_ENTRIES;

		if (whole ? !make_slot(n) : !make_leaf(n))
			return -ENOMEM;
	}
	return 0;
}

long codepages_cut(uintptr_t address, size_t length)
{
	struct span span = span_of(address, length);

	if (!atomic_load_explicit(&in_use, memory_order_relaxed))
		return 0;
	for (uint64_t n = span.first; (n = skip_absent(n, span.end)) < span.end; n = leaf_end(n)) {
		bool whole = n % LEAF_ENTRIES == 0 && span.end - n >= LEAF_ENTRIES;

		if (!whole && !make_leaf(n))
			return -ENOMEM;
	}
	return 0;
}

void codepages_set(uintptr_t address, size_t length, struct code_page page)
{
	struct span span = span_of(address, length);
	uint64_t entry = pack(page), step = step_of(entry);

	for (uint64_t n = span.first; n < span.end;) {
		uint64_t slot = slot_of(n), last = leaf_end(n);

		if (last > span.end)
			last = span.end;
		if (!is_leaf(slot)) {
			/* A whole one, as codepages_room has made sure. */
			atomic_store(make_slot(n), entry);
			n = last;
			continue;
		}
		for (; n < last; n++, entry += step)
			set_entry(as_leaf(slot), n, entry);
	}
	entries_are_set();
}

void codepages_protect(uintptr_t address, size_t length, unsigned protection)
{
	uintptr_t at = address, limit = address + length;

	while ((at = codepages_next(at, limit)) < limit) {
		struct code_page page;
		uintptr_t end = codepages_run(at, limit, &page);

		page.ask = page.view = protection;
		if (page.state == PAGE_PLAIN && !codepages_room(at, end - at))
			codepages_set(at, end - at, page);
		at = end;
	}
}

void codepages_clear(uintptr_t address, size_t length)
{
	struct span span;

	if (!atomic_load_explicit(&in_use, memory_order_relaxed))
		return;
	span = span_of(address, length);
	for (uint64_t n = span.first; (n = skip_absent(n, span.end)) < span.end;) {
		uint64_t slot = slot_of(n), last = leaf_end(n);
		bool whole = n % LEAF_ENTRIES == 0 && span.end - n >= LEAF_ENTRIES;

		if (last > span.end)
			last = span.end;
		if (!is_leaf(slot) && whole) {
			atomic_store(make_slot(n), 0);
			n = last;
			continue;
		}
		/* No room for what stays (see codepages_cut): then all of it is forgotten. */
		if (!is_leaf(slot) && !make_leaf(n)) {
			atomic_store(make_slot(n), 0);
			n = last;
			continue;
		}
		slot = slot_of(n);
		for (; n < last; n++)
			set_entry(as_leaf(slot), n, 0);
	}
	entries_are_set();
}
