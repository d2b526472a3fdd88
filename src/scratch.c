/* scratch.c: a file of some pages, each for one copy at a time. See scratch.h. */
#include "scratch.h"

#include <errno.h>
#include <stdatomic.h>

#include "backing.h"
#include "descriptors.h"
#include "lock.h"
#include "sys.h"

static atomic_int kept, owner; /* the file's handle, plus 1; the process whose it is */
static atomic_ulong taken;     /* a bit for each slot */

static int handle(void)
{
	return atomic_load(&kept) - 1;
}

void scratch_begin(void)
{
	uint64_t mask;
	long fd;

	lock_take(&mask);
	if (atomic_load(&owner) != sys_getpid()) {
		/* The parent's is of no use here. */
		descriptors_release(atomic_exchange(&kept, 0) - 1);
		atomic_store(&taken, 0);
		atomic_store(&owner, sys_getpid());
		fd = backing_memfd("jitmend-scratch");
		if (!sys_failed(fd)) {
			atomic_store(&kept, descriptors_keep((int)fd) + 1);
			if (!atomic_load(&kept))
				sys_close((int)fd);
		}
	}
	lock_release(&mask);
}

/* A handler that interrupts a copy takes another slot. */
static unsigned take_slot(void)
{
	for (;;) {
		unsigned long seen = atomic_load(&taken);

		if (~seen && atomic_compare_exchange_weak(&taken, &seen, seen | (seen + 1)))
			return (unsigned)__builtin_ctzl(~seen);
	}
}

static void give_slot(unsigned slot)
{
	atomic_fetch_and(&taken, ~(1UL << slot));
}

static long copy_piece(int fd, uintptr_t to, uintptr_t from, size_t length, unsigned slot)
{
	uint64_t at = (uint64_t)slot * PAGE_BYTES;
	long got = sys_pwrite(fd, (const void *)from, length, at);

	return sys_failed(got) ? got : sys_pread(fd, (void *)to, (size_t)got, (int64_t)at);
}

long scratch_copy(uintptr_t to, uintptr_t from, size_t length)
{
	size_t done = 0, piece;
	unsigned slot;
	long got = 0;

	if (atomic_load(&owner) != sys_getpid())
		scratch_begin();
	if (!descriptors_is_open(handle()))
		return -EPERM;
	slot = take_slot();
	for (; done < length; done += (size_t)got) {
		piece = length - done < PAGE_BYTES ? length - done : PAGE_BYTES;
		got = copy_piece(descriptors_number(handle()), to + done, from + done, piece,
				 slot);
		if (got <= 0)
			break;
	}
	give_slot(slot);
	return done || got >= 0 ? (long)done : got;
}
