/* ledger.c: what the engine writes down of mappings is what the kernel has, after each of
 * many calls at random. */
#define _GNU_SOURCE
#include "ledger.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys.h"
#include "tap.h"
#include "vma.h"

#define PAGES 48U
#define CALLS 4000

static uintptr_t arena;
static long memfd;

/* The same each time. */
static unsigned any(unsigned below)
{
	static uint32_t state = 12345;

	state = state * 1664525 + 1013904223;
	return (state >> 16) % below;
}

static uintptr_t page(unsigned number)
{
	return arena + number * PAGE_BYTES;
}

static void write_all_down(void)
{
	struct vma vma;

	for (uintptr_t at = 0; !vma_find_in_text(at, &vma); at = vma.end)
		ledger_add(&vma);
}

/* A piece of the arena, and what is done with it. */
static void map_some(uintptr_t at, size_t length, bool shared)
{
	static const int rights[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE };
	int flags = MAP_FIXED | (shared ? MAP_SHARED : MAP_PRIVATE), protection = rights[any(3)];

	if (any(2))
		sys_mmap(at, length, protection, flags, (int)memfd, any(8) * (int64_t)PAGE_BYTES);
	else
		sys_mmap(at, length, protection, flags | MAP_ANONYMOUS, -1, 0);
}

static void move_some(uintptr_t at, size_t length)
{
	size_t other = (1 + any(6)) * PAGE_BYTES;
	uintptr_t to = page(any(PAGES - 6));

	switch (any(4)) {
	case 0:
		sys_mremap(at, length, other, 0, 0);
		break;
	case 1:
		sys_mremap(at, length, other, MREMAP_MAYMOVE | MREMAP_FIXED, to);
		break;
	case 2:
		sys_mremap(at, length, length, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to);
		break;
	default: /* another mapping of shared memory */
		sys_mremap(at, 0, other, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	}
}

static void do_something(void)
{
	uintptr_t at = page(any(PAGES - 6));
	size_t length = (1 + any(6)) * PAGE_BYTES;

	switch (any(5)) {
	case 0:
	case 1:
		map_some(at, length, any(2));
		break;
	case 2:
		sys_mprotect(at, length, any(2) ? PROT_READ : PROT_READ | PROT_WRITE, -1);
		break;
	case 3:
		sys_munmap(at, length);
		break;
	default:
		move_some(at, length);
	}
}

/* What lies there, whatever it is one with. */
static bool is_same_page(uintptr_t at)
{
	struct vma told, known;
	bool there = !vma_find_in_text(at, &told) && told.start <= at;

	if (ledger_find(at, &known, true) || known.start > at)
		return !there;
	if (!there || told.protection != known.protection || told.shared != known.shared ||
	    !told.inode != !known.inode || strcmp(told.name, "/dev/zero (deleted)") == 0)
		return there && strcmp(told.name, known.name) == 0;
	return !told.inode || (told.inode == known.inode && told.dev_minor == known.dev_minor &&
			       told.offset + (at - told.start) == known.offset + (at - known.start));
}

static void show(const char *who, const struct vma *vma)
{
	printf("# %s: page %ld to %ld, protection %d, %s, inode %lu, offset %lu, '%s'\n", who,
	       (long)(vma->start - arena) / (long)PAGE_BYTES, (long)(vma->end - arena) / (long)PAGE_BYTES,
	       vma->protection, vma->shared ? "shared" : "private", (unsigned long)vma->inode,
	       (unsigned long)vma->offset, vma->name);
}

static void show_page(unsigned number)
{
	struct vma told = { 0 }, known = { 0 };

	printf("# page %u\n", number);
	vma_find_in_text(page(number), &told);
	ledger_find(page(number), &known, true);
	show("the kernel", &told);
	show("the ledger", &known);
}

static bool is_same_arena(void)
{
	for (unsigned i = 0; i < PAGES; i++) {
		if (is_same_page(page(i)))
			continue;
		show_page(i);
		return false;
	}
	return true;
}

static void many_calls(void)
{
	int done;

	for (done = 0; done < CALLS; done++) {
		do_something();
		if (!is_same_arena())
			break;
	}
	SAME(done, CALLS, "calls after each of which it says what the kernel says");
}

static void the_heap(void)
{
	struct vma told, known;
	uintptr_t end = page_up((uintptr_t)sys_brk(0));

	sys_brk(end + 5 * PAGE_BYTES);
	CHECK(is_same_page(end + 4 * PAGE_BYTES) && is_same_page(end + 5 * PAGE_BYTES), "a heap that grows");
	sys_brk(end + 2 * PAGE_BYTES);
	CHECK(is_same_page(end + PAGE_BYTES) && is_same_page(end + 2 * PAGE_BYTES), "and shrinks");
	CHECK(!vma_find_in_text(end, &told) && !ledger_find(end, &known, true) &&
		      told.start == known.start && told.end == known.end,
	      "is one mapping");
	SAME_TEXT(known.name, "[heap]", "with its name");
	sys_brk(end);
}

static void those_before(void)
{
	struct vma told, known;
	int local;

	vma_find_in_text((uintptr_t)those_before, &told);
	SAME(ledger_find((uintptr_t)those_before, &known, true), 0, "the program's text is found");
	CHECK(told.start == known.start && told.end == known.end && told.inode == known.inode,
	      "where it is");
	SAME_TEXT(known.name, told.name, "with its name");
	ledger_find((uintptr_t)those_before, &known, false);
	SAME_TEXT(known.name, "", "or without, as asked");
	ledger_find((uintptr_t)&local, &known, true);
	SAME_TEXT(known.name, "[stack]", "the stack is found");
	SAME(ledger_find(~0UL, &known, true), -ENOENT, "above everything there is none");
}

int main(void)
{
	struct vma vma;

	setvbuf(stdout, NULL, _IOFBF, 0);
	printf("# the heap is there\n");
	memfd = SYS_CALL(SYS_memfd_create, "ledger", 0, 0, 0, 0, 0);
	sys_ftruncate((int)memfd, 16 * PAGE_BYTES);
	arena = (uintptr_t)sys_mmap(0, (PAGES + 12) * PAGE_BYTES, PROT_NONE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(ledger_open(), "an account is opened");
	write_all_down();
	CHECK(!ledger_is_kept(), "it is for a child alone");
	ledger_in_child(false);
	CHECK(ledger_is_kept(), "that goes on with it");
	those_before();
	the_heap();
	many_calls();
	ledger_lose();
	SAME(ledger_find(arena, &vma, true), -ENOSYS, "one that is lost says nothing");
	return tap_done();
}
