/* writers.c: threads that go on storing into pages while these become code,
 * and data, and code again, 20,000 times. No store may get lost, none may be
 * torn in two.
 *
 *	writers heap|sbrk|file [TOGGLES]
 *	writers files               each of 20,000 pages of files, once
 *	writers kernel [TOGGLES]    the kernel stores for a thread (read(2))
 *	writers naive               replaces the page itself, as one should not
 *	writers drop                forgets one store of all: the tally must see it
 *
 * Each writer owns its words. It counts in memory with ++ and keeps a count of
 * its own: at the end the two differ by the number of stores lost. The patterns
 * are a word of equal bytes, so that a torn one is an impossible value; whoever
 * stored one looks at it again before the next. */
#include "host.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

enum { PAGES = 3 };

/* What is stored at one stroke. */
typedef uintptr_t word_t;

/* Where in the pages each kind of store goes, and the code of each page. */
enum {
	AT_CODE = 64,
	AT_COUNTER = 256,                  /* aligned */
	AT_MASKED = 320,                   /* the writer with all signals blocked */
	AT_PATTERN = 384,                  /* aligned, watched by a reader */
	AT_ODD = 513,                      /* unaligned, within a cache line */
	AT_LINE = 704 - 3,                 /* across two cache lines */
	AT_STRADDLE = (int)PAGE - 3,       /* across two pages */
	AT_STRADDLE_2 = 2 * (int)PAGE - (int)sizeof(word_t) / 2 - 1,
	AT_KERNEL = 1024,                  /* where read(2) stores */
	AT_KERNEL_2 = 2 * (int)PAGE - 64,  /* across two pages */
};

struct tally {
	volatile uint64_t stores;
	volatile uint64_t lost;
	volatile uint64_t torn;
	volatile uint64_t refused;
};

static unsigned char *memory;
static atomic_bool stop;
static atomic_int started;
static bool drop_one;

static volatile word_t *word_at(int offset)
{
	return (volatile word_t *)(void *)(memory + offset);
}

static word_t pattern(word_t n)
{
	return (n & 0xff) * (word_t)0x0101010101010101ull;
}

/* Stores pattern N+1 where pattern N must be. */
static void next_pattern(struct tally *tally, int offset, word_t n)
{
	volatile word_t *word = word_at(offset);
	word_t found = *word;

	if (found != pattern(found))
		tally->torn++;
	else if (found != pattern(n))
		tally->lost++;
	*word = pattern(n + 1);
	tally->stores++;
}

static void *count_and_pattern(void *argument)
{
	struct tally *tally = argument;
	volatile word_t *counter = word_at(AT_COUNTER);
	word_t n;

	started++;
	for (n = 0; !stop; n++) {
		if (!drop_one || n != 1000)
			++*counter;
		tally->stores++;
		next_pattern(tally, AT_PATTERN, n);
		next_pattern(tally, AT_ODD, n);
	}
	tally->lost += n - *counter;
	return NULL;
}

static void *pattern_across(void *argument)
{
	struct tally *tally = argument;
	word_t n;

	started++;
	for (n = 0; !stop; n++) {
		next_pattern(tally, AT_STRADDLE, n);
		next_pattern(tally, AT_LINE, n);
		next_pattern(tally, AT_STRADDLE_2, n);
	}
	return NULL;
}

/* A thread may have blocked whatever can be blocked. */
static void *count_masked(void *argument)
{
	struct tally *tally = argument;
	volatile word_t *counter = word_at(AT_MASKED);
	sigset_t all;
	word_t n;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	started++;
	for (n = 0; !stop; n++)
		++*counter;
	tally->stores = n;
	tally->lost = n - *counter;
	return NULL;
}

/* Aligned words come whole, and a counter never runs backwards. */
static void *watch(void *argument)
{
	struct tally *tally = argument;
	word_t before = 0, now, word;

	started++;
	while (!stop) {
		word = *word_at(AT_PATTERN);
		if (word != pattern(word))
			tally->torn++;
		now = *word_at(AT_COUNTER);
		if (now < before)
			tally->lost++;
		before = now;
		sched_yield();
	}
	return NULL;
}

/* read(2) raises no signal where it cannot store, it fails. */
static void *read_into(void *argument)
{
	struct tally *tally = argument;
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	int i;

	must(fd >= 0, "/dev/zero");
	started++;
	while (!stop) {
		for (i = 0; i < 2; i++) {
			unsigned char *at = memory + (i ? AT_KERNEL_2 : AT_KERNEL);
			ssize_t result;

			memset(at, 0x55, 128);
			result = read(fd, at, 128);
			if (result <= 0 || (i == 0 && result < 128))
				tally->refused++;
			else if (!all_bytes(at, (size_t)result, 0))
				tally->lost++;
			tally->stores++;
		}
	}
	close(fd);
	return NULL;
}

/* One page after the other, then both of a straddling store's, then all. */
static void toggle(unsigned n, int protection)
{
	static const struct { int first, pages; } ranges[] = {
		{ 0, 1 }, { 1, 1 }, { 0, 2 }, { 1, 2 }, { 0, 3 },
	};
	unsigned i = n % (sizeof(ranges) / sizeof(ranges[0]));
	unsigned char *at = memory + (size_t)ranges[i].first * PAGE;

	must(mprotect(at, (size_t)ranges[i].pages * PAGE, protection) == 0, "mprotect");
	if (protection & PROT_EXEC)
		must(code_run(at + AT_CODE) == 4711, "code");
}

static void toggle_all(unsigned toggles)
{
	unsigned n;

	for (n = 0; n < toggles; n++) {
		toggle(n, RWX);
		toggle(n, RW);
	}
	say("toggled %u times", toggles);
}

/* What no one should do: the stores between the copy and the move are lost.
 * The yield only makes that come about on a lone processor as well. */
static void replace_naively(const struct tally *tally)
{
	void *copy;
	unsigned n;

	for (n = 0; n < 20000 && !tally->lost; n++) {
		copy = mmap(NULL, PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		must(copy != MAP_FAILED, "mmap");
		memcpy(copy, memory, PAGE);
		sched_yield();
		must(mremap(copy, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			    memory) == memory, "mremap");
	}
}

/* A file's page is copied once; then it is the process's own memory. So here
 * the writers go along from page to page, and the tally is over all of them. */
static unsigned char *_Atomic current;
static atomic_ulong visits;

static void *count_along(void *argument)
{
	struct tally *tally = argument;
	word_t n = 0;
	int i;

	while (!stop) {
		volatile word_t *word = (volatile word_t *)(void *)(current + AT_COUNTER);

		for (i = 0; i < 200; i++, n++)
			++*word;
		visits++;
	}
	tally->stores = n;
	return NULL;
}

static void one_file(struct tally *sum)
{
	enum { FILE_PAGES = 2000 };
	unsigned char *at = file_pages(FILE_PAGES);
	struct tally tally = { 0, 0, 0, 0 };
	word_t found = 0, seen;
	pthread_t thread;
	size_t i;
	int patience;

	stop = false;
	current = at;
	for (i = 0; i < FILE_PAGES; i++) {
		*(word_t *)(void *)(at + i * PAGE + AT_COUNTER) = 0;
		code_write(at + i * PAGE + AT_CODE, 4711);
	}
	must(pthread_create(&thread, NULL, count_along, &tally) == 0, "thread");
	for (i = 0; i < FILE_PAGES; i++) {
		current = at + i * PAGE;
		/* The writer should be there, if it has a processor at all. */
		for (seen = visits, patience = 5000; visits < seen + 2 && patience; patience--)
			;
		must(mprotect(current, PAGE, RWX) == 0, "mprotect");
		must(code_run(current + AT_CODE) == 4711, "code");
	}
	stop = true;
	pthread_join(thread, NULL);
	for (i = 0; i < FILE_PAGES; i++)
		found += *(word_t *)(void *)(at + i * PAGE + AT_COUNTER);
	sum->stores += tally.stores;
	sum->lost += tally.stores - found;
	munmap(at, FILE_PAGES * PAGE);
}

static int many_files(void)
{
	struct tally sum = { 0, 0, 0, 0 };
	int i;

	for (i = 0; i < 10; i++)
		one_file(&sum);
	say("lost %lu", (unsigned long)sum.lost);
	return sum.lost != 0;
}

static unsigned char *pages_of(const char *kind)
{
	unsigned char *at;
	int i;

	if (!strcmp(kind, "file"))
		at = file_pages(PAGES);
	else if (!strcmp(kind, "sbrk"))
		at = sbrk_pages(PAGES);
	else
		at = heap_pages(PAGES);
	memset(at, 0, PAGES * PAGE);
	for (i = 0; i < PAGES; i++)
		code_write(at + (size_t)i * PAGE + AT_CODE, 4711);
	return at;
}

int main(int argc, char **argv)
{
	void *(*work[])(void *) = { count_and_pattern, pattern_across, watch, count_masked };
	enum { THREADS = sizeof(work) / sizeof(work[0]) };
	static struct tally tallies[THREADS];
	struct tally sum = { 0, 0, 0, 0 };
	const char *kind = argc > 1 ? argv[1] : "heap";
	unsigned toggles = argc > 2 ? (unsigned)atoi(argv[2]) : 20000;
	pthread_t threads[THREADS];
	int i;

	if (!strcmp(kind, "files"))
		return many_files();
	memory = pages_of(kind);
	drop_one = !strcmp(kind, "drop");
	if (!strcmp(kind, "kernel"))
		work[1] = read_into;
	for (i = 0; i < THREADS; i++)
		must(pthread_create(&threads[i], NULL, work[i], &tallies[i]) == 0, "thread");
	while (started < THREADS)
		sched_yield();
	if (!strcmp(kind, "naive"))
		replace_naively(&tallies[0]);
	else if (drop_one)
		while (tallies[0].stores < 10000)
			sched_yield();
	else
		toggle_all(toggles);
	stop = true;
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		sum.stores += tallies[i].stores;
		sum.lost += tallies[i].lost;
		sum.torn += tallies[i].torn;
		sum.refused += tallies[i].refused;
	}
	if (sum.stores < 1000)
		say("the writers got nowhere: %lu stores", (unsigned long)sum.stores);
	say("lost %lu, torn %lu, refused %lu", (unsigned long)sum.lost,
	    (unsigned long)sum.torn, (unsigned long)sum.refused);
	fprintf(stderr, "%lu stores\n", (unsigned long)sum.stores);
	return sum.lost || sum.torn || sum.refused;
}
