/* faults.c: a host that lives on SIGSEGV, as often as it can, while its other threads
 * write code and run it.
 *
 *     faults [THREADS]
 *
 * Every third thread faults: on a page that nobody may touch, which the handler steps
 * over; on one that is protected after each store, which the handler opens; on an
 * address where nothing is. The handler must be called once for each, with the address
 * and the code that the kernel would have given, and never for a page of code. */
#include "hostile.h"

#include <ucontext.h>

enum { FORBIDDEN, BARRIER, NOTHING, DANGERS };

static __thread struct {
	unsigned char *pages[DANGERS];
	long caught;
	const unsigned char *at;
	int code;
	bool armed;
} mine;

static atomic_long faults;

#ifdef __x86_64__
/* movb %sil, (%rdi); ret */
static const unsigned char store_byte[] = { 0x40, 0x88, 0x37, 0xc3 };
enum { STORE_LENGTH = 3 };

static void step_over(void *context)
{
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += STORE_LENGTH;
}
#endif

static bool is_ours(const siginfo_t *info, const void *context)
{
	if (!mine.armed || info->si_addr != mine.at || info->si_code != mine.code ||
	    !fault_is_write(context))
		return false;
	mine.armed = false;
	mine.caught++;
	if (mine.at == mine.pages[BARRIER])
		return mprotect(mine.pages[BARRIER], PAGE, RW) == 0;
	step_over((void *)(uintptr_t)context);
	return true;
}

static void store_at(struct worker *worker, int danger, int code, unsigned char value)
{
	long before = mine.caught;

	mine.at = mine.pages[danger];
	mine.code = code;
	mine.armed = true;
	code_call(worker->own, mine.at, value, 0);
	if (mine.armed || mine.caught != before + 1)
		wrong("faults of a store", mine.caught - before, 1);
}

static void fault_often(struct worker *worker)
{
	for (int i = 0; i < 200 && storm_goes_on(); i++) {
		store_at(worker, FORBIDDEN, SEGV_ACCERR, 1);
		store_at(worker, NOTHING, SEGV_MAPERR, 1);
		if (i % 8)
			continue;
		must(mprotect(mine.pages[BARRIER], PAGE, PROT_READ) == 0, "mprotect");
		store_at(worker, BARRIER, SEGV_ACCERR, (unsigned char)i);
		if (mine.pages[BARRIER][0] != (unsigned char)i)
			wrong("a store behind a barrier", mine.pages[BARRIER][0], i);
	}
}

static void begin(struct worker *worker)
{
	worker->own = code_pages(1);
	memcpy(worker->own, store_byte, sizeof(store_byte));
	mine.pages[FORBIDDEN] = must_map(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mine.pages[BARRIER] = data_pages(1);
	mine.pages[NOTHING] = (unsigned char *)64 + worker->number;
}

static void write_and_run(struct worker *worker)
{
	unsigned char *at = worker->own + 64 + some(worker, 60) * 64;
	int value = (int)some(worker, 1u << 20);

	code_write(at, value);
	maybe_yield(worker);
	if (code_run(at) != value)
		wrong("code", code_run(at), value);
}

static void turn(struct worker *worker)
{
	if (!worker->own)
		begin(worker);
	if (worker->number % 3 == 0) {
		long before = mine.caught;

		fault_often(worker);
		faults += mine.caught - before;
	} else {
		write_and_run(worker);
	}
}

int main(int argc, char **argv)
{
	expects_fault = is_ours;
	catch_faults();
	storm(argc > 1 ? atoi(argv[1]) : 6, turn, NULL);
	fprintf(stderr, "faults: %ld of the host's\n", faults);
	return verdict("faults");
}
