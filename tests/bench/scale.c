/* scale.c: whether what the library adds grows with the number of code pages, or of
 * threads.
 *
 *	scale LIBRARY
 *
 * Runs itself natively and with the library under the policy's name mdwe by turns. For
 * 10 to 30,000 regions, a page each with a gap behind it, a cycle: one is made
 * writable, written, made executable, and run; and an mprotect of a data page. For 1
 * to 64 threads the same, each with a page of its own. Prints the ratios of the medians
 * of 5 runs each to the native ones, of processor time, and last the native
 * nanoseconds a cycle. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, RUNS = 5, CYCLES = 4000, MOST_REGIONS = 30000, MOST_THREADS = 64 };

static const int regions[] = { 10, 1000, 30000 };
static const int threads[] = { 1, 2, 8, 64 };

enum { REGION_SORTS = sizeof regions / sizeof *regions,
       THREAD_SORTS = sizeof threads / sizeof *threads,
       SORTS = 2 * (REGION_SORTS + THREAD_SORTS) };

/* mov $0, %eax; ret */
static const unsigned char function[] = { 0xb8, 0, 0, 0, 0, 0xc3 };

static void die(const char *what)
{
	fprintf(stderr, "scale: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* Processor time, of all threads. */
static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* COUNT pages of code, each by itself. */
static unsigned char *make_regions(int count)
{
	size_t length = (size_t)count * 2 * PAGE;
	unsigned char *all = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (all == MAP_FAILED)
		die("mmap");
	for (int i = 0; i < count; i++) {
		unsigned char *code = all + (size_t)i * 2 * PAGE;

		if (mprotect(code, PAGE, PROT_READ | PROT_WRITE) < 0)
			die("mprotect");
		memcpy(code, function, sizeof function);
		if (mprotect(code, PAGE, PROT_READ | PROT_EXEC) < 0)
			die("mprotect");
	}
	return all;
}

static void turn(unsigned char *code, int i)
{
	mprotect(code, PAGE, PROT_READ | PROT_WRITE);
	code[1] = (unsigned char)i;
	mprotect(code, PAGE, PROT_READ | PROT_EXEC);
	((void (*)(void))(uintptr_t)code)();
}

static void protect(unsigned char *data, int i)
{
	mprotect(data, PAGE, i & 1 ? PROT_READ | PROT_WRITE : PROT_READ);
}

static unsigned char *data_page(void)
{
	unsigned char *data = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (data == MAP_FAILED || mprotect(data + PAGE, PAGE, PROT_READ | PROT_WRITE) < 0)
		die("mmap");
	data[PAGE] = 1;
	return data + PAGE;
}

static void measure_regions(int count, double costs[2])
{
	unsigned char *all = make_regions(count), *data = data_page();
	double start = now();

	for (int i = 0; i < CYCLES; i++)
		turn(all + (size_t)(i * 7919LL % count) * 2 * PAGE, i);
	costs[0] = (now() - start) / CYCLES;
	start = now();
	for (int i = 0; i < CYCLES; i++)
		protect(data, i);
	costs[1] = (now() - start) / CYCLES;
	munmap(all, (size_t)count * 2 * PAGE);
}

/* ---------------------------------------------------------------- threads */

struct worker {
	pthread_t thread;
	pthread_barrier_t *begin;
	unsigned char *page;
	void (*cycle)(unsigned char *page, int i);
	int cycles;
};

static void *work(void *argument)
{
	struct worker *worker = argument;

	pthread_barrier_wait(worker->begin);
	for (int i = 0; i < worker->cycles; i++)
		worker->cycle(worker->page, i);
	return NULL;
}

static double time_of_threads(int count, void (*cycle)(unsigned char *, int), unsigned char *pages)
{
	static struct worker workers[MOST_THREADS];
	pthread_barrier_t begin;
	double start;

	pthread_barrier_init(&begin, NULL, (unsigned)count + 1);
	for (int i = 0; i < count; i++) {
		workers[i] = (struct worker){ .begin = &begin, .cycle = cycle,
					      .page = pages ? pages + (size_t)i * 2 * PAGE : data_page(),
					      .cycles = CYCLES / count };
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			die("pthread_create");
	}
	start = now();
	pthread_barrier_wait(&begin);
	for (int i = 0; i < count; i++)
		pthread_join(workers[i].thread, NULL);
	pthread_barrier_destroy(&begin);
	return (now() - start) / CYCLES;
}

static void measure_threads(int count, double costs[2])
{
	unsigned char *pages = make_regions(count);

	costs[0] = time_of_threads(count, turn, pages);
	costs[1] = time_of_threads(count, protect, NULL);
	munmap(pages, (size_t)count * 2 * PAGE);
}

/* ------------------------------------------------------------------- runs */

static void measure(double *costs)
{
	for (int i = 0; i < REGION_SORTS; i++, costs += 2)
		measure_regions(regions[i], costs);
	for (int i = 0; i < THREAD_SORTS; i++, costs += 2)
		measure_threads(threads[i], costs);
}

static void run(const char *library, double *costs)
{
	int ends[2];
	pid_t child;

	if (pipe(ends) < 0 || (child = fork()) < 0)
		die("fork");
	if (child == 0) {
		if (library) {
			setenv("LD_PRELOAD", library, 1);
			setenv("JITMEND_POLICY", "mdwe", 1);
			setenv("JITMEND_LOG", "/dev/null", 1);
		}
		dup2(ends[1], 1);
		execl("/proc/self/exe", "scale", "--measure", (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	if (read(ends[0], costs, SORTS * sizeof *costs) != (ssize_t)(SORTS * sizeof *costs))
		die("a run said nothing");
	close(ends[0]);
	waitpid(child, NULL, 0);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, RUNS, sizeof *values, by_value);
	return values[RUNS / 2];
}

static void print_line(int sort, double *native, double *mended)
{
	bool by_region = sort < 2 * REGION_SORTS;
	int count = by_region ? regions[sort / 2] : threads[sort / 2 - REGION_SORTS];
	double base = median(native);

	printf("%-22s %6d %-8s %8.2f %12.0f\n", sort % 2 ? "mprotect without EXEC" : "turn 4 KiB",
	       count, by_region ? "regions" : "threads", median(mended) / base, base);
}

int main(int argc, char **argv)
{
	static double all[2][SORTS][RUNS];
	double costs[SORTS];

	if (argc == 2 && strcmp(argv[1], "--measure") == 0) {
		measure(costs);
		return write(1, costs, sizeof costs) != (ssize_t)sizeof costs;
	}
	if (argc != 2) {
		fprintf(stderr, "usage: scale LIBRARY\n");
		return 2;
	}
	for (int round = 0; round < RUNS; round++)
		for (int mended = 0; mended < 2; mended++) {
			run(mended ? argv[1] : NULL, costs);
			for (int sort = 0; sort < SORTS; sort++)
				all[mended][sort][round] = costs[sort];
		}
	printf("%-38s %8s %12s\n", "", "mdwe", "native, ns");
	for (int sort = 0; sort < SORTS; sort++)
		print_line(sort, all[0][sort], all[1][sort]);
	return 0;
}
