/* lock.h: the one lock of the engine, held while mappings that the page table
 * knows are changed.
 *
 * A holder has its signals blocked, so that no handler of the host's runs on top
 * of a half-made change, or leaves it by siglongjmp; SIGSEGV stays open, and
 * SIGSYS, which a filter of the host's may raise. It is recursive: what a holder
 * calls may take it again.
 *
 * The fault handler takes it too, so nobody may hold it while waiting for
 * anything but the kernel. A fork does not: libc takes its own locks between the
 * fork handlers and the fork, which a faulting thread may hold. So a child can
 * begin while another thread, that it has not, held the lock.
 *
 * Async-signal-safe. */
#ifndef JITMEND_LOCK_H
#define JITMEND_LOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Blocks the thread's signals, then takes the lock; *MASK is for the way back. */
void lock_take(uint64_t *mask);
void lock_release(const uint64_t *mask);

/* The same with signals blocked already, as they are in the fault handler. */
void lock_take_blocked(void);
void lock_release_blocked(void);

/* The same, unless this thread holds it: then false, and nothing is done. */
bool lock_take_once(void);

/* In the child of a fork: whoever held it does not exist there. */
void lock_in_child(void);

/* The way back from lock_take where the lock itself was let go. */
void lock_restore_signals(const uint64_t *mask);

bool lock_is_mine(void);

/* For who holds it: the thread's id. */
int lock_holder(void);

#endif
