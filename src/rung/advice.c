/* rung/advice.c: locks and advice that are kept. See rung/advice.h. */
#include "advice.h"

#include <sys/mman.h>

#include "../memory.h"
#include "../spare.h"
#include "../sys.h"

static uintptr_t advised_from, advised_to; /* the same: nothing */

void advice_note(uintptr_t start, uintptr_t end)
{
	if (!advised_to || start < advised_from)
		advised_from = start;
	if (end > advised_to)
		advised_to = end;
}

bool advice_may_be(uintptr_t start, uintptr_t end)
{
	return start < advised_to && end > advised_from;
}

/* Pages of which it was said, and pages of which it could not be said again: one mapping
 * to the program, and several to the kernel. */
static bool lost;

bool advice_was_lost(void)
{
	return lost;
}

struct vma_advice advice_around(uintptr_t address, uintptr_t *start, uintptr_t *end)
{
	struct vma_advice advice = { 0 };

	if (!advice_may_be(*start, *end))
		return advice;
	advice = vma_advice_around(address, start, end);
	if (!advice.known)
		lost = true;
	return advice;
}

struct vma_advice advice_at(uintptr_t start)
{
	uintptr_t end = start + PAGE_BYTES;

	return advice_around(start, &start, &end);
}

uintptr_t advice_same_until(uintptr_t start, uintptr_t end)
{
	advice_around(start, &start, &end);
	return end;
}

void advice_range(uintptr_t *start, uintptr_t *end)
{
	*start = advised_from;
	*end = advised_to;
}

static bool give(const struct vma_advice *advice, uintptr_t start, size_t length)
{
	bool done = true;

	if (advice->dont_fork && sys_madvise(start, length, MADV_DONTFORK))
		done = false;
	if (advice->dont_dump && sys_madvise(start, length, MADV_DONTDUMP))
		done = false;
	if (advice->locked && sys_mlock2(start, length, MLOCK_ONFAULT))
		done = false;
	/* What cannot be touched is locked all the same, and an error. */
	if (advice->locked && !advice->on_fault)
		sys_mlock2(start, length, 0);
	return done;
}

/* Where it was one mapping with its neighbours just now, it takes others. */
void advice_give(const struct vma_advice *advice, uintptr_t start, size_t length)
{
	if (give(advice, start, length))
		return;
	spare_free();
	if (!give(advice, start, length))
		lost = true;
	spare_make();
}
