/* codepages.c: a radix tree of page entries. See codepages.h. */
#include "codepages.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "sys.h"

/* 35 bits of page number on x86_64: 11 for the root, 12 for a middle node, 12
 * for a leaf. A leaf of 32 KiB covers 16 MiB of the program. */
#define LEAF_BITS 12
#define MIDDLE_BITS 12
#define PAGE_BITS 12
#define ROOT_BITS (ARCH_ADDRESS_BITS - PAGE_BITS - LEAF_BITS - MIDDLE_BITS)
#define LEAF_ENTRIES (1UL << LEAF_BITS)
#define MIDDLE_ENTRIES (1UL << MIDDLE_BITS)
#define ROOT_ENTRIES (1UL << ROOT_BITS)
#define LAST_PAGE (1UL << (ARCH_ADDRESS_BITS - PAGE_BITS))

struct leaf {
	_Atomic uint64_t entries[LEAF_ENTRIES];
};

struct middle {
	struct leaf *_Atomic leaves[MIDDLE_ENTRIES];
};

static struct middle *_Atomic root[ROOT_ENTRIES];
static atomic_bool in_use;

/* Counts beginnings and ends of moves; waiters sleep on it. */
static _Atomic uint32_t moves;
static _Atomic uint32_t waiters;

/* An entry's bits, from the lowest. */
#define STATE_SHIFT 0    /* 2 */
#define ASK_SHIFT 2      /* 3 */
#define VIEW_SHIFT 5     /* 3 */
#define RUNG_SHIFT 8     /* 2 */
#define BACKING_SHIFT 10 /* 14 */
#define OFFSET_SHIFT 24  /* 40 */

static uint64_t pack(struct code_page page)
{
	return (uint64_t)page.state << STATE_SHIFT | (uint64_t)(page.ask & 7) << ASK_SHIFT |
	       (uint64_t)(page.view & 7) << VIEW_SHIFT | (uint64_t)(page.rung & 3) << RUNG_SHIFT |
	       (uint64_t)(page.backing & 0x3fff) << BACKING_SHIFT | page.offset << OFFSET_SHIFT;
}

static struct code_page unpack(uint64_t entry)
{
	return (struct code_page){
		.state = (enum page_state)(entry >> STATE_SHIFT & 3),
		.ask = entry >> ASK_SHIFT & 7,
		.view = entry >> VIEW_SHIFT & 7,
		.rung = entry >> RUNG_SHIFT & 3,
		.backing = entry >> BACKING_SHIFT & 0x3fff,
		.offset = entry >> OFFSET_SHIFT,
	};
}

static struct leaf *leaf_of(uint64_t number)
{
	struct middle *middle = atomic_load(&root[number >> (LEAF_BITS + MIDDLE_BITS)]);

	if (!middle)
		return NULL;
	return atomic_load(&middle->leaves[number >> LEAF_BITS & (MIDDLE_ENTRIES - 1)]);
}

static _Atomic uint64_t *entry_of(uint64_t number)
{
	struct leaf *leaf = leaf_of(number);

	return leaf ? &leaf->entries[number & (LEAF_ENTRIES - 1)] : NULL;
}

struct code_page codepages_get(uintptr_t address)
{
	uint64_t number = address >> PAGE_BITS;
	_Atomic uint64_t *entry = number < LAST_PAGE ? entry_of(number) : NULL;

	return unpack(entry ? atomic_load(entry) : 0);
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
		if (atomic_load(&middle->leaves[number >> LEAF_BITS & (MIDDLE_ENTRIES - 1)]))
			return number;
		number = ((number >> LEAF_BITS) + 1) << LEAF_BITS;
	}
	return end;
}

bool codepages_any(uintptr_t address, size_t length)
{
	if (!atomic_load_explicit(&in_use, memory_order_relaxed))
		return false;

	struct span span = span_of(address, length);

	for (uint64_t n = skip_absent(span.first, span.end); n < span.end;
	     n = skip_absent(n + 1, span.end))
		if (atomic_load(entry_of(n)) != 0)
			return true;
	return false;
}

static void *new_node(size_t size)
{
	long node = sys_mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return sys_failed(node) ? NULL : (void *)node;
}

static bool make_leaf(uint64_t number)
{
	struct middle *_Atomic *top = &root[number >> (LEAF_BITS + MIDDLE_BITS)];
	struct middle *middle = atomic_load(top);

	if (!middle) {
		middle = new_node(sizeof *middle);
		if (!middle)
			return false;
		atomic_store(top, middle);
	}

	struct leaf *_Atomic *slot = &middle->leaves[number >> LEAF_BITS & (MIDDLE_ENTRIES - 1)];
	struct leaf *leaf = atomic_load(slot);

	if (leaf)
		return true;
	leaf = new_node(sizeof *leaf);
	if (!leaf)
		return false;
	atomic_store(slot, leaf);
	return true;
}

long codepages_prepare(uintptr_t address, size_t length)
{
	struct span span = span_of(address, length);

	if (length && span.end - span.first < length >> PAGE_BITS)
		return -ENOMEM; /* reaches past what the table covers */
	atomic_store(&in_use, true);
	for (uint64_t n = span.first; n < span.end; n = ((n >> LEAF_BITS) + 1) << LEAF_BITS)
		if (!make_leaf(n))
			return -ENOMEM;
	return 0;
}

void codepages_set(uintptr_t address, size_t length, struct code_page page)
{
	struct span span = span_of(address, length);

	for (uint64_t n = span.first; n < span.end; n++) {
		atomic_store(entry_of(n), pack(page));
		if (page.backing)
			page.offset++;
	}
}

void codepages_protect(uintptr_t address, size_t length, unsigned protection)
{
	struct span span = span_of(address, length);

	for (uint64_t n = skip_absent(span.first, span.end); n < span.end;
	     n = skip_absent(n + 1, span.end)) {
		struct code_page page = unpack(atomic_load(entry_of(n)));

		if (page.state == PAGE_UNKNOWN)
			continue;
		page.ask = page.view = protection;
		atomic_store(entry_of(n), pack(page));
	}
}

void codepages_clear(uintptr_t address, size_t length)
{
	if (!atomic_load_explicit(&in_use, memory_order_relaxed))
		return;

	struct span span = span_of(address, length);

	for (uint64_t n = skip_absent(span.first, span.end); n < span.end;
	     n = skip_absent(n + 1, span.end))
		atomic_store(entry_of(n), 0);
}

void codepages_begin_move(uintptr_t address, size_t length)
{
	struct span span = span_of(address, length);

	for (uint64_t n = span.first; n < span.end; n++) {
		_Atomic uint64_t *entry = entry_of(n);
		struct code_page page = unpack(atomic_load(entry));

		page.state = PAGE_MOVING;
		atomic_store(entry, pack(page));
	}
	atomic_fetch_add(&moves, 1);
}

void codepages_end_move(uintptr_t address, size_t length, struct code_page page)
{
	codepages_set(address, length, page);
	atomic_fetch_add(&moves, 1);
	if (atomic_load(&waiters))
		sys_futex_wake(&moves, 0x7fffffff);
}

uint32_t codepages_moves(void)
{
	return atomic_load(&moves);
}

void codepages_wait(uintptr_t address)
{
	atomic_fetch_add(&waiters, 1);
	for (;;) {
		uint32_t seen = atomic_load(&moves);

		if (codepages_get(address).state != PAGE_MOVING)
			break;
		sys_futex_wait(&moves, seen);
	}
	atomic_fetch_sub(&waiters, 1);
}
