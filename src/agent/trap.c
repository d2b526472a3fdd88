/* trap.c: the handler of SIGSYS. See trap.h. */
#include "trap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/personality.h>
#include <ucontext.h>

#include "../calls.h"
#include "../descriptors.h"
#include "../engine.h"
#include "../journal.h"
#include "../lock.h"
#include "../memory.h"
#include "../signals.h"
#include "../sys.h"
#include "../writes.h"
#include "become.h"
#include "filter.h"

#define SIGSYS_BIT (1ULL << (SIGSYS - 1))

#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1 /* asm-generic/siginfo.h */
#endif

/* What the program set for SIGSYS. Written whole, by one thread in its right mind. */
static struct sys_sigaction hosts_action;

/* ------------------------------------------------------------------ forks */

static void in_child(const uint64_t *mask)
{
	descriptors_in_child();
	signals_in_child();
	journal_in_child();
	engine_in_child(mask); /* last: signals may come again */
}

/* The child goes on in this handler, on its own copy of the stack, and leaves it as
 * its parent does. A stack of its own it finds in the context. */
static long settle_fork(const struct system_call *call, ucontext_t *context)
{
	bool by_clone = call->number == SYS_clone;
	const long *a = call->arguments;
	uint64_t mask;
	long result;

	engine_before_fork(&mask);
	result = SYS_CALL(call->number, a[0], by_clone ? 0 : a[1], a[2], a[3], a[4], a[5]);
	if (result)
		return engine_after_fork(&mask), result;
	in_child(&mask);
	if (by_clone && a[1])
		arch_set_stack(context, (uintptr_t)a[1]);
	return 0;
}

/* ---------------------------------------------------------------- signals */

/* The action of SIGSYS is ours to keep. */
static long settle_own_action(const struct system_call *call)
{
	const long *a = call->arguments;
	struct sys_sigaction before = hosts_action, action;

	if (a[3] != sizeof(uint64_t))
		return -EINVAL;
	if (a[1] && !calls_copy_in(&action, a[1], sizeof action))
		return -EFAULT;
	if (a[1])
		hosts_action = action;
	return a[2] ? calls_copy_out(a[2], &before, sizeof before) : 0;
}

/* The set of a call that waits, where signals.h finds it again. */
static long wait_with(const struct system_call *call, int set_at, int size_at)
{
	struct system_call ours = *call;
	sigset_t set;
	uint64_t word;

	if (call->arguments[size_at] != sizeof word ||
	    !calls_read(call, &word, call->arguments[set_at], sizeof word))
		return calls_pass(call);
	memset(&set, 0, sizeof set);
	memcpy(&set, &word, sizeof word);
	set = signals_set_to_kernel(&set);
	ours.arguments[set_at] = (long)&set;
	return calls_pass(&ours);
}

/* pselect6 has set and size in a structure of their own. */
static long settle_pselect(const struct system_call *call)
{
	struct system_call ours = *call;
	struct {
		long set, size;
	} pair;
	sigset_t set;
	uint64_t word;

	if (!calls_read(call, &pair, call->arguments[5], sizeof pair) || !pair.set ||
	    pair.size != sizeof word || !calls_read(call, &word, pair.set, sizeof word))
		return calls_pass(call);
	memset(&set, 0, sizeof set);
	memcpy(&set, &word, sizeof word);
	set = signals_set_to_kernel(&set);
	pair.set = (long)&set;
	ours.arguments[5] = (long)&pair;
	return calls_pass(&ours);
}

static long settle_pending(const struct system_call *call)
{
	uint64_t set = 0;
	long result;

	if (call->arguments[1] != sizeof set)
		return calls_pass(call);
	result = SYS_CALL(SYS_rt_sigpending, &set, sizeof set, 0, 0, 0, 0);
	set = signals_to_host(set);
	return sys_failed(result) ? result : calls_write(call, call->arguments[0], &set, sizeof set);
}

/* The program waits for SIGSEGV; the stand-in is what comes. */
static long settle_timed_wait(const struct system_call *call)
{
	long result = wait_with(call, 0, 3);
	int words[2] = { SIGSEGV, 0 }; /* si_signo, si_errno */

	if (result != SIGNAL_STAND_IN || !signals_guarded())
		return result;
	if (call->arguments[1])
		calls_write(call, call->arguments[1], words, sizeof words);
	return SIGSEGV;
}

/* ------------------------------------------------------------ personality */

static long settle_personality(const struct system_call *call)
{
	unsigned long persona = (unsigned long)call->arguments[0];
	uint64_t mask;

	if (persona != CURRENT_PERSONALITY && persona & READ_IMPLIES_EXEC) {
		lock_take(&mask);
		if (!hostfilter_ends(HOSTFILTER_FILTER))
			filter_watch_mappings();
		lock_release(&mask);
	}
	return engine_personality(persona);
}

/* -------------------------------------------------------------- /proc/self */

/* The kernel has the agent there. */
static long settle_readlink(const struct system_call *call, long path_at)
{
	const long *a = call->arguments + path_at;
	const char *program = become_program();
	size_t length = string_length(program);
	char path[64];
	long read = sys_read_memory(sys_getpid(), path, (uintptr_t)a[0], sizeof path - 1);

	if (read <= 0)
		return calls_pass(call);
	path[read] = '\0';
	if (!become_is_own_exe(path) || a[2] <= 0)
		return calls_pass(call);
	if ((size_t)a[2] < length)
		length = (size_t)a[2];
	return calls_copy_out(a[1], program, length) ? -EFAULT : (long)length;
}

/* --------------------------------------------------------------- dispatch */

static long settle(const struct system_call *call, ucontext_t *context)
{
	const long *a = call->arguments;
	long result;

	switch (call->number) {
	case SYS_execve:
		return become(&(struct exec){ AT_FDCWD, a[0], a[1], a[2], 0 });
	case SYS_execveat:
		return become(&(struct exec){ (int)a[0], a[1], a[2], a[3], (int)a[4] });
	case SYS_fork:
	case SYS_clone:
		return settle_fork(call, context);
	case SYS_readlink:
		return settle_readlink(call, 0);
	case SYS_readlinkat:
		return settle_readlink(call, 1);
	case SYS_rt_sigsuspend:
		return wait_with(call, 0, 1);
	case SYS_ppoll:
		return wait_with(call, 3, 4);
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2:
		return wait_with(call, 4, 5);
	case SYS_pselect6:
		return settle_pselect(call);
	case SYS_rt_sigpending:
		return settle_pending(call);
	case SYS_rt_sigtimedwait:
		return settle_timed_wait(call);
	case SYS_personality:
		return settle_personality(call);
	case SYS_rt_sigaction:
		if (a[0] == SIGSYS)
			return settle_own_action(call);
		break;
	default:
		break;
	}
	return calls_settle(call, &result) ? result : writes_call(call->number, call->arguments);
}

/* ---------------------------------------------------------------- handler */

static bool is_trapped(const siginfo_t *info)
{
	return info->si_code == SYS_SECCOMP && info->si_errno == FILTER_MARK;
}

/* The default action, by the kernel's hand. */
static void die(siginfo_t *info)
{
	struct sys_sigaction action = { .handler = (void *)SIG_DFL };

	journal_end();
	sys_sigaction(SIGSYS, &action, NULL);
	sys_queue_to_thread(sys_getpid(), sys_gettid(), SIGSYS, info);
}

static void forward(siginfo_t *info, void *context)
{
	void *handler = hosts_action.handler;

	if (handler == (void *)SIG_IGN && info->si_code <= 0)
		return;
	if (handler == (void *)SIG_DFL || handler == (void *)SIG_IGN)
		die(info);
	else
		((void (*)(int, siginfo_t *, void *))handler)(SIGSYS, info, context);
}

static void on_signal(int signal, siginfo_t *info, void *where)
{
	ucontext_t *context = where;
	struct system_call call = { 0 };

	(void)signal;
	if (!is_trapped(info)) {
		forward(info, where);
		return;
	}
	call.number = info->si_syscall;
	for (int i = 0; i < 6; i++)
		call.arguments[i] = (long)arch_call_argument(context, i);
	call.call_site = arch_instruction(context);
	call.mask = (uint64_t *)&context->uc_sigmask;
	/* The program's stack goes on there, if the frame is on no other. */
	call.touched = page_down(arch_frame_end(context));
	arch_set_call_result(context, settle(&call, context));
}

void trap_begin(void)
{
	struct sys_sigaction action = {
		.handler = (void *)on_signal,
		.flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | ARCH_SA_RESTORER,
		.restorer = (void *)arch_restore_rt,
	};
	uint64_t bit = SIGSYS_BIT;

	signals_keep_open(bit);
	sys_sigaction(SIGSYS, &action, &hosts_action);
	/* Ignored is inherited; a handler is not. */
	sys_sigprocmask(SIG_UNBLOCK, &bit, NULL);
}
