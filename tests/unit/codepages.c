/* codepages.c: the page table by itself, at addresses that nothing is mapped at. */
#include "codepages.h"

#include <errno.h>
#include <sys/mman.h>

#include "tap.h"

#define PAGE 4096UL
#define GIB (1UL << 30)

static const struct code_page code = {
	.state = PAGE_SETTLED, .ask = PROT_READ | PROT_EXEC, .view = PROT_READ, .rung = 3,
	.backing = 5, .offset = 1UL << 35,
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
	      page.rung == code.rung && page.backing == code.backing, "an entry comes back whole");
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

static void moves(void)
{
	uintptr_t at = 7 * GIB;

	codepages_prepare(at, 2 * PAGE);
	codepages_begin_move(at, PAGE);
	SAME(codepages_get(at).state, PAGE_MOVING, "a page moves");
	SAME(codepages_get(at + PAGE).state, PAGE_UNKNOWN, "its neighbour does not");
	codepages_end_move(at, PAGE, (struct code_page){ .state = PAGE_SETTLED, .rung = 1 });
	SAME(codepages_get(at).state, PAGE_SETTLED, "and settles");
	codepages_wait(at);
	CHECK(true, "waiting for a settled page ends at once");
}

static void limits(void)
{
	SAME(codepages_prepare((1UL << 47) - PAGE, 2 * PAGE), -ENOMEM,
	     "a range past user space is refused");
	SAME(codepages_prepare((1UL << 47) - PAGE, PAGE), 0, "its last page is not");
	CHECK(!codepages_any(1UL << 47, PAGE), "past the end there is nothing");
	CHECK(!codepages_any(0x1000, 0), "an empty range holds nothing");
}

int main(void)
{
	empty_table();
	entries();
	moves();
	limits();
	return tap_done();
}
