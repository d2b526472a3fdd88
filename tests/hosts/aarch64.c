/* aarch64.c: writes code, runs it and writes it again, on aarch64. cross.bats runs
 * it with and without jitmend; the other hosts' machine code is x86's.
 *
 * With an argument, instead: "maps" prints which mappings are writable and executable;
 * "taken" does it in pages that were wanted where something else is. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
#define PAGES 4UL
#define RW (PROT_READ | PROT_WRITE)
#define RX (PROT_READ | PROT_EXEC)
#define RWX (RW | PROT_EXEC)

static void must(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "aarch64: cannot go on: %s: %s\n", what, strerror(errno));
	_exit(99);
}

static char *map_pages(int protection)
{
	char *at = mmap(NULL, PAGES * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(at != MAP_FAILED, "mmap");
	return at;
}

static void make_code(uint32_t code[2], unsigned value)
{
	code[0] = 0x52800000u | (value & 0xffff) << 5; /* mov w0, #VALUE */
	code[1] = 0xd65f03c0u;                         /* ret */
}

static void clear_cache(char *at)
{
	__builtin___clear_cache(at, at + 2 * sizeof(uint32_t));
}

static void write_code(char *at, unsigned value)
{
	uint32_t code[2];

	make_code(code, value);
	memcpy(at, code, sizeof(code));
	clear_cache(at);
}

static unsigned run(char *at)
{
	return (unsigned)((int (*)(void))(uintptr_t)at)();
}

static void in_turn(void)
{
	char *at = map_pages(RWX);
	unsigned wrong = 0;

	for (unsigned i = 0; i < 100; i++) {
		char *place = at + i % PAGES * PAGE + i % 3 * 16;

		write_code(place, i);
		wrong += run(place) != i;
	}
	printf("in turn: %u wrong\n", wrong);
}

static void by_mprotect(void)
{
	char *at = map_pages(RW);

	for (unsigned i = 1; i < 4; i++) {
		must(mprotect(at, PAGE, RW) == 0, "mprotect");
		write_code(at, i);
		printf("made executable: %d", mprotect(at, PAGE, RX));
		printf(", and run: %u\n", run(at));
	}
}

/* As instructions that memcpy may not use. */
static void by_other_stores(void)
{
	char *at = map_pages(RWX);
	unsigned long *words = (unsigned long *)(at + 256);

	write_code(at, 1);
	run(at);
	__asm__ volatile("stp %1, %1, [%0]" : : "r"(words), "r"(21L) : "memory");
	run(at);
	__asm__ volatile("str %1, [%0], #8" : : "r"(words + 2), "r"(22L) : "memory");
	run(at);
	__asm__ volatile("movi v0.2d, #0\n\tstr q0, [%0]" : : "r"(words + 4) : "memory", "v0");
	run(at);
	atomic_fetch_add((_Atomic unsigned long *)(words + 6), 23);
	printf("other stores: %lu %lu %lu %lu, and run: %u\n", words[0], words[1], words[2],
	       words[6], run(at));
}

static void by_the_kernel(void)
{
	char *at = map_pages(RWX);
	uint32_t code[2];
	int ends[2];

	write_code(at, 31);
	run(at);
	make_code(code, 32);
	must(pipe(ends) == 0 && write(ends[1], code, sizeof(code)) == sizeof(code), "pipe");
	printf("read: %zd", read(ends[0], at, sizeof(code)));
	clear_cache(at);
	printf(", and run: %u\n", run(at));
}

static void in_a_child(void)
{
	char *at = map_pages(RWX);
	int status;
	pid_t child;

	write_code(at, 41);
	run(at);
	fflush(stdout);
	child = fork();
	must(child >= 0, "fork");
	if (child == 0) {
		printf("child: %u", run(at));
		write_code(at, 42);
		printf(", then %u\n", run(at));
		fflush(stdout);
		_exit(0);
	}
	must(waitpid(child, &status, 0) == child, "waitpid");
	printf("its parent: %u", run(at));
	write_code(at, 43);
	printf(", then %u\n", run(at));
}

static char *shared;
static atomic_int stop;

static void *keep_running(void *unused)
{
	uintptr_t wrong = 0;

	while (!stop)
		wrong += run(shared) != 51;
	return (void *)(unused ? 0 : wrong);
}

static void beside_a_thread(void)
{
	pthread_t thread;
	unsigned wrong = 0;
	void *others;

	shared = map_pages(RWX);
	write_code(shared, 51);
	must(pthread_create(&thread, NULL, keep_running, NULL) == 0, "pthread_create");
	for (unsigned i = 0; i < 100; i++) {
		write_code(shared + 64, i);
		wrong += run(shared + 64) != i;
	}
	stop = 1;
	must(pthread_join(thread, &others) == 0, "pthread_join");
	printf("beside a thread: %u wrong, and %lu of its own\n", wrong, (unsigned long)others);
}

static void print_mappings(void)
{
	char *at = map_pages(RWX), line[512];
	FILE *maps = fopen("/proc/self/maps", "r");

	must(maps != NULL, "/proc/self/maps");
	write_code(at, 61);
	printf("run: %u\n", run(at));
	while (fgets(line, sizeof(line), maps))
		if (strstr(line, " rwx"))
			fputs(line, stdout);
}

/* QEMU then takes addresses next to its own memory. */
static char *map_where_taken(int protection)
{
	uintptr_t taken = (uintptr_t)run & ~(PAGE - 1);
	char *at = mmap((void *)taken, PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(at != MAP_FAILED, "mmap");
	return at;
}

static void where_taken(void)
{
	char *at = map_where_taken(RW);

	write_code(at, 71);
	printf("made executable: %d", mprotect(at, PAGE, RX));
	fflush(stdout);
	printf(", and run: %u\n", run(at));
	at = map_where_taken(RWX);
	write_code(at, 72);
	printf("run: %u\n", run(at));
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "taken") == 0) {
		where_taken();
		return 0;
	}
	if (argc > 1) {
		print_mappings();
		return 0;
	}
	in_turn();
	by_mprotect();
	by_other_stores();
	by_the_kernel();
	in_a_child();
	beside_a_thread();
	return 0;
}
