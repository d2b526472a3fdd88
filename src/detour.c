/* detour.c: slots, and the areas that they lie in. See detour.h. */
#include "detour.h"

#include "config.h"

#if !defined ZYDIS_SONAME && !defined ARCH_STEPS_ASIDE

bool detour_take(ucontext_t *context, const struct instruction *instruction)
{
	(void)context;
	(void)instruction;
	return false;
}

bool detour_restore(ucontext_t *context)
{
	(void)context;
	return false;
}

void detour_in_child(void)
{
}

void detour_recount(void)
{
}

#else

#include <stdatomic.h>
#include <sys/mman.h>

#include "backing.h"
#include "hostfilter.h"
#include "memory.h"
#include "reserve.h"
#include "sys.h"
#include "vma.h"

#define AREAS_MOST 32u
#define AREA_PAGES 8UL
#define AREA_BYTES (AREA_PAGES * PAGE_BYTES)
#define SLOTS (AREA_BYTES / sizeof(struct slot))

/* Of an operand's distance, or of the jump back, either way. */
#ifdef ARCH_JUMP_BACK_REACH
#define REACH ARCH_JUMP_BACK_REACH
#define HAS_TO_REACH true
#else
#define REACH 0x80000000UL
#define HAS_TO_REACH false
#endif
#define FARTHEST (REACH - 2 * AREA_BYTES)
#define ATTEMPTS 20u
#define ADDRESS_LIMIT ARCH_ADDRESS_LIMIT

/* As it lies in the file. Compared as a whole, it tells whether an instruction is
 * in it already. */
struct slot {
	unsigned char code[48];
	uint64_t origin; /* of the instruction; 0: there is none */
	uint64_t length;
};

static unsigned file;       /* of backing.h; 0: to be made */
static uint64_t first_page; /* in it, the first area's; those of the others follow on */
static bool parents;        /* the slots are those that the parent executes */
static bool is_child;       /* what the reserve has for detours is the parent's */

_Static_assert(RESERVE_DETOUR_PAGES == AREAS_MOST * AREA_PAGES, "the reserve has room for all areas");
_Static_assert(RESERVE_STANDING_PAGES == AREA_PAGES, "the first area is mapped all the time");

static struct area {
	_Atomic uintptr_t start; /* 0: there is none */
	unsigned file;
	uint64_t page;           /* in it, the first of the area's */
	size_t filled;           /* slots, from the first on */
	size_t next;             /* the slot to be given out */
} areas[AREAS_MOST] LARGE;

/* ------------------------------------------------------------------- areas */

static uint64_t page_of(size_t number)
{
	return first_page + number * AREA_PAGES;
}

static long map(uintptr_t at, int protection, int flags, unsigned from, uint64_t page)
{
	return sys_mmap(at, AREA_BYTES, protection, MAP_SHARED | flags, backing_descriptor(from),
			(int64_t)(page * PAGE_BYTES));
}

/* In the place of what is there. */
static bool map_over(struct area *area, unsigned from, uint64_t page)
{
	if (sys_failed(map(area->start, PROT_READ | PROT_EXEC, MAP_FIXED, from, page)) &&
	    (!reserve_has(from, page) || sys_failed(reserve_map(area->start, AREA_BYTES, page))))
		return false;
	area->file = from;
	area->page = page;
	return true;
}

static bool is_there(const struct area *area)
{
	return vma_is_still(area->start, AREA_BYTES, PROT_READ | PROT_EXEC,
			    backing_inode(area->file), area->page * PAGE_BYTES);
}

static bool take_file(long number, uint64_t page)
{
	if (sys_failed(number))
		return false;
	file = (unsigned)number;
	first_page = page;
	backing_use(file, AREAS_MOST * AREA_PAGES);
	return true;
}

/* What a child writes into the reserve stays there as long as its parent lives. */
static bool make_file(void)
{
	long page;

	if (!is_child && reserve_standing())
		return take_file(backing_reserve(), RESERVE_STANDING);
	if (take_file(backing_share(AREAS_MOST * AREA_BYTES), 0))
		return true;
	page = reserve_take(AREAS_MOST * AREA_PAGES);
	return !sys_failed(page) && take_file(backing_reserve(), (uint64_t)page);
}

/* The slots of the parent's file move to one of our own. The thread that forked
 * may have been in a slot, below a handler: they stay where they are. */
static void leave_parents_area(size_t number)
{
	struct area *area = &areas[number];
	size_t length = area->filled * sizeof(struct slot);

	if (sys_pwrite(backing_descriptor(file), (void *)area->start, length,
		       page_of(number) * PAGE_BYTES) != (long)length ||
	    !map_over(area, file, page_of(number)))
		area->start = 0;
}

static bool leave_parent(void)
{
	unsigned before = file;
	uint64_t before_page = first_page;

	for (size_t i = 0; i < AREAS_MOST; i++)
		if (areas[i].start && !is_there(&areas[i]))
			areas[i].start = 0;
	if (!make_file())
		return false;
	for (size_t i = 0; i < AREAS_MOST; i++)
		if (areas[i].start)
			leave_parents_area(i);
	backing_drop(before, before_page, AREAS_MOST * AREA_PAGES);
	parents = false;
	return true;
}

static bool have_file(void)
{
	if (!file)
		return make_file();
	return !parents || leave_parent();
}

static bool has_distance(const struct instruction *instruction)
{
	return instruction->displacement != 0;
}

static int32_t distance_in(const struct instruction *instruction)
{
	int32_t distance;

	memcpy(&distance, instruction->bytes + instruction->displacement, sizeof distance);
	return distance;
}

/* What the instruction's own distance leads to. */
static uintptr_t target_of(const struct instruction *instruction)
{
	uintptr_t end = instruction->at + instruction->length;

	return has_distance(instruction) ? end + (uintptr_t)(int64_t)distance_in(instruction) : end;
}

static bool reaches(uintptr_t start, const struct instruction *instruction)
{
	uintptr_t target = target_of(instruction), end = start + AREA_BYTES;

	return (!has_distance(instruction) && !HAS_TO_REACH) ||
	       (target < start + REACH && end <= target + REACH);
}

/* Room is taken where the kernel takes it, or else far from the target: next to its
 * code the host has its heap, and plans of its own. 0: the kernel's choice. */
static uintptr_t place(uintptr_t target, unsigned attempt)
{
	uintptr_t distance;

	if (attempt == 0)
		return 0;
	distance = FARTHEST >> (attempt - 1) / 2;
	return page_down(attempt % 2 ? target - distance : target + distance);
}

static bool begin_area(size_t number, uintptr_t start)
{
	areas[number].file = file;
	areas[number].page = page_of(number);
	areas[number].filled = areas[number].next = 0;
	areas[number].start = start;
	return true;
}

static bool begin_area_within_reach(size_t number, long made, const struct instruction *instruction)
{
	if (sys_failed(made))
		return false;
	if (reaches((uintptr_t)made, instruction))
		return begin_area(number, (uintptr_t)made);
	sys_munmap((uintptr_t)made, AREA_BYTES);
	return false;
}

static bool make_area(size_t number, const struct instruction *instruction)
{
	uintptr_t target = target_of(instruction), standing = is_child ? 0 : reserve_standing();
	uint64_t page = page_of(number);

	if (page == RESERVE_STANDING && reserve_has(file, page) && standing &&
	    reaches(standing, instruction))
		return begin_area(number, standing);
	for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
		uintptr_t at = place(target, attempt);

		if (at < ADDRESS_LIMIT - AREA_BYTES &&
		    begin_area_within_reach(number, map(at, PROT_READ | PROT_EXEC,
							at ? hostfilter_noreplace() : 0, file, page),
					    instruction))
			return true;
	}
	return reserve_has(file, page) &&
	       begin_area_within_reach(number, reserve_map(0, AREA_BYTES, page), instruction);
}

static struct area *area_for(const struct instruction *instruction)
{
	for (size_t i = 0; i < AREAS_MOST; i++) {
		if (!areas[i].start || !reaches(areas[i].start, instruction))
			continue;
		if (is_there(&areas[i]))
			return &areas[i];
		areas[i].start = 0;
	}
	for (size_t i = 0; i < AREAS_MOST; i++)
		if (!areas[i].start)
			return make_area(i, instruction) ? &areas[i] : NULL;
	return NULL;
}

/* ------------------------------------------------------------------- slots */

static const struct slot *slots_of(const struct area *area)
{
	return (const struct slot *)area->start;
}

/* What is to lie in the slot at AT. */
static void fill(struct slot *slot, uintptr_t at, const struct instruction *instruction)
{
	uintptr_t next = instruction->at + instruction->length;
	unsigned char *code = slot->code;

	memset(code, ARCH_NOTHING_HERE, sizeof slot->code);
	memcpy(code, instruction->bytes, instruction->length);
	if (has_distance(instruction)) {
		int32_t distance = (int32_t)(target_of(instruction) - (at + instruction->length));

		memcpy(code + instruction->displacement, &distance, sizeof distance);
	}
	arch_write_jump_back(code + instruction->length, at + instruction->length, next);
	slot->origin = instruction->at;
	slot->length = instruction->length;
}

/* Where pwrite is refused: into pages that are not executable anywhere yet, which then take
 * the area's place. */
static bool rewrite(struct area *area, const struct slot *slot)
{
	long page = reserve_take(AREA_PAGES), number = sys_failed(page) ? page : backing_reserve();
	long copy;
	bool done;

	/* To touch what the file has no room for raises a signal. */
	if (sys_failed(number) || sys_fallocate(backing_descriptor((unsigned)number), 0,
						(uint64_t)page * PAGE_BYTES, AREA_BYTES))
		return false;
	copy = map(0, PROT_READ | PROT_WRITE, 0, (unsigned)number, (uint64_t)page);
	if (sys_failed(copy))
		return false;
	memcpy((void *)copy, slots_of(area), area->filled * sizeof *slot);
	memcpy((struct slot *)copy + area->next, slot, sizeof *slot);
	sys_munmap((uintptr_t)copy, AREA_BYTES);
	done = map_over(area, (unsigned)number, (uint64_t)page);
	if (done)
		backing_use((unsigned)number, AREA_PAGES);
	return done;
}

static bool write_slot(struct area *area, const struct slot *slot)
{
	return sys_pwrite(backing_descriptor(area->file), slot, sizeof *slot,
			  area->page * PAGE_BYTES + area->next * sizeof *slot) == (long)sizeof *slot ||
	       rewrite(area, slot);
}

static const struct slot *slot_in(struct area *area, const struct instruction *instruction)
{
	const struct slot *slots = slots_of(area), *to = slots + area->next;
	struct slot wanted;

	for (const struct slot *slot = slots; slot < slots + area->filled; slot++) {
		if (slot->origin != instruction->at)
			continue;
		fill(&wanted, (uintptr_t)slot, instruction);
		if (memcmp(slot, &wanted, sizeof wanted) == 0)
			return slot;
	}
	fill(&wanted, (uintptr_t)to, instruction);
	if (!write_slot(area, &wanted))
		return NULL;
	arch_synchronise_code((uintptr_t)to, sizeof to->code);
	area->next = (area->next + 1) % SLOTS;
	if (area->filled < SLOTS)
		area->filled++;
	return to;
}

bool detour_take(ucontext_t *context, const struct instruction *instruction)
{
	const struct slot *slot;
	struct area *area;

	if (!instruction->goes_on || !have_file())
		return false;
	area = area_for(instruction);
	slot = area ? slot_in(area, instruction) : NULL;
	if (!slot)
		return false;
	arch_set_instruction(context, (uintptr_t)slot->code);
	return true;
}

/* ---------------------------------------------------------------- way back */

bool detour_restore(ucontext_t *context)
{
	uintptr_t at = arch_instruction(context);

	for (size_t i = 0; i < AREAS_MOST; i++) {
		uintptr_t start = areas[i].start, within = at - start;
		const struct slot *slot;

		if (!start || within >= AREA_BYTES)
			continue;
		slot = slots_of(&areas[i]) + within / sizeof *slot;
		if (within % sizeof *slot == 0)
			arch_set_instruction(context, slot->origin);
		else
			arch_set_instruction(context, slot->origin + slot->length);
		return true;
	}
	return false;
}

void detour_in_child(void)
{
	parents = file != 0;
	is_child = true;
}

void detour_recount(void)
{
	if (file)
		backing_use(file, AREAS_MOST * AREA_PAGES);
	for (size_t i = 0; i < AREAS_MOST; i++)
		if (areas[i].start && areas[i].file != file)
			backing_use(areas[i].file, AREA_PAGES);
}

#endif
