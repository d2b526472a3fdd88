/* view.c: which changes of mappings a child of fork is to look at. */
#define _GNU_SOURCE
#include "rung/view.h"

#include <sys/mman.h>

#include "descriptors.h"
#include "own.h"
#include "sys.h"
#include "tap.h"

#define PAGE 4096UL

/* A page with an entry, of whose going nobody has heard. */
static uintptr_t stale_page(void)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t at = (uintptr_t)page;

	CHECK(page != MAP_FAILED, "a page");
	SAME(views_note(at, at + PAGE, PROT_READ | PROT_WRITE, ALL_ACCESS), 0, "has an entry");
	CHECK(codepages_any(at, PAGE), "which the table holds");
	munmap(page, PAGE);
	return at;
}

/* Two are kept. The place of one is used again when two others have followed it. */
static void changes(void)
{
	struct change *first, *second;
	uintptr_t at = stale_page();

	first = view_next_change();
	view_forget_stale(at, at + PAGE);
	CHECK(!codepages_any(at, PAGE), "a stale entry goes");
	second = view_next_change();
	CHECK(second != first, "and the last change is kept: no mapping was changed");
	at = stale_page();
	first = view_next_change();
	CHECK(!views_fault(at, PROT_WRITE, NULL), "a fault finds a stale entry");
	CHECK(!codepages_any(at, PAGE), "which goes too");
	CHECK(view_next_change() != first, "and the last change is kept");
	first = view_next_change();
	views_drop(at, at + PAGE);
	CHECK(view_next_change() == first, "memory that went is a change");
}

int main(void)
{
	own_begin(); /* what the engine makes comes to lie apart */
	descriptors_begin();
	views_begin(NULL, NULL);
	changes();
	return tap_done();
}
