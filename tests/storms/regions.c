/* regions.c: 30,000 regions of code, each a page with a hole behind it; and then as
 * many as there can be (vm.max_map_count).
 *
 *     regions [COUNT]    so many, and no more
 *
 * At the limit the program gets ENOMEM from mmap, mprotect and munmap, as natively, and
 * nothing else: what is code stays code, what was written stays written. When regions
 * are given back there is room for others. How many there can be is not the same as
 * natively: a page that is turned may be a mapping more. */
#include "hostile.h"

#include <sys/wait.h>

enum { REGIONS = 30000, MOST = 200000, FEWEST = 20000 };

static unsigned char *regions[MOST];

static int value_of(int i)
{
	return i * 3 + 1;
}

/* A page by itself: its neighbours are not mapped. NULL where there can be no more. */
static unsigned char *new_region(int protection)
{
	static unsigned char *place;
	unsigned char *at;

	if (!place) {
		place = must_map(NULL, 2 * MOST * PAGE, PROT_NONE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		must(munmap(place, 2 * MOST * PAGE) == 0, "munmap");
	}
	at = mmap(place, PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (at == MAP_FAILED) {
		must(errno == ENOMEM, "an error of mmap");
		return NULL;
	}
	place += 2 * PAGE;
	return at;
}

/* Half of them by mmap, half of them by mprotect. False: there is no room. */
static bool make_region(int i)
{
	unsigned char *at = new_region(i % 2 ? RWX : RW);

	if (!at)
		return false;
	code_write(at, value_of(i));
	if (i % 2 == 0 && mprotect(at, PAGE, RX) != 0) {
		must(errno == ENOMEM, "an error of mprotect");
		must(munmap(at, PAGE) == 0, "munmap");
		return false;
	}
	if (code_run(at) != value_of(i))
		wrong("a new region's code", code_run(at), value_of(i));
	regions[i] = at;
	return true;
}

static void run_all(int count, int step)
{
	for (int i = 0; i < count; i += step)
		if (regions[i] && code_run(regions[i]) != value_of(i))
			wrong("a region's code", code_run(regions[i]), value_of(i));
}

/* Writes and runs again: each is turned twice. */
static void rewrite_some(int count, int step)
{
	for (int i = 1; i < count; i += step) {
		if (!regions[i] || i % 2 == 0)
			continue;
		code_write(regions[i] + 64, -i);
		regions[i][128] = 7;
		if (code_run(regions[i] + 64) != -i || regions[i][128] != 7)
			wrong("a region written again", code_run(regions[i] + 64), -i);
	}
}

static void in_a_child(int count)
{
	pid_t child = fork();
	int status;

	must(child >= 0, "fork");
	if (child == 0) {
		run_all(count, 7);
		rewrite_some(count, 7 * 2);
		run_all(count, 11);
		_exit(verdict("child"));
	}
	rewrite_some(count, 50);
	must(waitpid(child, &status, 0) == child, "waitpid");
	if (status)
		wrong("the child's status", status, 0);
}

static int fill(int from)
{
	int i = from;

	while (i < MOST && make_region(i))
		i++;
	return i;
}

static void give_back(int count)
{
	for (int i = 0; i < count; i += 2) {
		if (regions[i] && munmap(regions[i], PAGE) != 0)
			wrong("munmap", errno, 0);
		regions[i] = NULL;
	}
}

static void to_the_limit(int from)
{
	int count = fill(from), more;

	must(count < MOST, "a limit");
	fprintf(stderr, "regions: %d until there was no room\n", count);
	run_all(count, 1);
	rewrite_some(count, 9);
	in_a_child(count);
	run_all(count, 1);

	give_back(count);
	more = fill(count) - count;
	fprintf(stderr, "regions: %d more when half of them were gone\n", more);
	if (more < FEWEST)
		wrong("more regions", more, FEWEST);
	run_all(count + more, 1);
	rewrite_some(count + more, 9);
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : REGIONS;

	give_up_after(600);
	catch_faults();
	must(count > 0 && count <= REGIONS, "a number of regions");
	for (int i = 0; i < count; i++)
		must(make_region(i), "room for the regions");
	run_all(count, 1);
	rewrite_some(count, 3);
	in_a_child(count);
	run_all(count, 1);
	if (argc == 1)
		to_the_limit(count);
	return verdict("regions");
}
