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

static void take(void)
{
	uint32_t me = (uint32_t)sys_gettid();
	uint32_t seen = 0;

	if ((atomic_load_explicit(&word, memory_order_relaxed) & ~WAITERS) == me) {
		depth++;
		return;
	}
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

void lock_take(uint64_t *mask)
{
	block_signals(mask);
	take();
}

void lock_release(const uint64_t *mask)
{
	release();
	sys_sigprocmask(SIG_SETMASK, mask, NULL);
}

/* Of the outermost holder: a fork handler of the host's may fork, in a way. */
static uint64_t fork_mask;

void lock_take_for_fork(void)
{
	uint64_t mask;

	lock_take(&mask);
	if (depth == 0)
		fork_mask = mask;
}

void lock_release_after_fork(void)
{
	uint64_t mask = fork_mask;
	bool outermost = depth == 0;

	release();
	if (outermost)
		sys_sigprocmask(SIG_SETMASK, &mask, NULL);
}

void lock_release_in_child(void)
{
	uint64_t mask = fork_mask;

	depth = 0;
	atomic_store(&word, 0);
	sys_sigprocmask(SIG_SETMASK, &mask, NULL);
}

bool lock_is_mine(void)
{
	uint32_t holder = atomic_load(&word) & ~WAITERS;

	return holder != 0 && holder == (uint32_t)sys_gettid();
}
