/* hook/syscall.c: libc's syscall(), for the calls that the other hooks know.
 * Everything else is passed on untouched. Rules: hook/hook.h.
 *
 * Some programs map their memory so (SBCL), some set their signals so. */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>

#include "../descriptors.h"
#include "../engine.h"
#include "../journal.h"
#include "../memory.h"
#include "../signals.h"
#include "../start.h"
#include "descriptor.h"
#include "fork.h"
#include "hook.h"
#include "written.h"

struct arguments {
	long a, b, c, d, e, f;
};

static long pass(long number, const struct arguments *x)
{
	return SYS_CALL(number, x->a, x->b, x->c, x->d, x->e, x->f);
}

/* What may have the kernel write to code pages. */
static long pass_written(long number, const struct arguments *x)
{
	const long list[] = { x->a, x->b, x->c, x->d, x->e, x->f };

	return written_syscall(number, list);
}

static long call_mmap(const struct arguments *x, uintptr_t call_site)
{
	struct request request = request_mmap((uintptr_t)x->a, (size_t)x->b, (int)x->c, (int)x->d,
					      (int)x->e, x->f, call_site);

	return engine_mmap(&request);
}

static long call_mprotect(const struct arguments *x, int pkey, uintptr_t call_site)
{
	struct request request = request_mprotect((uintptr_t)x->a, (size_t)x->b, (int)x->c, pkey,
						  call_site);

	return engine_mprotect(&request);
}

static long call_shmat(const struct arguments *x, uintptr_t call_site)
{
	struct request request = request_shmat((int)x->a, (uintptr_t)x->b, (int)x->c, call_site);

	return engine_shmat(&request);
}

/* What the host points to, which may be nowhere: some programs ask so whether an
 * address can be read. Where it cannot, the kernel has the answer. */
static bool copy_in(void *to, long from, size_t length)
{
	return sys_read_memory(sys_getpid(), to, (uintptr_t)from, length) == (long)length;
}

/* The kernel's own structures, as programs that go round libc have them. */
static long call_sigprocmask(const struct arguments *x)
{
	uint64_t *old = (uint64_t *)x->c;
	uint64_t set;
	long result;

	if (x->d != sizeof set || !signals_guarded() || (x->b && !copy_in(&set, x->b, sizeof set)))
		return pass(SYS_rt_sigprocmask, x);
	if (x->b)
		set = signals_change_to_kernel((int)x->a, set);
	result = sys_sigprocmask((int)x->a, x->b ? &set : NULL, old);
	if (!sys_failed(result) && old)
		*old = signals_to_host(*old);
	return result;
}

static struct sigaction libc_action(const struct sys_sigaction *kernel)
{
	struct sigaction action = { .sa_flags = (int)kernel->flags };

	action.sa_handler = (void (*)(int))kernel->handler;
	memcpy(&action.sa_mask, &kernel->mask, sizeof kernel->mask);
	return action;
}

static long call_sigaction(const struct arguments *x)
{
	struct sys_sigaction *old = (struct sys_sigaction *)x->c;
	struct sys_sigaction kernel, *to = x->b ? &kernel : NULL;
	long result;

	if (x->d != sizeof(uint64_t) || !signals_guarded() ||
	    (to && !copy_in(&kernel, x->b, sizeof kernel)))
		return pass(SYS_rt_sigaction, x);
	if (x->a == SIGSEGV || x->a == SIGNAL_STAND_IN) {
		struct sigaction action, before;

		if (to)
			action = libc_action(to);
		signals_host_action((int)x->a, to ? &action : NULL, &before);
		if (old)
			*old = (struct sys_sigaction){
				.handler = (void *)before.sa_handler,
				.flags = (unsigned long)before.sa_flags,
				.restorer = (void *)before.sa_restorer,
				.mask = *(const uint64_t *)&before.sa_mask,
			};
		return 0;
	}
	if (to)
		kernel.mask = signals_to_kernel(kernel.mask);
	result = sys_sigaction((int)x->a, to, old);
	if (!sys_failed(result) && old)
		old->mask = signals_to_host(old->mask);
	return result;
}

/* A child with memory of its own, on the stack of its parent. */
static bool is_plain_fork(long number, const struct arguments *x)
{
	if (number == SYS_clone)
		return !(x->a & CLONE_VM) && x->b == 0;
#ifdef SYS_fork
	if (number == SYS_fork)
		return true;
#endif
	if (number == SYS_clone3) {
		struct clone_args args;

		return (size_t)x->b >= sizeof args && copy_in(&args, x->a, sizeof args) &&
		       !(args.flags & CLONE_VM) && args.stack == 0;
	}
	return false;
}

static long dispatch(long number, const struct arguments *x, uintptr_t call_site)
{
	switch (number) {
	case SYS_mmap:
		return call_mmap(x, call_site);
	case SYS_mprotect:
		return call_mprotect(x, -1, call_site);
	case SYS_pkey_mprotect:
		return call_mprotect(x, (int)x->d, call_site);
	case SYS_shmat:
		return call_shmat(x, call_site);
	case SYS_munmap:
		return engine_munmap((uintptr_t)x->a, (size_t)x->b);
	case SYS_mremap:
		return engine_mremap((uintptr_t)x->a, (size_t)x->b, (size_t)x->c, (int)x->d,
				     (uintptr_t)x->e);
	case SYS_madvise:
		return engine_madvise((uintptr_t)x->a, (size_t)x->b, (int)x->c);
	case SYS_mlock:
	case SYS_mlock2:
	case SYS_mlockall:
		return engine_lock(number, x->a, x->b, x->c);
	case SYS_personality:
		return engine_personality((unsigned long)x->a);
	case SYS_rt_sigprocmask:
		return call_sigprocmask(x);
	case SYS_rt_sigaction:
		return call_sigaction(x);
	case SYS_close:
		return hook_close_by_syscall((int)x->a);
	case SYS_fstat:
		if (descriptors_is_ours((int)x->a))
			return -EBADF;
		break;
	case SYS_close_range:
		return hook_close_range_by_syscall((unsigned)x->a, (unsigned)x->b, (unsigned)x->c);
#ifdef SYS_dup2
	case SYS_dup2:
		return hook_dup2_by_syscall((int)x->a, (int)x->b);
#endif
	case SYS_dup3:
		return hook_dup3_by_syscall((int)x->a, (int)x->b, (int)x->c);
	case SYS_exit_group:
		journal_end();
		break;
	default:
		break;
	}
	if (is_plain_fork(number, x))
		return hook_fork_by_syscall(number, x->a, x->b, x->c, x->d, x->e);
	return pass_written(number, x);
}

HOOK long syscall(long number, ...)
{
	struct arguments x;
	va_list list;

	va_start(list, number);
	x.a = va_arg(list, long);
	x.b = va_arg(list, long);
	x.c = va_arg(list, long);
	x.d = va_arg(list, long);
	x.e = va_arg(list, long);
	x.f = va_arg(list, long);
	va_end(list);
	start_engine();
	return hook_answer(dispatch(number, &x, HOOK_CALL_SITE));
}
