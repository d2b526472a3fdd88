/* engine.c: the engine by itself, called by threads at once, behind a door of the
 * test's: for a build with ThreadSanitizer (make check-sanitizers), which is to see its
 * own memory, not the program's.
 *
 *     engine SECONDS [racy]
 *
 * With racy it does something without the lock that wants it: that must be seen.
 *
 * ThreadSanitizer follows the lock, whose word is atomic, and the tables. It does not
 * see what system calls read and write (the kernel's answers, the files, mappings that
 * move), nor the program's stores and fetches, which are left out on purpose: they race
 * as programs' do. */
#include "engine.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "fault.h"
#include "rung/views.h"
#include "sys.h"

#define THREADS 4
#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)
#define UNWATCHED __attribute__((no_sanitize("thread"), noinline))

static atomic_long wrong, events;
static atomic_bool over;
static bool racy;
static unsigned char *everybodys;

static void count_event(const struct event *event)
{
	(void)event;
	events++;
}

static bool faults_are_guarded(void)
{
	return true;
}

static const struct door door = { .report = count_event, .guard_faults = faults_are_guarded };

static void on_fault(int number, siginfo_t *info, void *context)
{
	struct fault fault = {
		.address = (uintptr_t)info->si_addr,
		.access = arch_fault_is_fetch(context) ? PROT_EXEC :
			  arch_fault_is_write(context) ? PROT_WRITE : PROT_READ,
		.context = context,
	};

	if (fault_settle(&fault))
		return;
	fprintf(stderr, "signal %d at %p is nobody's\n", number, info->si_addr);
	_exit(1);
}

/* ----------------------------------------------------- the program's part */

UNWATCHED static void write_code(unsigned char *at, int value)
{
	volatile unsigned char *code = at;

	code[0] = 0xb8; /* mov $VALUE, %eax; ret */
	for (int i = 0; i < 4; i++)
		code[1 + i] = (unsigned char)(value >> 8 * i);
	code[5] = 0xc3;
}

UNWATCHED static int run_code(const unsigned char *at)
{
	return ((int (*)(void))(uintptr_t)at)();
}

static void write_and_run(unsigned char *at, int value)
{
	write_code(at, value);
	if (run_code(at) != value)
		wrong++;
}

/* -------------------------------------------------------------- the calls */

static unsigned char *map(size_t pages, int protection, int type)
{
	struct request request = {
		.call = CALL_MMAP, .length = pages * PAGE_BYTES, .protection = protection,
		.flags = type | MAP_ANONYMOUS, .fd = -1, .pkey = -1,
	};
	long result = engine_mmap(&request);

	if (sys_failed(result)) {
		fprintf(stderr, "mmap: error %ld\n", -result);
		_exit(1);
	}
	return (unsigned char *)result;
}

static void protect(unsigned char *at, size_t pages, int protection)
{
	struct request request = {
		.call = CALL_MPROTECT, .address = (uintptr_t)at, .length = pages * PAGE_BYTES,
		.protection = protection, .pkey = -1, .fd = -1,
	};

	if (engine_mprotect(&request))
		wrong++;
}

static void own_memory(uint32_t dice)
{
	unsigned char *at = map(3, dice & 1 ? RWX : PROT_READ | PROT_WRITE,
				dice & 2 ? MAP_SHARED : MAP_PRIVATE);
	uintptr_t start = (uintptr_t)at;

	if (!(dice & 1))
		protect(at, 3, RWX);
	write_and_run(at + PAGE_BYTES, (int)dice);
	protect(at, 3, PROT_READ | PROT_EXEC);
	if (run_code(at + PAGE_BYTES) != (int)dice)
		wrong++;
	protect(at, 3, RWX);
	engine_will_write(start, 2 * PAGE_BYTES);
	write_and_run(at + PAGE_BYTES + 64, (int)dice + 1);
	if (dice & 4)
		engine_madvise(start, PAGE_BYTES, MADV_DONTNEED);
	if (dice & 8) {
		long moved = engine_mremap(start, 3 * PAGE_BYTES, 4 * PAGE_BYTES, MREMAP_MAYMOVE, 0);

		if (sys_failed(moved))
			wrong++;
		else
			start = (uintptr_t)moved;
		write_and_run((unsigned char *)start, (int)dice + 2);
		engine_munmap(start, 4 * PAGE_BYTES);
		return;
	}
	engine_munmap(start, 3 * PAGE_BYTES);
}

/* What goes on around a fork, without one. */
static void fork_nobody(void)
{
	uint64_t mask;

	if (racy)
		views_before_fork();
	engine_before_fork(&mask);
	engine_after_fork(&mask);
}

static void *work(void *argument)
{
	int number = *(int *)argument;
	uint32_t dice = (uint32_t)number * 7919 + 1;

	while (!over) {
		dice = dice * 1664525u + 1013904223u;
		write_and_run(everybodys + 64 * number, (int)(dice >> 4));
		if (dice >> 28 < 8)
			own_memory(dice >> 8);
		else if (dice >> 28 == 8)
			fork_nobody();
		else if (dice >> 28 == 9)
			protect(everybodys, 1, RWX);
	}
	return NULL;
}

static void take_over_faults(void)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_NODEFER };

	action.sa_sigaction = on_fault;
	sigfillset(&action.sa_mask);
	sigdelset(&action.sa_mask, SIGSEGV);
	sigaction(SIGSEGV, &action, NULL);
}

int main(int argc, char **argv)
{
	static int numbers[THREADS];
	struct settings settings = { .mode = MODE_MEND, .policy = POLICY_STRICT };
	pthread_t threads[THREADS];

	racy = argc > 2;
	take_over_faults();
	engine_begin(&settings, &door);
	everybodys = map(1, RWX, MAP_PRIVATE);
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		pthread_create(&threads[i], NULL, work, &numbers[i]);
	}
	sleep(argc > 1 ? (unsigned)atoi(argv[1]) : 3);
	over = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("engine: %ld mended, %ld wrong\n", events, wrong);
	return wrong != 0 || events == 0;
}
