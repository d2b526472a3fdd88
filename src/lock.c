/* lock.c: a recursive futex lock owned by a thread id. See lock.h.
 *
 * The word is 0 when free, else the holder's thread id, with the top bit set
 * when somebody waits. */
#include "lock.h"

#include <signal.h>
#include <stdatomic.h>

#include "sys.h"

#define WAITERS 0x80000000u

static _Atomic uint32_t word;
static unsigned depth; /* only the holder touches it */

static bool is_held_by(uint32_t me)
{
	return (atomic_load_explicit(&word, memory_order_relaxed) & ~WAITERS) == me;
}

static void take_as(uint32_t me)
{
	uint32_t seen = 0;

	if (atomic_compare_exchange_strong(&word, &seen, me))
		return;
	/* Whoever had to wait takes it as contended: it cannot know who else does. */
	for (;;) {
		seen = atomic_load(&word);
		if (seen == 0) {
			if (atomic_compare_exchange_strong(&word, &seen, me | WAITERS))
				return;
			continue;
		}
		if (!(seen & WAITERS) &&
		    !atomic_compare_exchange_strong(&word, &seen, seen | WAITERS))
			continue;
		sys_futex_wait(&word, seen | WAITERS);
	}
}

static void take(void)
{
	uint32_t me = (uint32_t)sys_gettid();

	if (is_held_by(me))
		depth++;
	else
		take_as(me);
}

static void release(void)
{
	if (depth) {
		depth--;
		return;
	}
	if (atomic_exchange(&word, 0) & WAITERS)
		sys_futex_wake(&word, 1);
}

static void block_signals(uint64_t *mask)
{
	uint64_t most = ~(sys_signal_bit(SIGSEGV) | sys_signal_bit(SIGSYS));

	sys_sigprocmask(SIG_BLOCK, &most, mask);
}

void lock_restore_signals(const uint64_t *mask)
{
	sys_sigprocmask(SIG_SETMASK, mask, NULL);
}

void lock_take(uint64_t *mask)
{
	block_signals(mask);
	take();
}

void lock_release(const uint64_t *mask)
{
	release();
	lock_restore_signals(mask);
}

void lock_take_blocked(void)
{
	take();
}

bool lock_take_once(void)
{
	uint32_t me = (uint32_t)sys_gettid();

	if (is_held_by(me))
		return false;
	take_as(me);
	return true;
}

void lock_release_blocked(void)
{
	release();
}

void lock_in_child(void)
{
	depth = 0;
	atomic_store(&word, 0);
}

bool lock_is_mine(void)
{
	uint32_t holder = atomic_load(&word) & ~WAITERS;

	return holder != 0 && holder == (uint32_t)sys_gettid();
}

int lock_holder(void)
{
	return (int)(atomic_load_explicit(&word, memory_order_relaxed) & ~WAITERS);
}
