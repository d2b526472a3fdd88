/* turns.c: threads write, execute, protect and unmap code at once, each its own and
 * all of them the same.
 *
 *     turns [THREADS]
 *
 * What must hold, natively as well: what a thread stores is there when it looks, and
 * what others store; a function returns no less than what was published before it was
 * called; no fault but on a page that somebody has just taken a permission of. */
#include "hostile.h"

#include <sched.h>

enum { SLOT = 64, SLOTS = PAGE / SLOT };

/* ------------------------------------------------------ memory for code */

enum kind { ANONYMOUS, HEAP, FILE_PRIVATE, SHARED, KINDS };

static unsigned char *get_memory(enum kind kind, size_t pages)
{
	void *memory = NULL;

	switch (kind) {
	case HEAP:
		must(posix_memalign(&memory, PAGE, pages * PAGE) == 0, "posix_memalign");
		memset(memory, 0, pages * PAGE);
		return memory;
	case FILE_PRIVATE:
		return file_pages(pages);
	case SHARED:
		return must_map(NULL, pages * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	default:
		return data_pages(pages);
	}
}

static void release_memory(unsigned char *at, enum kind kind, size_t pages)
{
	must(mprotect(at, pages * PAGE, RW) == 0, "mprotect");
	if (kind == HEAP)
		free(at);
	else
		must(munmap(at, pages * PAGE) == 0, "munmap");
}

/* --------------------------------------------------------- a thread's own */

static void check(const char *what, long got, long wanted)
{
	if (got != wanted)
		wrong(what, got, wanted);
}

/* Some functions, and bytes beside them, in pages that are protected to and fro. */
static void use_own(struct worker *worker, unsigned char *at, size_t pages)
{
	enum { FUNCTIONS = 6 };
	bool by_protection = some(worker, 2);
	unsigned char *functions[FUNCTIONS];
	int values[FUNCTIONS], i;

	if (!by_protection)
		must(mprotect(at, pages * PAGE, RWX) == 0, "rwx");
	else
		must(mprotect(at, pages * PAGE, RW) == 0, "rw");
	for (i = 0; i < FUNCTIONS; i++) {
		functions[i] = at + some(worker, (unsigned)pages) * PAGE +
			       (size_t)i * 128 + some(worker, 8) * 8;
		values[i] = (int)some(worker, 1u << 20);
		code_write(functions[i], values[i]);
		functions[i][8] = (unsigned char)values[i];
		if (!by_protection && some(worker, 2))
			check("own code at once", code_run(functions[i]), values[i]);
	}
	maybe_yield(worker);
	if (by_protection)
		must(mprotect(at, pages * PAGE, RX) == 0, "rx");
	for (i = 0; i < FUNCTIONS; i++) {
		check("own code", code_run(functions[i]), values[i]);
		check("own byte", functions[i][8], (unsigned char)values[i]);
	}
}

static void own_memory(struct worker *worker)
{
	enum kind kind = (enum kind)some(worker, KINDS);
	size_t pages = some(worker, 4) + 1;
	unsigned char *at = get_memory(kind, pages);
	unsigned rounds = some(worker, 6) + 1;

	memset(at, 0x5a, pages * PAGE);
	while (rounds--)
		use_own(worker, at, pages);
	check("untouched end", all_bytes(at + PAGE - 64, 64, 0x5a), 1);
	release_memory(at, kind, pages);
}

/* ------------------------------------------------------------ everybody's */

enum { ADD_AT = PAGE - 256, ADDED_AT = PAGE - 128 };

static struct area {
	const char *name;
	enum kind kind;
	unsigned char *slots;    /* a page in which each thread has a place, and all count */
	unsigned char *function; /* a page with one function that is patched */
	unsigned char *toggled;  /* pages of which permissions come and go */
	atomic_int started, published;
	atomic_flag patching, toggling;
} areas[] = {
	{ .name = "anonymous", .kind = ANONYMOUS },
	{ .name = "heap", .kind = HEAP },
	{ .name = "file", .kind = FILE_PRIVATE },
	{ .name = "shared", .kind = SHARED },
};

enum { AREAS = sizeof(areas) / sizeof(*areas) };

/* A slot is a thread's: a function, and a count of its stores. */
static void own_slot(struct worker *worker, struct area *area)
{
	unsigned char *slot = area->slots + (size_t)(worker->number % (SLOTS - 8)) * SLOT;
	volatile uint32_t *count = (volatile uint32_t *)(void *)(slot + 16 + 4 * (area - areas));
	int value = (int)some(worker, 1u << 20);
	uint32_t before = *count;

	if (worker->number >= SLOTS - 8)
		return;
	code_write(slot, value);
	maybe_yield(worker);
	check("code in a slot", code_run(slot), value);
	*count = before + 1;
	maybe_yield(worker);
	check("stores in a slot", *count, before + 1);
}

/* All add to one word, by an instruction of the program's and one in the page. */
static void add(struct worker *worker, struct area *area)
{
	if (area != &areas[worker->number % AREAS])
		return;
	__atomic_fetch_add((int *)(void *)(area->slots + ADDED_AT), 1, __ATOMIC_SEQ_CST);
	code_call(area->slots + ADD_AT, NULL, 0, 0);
	worker->added += 2;
}

static void patch(struct area *area)
{
	volatile int *operand = (volatile int *)(void *)(area->function + 4);
	int value;

	if (atomic_flag_test_and_set(&area->patching))
		return;
	value = atomic_fetch_add(&area->started, 1) + 1;
	*operand = value;
	code_fence();
	atomic_store(&area->published, value);
	atomic_flag_clear(&area->patching);
}

static void call_patched(struct area *area)
{
	int least = atomic_load(&area->published), got = code_run(area->function + 3);

	if (got < least)
		wrong("stale code", got, least);
	if (got > atomic_load(&area->started))
		wrong("code of the future", got, area->started);
}

/* ----------------------------------------------- permissions come and go */

enum { STORES_FAULT, FETCHES_FAULT, CODE_OR_DATA, TOGGLED };

/* Of each page, what it has and what it has for a moment. */
static const int toggles[TOGGLED][2] = {
	[STORES_FAULT] = { RWX, RX },
	[FETCHES_FAULT] = { RWX, RW },
	[CODE_OR_DATA] = { RW, RX },
};

static void toggle(struct worker *worker, struct area *area)
{
	int which = (int)some(worker, TOGGLED);
	unsigned char *page = area->toggled + (size_t)which * PAGE;

	if (atomic_flag_test_and_set(&area->toggling))
		return;
	must(mprotect(page, PAGE, toggles[which][1]) == 0, "mprotect");
	maybe_yield(worker);
	must(mprotect(page, PAGE, toggles[which][0]) == 0, "mprotect");
	atomic_flag_clear(&area->toggling);
}

/* Where another toggles, who faults tries again. */
static bool is_toggled(const siginfo_t *info, const void *context)
{
	for (int i = 0; i < AREAS; i++) {
		uintptr_t at = (uintptr_t)info->si_addr - (uintptr_t)areas[i].toggled;
		bool expected;

		if (at >= TOGGLED * PAGE)
			continue;
		expected = at / PAGE == FETCHES_FAULT ? fault_is_fetch(context) :
							fault_is_write(context);
		if (expected && info->si_code == SEGV_ACCERR) {
			usleep(50);
			return true;
		}
	}
	return false;
}

static void use_toggled(struct worker *worker, struct area *area)
{
	size_t at = 64 + (size_t)worker->number * 8;
	int which = (int)some(worker, TOGGLED);
	unsigned char *page = area->toggled + (size_t)which * PAGE;
	volatile uint64_t *word = (volatile uint64_t *)(void *)(page + at);
	uint64_t value = some(worker, 1u << 20);

	*word = value;
	maybe_yield(worker);
	check("a word where permissions change", (long)*word, (long)value);
	if (which != CODE_OR_DATA)
		check("code where permissions change", code_run(page), which);
}

/* Advice that changes nothing natively, and by which the library makes code the program's
 * own memory again: so that others store and execute while it goes, and comes back. */
static void advise(struct area *area)
{
	if (area->kind != SHARED)
		must(madvise(area->slots, PAGE, MADV_DOFORK) == 0, "madvise");
}

static void use_everybodys(struct worker *worker)
{
	struct area *area = &areas[some(worker, AREAS)];

	switch (some(worker, 7)) {
	case 0:
		own_slot(worker, area);
		break;
	case 1:
		add(worker, area);
		break;
	case 2:
		patch(area);
		break;
	case 3:
		toggle(worker, area);
		break;
	case 4:
		use_toggled(worker, area);
		break;
	case 5:
		advise(area);
		break;
	}
	call_patched(area);
}

/* ------------------------------------------------------------------ storm */

static void make_area(struct area *area)
{
	area->slots = get_memory(area->kind, 1);
	area->function = get_memory(area->kind, 1);
	area->toggled = get_memory(area->kind, TOGGLED);
	memset(area->slots, 0, PAGE);
	code_exchange_add(area->slots + ADD_AT, area->slots + ADDED_AT);
	code_write(area->function + 3, 0);
	must(mprotect(area->slots, PAGE, RWX) == 0, "rwx");
	must(mprotect(area->function, PAGE, RWX) == 0, "rwx");
	for (int i = 0; i < TOGGLED; i++) {
		code_write(area->toggled + (size_t)i * PAGE, i);
		must(mprotect(area->toggled + (size_t)i * PAGE, PAGE, toggles[i][0]) == 0, "mprotect");
	}
}

static void turn(struct worker *worker)
{
	if (some(worker, 4) == 0)
		own_memory(worker);
	else
		use_everybodys(worker);
}

static void check_sums(void)
{
	for (int i = 0; i < AREAS; i++) {
		long sum = 0;

		for (int j = i; j < worker_count; j += AREAS)
			sum += workers[j].added;
		check("added by all", *(int *)(void *)(areas[i].slots + ADDED_AT), sum);
	}
}

int main(int argc, char **argv)
{
	code_fence();
	expects_fault = is_toggled;
	catch_faults();
	for (int i = 0; i < AREAS; i++)
		make_area(&areas[i]);
	storm(argc > 1 ? atoi(argv[1]) : 8, turn, NULL);
	check_sums();
	return verdict("turns");
}
