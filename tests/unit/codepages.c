/* codepages.c: the page table by itself, at addresses that nothing is mapped at. */
#define _GNU_SOURCE
#include "codepages.h"

#include <errno.h>
#include <sys/mman.h>

#include "sys.h"
#include "tap.h"

#define PAGE 4096UL
#define GIB (1UL << (ARCH_ADDRESS_BITS > 32 ? 30 : 25)) /* or what is as much of all there is */
#define END (1UL << (ARCH_ADDRESS_BITS - 1) << 1)

static const struct code_page code = {
	.state = PAGE_VIEWED, .ask = PROT_READ | PROT_EXEC, .view = PROT_READ, .stores = 3,
	.lent = true, .backing = 5, .offset = 1ULL << 35,
};

static void empty_table(void)
{
	CHECK(!codepages_any(0, 128 << 20), "an unused table holds nothing");
	SAME(codepages_get(0x1000).state, PAGE_UNKNOWN, "no page is known");
	SAME(codepages_get(~0UL).state, PAGE_UNKNOWN, "nor one past the end of user space");
}

static void entries(void)
{
	uintptr_t at = 5 * GIB - 2 * PAGE; /* across two nodes */
	struct code_page page;

	SAME(codepages_prepare(at, 4 * PAGE), 0, "room is made");
	CHECK(!codepages_any(at, 4 * PAGE), "room is not an entry");
	codepages_set(at, 4 * PAGE, code);
	page = codepages_get(at + 3 * PAGE + 17);
	CHECK(page.state == code.state && page.ask == code.ask && page.view == code.view &&
	      page.stores == code.stores && page.lent && page.backing == code.backing, "an entry comes back whole");
	SAME((long long)page.offset, (long long)code.offset + 3, "the offset counts up by page");
	CHECK(codepages_any(0, 64 * GIB), "a large range finds them");
	CHECK(codepages_any(at + 3 * PAGE, 1), "the last page is found");
	CHECK(!codepages_any(at + 4 * PAGE, 4 * GIB), "nothing above");
	CHECK(!codepages_any(0, at), "nothing below");
	codepages_clear(at + PAGE, 2 * PAGE);
	CHECK(codepages_any(at, PAGE) && !codepages_any(at + PAGE, 2 * PAGE) &&
	      codepages_any(at + 3 * PAGE, PAGE), "a hole in the middle needs no record split");
	codepages_clear(0, ~0UL);
	CHECK(!codepages_any(0, ~0UL), "all gone");
}

static void runs(void)
{
	uintptr_t at = 9 * GIB, last = at + (64 << 20), end;
	struct code_page page;

	codepages_prepare(at, 64 << 20);
	codepages_set(at + PAGE, 8 * PAGE, code);
	SAME((long long)codepages_next(at, last), (long long)at + (long long)PAGE,
	     "the first entry is found");
	end = codepages_run(at + PAGE, last, &page);
	SAME((long long)(end - at), 9 * (long long)PAGE, "neighbours in the file are a run");
	end = codepages_run(at, last, &page);
	CHECK(end == at + PAGE && page.state == PAGE_UNKNOWN, "so are pages without an entry");
	end = codepages_run(at + 9 * PAGE, last, &page);
	CHECK(end == last && page.state == PAGE_UNKNOWN, "to the end of the question");
	codepages_set(at + 4 * PAGE, PAGE, code);
	end = codepages_run(at + PAGE, last, &page);
	SAME((long long)(end - at), 4 * (long long)PAGE, "a page from elsewhere ends a run");
	CHECK(codepages_any_viewed(at, 64 << 20), "viewed pages are found by their state");
	codepages_clear(at, 64 << 20);
	SAME((long long)codepages_next(at, last), (long long)last, "none is left");
}

/* A reservation has a word for 16 MiB, until its pages become different. */
static void reservations(void)
{
	struct code_page waiting = { .state = PAGE_VIEWED, .ask = 7, .view = 3 }, page;
	uintptr_t at = 32 * GIB - 3 * PAGE, last = at + GIB, end;

	SAME(codepages_room(at, GIB), 0, "a gigabyte is reserved");
	codepages_set(at, GIB, waiting);
	end = codepages_run(at, last, &page);
	CHECK(end == last && page.ask == 7 && page.view == 3, "it is one run");
	SAME(codepages_get(last).state, PAGE_UNKNOWN, "that ends where it should");
	codepages_prepare(at + GIB / 2, PAGE);
	codepages_set(at + GIB / 2, PAGE, code);
	end = codepages_run(at, last, &page);
	SAME((long long)(end - at), (long long)GIB / 2, "a page that differs splits it");
	end = codepages_run(at + GIB / 2 + PAGE, last, &page);
	CHECK(end == last && page.ask == 7, "what lies behind is as it was");
	codepages_clear(at + GIB / 4, GIB / 2);
	end = codepages_run(at, last, &page);
	SAME((long long)(end - at), (long long)GIB / 4, "a piece of it goes");
	SAME((long long)(codepages_next(end, last) - at), 3 * (long long)(GIB / 4),
	     "and the rest stays");
	codepages_clear(at, GIB);
	CHECK(!codepages_any(at, GIB), "all gone");
}

static void limits(void)
{
	SAME(codepages_prepare(END - PAGE, 2 * PAGE), -ENOMEM,
	     "a range past user space is refused");
	SAME(codepages_prepare(END - PAGE, PAGE), 0, "its last page is not");
	CHECK(!codepages_any(END, PAGE), "past the end there is nothing");
	CHECK(!codepages_any(0x1000, 0), "an empty range holds nothing");
}

int main(void)
{
	empty_table();
	entries();
	runs();
	reservations();
	limits();
	return tap_done();
}
