/* scratch.c: memory that is copied by way of a pipe is copied as far as it can be, whatever
 * limits the process has. */
#define _GNU_SOURCE
#include "scratch.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "descriptors.h"
#include "sys.h"
#include "tap.h"

#define PAGES 4UL
#define LENGTH (PAGES * PAGE_BYTES)
#define ROUNDS 3000

static unsigned char *from, *to; /* each with a hole behind it */

static unsigned char *pages(void)
{
	unsigned char *made = mmap(NULL, LENGTH + PAGE_BYTES, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(made != MAP_FAILED && munmap(made + LENGTH, PAGE_BYTES) == 0, "there is memory");
	return made;
}

static void fill(unsigned char *at, unsigned first)
{
	for (size_t i = 0; i < LENGTH; i++)
		at[i] = (unsigned char)(first + i * 7);
}

static long copy(size_t to_at, size_t from_at, size_t length)
{
	return scratch_copy((uintptr_t)to + to_at, (uintptr_t)from + from_at, length);
}

static bool copies(size_t to_at, size_t from_at, size_t length)
{
	memset(to, 0, LENGTH);
	return copy(to_at, from_at, length) == (long)length &&
	       memcmp(to + to_at, from + from_at, length) == 0;
}

static void plain(void)
{
	fill(from, 3);
	CHECK(copies(0, 0, 1), "a byte");
	CHECK(copies(0, 0, LENGTH), "whole pages");
	CHECK(copies(17, 4000, 8500), "what begins and ends anywhere");
	SAME(copy(0, 0, 0), 0, "nothing");
}

static void as_far_as_it_goes(void)
{
	SAME(copy(0, LENGTH - 100, 200), 100, "up to the last byte that can be read");
	SAME(copy(LENGTH - 100, 0, 5000), 100, "up to the last that can be written");
	SAME(copy(0, LENGTH, 1), -EFAULT, "from where nothing is");
	SAME(copy(LENGTH, 0, 300), -EFAULT, "to where nothing is");
	CHECK(copies(5, 9, 4096), "and nothing is left over from that");
}

static void without_pipe(void)
{
	const struct rlimit none = { 0, 0 };
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		setrlimit(RLIMIT_NOFILE, &none);
		descriptors_in_child();
		scratch_in_child();
		_exit(copy(0, 0, 1) != -EPERM);
	}
	waitpid(child, &status, 0);
	SAME(status, 0, "where none can be made nothing is copied");
}

static void without_files(void)
{
	const struct rlimit nothing = { 0, 0 };
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		setrlimit(RLIMIT_FSIZE, &nothing);
		_exit(!copies(0, 10, 5000));
	}
	waitpid(child, &status, 0);
	SAME(status, 0, "where no file may be written");
}

/* Both at once, and each gets its own. */
static bool many(unsigned first)
{
	fill(from, first);
	for (int i = 0; i < ROUNDS; i++)
		if (!copies(0, 0, LENGTH))
			return false;
	return true;
}

static void in_a_child(void)
{
	int status = 0;
	pid_t child;
	bool good;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		descriptors_in_child();
		scratch_in_child();
		_exit(!many(1));
	}
	good = many(2);
	waitpid(child, &status, 0);
	CHECK(good && status == 0, "a child of fork copies by itself");
}

/* It has its parent's memory, and a table of descriptors of its own. */
static void in_a_child_of_vfork(void)
{
	int status = 0;
	pid_t child = vfork();

	if (child == 0)
		_exit(!copies(0, 0, LENGTH));
	waitpid(child, &status, 0);
	SAME(status, 0, "a child of vfork copies");
	CHECK(copies(0, 0, LENGTH), "and its parent after it");
}

int main(void)
{
	from = pages();
	to = pages();
	plain();
	as_far_as_it_goes();
	without_pipe();
	without_files();
	in_a_child();
	in_a_child_of_vfork();
	return tap_done();
}
