/* calls.c: what the library adds to calls that it watches.
 *
 *	calls LIBRARY
 *
 * Runs itself natively and with the library by turns, each time with another of
 * its modes, and prints for every sort of call the ratio of the medians to the
 * native one. A "call site" line counts requests that audit mode writes down:
 * from 256 places in the code, each asked for the first time, then again; their
 * ratio is to the same requests made natively. Last come the native medians in
 * nanoseconds, which the ratios are of. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
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

/* ---------------------------------------------------------------- one run */

enum { DATA, ANONYMOUS, FILE_MAP, CODE, NEW_SITE, OLD_SITE, SORTS };

static const char *const names[SORTS] = {
	[DATA] = "mprotect without EXEC",
	[ANONYMOUS] = "mmap anonymous, munmap",
	[FILE_MAP] = "mmap of a file, munmap",
	[CODE] = "mprotect, EXEC every other time",
	[NEW_SITE] = "call site, the first time",
	[OLD_SITE] = "call site, again",
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
}

/* ----------------------------------------------------------------- modes */

static const struct mode {
	const char *name, *mode, *log;
} modes[] = {
	{ "native", NULL, NULL },
	{ "mend", "mend", NULL },
	{ "mend --log", "mend", "/dev/null" },
	{ "audit --log", "audit", "/dev/null" },
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
		printf("%14s", modes[mode].name);
	printf("%14s\n", "native, ns");
	for (int sort = 0; sort < SORTS; sort++) {
		printf("%-34s", names[sort]);
		for (int mode = 1; mode < MODES; mode++)
			printf("%14.2f", results[mode][sort] / results[0][sort]);
		printf("%14.0f\n", results[0][sort]);
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
