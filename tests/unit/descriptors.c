/* descriptors.c: descriptors that are ours, by themselves: no hook stands in front
 * of close here, so what this program closes is closed. */
#define _GNU_SOURCE
#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static int file(void)
{
	int fd = memfd_create("ours", MFD_CLOEXEC);

	CHECK(fd >= 0, "a file is made");
	return fd;
}

/* The size tells one file of ours from another. */
static int sized_file(off_t size)
{
	int fd = file();

	CHECK(ftruncate(fd, size) == 0, "it has a size");
	return fd;
}

static long long size_of(int fd)
{
	struct stat status;

	return fstat(fd, &status) ? -1 : (long long)status.st_size;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void nothing_yet(void)
{
	CHECK(!descriptors_is_ours(0) && !descriptors_is_ours(-1) && !descriptors_is_ours(1 << 30),
	      "nothing is ours at first");
	SAME(descriptors_next(0, ~0U), -1, "and no range holds any");
}

static void keep_and_release(void)
{
	int fd = dup(file()), low = fd, handle, number;

	fcntl(fd, F_SETFD, 0);
	handle = descriptors_keep(fd);
	number = descriptors_number(handle);
	CHECK(handle >= 0 && number >= 900, "it lies high");
	CHECK(!is_open(low), "and not where it was");
	SAME(fcntl(number, F_GETFD), FD_CLOEXEC, "it is closed on exec");
	CHECK(descriptors_is_ours(number), "it is ours");
	CHECK(!descriptors_is_ours(number - 1) && !descriptors_is_ours(number + 1),
	      "its neighbours are not");
	SAME(descriptors_next(0, ~0U), number, "a range finds it");
	SAME(descriptors_next((unsigned)number, (unsigned)number), number, "one of its size too");
	SAME(descriptors_next((unsigned)number + 1, ~0U), -1, "what lies above does not");
	SAME(descriptors_next(0, (unsigned)number - 1), -1, "nor what lies below");
	descriptors_release(handle);
	CHECK(!is_open(number) && !descriptors_is_ours(number), "released, it is closed");
	SAME(descriptors_keep(-1), -1, "what is not open is not kept");
}

static void closed_behind_our_back(void)
{
	int handle = descriptors_keep(file()), number = descriptors_number(handle);
	int other = file();

	CHECK(descriptors_is_open(handle), "it is open");
	close(number);
	CHECK(!descriptors_is_open(handle) && !descriptors_is_ours(number),
	      "closed by somebody else, it is not ours any more");
	SAME(dup2(other, number), number, "the number is another file's");
	CHECK(!descriptors_is_open(handle) && !descriptors_is_ours(number), "which is not ours");
	descriptors_release(handle);
	CHECK(is_open(number), "and stays open when ours is released");
	close(number);
	close(other);
}

/* By where it stands, and, when that has been changed, by what file it is. */
static void known_by_its_position(void)
{
	int handle = descriptors_keep(file()), number = descriptors_number(handle);
	off64_t position;
	int other = file();

	descriptors_mark(handle);
	position = lseek64(number, 0, SEEK_CUR);
	CHECK(position >= 1LL << 39, "it stands where no file ends");
	CHECK(descriptors_is_open(handle), "it is open");
	lseek64(number, 0, SEEK_SET);
	CHECK(descriptors_is_open(handle), "elsewhere it is ours all the same");
	SAME(dup2(other, number), number, "the number is another file's");
	CHECK(!descriptors_is_open(handle) && !descriptors_is_ours(number), "which is not ours");
	descriptors_release(handle);
	CHECK(is_open(number), "and stays open when ours is released");
	close(number);
	close(other);
	handle = descriptors_keep(file());
	number = descriptors_number(handle);
	CHECK(descriptors_is_open(handle), "one in its place is known without a position");
	SAME(lseek64(number, position, SEEK_SET), position,
	     "that of the one before");
	CHECK(descriptors_is_open(handle), "is nothing to it");
	close(number);
	CHECK(!descriptors_is_open(handle), "closed, it is none");
	descriptors_release(handle);
}

static void gives_way(void)
{
	int handle = descriptors_keep(sized_file(11)), number = descriptors_number(handle), moved;
	int theirs = sized_file(22);

	SAME(descriptors_give_way(theirs, number, O_CLOEXEC), number, "dup3 onto ours");
	moved = descriptors_number(handle);
	CHECK(moved != number, "moves it");
	SAME(size_of(number), 22, "theirs is there");
	SAME(fcntl(number, F_GETFD), FD_CLOEXEC, "as dup3 was told");
	SAME(size_of(moved), 11, "ours is elsewhere");
	CHECK(descriptors_is_ours(moved) && !descriptors_is_ours(number), "and known there");
	SAME(fcntl(moved, F_GETFD), FD_CLOEXEC, "closed on exec as before");

	SAME(descriptors_give_way(theirs, moved, DESCRIPTORS_DUP2), moved, "dup2 onto ours");
	SAME(fcntl(moved, F_GETFD), 0, "is not closed on exec");
	close(moved);
	moved = descriptors_number(handle);
	SAME(size_of(moved), 11, "ours moved again");

	SAME(descriptors_give_way(-1, moved, DESCRIPTORS_DUP2), -EBADF, "of nothing: refused");
	SAME(descriptors_number(handle), moved, "and ours is where it was");
	SAME(descriptors_next((unsigned)moved + 1, ~0U), -1, "and nowhere else");
	SAME(descriptors_give_way(moved, number, DESCRIPTORS_DUP2), -EBADF,
	     "ours is not open to them");
	SAME(descriptors_give_way(moved, moved, DESCRIPTORS_DUP2), -EBADF, "onto itself neither");
	SAME(descriptors_give_way(moved, moved, 0), -EINVAL, "for dup3 that is no call at all");
	descriptors_release(handle);
	close(number);
	close(theirs);
}

static void gives_way_over_the_limit(void)
{
	struct rlimit before, none = { 0 };
	int handle = descriptors_keep(sized_file(11)), number = descriptors_number(handle);
	int theirs = file();

	getrlimit(RLIMIT_NOFILE, &before);
	none.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_NOFILE, &none);
	CHECK(descriptors_give_way(theirs, number, 0) < 0, "a number over the limit: refused");
	setrlimit(RLIMIT_NOFILE, &before);
	CHECK(descriptors_number(handle) == number && size_of(number) == 11, "ours is kept");
	descriptors_release(handle);
	close(theirs);
}

/* A child with memory of its own may move them, its parent's stay. */
static void in_a_child(void)
{
	int handle = descriptors_keep(sized_file(11)), number = descriptors_number(handle);
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		descriptors_in_child();
		_exit(descriptors_is_ours(number) &&
		      descriptors_give_way(0, number, 0) == number &&
		      size_of(descriptors_number(handle)) == 11 ? 0 : 1);
	}
	waitpid(child, &status, 0);
	SAME(status, 0, "a child of fork gives way for itself");
	SAME(size_of(descriptors_number(handle)), 11, "its parent's is where it was");

	child = vfork();
	if (child == 0)
		_exit(descriptors_is_ours(number) &&
		      descriptors_give_way(0, number, 0) == number &&
		      !descriptors_is_ours(number) ? 0 : 1);
	waitpid(child, &status, 0);
	SAME(status, 0, "a child of vfork has the number for itself");
	CHECK(descriptors_number(handle) == number && descriptors_is_ours(number),
	      "and changes nothing for its parent");
	descriptors_release(handle);
}

static void many(void)
{
	static int handles[4000];
	struct rlimit limit = { 8192, 8192 };
	int kept = 0, found = 0, fd = -1;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max < 8192 ? limit.rlim_max : 8192;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (; kept < 4000; kept++) {
		int copy = dup(0);

		if (copy < 0)
			break;
		handles[kept] = descriptors_keep(copy);
	}
	CHECK(kept > 100, "there can be many");
	while ((fd = descriptors_next((unsigned)fd + 1, ~0U)) >= 0)
		found++;
	SAME(found, kept, "each is found");
	for (int i = 0; i < kept; i += 2)
		descriptors_release(handles[i]);
	for (fd = -1, found = 0; (fd = descriptors_next((unsigned)fd + 1, ~0U)) >= 0; found++)
		;
	SAME(found, kept / 2, "half of them released");
	for (int i = 1; i < kept; i += 2)
		descriptors_release(handles[i]);
	SAME(descriptors_next(0, ~0U), -1, "all of them released");
}

int main(void)
{
	nothing_yet();
	keep_and_release();
	closed_behind_our_back();
	known_by_its_position();
	gives_way();
	gives_way_over_the_limit();
	in_a_child();
	many();
	return tap_done();
}
