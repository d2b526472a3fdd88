/* advice.c: of which memory the program may have said something besides its protection. */
#include "rung/advice.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define PAGE 4096UL

static unsigned ranges(void)
{
	uintptr_t start, end;
	unsigned i = 0;

	while (advice_range(i, &start, &end))
		i++;
	return i;
}

/* An emulator's guest has memory on both sides of the emulator's code. */
static void what_lies_between(void)
{
	CHECK(!advice_any(), "nothing was said");
	CHECK(!advice_may_be(0, ~0UL), "of any memory");
	advice_note(900 * PAGE, 910 * PAGE);
	advice_note(100 * PAGE, 110 * PAGE);
	CHECK(advice_any(), "something was said");
	CHECK(advice_may_be(100 * PAGE, 101 * PAGE), "of what lies below");
	CHECK(advice_may_be(909 * PAGE, 910 * PAGE), "of what lies above");
	CHECK(!advice_may_be(110 * PAGE, 900 * PAGE), "and of nothing between them");
	CHECK(advice_may_be(0, 101 * PAGE), "what begins earlier has some of it");
	CHECK(!advice_may_be(0, 100 * PAGE), "unless it ends before");
}

static void what_meets(void)
{
	uintptr_t start = 0, end = 0;

	advice_note(110 * PAGE, 120 * PAGE);
	SAME(ranges(), 2, "what follows belongs to what it follows");
	advice_note(90 * PAGE, 200 * PAGE);
	SAME(ranges(), 2, "what covers another takes its place");
	advice_note(95 * PAGE, 96 * PAGE);
	SAME(ranges(), 2, "what is covered adds nothing");
	advice_note(150 * PAGE, 905 * PAGE);
	SAME(ranges(), 1, "what meets two makes one of them");
	CHECK(advice_range(0, &start, &end), "which");
	SAME(start, 90 * PAGE, "begins with the first");
	SAME(end, 910 * PAGE, "and ends with the last");
}

/* Twice as many as there is room for, two by two: of each two the second lies near. */
static void many(void)
{
	uintptr_t at;

	for (at = 20000; at < 40000; at += 2000) {
		advice_note(at * PAGE, (at + 1) * PAGE);
		advice_note((at + 3) * PAGE, (at + 4) * PAGE);
	}
	CHECK(ranges() < 20, "not all are kept apart");
	for (at = 20000; at < 40000; at += 2000) {
		CHECK(advice_may_be(at * PAGE, (at + 1) * PAGE), "the first of two is known");
		CHECK(advice_may_be((at + 3) * PAGE, (at + 4) * PAGE), "the second, too");
		CHECK(!advice_may_be((at + 4) * PAGE, (at + 2000) * PAGE), "what is far from both is not");
	}
}

static atomic_bool stop;

static void *go_on_noting(void *unused)
{
	unsigned long at = 0;

	for (; !atomic_load(&stop); at++)
		advice_note((100000 + at * 50) * PAGE, (100001 + at * 50) * PAGE);
	return unused;
}

/* No more places than there were before there was a thread. */
static bool is_known_by_child(unsigned most)
{
	uintptr_t at;

	advice_in_child();
	for (at = 20000; at < 40000; at += 2000)
		if (!advice_may_be(at * PAGE, (at + 1) * PAGE))
			return false;
	for (at = 0; at < 100; at++)
		advice_note((50000 + at * 50) * PAGE, (50001 + at * 50) * PAGE);
	return ranges() <= most && advice_may_be(50000 * PAGE, 50001 * PAGE);
}

/* The lock is another thread's, which the child has not got. */
static void torn_by_a_fork(void)
{
	unsigned most = ranges();
	pthread_t thread;
	int i, status, lost = 0;

	CHECK(pthread_create(&thread, NULL, go_on_noting, NULL) == 0, "a thread goes on");
	for (i = 0; i < 300; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(is_known_by_child(most) ? 0 : 1);
		if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
			lost++;
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	SAME(lost, 0, "a child knows all that was said before");
}

int main(void)
{
	what_lies_between();
	what_meets();
	many();
	torn_by_a_fork();
	return tap_done();
}
