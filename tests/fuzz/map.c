/* map.c: operations on mappings. See walk.h. */
#include "walk.h"

#include <fcntl.h>

#define ELEMENTS(array) (sizeof(array) / sizeof(*(array)))

static const char *const memory_words[] = {
	"nothing", "anonymous", "/dev/zero", "private file", "shared file", "shared memfd",
	"shared anonymous", "heap",
};

static bool is_wiped(const struct page *page)
{
	return page->wiped;
}

/* "A file's page that was executed and then moved, or advised about, is anonymous
 * memory from then on": known. */
static bool is_file_code(const struct page *page)
{
	return page->memory == PRIVATE_FILE && page->was_code;
}

static bool is_dev_zero(const struct page *page)
{
	return page->memory == DEV_ZERO;
}

/* What a move of a range with holes leaves of what lay where it goes, the kernel has
 * changed its mind about, and it is not followed. */
static bool is_hole(const struct page *page)
{
	return page->memory == NOTHING;
}

static bool is_locked(const struct page *page)
{
	return page->locked;
}

static void set_locked(const struct range *range)
{
	for (size_t i = 0; i < range->pages; i++)
		range->region->page[range->first + i].locked = true;
}

static bool is_code(const struct page *page)
{
	return page->was_code;
}

/* "MADV_WIPEONFORK is forgotten once a page is executed": known. */
static int without_exec_if_wiped(const struct range *range, int protection)
{
	return shadow_any(range, is_wiped) ? protection & ~PROT_EXEC : protection;
}

/* ------------------------------------------------------------------- mmap */

static enum memory any_memory(uint32_t random)
{
	static const enum memory memories[] = { ANONYMOUS, ANONYMOUS, ANONYMOUS, ANONYMOUS,
						DEV_ZERO, DEV_ZERO, PRIVATE_FILE, PRIVATE_FILE,
						SHARED_FILE, SHARED_FILE, SHARED_MEMFD,
						SHARED_ANONYMOUS, SHARED_ANONYMOUS };

	return memories[random % ELEMENTS(memories)];
}

static int flags_of(enum memory memory)
{
	return (memory >= SHARED_FILE && memory <= SHARED_ANONYMOUS ? MAP_SHARED : MAP_PRIVATE) |
	       (memory == ANONYMOUS || memory == SHARED_ANONYMOUS ? MAP_ANONYMOUS : 0);
}

/* Where it goes, and what does not change what it is. */
static int any_flags(uint32_t random)
{
	static const int more[] = { 0, 0, 0, 0, 0, 0, MAP_POPULATE, MAP_NORESERVE, MAP_STACK, MAP_LOCKED };
	static const int places[] = { MAP_FIXED, MAP_FIXED, MAP_FIXED, MAP_FIXED, MAP_FIXED,
				      MAP_FIXED, MAP_FIXED_NOREPLACE, 0 };

	return more[random % ELEMENTS(more)] | places[random / 16 % ELEMENTS(places)];
}

size_t op_mmap(size_t at)
{
	const struct op *op = &ops[at];
	struct range range = range_of(op->a, op->b);
	enum memory memory = any_memory(op->c);
	int protection = any_protection(op->c >> 8), flags = any_flags(op->d);
	bool odd = op->d >> 24 == 0, read_only = (op->d >> 20) % 8 == 0;
	size_t length = range.length - (op->d >> 10 & 1 && range.length ? 100 : 0);
	off_t offset = flags_of(memory) & MAP_ANONYMOUS ? 0 :
		       (off_t)((op->c >> 16) % (FILE_PAGES + 2) * PAGE + (odd && op->c & 1 ? 8 : 0));
	unsigned char *start = range.start + (odd && !(op->c & 1) ? 8 : 0), *got;

	got = mmap(start, length, protection, flags_of(memory) | flags, file_of(memory, read_only),
		   offset);
	if (got == start) {
		shadow_map(&range, memory, protection);
		if (flags & MAP_LOCKED)
			set_locked(&range);
		for (size_t i = 0; memory == PRIVATE_FILE && i < range.pages; i++)
			range.region->page[range.first + i].past_end = offset / (off_t)PAGE + (off_t)i >= FILE_PAGES;
	}
	tell("%zu mmap %s %zu %s %s at %lld flags %#x%s: %s %s", at, place(start), length,
	     protection_words(protection), memory_words[memory], (long long)offset / 4096, flags,
	     read_only ? " read-only" : "", answer(got == MAP_FAILED ? -1 : 0),
	     got == MAP_FAILED ? "" : place(got));
	if (got != MAP_FAILED && got != start)
		munmap(got, length);
	return at + 1;
}

/* Memory somewhere, which comes to the arena later. */
size_t op_anywhere(size_t at)
{
	const struct op *op = &ops[at];
	struct range range = range_of(op->a | 1, op->b);
	enum memory memory = any_memory(op->c);
	int protection = any_protection(op->c >> 8);
	int more = (op->d & 3) == 0 ? MAP_32BIT : 0;
	unsigned char *got, *moved;

	if (memory == PRIVATE_FILE && protection & PROT_EXEC)
		memory = ANONYMOUS; /* known: see is_file_code */
	got = mmap(NULL, range.length, protection, flags_of(memory) | more, file_of(memory, false),
		   0);
	tell("%zu anywhere %s %zu %s %s: %s", at, place(range.start), range.length,
	     protection_words(protection), memory_words[memory],
	     answer(got == MAP_FAILED ? -1 : 0));
	if (got == MAP_FAILED)
		return at + 1;
	if (protection == RWX) {
		code_write(got, (int)op->d);
		tell("  runs: %d", code_run(got) == (int)op->d);
	}
	moved = mremap(got, range.length, range.length, MREMAP_MAYMOVE | MREMAP_FIXED, range.start);
	tell("  moved: %s", answer(moved == MAP_FAILED ? -1 : 0));
	if (moved == MAP_FAILED)
		munmap(got, range.length);
	else
		shadow_map(&range, memory, protection);
	return at + 1;
}

/* --------------------------------------------------------------- mprotect */

size_t op_mprotect(size_t at)
{
	const struct op *op = &ops[at];
	struct range range = range_of(op->a, op->b);
	int protection = without_exec_if_wiped(&range, any_protection(op->c));
	bool odd = op->d % 64 == 0; /* not executable: a filter says no before the kernel does */
	unsigned char *start = range.start + (odd && op->c & 256 ? 8 : 0);
	int bits = odd && !(op->c & 256) ? 0x100 : 0;
	size_t length = range.length - (op->d & 64 && range.length ? 1000 : 0);
	long result;

	if (odd)
		protection &= ~PROT_EXEC;
	if ((op->d >> 8) % 8 == 0)
		result = pkey_mprotect(start, length, protection | bits, -1);
	else
		result = mprotect(start, length, protection | bits);
	shadow_protect(&range, protection, !result && !odd);
	tell("%zu mprotect %s %zu %s %#x: %s", at, place(start), length,
	     protection_words(protection), (unsigned)bits, answer(result));
	return at + 1;
}

/* ----------------------------------------------------------------- munmap */

size_t op_munmap(size_t at)
{
	const struct op *op = &ops[at];
	struct range range = range_of(op->a, op->b);
	bool odd = op->d % 32 == 0;
	long result = munmap(range.start + (odd ? 8 : 0), range.length);

	if (!odd && range.length)
		shadow_unmap(&range);
	tell("%zu munmap %s %zu%s: %s", at, place(range.start), range.length, odd ? " odd" : "",
	     answer(result));
	return at + 1;
}

/* ----------------------------------------------------------------- mremap */

/* The shadow follows pages that moved, or became more. */
static void follow(const struct range *from, const struct range *to, bool stays)
{
	struct page before[64];
	size_t last = from->pages ? from->pages - 1 : 0;

	memcpy(before, from->region->page + from->first, from->pages * sizeof(*before));
	if (!stays)
		shadow_unmap(from);
	shadow_map(to, NOTHING, PROT_NONE); /* made anew, as far as mappings go */
	for (size_t i = 0; i < to->pages; i++) {
		struct page *page = &to->region->page[to->first + i];
		unsigned made = page->made;

		*page = before[i < last ? i : last];
		page->made = page->mapped = made;
	}
}

static int any_move(uint32_t random)
{
	static const int moves[] = { 0, 0, MREMAP_MAYMOVE, MREMAP_MAYMOVE | MREMAP_FIXED,
				     MREMAP_MAYMOVE | MREMAP_FIXED, MREMAP_MAYMOVE | MREMAP_FIXED,
				     MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, MREMAP_FIXED };

	return moves[random % ELEMENTS(moves)];
}

/* Which mappings move together depends on the kernel's version and on what it has merged,
 * and code is one mapping where the kernel may have seen two. So only one is moved, or
 * made longer. Not of length 0, which makes a second mapping of shared code: known. */
static size_t move(size_t at, struct range from, size_t pages, int flags)
{
	const struct op *op = &ops[at];
	struct range to = flags & MREMAP_FIXED ? range_at(op->d, pages) :
						 range_at((uint32_t)(from.first * 4 + from.region - regions == 0), pages);
	unsigned char *moved;

	if (flags & MREMAP_FIXED)
		pages = to.pages;
	else
		to = (struct range){ from.region, from.first, pages, from.start, pages * PAGE };
	if (from.pages == 0 || to.pages == 0 || to.first + to.pages > to.region->pages ||
	    shadow_any(&from, is_file_code) ||
	    ((flags & MREMAP_FIXED || pages > from.pages) && !shadow_is_one(&from)) ||
	    (flags & MREMAP_FIXED && shadow_any(&from, is_hole)) ||
	    (flags & MREMAP_DONTUNMAP && (pages != from.pages || shadow_any(&from, is_locked)))) {
		tell("%zu mremap left out", at);
		return at + 1;
	}
	moved = mremap(from.start, from.length, pages * PAGE, flags, to.start);
	tell("%zu mremap %s %zu to %zu %#x %s: %s %s", at, place(from.start), from.length,
	     pages * PAGE, (unsigned)flags, place(to.start),
	     answer(moved == MAP_FAILED ? -1 : 0), moved == MAP_FAILED ? "" : place(moved));
	if (moved == MAP_FAILED)
		return at + 1;
	if (moved == from.start && pages <= from.pages) { /* however many mappings it is */
		from.first += pages;
		from.pages -= pages;
		shadow_unmap(&from);
		return at + 1;
	}
	if (moved == to.start)
		return follow(&from, &to, flags & MREMAP_DONTUNMAP), at + 1;
	shadow_unmap(&from);
	munmap(moved, pages * PAGE);
	return at + 1;
}

size_t op_mremap(size_t at)
{
	const struct op *op = &ops[at];
	struct range from = range_of(op->a, op->b);

	return move(at, from, op->c >> 8 & 1 ? from.pages : 1 + (op->c >> 9) % (from.pages + 3),
		    any_move(op->c));
}

/* Mostly to where there is room. */
size_t op_grow(size_t at)
{
	static const int moves[] = { 0, MREMAP_MAYMOVE, MREMAP_MAYMOVE, MREMAP_MAYMOVE | MREMAP_FIXED };
	const struct op *op = &ops[at];
	struct range from = range_of(op->a, op->b);

	return move(at, from, from.pages + 1 + (op->c >> 8) % 4, moves[op->c % ELEMENTS(moves)]);
}

/* ---------------------------------------------------------------- madvise */

static const struct {
	int advice;
	const char *name;
} advices[] = {
	{ MADV_DONTNEED, "DONTNEED" }, { MADV_DONTNEED, "DONTNEED" }, { MADV_DONTNEED, "DONTNEED" },
	{ MADV_FREE, "FREE" }, { MADV_DONTFORK, "DONTFORK" }, { MADV_DOFORK, "DOFORK" },
	{ MADV_WIPEONFORK, "WIPEONFORK" }, { MADV_KEEPONFORK, "KEEPONFORK" },
	{ MADV_NORMAL, "NORMAL" }, { MADV_RANDOM, "RANDOM" }, { MADV_SEQUENTIAL, "SEQUENTIAL" },
	{ MADV_WILLNEED, "WILLNEED" }, { MADV_REMOVE, "REMOVE" }, { MADV_REMOVE, "REMOVE" },
	{ MADV_HUGEPAGE, "HUGEPAGE" }, { MADV_NOHUGEPAGE, "NOHUGEPAGE" },
	{ MADV_DONTDUMP, "DONTDUMP" }, { MADV_DODUMP, "DODUMP" },
	{ MADV_MERGEABLE, "MERGEABLE" }, { MADV_UNMERGEABLE, "UNMERGEABLE" },
	{ 20, "COLD" }, { 21, "PAGEOUT" }, { 22, "POPULATE_READ" }, { 23, "POPULATE_WRITE" },
	{ 24, "DONTNEED_LOCKED" }, { 4242, "unknown" },
};

static void set_wiped(const struct range *range, bool wiped)
{
	for (size_t i = 0; i < range->pages; i++)
		range->region->page[range->first + i].wiped = wiped;
}

/* What the kernel takes of a file, and of anonymous memory that stands for /dev/zero
 * or for code, in its own way. */
static bool is_known_to_differ(const struct range *range, int advice)
{
	if (shadow_any(range, is_file_code))
		return true;
	switch (advice) {
	case MADV_WIPEONFORK:
		return shadow_any(range, is_code) || shadow_any(range, is_dev_zero);
	case MADV_KEEPONFORK:
	case MADV_REMOVE:
		return shadow_any(range, is_dev_zero);
	default:
		return false;
	}
}

/* Advice that the kernel keeps, in a mapping of its own. */
static bool is_kept(int advice)
{
	return advice != MADV_DONTNEED && advice != MADV_FREE && advice != MADV_REMOVE &&
	       advice != MADV_WILLNEED && advice < 20;
}

size_t op_madvise(size_t at)
{
	const struct op *op = &ops[at];
	struct range range = range_of(op->a, op->b);
	unsigned which = op->c % ELEMENTS(advices);
	int advice = advices[which].advice;
	bool odd = op->d % 32 == 0;
	size_t length = range.length - (op->d >> 8 & 1 && range.length ? 10 : 0);
	long result;

	if (is_known_to_differ(&range, advice)) {
		tell("%zu madvise left out", at);
		return at + 1;
	}
	if (advice == MADV_WIPEONFORK || advice == MADV_KEEPONFORK)
		set_wiped(&range, advice == MADV_WIPEONFORK);
	if (is_kept(advice))
		shadow_say(&range);
	result = madvise(range.start + (odd ? 8 : 0), length, advice);
	tell("%zu madvise %s %zu %s%s: %s", at, place(range.start), length, advices[which].name,
	     odd ? " odd" : "", answer(result));
	return at + 1;
}

/* -------------------------------------------------- mlock, msync, mincore */

size_t op_mlock(size_t at)
{
	static const char *const words[] = { "mlock", "mlock2", "munlock", "munlock", "munlock" };
	const struct op *op = &ops[at];
	struct range range = range_of(op->a, op->b);
	struct range touched = range_at(op->a, range.pages + 1);
	unsigned which = op->c % ELEMENTS(words);
	bool late = which == 0 && op->d & 8;
	size_t length = range.length - (op->d & 1 && range.length ? 1 : 0);
	long result;

	if (late)
		shadow_split(&touched);
	else
		shadow_say(&range);
	set_locked(late ? &touched : &range);
	if (which == 0)
		result = mlock(range.start + (late ? 8 : 0), length);
	else if (which == 1)
		result = mlock2(range.start, length, op->d & 2 ? MLOCK_ONFAULT : 0);
	else
		result = munlock(range.start, length);
	tell("%zu %s %s %zu: %s", at, words[which], place(range.start), length, answer(result));
	return at + 1;
}

/* Of all new memory. Whether that is too much is another question for the library's own
 * memory (LIMITATIONS): so only where there is no limit. */
size_t op_mlockall(size_t at)
{
	const struct op *op = &ops[at];
	int flags = MCL_FUTURE | (op->b & 1 ? MCL_ONFAULT : 0);
	bool lock = op->a % 3 == 0;
	long result;

	if (geteuid())
		return at + 1;
	result = lock ? mlockall(flags) : munlockall();
	shadow_lock_new(lock);
	tell("%zu %s %#x: %s", at, lock ? "mlockall" : "munlockall", (unsigned)flags, answer(result));
	return at + 1;
}

size_t op_msync(size_t at)
{
	static const int flags[] = { MS_SYNC, MS_ASYNC, MS_ASYNC | MS_INVALIDATE, MS_SYNC | MS_ASYNC };
	const struct op *op = &ops[at];
	struct range range = range_of(op->a, op->b);
	unsigned char residency[64];
	long result;

	if (op->c % 8 < ELEMENTS(flags))
		result = msync(range.start, range.length, flags[op->c % 8]);
	else /* what is resident is not the program's business */
		result = mincore(range.start, range.length, residency);
	tell("%zu %s %s %zu: %s", at, op->c % 8 < ELEMENTS(flags) ? "msync" : "mincore",
	     place(range.start), range.length, answer(result));
	return at + 1;
}

/* ---------------------------------------------------------- what was said */

struct lines {
	int fd;
	char bytes[4096];
	size_t used, length;
};

/* Without its end, and of a long one the beginning. */
static bool next_line(struct lines *lines, char *line, size_t size)
{
	for (size_t length = 0;;) {
		if (lines->used == lines->length) {
			ssize_t got = read(lines->fd, lines->bytes, sizeof(lines->bytes));

			if (got <= 0)
				return false;
			lines->used = 0;
			lines->length = (size_t)got;
		}
		line[length] = lines->bytes[lines->used++];
		if (line[length] == '\n')
			return line[length] = '\0', true;
		if (length + 1 < size)
			length++;
	}
}

/* Of each page: locked, on fault, not copied, not dumped; '-' of a hole. */
static char digit_of(const char *flags)
{
	static const char *const words[] = { " lo", " lf", " dc", " dd" };
	unsigned digit = 0;

	for (unsigned i = 0; i < ELEMENTS(words); i++)
		digit |= strstr(flags, words[i]) ? 1U << i : 0;
	return "0123456789abcdef"[digit];
}

/* What the kernel remembers of what was said of the pages. */
size_t op_flags(size_t at)
{
	const struct op *op = &ops[at];
	struct range range = range_of(op->a, op->b);
	uintptr_t from = (uintptr_t)range.start;
	struct lines lines = { .fd = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC) };
	unsigned long start = 0, end = 0, words[2];
	char line[256], digits[65] = "";

	must(lines.fd != -1, "smaps");
	memset(digits, '-', range.pages);
	while (start < from + range.length && next_line(&lines, line, sizeof(line))) {
		if (sscanf(line, "%lx-%lx ", &words[0], &words[1]) == 2) {
			start = words[0];
			end = words[1];
		}
		for (size_t i = 0; !strncmp(line, "VmFlags:", 8) && i < range.pages; i++)
			if (from + i * PAGE >= start && from + i * PAGE < end)
				digits[i] = digit_of(line);
	}
	close(lines.fd);
	tell("%zu flags %s %zu: %s", at, place(range.start), range.length, digits);
	return at + 1;
}

/* ------------------------------------------------------------ heap, files */

size_t op_sbrk(size_t at)
{
	const struct op *op = &ops[at];
	struct region *heap = &regions[HEAP_REGION];
	size_t pages = 2 + op->a % (heap->most - 2), before = heap->pages;
	void *result = sbrk((intptr_t)(pages - before) * (intptr_t)PAGE);

	/* Where the walk has unmapped all that is to go, the kernel leaves the end where it
	 * is, and sbrk takes that for done. */
	if (result != (void *)-1)
		pages = (size_t)((unsigned char *)sbrk(0) - heap->start) / PAGE;
	if (result != (void *)-1) {
		for (size_t i = before < pages ? before : pages; i < heap->most; i++)
			heap->page[i] = (struct page){
				.memory = i < pages ? HEAP : NOTHING,
				.protection = RW,
			};
		heap->pages = pages;
		shadow_grow_heap(before);
	}
	tell("%zu sbrk from %zu to %zu pages: %s", at, before, pages,
	     answer(result == (void *)-1 ? -1 : 0));
	return at + 1;
}

size_t op_truncate(size_t at)
{
	const struct op *op = &ops[at];
	enum memory memory = op->a & 1 ? SHARED_FILE : SHARED_MEMFD;
	size_t length = (4 + (op->b % (FILE_PAGES - 3))) * PAGE;
	long result = ftruncate(file_of(memory, false), (off_t)length);

	tell("%zu truncate %s to %zu pages: %s", at, memory_words[memory], length / PAGE,
	     answer(result));
	return at + 1;
}
