/* shadow.c: what the walk knows of its own memory: enough to leave out what is known
 * to differ, and to call no bytes that are not code. See walk.h. */
#include "walk.h"

#include <malloc.h>

#define ARENA_PAGES 40
#define HEAP_PAGES 12
#define HEAP_MOST 24

/* The library's files, and what it finds out about memory, are divided so: what a walk finds
 * would depend on where the kernel put it. Each region begins that many pages before such a
 * boundary. */
#define DIVISION (1UL << 20)
#define HEAP_BEFORE 6

/* Below everything that the kernel places by itself. */
#define ARENA_START ((unsigned char *)(0x200000000UL - ARENA_BEFORE * PAGE))
#define ARENA_BEFORE 18

struct region regions[REGIONS] = {
	[ARENA] = { .name = 'A', .pages = ARENA_PAGES, .most = ARENA_PAGES },
	[HEAP_REGION] = { .name = 'H', .pages = HEAP_PAGES, .most = HEAP_MOST },
};

/* malloc gets what it may need from the heap now, and leaves its end alone. */
static void begin_heap(struct region *heap)
{
	void *volatile room;
	char *end;

	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	room = malloc(1 << 20);
	free(room);
	end = sbrk(0);
	must(sbrk((intptr_t)(-((uintptr_t)end + HEAP_BEFORE * PAGE) % DIVISION)) == end, "sbrk");
	heap->start = sbrk((intptr_t)(heap->pages * PAGE));
	must(heap->start != (void *)-1, "sbrk");
	for (size_t i = 0; i < heap->pages; i++)
		heap->page[i] = (struct page){ .memory = HEAP, .protection = RW };
}

void shadow_begin(void)
{
	regions[ARENA].start = ARENA_START;
	begin_heap(&regions[HEAP_REGION]);
}

struct range range_at(uint32_t where, size_t pages)
{
	struct region *region = &regions[where % 4 == 0 ? HEAP_REGION : ARENA];
	struct range range = { .region = region };

	where /= 4;
	range.first = where % (region->pages ? region->pages : 1);
	range.pages = pages;
	if (range.first + range.pages > region->pages)
		range.pages = region->pages - range.first;
	range.start = region->start + range.first * PAGE;
	range.length = range.pages * PAGE;
	return range;
}

uint32_t before_division(uint32_t random)
{
	uint32_t page = (random % 4 == 0 ? HEAP_BEFORE : ARENA_BEFORE) - 1 - random / 4 % 3;

	return page * 4 + random % 4;
}

/* Mostly few. */
struct range range_of(uint32_t where, uint32_t pages)
{
	static const unsigned char lengths[] = { 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 8, 10, 16, 24 };

	return range_at(where, lengths[pages % sizeof(lengths)]);
}

struct page *page_of(const void *address)
{
	for (struct region *region = regions; region < regions + REGIONS; region++) {
		size_t page = ((uintptr_t)address - (uintptr_t)region->start) / PAGE;

		if ((uintptr_t)address >= (uintptr_t)region->start && page < region->pages)
			return &region->page[page];
	}
	return NULL;
}

static unsigned made;

static bool is_unread(int protection)
{
	return protection & PROT_EXEC && !(protection & PROT_READ);
}

void shadow_split(const struct range *range)
{
	for (size_t i = 0; i < range->pages; i++)
		range->region->page[range->first + i].made =
			range->region->page[range->first + i].mapped = ++made;
}

static bool locks_new, has_locked_new;

void shadow_lock_new(bool lock)
{
	locks_new = lock;
	has_locked_new |= lock;
}

void shadow_grow_heap(size_t before)
{
	struct region *heap = &regions[HEAP_REGION];

	for (size_t i = before; has_locked_new && i < heap->pages; i++) {
		heap->page[i].made = heap->page[i].mapped = ++made;
		heap->page[i].locked = true;
	}
}

void shadow_map(const struct range *range, enum memory memory, int protection)
{
	made++;
	for (size_t i = 0; i < range->pages; i++)
		range->region->page[range->first + i] = (struct page){
			.memory = memory,
			.protection = protection,
			.was_code = protection & PROT_EXEC,
			.locked = locks_new,
			.unread = is_unread(protection),
			.made = made,
			.mapped = made,
		};
}

void shadow_say(const struct range *range)
{
	bool one = shadow_is_one(range);

	shadow_split(range);
	for (size_t i = 0; one && i < range->pages; i++)
		range->region->page[range->first + i].made = made;
}

bool shadow_is_one(const struct range *range)
{
	const struct page *page = &range->region->page[range->first];

	for (size_t i = 1; i < range->pages; i++)
		if (page[i].made != page->made || page[i].protection != page->protection ||
		    page[i].memory != page->memory)
			return false;
	return true;
}

/* Pieces of one shared mapping with one protection are one again. */
static bool is_of_one_file(const struct range *range)
{
	const struct page *page = &range->region->page[range->first];

	for (size_t i = 0; i < range->pages; i++)
		if (page[i].mapped != page->mapped || page[i].memory < SHARED_FILE ||
		    page[i].memory > SHARED_ANONYMOUS)
			return false;
	return true;
}

/* What fails may have been done in part. What were several private mappings the kernel
 * may have made one, or not. */
void shadow_protect(const struct range *range, int protection, bool done)
{
	bool one = done && (shadow_is_one(range) || is_of_one_file(range));

	made++;
	for (size_t i = 0; i < range->pages; i++) {
		struct page *page = &range->region->page[range->first + i];

		page->protection = done ? protection : page->protection | protection;
		page->unread = is_unread(protection) || (!done && page->unread);
		if (protection & PROT_EXEC)
			page->was_code = true;
		page->made = one ? made : made + (unsigned)i;
	}
	made += (unsigned)range->pages;
}

void shadow_unmap(const struct range *range)
{
	shadow_map(range, NOTHING, PROT_NONE);
}

bool shadow_any(const struct range *range, bool (*is_such)(const struct page *page))
{
	for (size_t i = 0; i < range->pages; i++)
		if (is_such(&range->region->page[range->first + i]))
			return true;
	return false;
}
