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

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "backing.h"
#include "memory.h"
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

static unsigned file; /* of backing.h; 0: to be made */
static bool parents;  /* the file is the one that the parent executes */

/* The Nth one maps the Nth part of the file. */
static struct area {
	_Atomic uintptr_t start; /* 0: there is none */
	size_t filled;           /* slots, from the first on */
	size_t next;             /* the slot to be given out */
} areas[AREAS_MOST] LARGE;

/* ------------------------------------------------------------------- areas */

static uint64_t offset_of(size_t number)
{
	return number * AREA_BYTES;
}

static long map(uintptr_t at, int flags, size_t number)
{
	return sys_mmap(at, AREA_BYTES, PROT_READ | PROT_EXEC, MAP_SHARED | flags,
			backing_descriptor(file), (int64_t)offset_of(number));
}

/* The host may have unmapped it, or mapped something over it. */
static bool is_there(size_t number)
{
	uintptr_t start = areas[number].start;
	struct vma vma;
	long result = vma_look(start, &vma);

	if (result)
		return result != -ENOENT; /* nobody to ask */
	return vma.start <= start && start + AREA_BYTES <= vma.end && vma.shared &&
	       vma.protection == (PROT_READ | PROT_EXEC) && backing_is_file(file, vma.inode) &&
	       vma.offset + (start - vma.start) == offset_of(number);
}

static bool make_file(void)
{
	long made = backing_share(AREAS_MOST * AREA_BYTES);

	if (sys_failed(made))
		return false;
	file = (unsigned)made;
	backing_use(file, AREAS_MOST * AREA_PAGES);
	return true;
}

/* The slots of the parent's file move to one of our own. The thread that forked
 * may have been in a slot, below a handler: they stay where they are. */
static bool leave_parent(void)
{
	unsigned before = file;

	for (size_t i = 0; i < AREAS_MOST; i++)
		if (areas[i].start && !is_there(i))
			areas[i].start = 0;
	if (!make_file())
		return false;
	for (size_t i = 0; i < AREAS_MOST; i++) {
		size_t length = areas[i].filled * sizeof(struct slot);

		if (areas[i].start &&
		    (sys_pwrite(backing_descriptor(file), (void *)areas[i].start, length,
				offset_of(i)) != (long)length ||
		     sys_failed(map(areas[i].start, MAP_FIXED, i))))
			areas[i].start = 0;
	}
	backing_drop(before, 0, AREAS_MOST * AREA_PAGES);
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

static bool make_area(size_t number, const struct instruction *instruction)
{
	uintptr_t target = target_of(instruction);

	for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
		uintptr_t at = place(target, attempt);
		long made;

		if (at >= ADDRESS_LIMIT - AREA_BYTES)
			continue;
		made = map(at, at ? MAP_FIXED_NOREPLACE : 0, number);
		if (sys_failed(made))
			continue;
		if (reaches((uintptr_t)made, instruction)) {
			areas[number].filled = areas[number].next = 0;
			areas[number].start = (uintptr_t)made;
			return true;
		}
		sys_munmap((uintptr_t)made, AREA_BYTES);
	}
	return false;
}

static struct area *area_for(const struct instruction *instruction)
{
	for (size_t i = 0; i < AREAS_MOST; i++) {
		if (!areas[i].start || !reaches(areas[i].start, instruction))
			continue;
		if (is_there(i))
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
	if (sys_pwrite(backing_descriptor(file), &wanted, sizeof wanted,
		       offset_of((size_t)(area - areas)) + area->next * sizeof wanted) !=
	    (long)sizeof wanted)
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
}

void detour_recount(void)
{
	if (file)
		backing_use(file, AREAS_MOST * AREA_PAGES);
}

#endif
