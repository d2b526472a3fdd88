/* descriptors.h: the descriptors that are ours, and have to last.
 *
 * A host closes what it does not know: all numbers in a loop, or in one call; and
 * it puts files of its own on any number it likes. The hooks of those calls ask
 * here. To the host our descriptors are numbers that are not open.
 *
 * Whoever owns one holds a handle, since the number may change: when the host
 * wants that number for itself, ours moves to another. Both tables are of a
 * fixed size, and made when the first is kept.
 *
 * Keepers hold the lock (lock.h). Askers hold nothing, in any context: close is a
 * call that is made often, and in children of vfork. What a table says of a number
 * is held against what is open there, so a descriptor that was closed by a way
 * without hooks, or that a child of vfork opened, is not taken for ours. */
#ifndef JITMEND_DESCRIPTORS_H
#define JITMEND_DESCRIPTORS_H

#include <stdatomic.h>
#include <stdbool.h>

/* More than backing.c ever has. */
#define DESCRIPTORS_MOST 4608

/* Numbers from here on are not watched. Only a host with so many files of its own
 * gets them. */
#define DESCRIPTORS_END 65536

/* How far below the highest number of all the lowest lies that may be ours. */
extern _Atomic unsigned descriptors_depth;

static inline unsigned descriptors_lowest(void)
{
	return ~atomic_load_explicit(&descriptors_depth, memory_order_acquire);
}

/* Makes the tables, at start, where that has not to be seen later; without it the first
 * that is kept makes them. */
void descriptors_begin(void);

/* Takes FD, a fresh descriptor, into our keeping: out of the host's way and closed
 * on exec. Returns a handle; or -1 where there are too many, and FD is as it was. */
int descriptors_keep(int fd);

/* For a file that nobody else has, and that is read and written at offsets only: its
 * position tells it from others, which takes half as long to ask as what file it is. */
void descriptors_mark(int handle);

/* Closes it, where it is still ours. The handle is free then; -1 is none. */
void descriptors_release(int handle);

/* The number that it has now, for as long as the lock is held; of -1, -1. */
int descriptors_number(int handle);

/* Whether it is still open: a host may close it by a way without hooks. */
bool descriptors_is_open(int handle);

/* Whether a number is one of ours now. */
bool descriptors_look(int fd);

/* The same, for the hooks: a load and a compare for ordinary numbers. */
static inline bool descriptors_is_ours(int fd)
{
	return (unsigned)fd >= descriptors_lowest() && descriptors_look(fd);
}

/* The first of ours at or after FIRST, LAST at most; -1 where there is none. */
int descriptors_next(unsigned first, unsigned last);

/* dup3, or with DESCRIPTORS_DUP2 for FLAGS dup2, where one of both is ours: ours is
 * not open to the host, and moves out of the way of what comes to its number. In a
 * child of vfork, whose table of descriptors is not its parent's, nothing is
 * written down. Returns what the kernel returns. Without the lock. */
#define DESCRIPTORS_DUP2 (-1)
long descriptors_give_way(int old, int fd, int flags);

/* In a child of fork, which has memory of its own. */
void descriptors_in_child(void);

/* Whether this is a child of vfork: what it opens is in no table, and nothing that is
 * in one may be released by it. */
bool descriptors_of_another(void);

#endif
