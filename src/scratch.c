/* scratch.c: a pipe that is empty between two copies. See scratch.h. */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>

#include "descriptors.h"
#include "hostfilter.h"
#include "lock.h"
#include "sys.h"

/* All under the lock. */
enum { READ_END, WRITE_END, ENDS };

static int kept[ENDS]; /* their handles, and 1 */
static bool wanted;

static int number_of(int end)
{
	int handle = kept[end] - 1;

	return descriptors_is_open(handle) ? descriptors_number(handle) : -1;
}

static bool is_there(void)
{
	return number_of(READ_END) >= 0 && number_of(WRITE_END) >= 0;
}

static void forget(void)
{
	for (int i = 0; i < ENDS; i++) {
		descriptors_release(kept[i] - 1);
		kept[i] = 0;
	}
}

static void make(void)
{
	int fds[ENDS] = { -1, -1 };

	if (sys_failed(SYS_CALL(SYS_pipe2, fds, O_CLOEXEC | O_NONBLOCK, 0, 0, 0, 0)))
		return;
	for (int i = 0; i < ENDS; i++) {
		kept[i] = descriptors_keep(fds[i]) + 1;
		if (!kept[i])
			sys_close(fds[i]);
	}
}

static bool have_pipe(void)
{
	if (!wanted)
		make();
	wanted = true;
	return is_there();
}

void scratch_begin(void)
{
	uint64_t mask;

	lock_take(&mask);
	have_pipe();
	lock_release(&mask);
}

void scratch_in_child(void)
{
	if (!wanted)
		return;
	forget();
	if (!hostfilter_ends(HOSTFILTER_PIPE))
		make();
}

static void empty(void)
{
	char rest[256];

	while (SYS_CALL(SYS_read, number_of(READ_END), rest, sizeof rest, 0, 0, 0) > 0)
		;
}

/* A pipe takes, and gives, nothing of what lies in one page if it cannot have all of it. */
static size_t piece_of(uintptr_t to, uintptr_t from, size_t length)
{
	size_t left_there = PAGE_BYTES - to % PAGE_BYTES, left_here = PAGE_BYTES - from % PAGE_BYTES;

	if (length > left_there)
		length = left_there;
	return length > left_here ? left_here : length;
}

static long copy_piece(uintptr_t to, uintptr_t from, size_t length)
{
	long taken = sys_write(number_of(WRITE_END), (const void *)from, length), given;

	if (taken <= 0)
		return taken;
	given = SYS_CALL(SYS_read, number_of(READ_END), to, taken, 0, 0, 0);
	if (given != taken)
		empty();
	return given;
}

long scratch_copy(uintptr_t to, uintptr_t from, size_t length)
{
	size_t done = 0;
	uint64_t mask;
	long got;

	lock_take(&mask);
	got = have_pipe() ? 1 : -EPERM;
	for (; got > 0 && done < length; done += got > 0 ? (size_t)got : 0)
		got = copy_piece(to + done, from + done,
				 piece_of(to + done, from + done, length - done));
	lock_release(&mask);
	return done || got > 0 ? (long)done : got;
}
