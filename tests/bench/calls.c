/* calls.c: what the library adds to calls that it watches.
 *
 *	calls LIBRARY
 *
 * Runs itself natively and with the library by turns, each time with another of
 * its modes, and prints for every sort of call the ratio of the medians to the
 * native one. A "call site" line counts requests that audit mode writes down:
 * from 256 places in the code, each asked for the first time, then again; their
 * ratio is to the same requests made natively. A "turn" line is a cycle: memory is
 * made writable, written on every page, made executable, and run on every page; or
 * on one page of it. A "store" line is a store into code that has run; its ratio is
 * to a bare SIGSEGV, whose handler goes on behind the instruction. Last come the
 * native medians in nanoseconds, which the ratios are of. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096, ROUNDS = 9, BATCHES = 21, BATCH = 400, SITES = 256, DEPTH = 16 };

static unsigned char *page;
static int file;

static void die(const char *what)
{
	fprintf(stderr, "calls: %s: %s\n", what, strerror(errno));
	exit(2);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof *values, by_value);
	return values[count / 2];
}

/* -------------------------------------------------------- sorts of requests */

static void protect_data(int i)
{
	mprotect(page, PAGE, i & 1 ? PROT_READ | PROT_WRITE : PROT_READ);
}

static void map_anonymous(int i)
{
	void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)i;
	munmap(at, PAGE);
}

static void map_file(int i)
{
	void *at = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 0);

	(void)i;
	munmap(at, PAGE);
}

static void protect_code(int i)
{
	mprotect(page, PAGE, i & 1 ? PROT_READ | PROT_WRITE : PROT_READ | PROT_EXEC);
}

static double cost(void (*request)(int))
{
	double batches[BATCHES];

	for (int batch = 0; batch < BATCHES; batch++) {
		double start = now();

		for (int i = 0; i < BATCH; i++)
			request(i);
		batches[batch] = (now() - start) / BATCH;
	}
	return median(batches, BATCHES);
}

/* -------------------------------------------------------------- call sites */

static double *site_times;

/* Each a call instruction of its own. The pages stay executable. */
#define SITE                                                                     \
	do {                                                                     \
		double start = now();                                            \
		mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);        \
		*site_times++ = now() - start;                                   \
	} while (0);
#define SITES_4 SITE SITE SITE SITE
#define SITES_16 SITES_4 SITES_4 SITES_4 SITES_4
#define SITES_64 SITES_16 SITES_16 SITES_16 SITES_16

static __attribute__((noinline)) void ask_from_all_sites(void)
{
	SITES_64 SITES_64 SITES_64 SITES_64
}

static __attribute__((noinline)) int ask_deep(int depth)
{
	if (depth == 0) {
		ask_from_all_sites();
		return 0;
	}
	return ask_deep(depth - 1) + depth;
}

static double cost_of_sites(void)
{
	static double times[SITES];

	site_times = times;
	if (ask_deep(DEPTH) == 0)
		die("depth");
	return median(times, SITES);
}

/* -------------------------------------------------------------------- code */

enum { TURNS = 101, STORED_PAGES = 500, STORES = 3 };

/* mov $0, %eax; ret */
static const unsigned char function[] = { 0xb8, 0, 0, 0, 0, 0xc3 };

static void run_page(unsigned char *at)
{
	((void (*)(void))(uintptr_t)at)();
}

/* With a mapping on either side, as a compiler's memory has. */
static double cost_of_turns(size_t length, size_t step)
{
	static double times[TURNS];
	unsigned char *code = mmap(NULL, length + 2 * PAGE, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (code == MAP_FAILED || mprotect(code += PAGE, length, PROT_READ | PROT_WRITE) < 0)
		die("memory for code");
	for (size_t at = 0; at < length; at += PAGE)
		memcpy(code + at, function, sizeof function);
	for (int turn = 0; turn < TURNS; turn++) {
		double start = now();

		mprotect(code, length, PROT_READ | PROT_WRITE);
		for (size_t at = 0; at < length; at += step)
			code[at + 1] = (unsigned char)turn;
		mprotect(code, length, PROT_READ | PROT_EXEC);
		for (size_t at = 0; at < length; at += step)
			run_page(code + at);
		times[turn] = now() - start;
	}
	munmap(code - PAGE, length + 2 * PAGE);
	return median(times, TURNS);
}

static void pass_over(int signal, siginfo_t *info, void *context)
{
	ucontext_t *at = context;

	(void)signal;
	(void)info;
	at->uc_mcontext.gregs[REG_RIP] += at->uc_mcontext.gregs[REG_RCX];
}

/* How long each is goes to RCX, for pass_over. */
static void store_plain(unsigned char *at)
{
	__asm__ volatile("movb $7, (%0)" : : "a"(at), "c"(3L) : "memory");
}

static void store_atomic(unsigned char *at)
{
	__asm__ volatile("lock incb (%0)" : : "a"(at), "c"(3L) : "memory");
}

static double cost_of_stores(void (*store)(unsigned char *))
{
	static double times[STORED_PAGES * STORES];
	size_t length = STORED_PAGES * PAGE, count = 0;
	bool mended = getenv("JITMEND_POLICY");
	struct sigaction action = { .sa_flags = SA_SIGINFO };
	unsigned char *code = mmap(NULL, length, PROT_READ | PROT_WRITE | PROT_EXEC,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	action.sa_sigaction = pass_over;
	if (code == MAP_FAILED || sigaction(SIGSEGV, &action, NULL) < 0)
		die("memory for code");
	for (size_t at = 0; at < length; at += PAGE) {
		memcpy(code + at, function, sizeof function);
		run_page(code + at);
	}
	if (!mended)
		mprotect(code, length, PROT_READ);
	for (size_t at = 0; at < length; at += PAGE)
		for (int i = 0; i < STORES; i++) {
			double start = now();

			store(code + at + 1);
			times[count++] = now() - start;
		}
	munmap(code, length);
	signal(SIGSEGV, SIG_DFL);
	return median(times, count);
}

/* ---------------------------------------------------------------- one run */

enum { DATA, ANONYMOUS, FILE_MAP, CODE, NEW_SITE, OLD_SITE, TURN_4K, TURN_64K, TURN_1M, TURN_ONE,
       STORE, ATOMIC_STORE, SORTS };

static const char *const names[SORTS] = {
	[DATA] = "mprotect without EXEC",
	[ANONYMOUS] = "mmap anonymous, munmap",
	[FILE_MAP] = "mmap of a file, munmap",
	[CODE] = "mprotect, EXEC every other time",
	[NEW_SITE] = "call site, the first time",
	[OLD_SITE] = "call site, again",
	[TURN_4K] = "turn 4 KiB",
	[TURN_64K] = "turn 64 KiB",
	[TURN_1M] = "turn 1 MiB",
	[TURN_ONE] = "turn 64 MiB, of which one page",
	[STORE] = "store",
	[ATOMIC_STORE] = "store, atomic",
};

static void measure(double *costs)
{
	file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (file < 0 || page == MAP_FAILED)
		die("mmap");
	page[0] = 1;
	costs[DATA] = cost(protect_data);
	costs[ANONYMOUS] = cost(map_anonymous);
	costs[FILE_MAP] = cost(map_file);
	costs[CODE] = cost(protect_code);
	costs[NEW_SITE] = cost_of_sites();
	costs[OLD_SITE] = cost_of_sites();
	costs[TURN_4K] = cost_of_turns(4 << 10, PAGE);
	costs[TURN_64K] = cost_of_turns(64 << 10, PAGE);
	costs[TURN_1M] = cost_of_turns(1 << 20, PAGE);
	costs[TURN_ONE] = cost_of_turns(64 << 20, 64 << 20);
	costs[STORE] = cost_of_stores(store_plain);
	costs[ATOMIC_STORE] = cost_of_stores(store_atomic);
}

/* ----------------------------------------------------------------- modes */

static const struct mode {
	const char *name, *mode, *log, *policy;
} modes[] = {
	{ "native", NULL, NULL, NULL },
	{ "mend", "mend", NULL, NULL },
	{ "mend --log", "mend", "/dev/null", NULL },
	{ "audit --log", "audit", "/dev/null", NULL },
	{ "mdwe", "mend", "/dev/null", "mdwe" },
	{ "strict", "mend", "/dev/null", "strict" },
};

enum { MODES = sizeof modes / sizeof *modes };

static void become(const struct mode *mode, const char *library, int to)
{
	if (mode->mode) {
		setenv("LD_PRELOAD", library, 1);
		setenv("JITMEND_MODE", mode->mode, 1);
	}
	if (mode->log)
		setenv("JITMEND_LOG", mode->log, 1);
	if (mode->policy)
		setenv("JITMEND_POLICY", mode->policy, 1);
	dup2(to, 1);
	execl("/proc/self/exe", "calls", "--measure", (char *)NULL);
	_exit(127);
}

static void run(const struct mode *mode, const char *library, double *costs)
{
	int pipe_ends[2], status;
	pid_t child;

	if (pipe(pipe_ends) < 0)
		die("pipe");
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0)
		become(mode, library, pipe_ends[1]);
	close(pipe_ends[1]);
	if (read(pipe_ends[0], costs, SORTS * sizeof *costs) != (ssize_t)(SORTS * sizeof *costs))
		die("a run said nothing");
	close(pipe_ends[0]);
	waitpid(child, &status, 0);
}

static void print_table(double results[MODES][SORTS])
{
	printf("%-34s", "");
	for (int mode = 1; mode < MODES; mode++)
		printf("%12s", modes[mode].name);
	printf("%12s\n", "native, ns");
	for (int sort = 0; sort < SORTS; sort++) {
		printf("%-34s", names[sort]);
		for (int mode = 1; mode < MODES; mode++)
			printf("%12.2f", results[mode][sort] / results[0][sort]);
		printf("%12.0f\n", results[0][sort]);
	}
}

int main(int argc, char **argv)
{
	static double all[MODES][SORTS][ROUNDS];
	double results[MODES][SORTS], costs[SORTS];

	if (argc == 2 && strcmp(argv[1], "--measure") == 0) {
		measure(costs);
		return write(1, costs, sizeof costs) != (ssize_t)sizeof costs;
	}
	if (argc != 2) {
		fprintf(stderr, "usage: calls LIBRARY\n");
		return 2;
	}
	for (int round = 0; round < ROUNDS; round++)
		for (int mode = 0; mode < MODES; mode++) {
			run(&modes[mode], argv[1], costs);
			for (int sort = 0; sort < SORTS; sort++)
				all[mode][sort][round] = costs[sort];
		}
	for (int mode = 0; mode < MODES; mode++)
		for (int sort = 0; sort < SORTS; sort++)
			results[mode][sort] = median(all[mode][sort], ROUNDS);
	print_table(results);
	return 0;
}
