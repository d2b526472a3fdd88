/* lock.h: the one lock of the engine, held while pages are on the move.
 *
 * Whoever replaces memory, or changes mappings that the page table knows,
 * holds it. A holder has its signals blocked, so that no handler of the host's runs
 * on top of a half-made move, or leaves it by siglongjmp; SIGSEGV stays open, and
 * SIGSYS, which a filter of the host's may raise. It is recursive, because an atfork handler of the host's
 * may ask for memory while fork holds it.
 *
 * Async-signal-safe. Never taken by the fault handler, which only asks whether
 * its own thread is the holder. */
#ifndef JITMEND_LOCK_H
#define JITMEND_LOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Blocks the thread's signals, then takes the lock; *MASK is for the way back. */
void lock_take(uint64_t *mask);
void lock_release(const uint64_t *mask);

/* The same for fork, which holds the lock so that the child never begins with a
 * page on the move. The mask is kept here: the child must have it too. */
void lock_take_for_fork(void);
void lock_release_after_fork(void);

/* In the child, where the holder does not exist any more. */
void lock_release_in_child(void);

bool lock_is_mine(void);

#endif
