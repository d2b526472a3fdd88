/* hook/signal.c: what a host sets signals to do. Rules: hook/hook.h.
 *
 * SIGSEGV goes to signals.h. For every other signal only the set that is
 * blocked during its handler concerns us: SIGSEGV must not be in it. */
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "../memory.h"
#include "../signals.h"
#include "../start.h"
#include "hook.h"
#include "next.h"

/* Asked first in every hook here. */
static bool is_kept_apart(int signal)
{
	start_engine();
	next_ensure();
	return signals_guarded() && (signal == SIGSEGV || signal == SIGNAL_STAND_IN);
}

/* Before there is a next definition. libc's own signals are not the host's. */
static int early_sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
	struct sys_sigaction kernel, before;
	long result;

	if (signal == 32 || signal == 33)
		return (int)hook_answer(-EINVAL);
	if (action) {
		kernel.handler = (void *)action->sa_handler;
		kernel.flags = (unsigned long)action->sa_flags | ARCH_SA_RESTORER;
		kernel.restorer = (void *)arch_restore_rt;
		memcpy(&kernel.mask, &action->sa_mask, sizeof kernel.mask);
	}
	result = sys_sigaction(signal, action ? &kernel : NULL, &before);
	if (!sys_failed(result) && old) {
		memset(old, 0, sizeof *old);
		old->sa_handler = (void (*)(int))before.handler;
		old->sa_flags = (int)before.flags;
		memcpy(&old->sa_mask, &before.mask, sizeof before.mask);
	}
	return (int)hook_answer(result);
}

static int next_sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
	return next.sigaction ? next.sigaction(signal, action, old)
			      : early_sigaction(signal, action, old);
}

HOOK int sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
	struct sigaction kernel;
	int result;

	if (is_kept_apart(signal)) {
		signals_host_action(signal, action, old);
		return 0;
	}
	if (action) {
		kernel = *action;
		kernel.sa_mask = signals_set_to_kernel(&action->sa_mask);
	}
	result = next_sigaction(signal, action ? &kernel : NULL, old);
	if (result == 0 && old)
		signals_set_to_host(&old->sa_mask);
	return result;
}

HOOK_ALIAS(__sigaction, sigaction);

typedef void (*handler)(int);

/* glibc still has it, and declares it for old standards alone. */
handler bsd_signal(int signal, handler to);

/* SIGNAL alone, by nobody's function: each that is called is looked up at the start. */
static sigset_t set_of(int signal)
{
	uint64_t word = 1ULL << ((unsigned)(signal - 1) & 63);
	sigset_t set;

	memset(&set, 0, sizeof set);
	memcpy(&set, &word, sizeof word);
	return set;
}

/* What the older calls amount to, each with the flags that its page names. */
static handler set_handler(int signal, handler to, int flags, bool block_itself)
{
	struct sigaction action = { .sa_handler = to, .sa_flags = flags }, old;

	if (block_itself)
		action.sa_mask = set_of(signal);
	signals_host_action(signal, &action, &old);
	return old.sa_handler;
}

/* What siginterrupt(3) said of SIGSEGV, for the next signal(). */
static atomic_bool segv_interrupts;

HOOK handler signal(int signal, handler to)
{
	if (to == SIG_ERR)
		return errno = EINVAL, SIG_ERR;
	if (is_kept_apart(signal))
		return set_handler(signal, to, atomic_load(&segv_interrupts) ? 0 : SA_RESTART, true);
	if (next.signal)
		return next.signal(signal, to);

	struct sigaction action = { .sa_handler = to, .sa_flags = SA_RESTART }, old;

	action.sa_mask = set_of(signal);
	return early_sigaction(signal, &action, &old) ? SIG_ERR : old.sa_handler;
}

HOOK_ALIAS(bsd_signal, signal);
HOOK_ALIAS(ssignal, signal);

HOOK int siginterrupt(int signal, int interrupts)
{
	struct sigaction action;

	if (!is_kept_apart(signal))
		return next.siginterrupt ? next.siginterrupt(signal, interrupts)
					 : (errno = ENOSYS, -1);
	atomic_store(&segv_interrupts, interrupts != 0);
	signals_host_action(signal, NULL, &action);
	if (interrupts)
		action.sa_flags &= ~SA_RESTART;
	else
		action.sa_flags |= SA_RESTART;
	signals_host_action(signal, &action, NULL);
	return 0;
}

HOOK handler __sysv_signal(int signal, handler to)
{
	struct sigaction action = { .sa_handler = to, .sa_flags = (int)(SA_RESETHAND | SA_NODEFER) };
	struct sigaction old;

	if (to == SIG_ERR)
		return errno = EINVAL, SIG_ERR;
	if (is_kept_apart(signal))
		return set_handler(signal, to, action.sa_flags, false);
	if (next.sysv_signal)
		return next.sysv_signal(signal, to);
	return early_sigaction(signal, &action, &old) ? SIG_ERR : old.sa_handler;
}

HOOK_ALIAS(sysv_signal, __sysv_signal);

static int change_own(int how, int signal)
{
	sigset_t set = set_of(signal);

	return sigprocmask(how, &set, NULL);
}

/* sigset(3): also blocks with SIG_HOLD, unblocks otherwise, and answers
 * SIG_HOLD where the signal was blocked. */
HOOK handler sigset(int signal, handler to)
{
	sigset_t before;
	struct sigaction old;
	uint64_t word;
	handler was;

	if (!is_kept_apart(signal))
		return next.sigset ? next.sigset(signal, to) : (errno = ENOSYS, SIG_ERR);
	if (to == SIG_ERR)
		return errno = EINVAL, SIG_ERR;
	sigprocmask(SIG_BLOCK, NULL, &before);
	if (to == SIG_HOLD) {
		signals_host_action(signal, NULL, &old);
		was = old.sa_handler;
		change_own(SIG_BLOCK, signal);
	} else {
		was = set_handler(signal, to, 0, false);
		change_own(SIG_UNBLOCK, signal);
	}
	memcpy(&word, &before, sizeof word);
	return word & sys_signal_bit(signal) ? SIG_HOLD : was;
}

HOOK int sighold(int signal)
{
	if (is_kept_apart(signal) || !next.sighold)
		return change_own(SIG_BLOCK, signal);
	return next.sighold(signal);
}

HOOK int sigrelse(int signal)
{
	if (is_kept_apart(signal) || !next.sigrelse)
		return change_own(SIG_UNBLOCK, signal);
	return next.sigrelse(signal);
}

HOOK int sigignore(int signal)
{
	if (!is_kept_apart(signal))
		return next.sigignore ? next.sigignore(signal) : (errno = ENOSYS, -1);
	set_handler(signal, SIG_IGN, 0, false);
	return 0;
}
