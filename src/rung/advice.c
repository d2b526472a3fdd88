/* rung/advice.c: locks and advice that are kept. See rung/advice.h. */
#include "advice.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "../backing.h"
#include "../codepages.h"
#include "../memory.h"
#include "../spare.h"
#include "../sys.h"

/* Where it was said, by address. Between two such places may lie all of a program's code:
 * QEMU says so of its guest's memory, which lies on both sides of it. Of more places than
 * there is room for, the two that are closest are kept as one. */
#define RANGES_MOST 16

static struct range {
	uintptr_t start, end;
} ranges[RANGES_MOST + 1];
static _Atomic unsigned count;
static _Atomic bool changing; /* by a thread that a child of fork has not got */

/* The ranges from FIRST to before LAST become one. */
static void replace(unsigned first, unsigned last, struct range one)
{
	struct range after[RANGES_MOST + 1];
	unsigned following = count - last;

	memcpy(after, ranges + last, following * sizeof *ranges);
	ranges[first] = one;
	memcpy(ranges + first + 1, after, following * sizeof *ranges);
	count = first + 1 + following;
}

static uintptr_t gap_after(unsigned i)
{
	return ranges[i + 1].start - ranges[i].end;
}

static void join_closest(void)
{
	unsigned closest = 0, i;

	for (i = 1; i + 1 < count; i++)
		if (gap_after(i) < gap_after(closest))
			closest = i;
	replace(closest, closest + 2,
		(struct range){ ranges[closest].start, ranges[closest + 1].end });
}

void advice_note(uintptr_t start, uintptr_t end)
{
	unsigned first = 0, last;

	atomic_store(&changing, true);
	advice_forget(start, end);
	while (first < count && ranges[first].end < start)
		first++;
	for (last = first; last < count && ranges[last].start <= end; last++) {
		if (ranges[last].start < start)
			start = ranges[last].start;
		if (ranges[last].end > end)
			end = ranges[last].end;
	}
	replace(first, last, (struct range){ start, end });
	if (count > RANGES_MOST)
		join_closest();
	atomic_store(&changing, false);
}

bool advice_any(void)
{
	return atomic_load_explicit(&count, memory_order_relaxed) != 0;
}

bool advice_may_be(uintptr_t start, uintptr_t end)
{
	unsigned i;

	for (i = 0; i < count; i++)
		if (start < ranges[i].end && end > ranges[i].start)
			return true;
	return false;
}

/* ------------------------------------------------------------ what was found */

/* Whoever has locked all of its memory, as servers in Java do, turns its pages as often as
 * others: what was found of code pages is kept, until they are dropped or something more is
 * said of them. Hooks see both. */
#define FOUND_MOST 8u

static struct found {
	uintptr_t start, end; /* the same: nothing */
	struct vma_advice advice;
} found[FOUND_MOST];
static unsigned next_found;

void advice_forget(uintptr_t start, uintptr_t end)
{
	for (unsigned i = 0; i < FOUND_MOST; i++)
		if (start < found[i].end && end > found[i].start)
			found[i].start = found[i].end = 0;
}

void advice_in_child(void)
{
	advice_forget(0, ARCH_ADDRESS_LIMIT); /* no lock is handed on */
	if (!atomic_load(&changing))
		return;
	ranges[0] = (struct range){ 0, ARCH_ADDRESS_LIMIT };
	count = 1;
	atomic_store(&changing, false);
}

static const struct found *found_at(uintptr_t address)
{
	for (unsigned i = 0; i < FOUND_MOST; i++)
		if (found[i].start <= address && address < found[i].end)
			return &found[i];
	return NULL;
}

static bool is_code(uintptr_t address)
{
	return codepages_get(address).state != PAGE_UNKNOWN;
}

/* The code pages around, to the next MiB at the most. NULL: it cannot be told just now. */
static const struct found *find(uintptr_t address)
{
	uintptr_t first = address / BACKING_WINDOW_BYTES * BACKING_WINDOW_BYTES;
	uintptr_t start = page_down(address), end = start + PAGE_BYTES;
	struct found *one = &found[next_found++ % FOUND_MOST];

	while (start > first && is_code(start - PAGE_BYTES))
		start -= PAGE_BYTES;
	while (end < first + BACKING_WINDOW_BYTES && is_code(end))
		end += PAGE_BYTES;
	*one = (struct found){ .start = start, .end = end };
	one->advice = vma_advice_around(address, &one->start, &one->end);
	if (one->advice.known)
		return one;
	one->end = one->start;
	return NULL;
}

/* What vma_advice_around() answers. What was found ends at a MiB, or where the code ended
 * then: behind it the same may have been said. */
static struct vma_advice look_around(uintptr_t address, uintptr_t *start, uintptr_t *end)
{
	const struct found *one = found_at(address);

	if (!one && is_code(address))
		one = find(address);
	if (one && one->start <= *start && one->end >= *end)
		return one->advice;
	return vma_advice_around(address, start, end);
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
	advice = look_around(address, start, end);
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

bool advice_range(unsigned index, uintptr_t *start, uintptr_t *end)
{
	if (index >= count)
		return false;
	*start = ranges[index].start;
	*end = ranges[index].end;
	return true;
}

/* Whether the program has had all new memory locked once. */
static _Atomic bool locks_new;

void advice_lock_new(void)
{
	atomic_store(&locks_new, true);
}

static bool give(const struct vma_advice *advice, uintptr_t start, size_t length)
{
	bool done = true;

	if (advice->known && !advice->locked && atomic_load(&locks_new) &&
	    sys_munlock(start, length))
		done = false;
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

static _Atomic unsigned times_given;

unsigned advice_times_given(void)
{
	return atomic_load(&times_given);
}

/* Where it was one mapping with its neighbours just now, it takes others. */
static void give_at_last(const struct vma_advice *advice, uintptr_t start, size_t length)
{
	if (give(advice, start, length))
		return;
	spare_free();
	if (!give(advice, start, length))
		lost = true;
	spare_make();
}

void advice_give(const struct vma_advice *advice, uintptr_t start, size_t length)
{
	give_at_last(advice, start, length);
	atomic_fetch_add(&times_given, 1);
}
