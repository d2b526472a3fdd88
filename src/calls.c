/* calls.c: what jitmend minds, by the system call's number. See calls.h. */
#include "calls.h"

#include <errno.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>

#include "closing.h"
#include "descriptors.h"
#include "engine.h"
#include "journal.h"
#include "memory.h"
#include "signals.h"
#include "sys.h"

long calls_pass(const struct system_call *call)
{
	const long *a = call->arguments;

	return SYS_CALL(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* Where nobody copies, pointers are believed: what is not copied would not reach the kernel,
 * or reach it as it stands. */
bool calls_copy_in(void *to, long from, size_t length)
{
	return sys_copy_memory(sys_getpid(), to, (uintptr_t)from, length) == (long)length;
}

long calls_copy_out(long to, const void *from, size_t length)
{
	long copied;

	engine_will_write((uintptr_t)to, length);
	copied = sys_write_memory(sys_getpid(), (uintptr_t)to, from, length);
	if (copied == (long)length)
		return 0;
	if (!sys_failed(copied) || copied == -EFAULT)
		return -EFAULT;
	memcpy((void *)to, from, length);
	return 0;
}

static bool is_touched(const struct system_call *call, uintptr_t address, size_t length)
{
	return call->touched && page_down(address) == call->touched &&
	       page_down(address + length - 1) == call->touched;
}

bool calls_read(const struct system_call *call, void *to, long from, size_t length)
{
	if (!is_touched(call, (uintptr_t)from, length))
		return calls_copy_in(to, from, length);
	memcpy(to, (const void *)from, length);
	return true;
}

long calls_write(const struct system_call *call, long to, const void *from, size_t length)
{
	if (!is_touched(call, (uintptr_t)to, length))
		return calls_copy_out(to, from, length);
	memcpy((void *)to, from, length);
	return 0;
}

/* ----------------------------------------------------------------- memory */

/* A has the arguments, the last of them in units of UNIT bytes. */
static long call_mmap(const struct system_call *call, const long *a, int64_t unit)
{
	int64_t offset = unit == 1 ? a[5] : (int64_t)(unsigned long)a[5] * unit;
	struct request request = request_mmap((uintptr_t)a[0], (size_t)a[1], (int)a[2], (int)a[3],
					      (int)a[4], offset, call->call_site);

	return engine_mmap(&request);
}

#ifdef SYS_mmap2
/* i386's first: its arguments are in memory. */
static long call_old_mmap(const struct system_call *call)
{
	long a[6];

	return calls_copy_in(a, call->arguments[0], sizeof a) ? call_mmap(call, a, 1) : -EFAULT;
}
#endif

static long call_mprotect(const struct system_call *call, int pkey)
{
	const long *a = call->arguments;
	struct request request = request_mprotect((uintptr_t)a[0], (size_t)a[1], (int)a[2], pkey,
						  call->call_site);

	request.by_loader = call->by_loader;
	return engine_mprotect(&request);
}

static long call_shmat(const struct system_call *call)
{
	const long *a = call->arguments;
	struct request request = request_shmat((int)a[0], (uintptr_t)a[1], (int)a[2],
					       call->call_site);

	return engine_shmat(&request);
}

#ifdef SYS_ipc
/* All of System V's by one number. The address goes to where the fourth argument says. */
static long call_ipc(const struct system_call *call)
{
	const long *a = call->arguments;
	struct request request = request_shmat((int)a[1], (uintptr_t)a[4], (int)a[2],
					       call->call_site);
	long result = engine_shmat(&request);

	return sys_failed(result) ? result : calls_copy_out(a[3], &result, sizeof result);
}
#endif

/* ---------------------------------------------------------------- signals */

/* What the kernel would make of a mask. */
static long change_mask(uint64_t *mask, int how, uint64_t set)
{
	set &= ~(sys_signal_bit(SIGKILL) | sys_signal_bit(SIGSTOP));
	switch (how) {
	case SIG_BLOCK:
		*mask |= set;
		return 0;
	case SIG_UNBLOCK:
		*mask &= ~set;
		return 0;
	case SIG_SETMASK:
		*mask = set;
		return 0;
	default:
		return -EINVAL;
	}
}

static long change(const struct system_call *call, const uint64_t *set, uint64_t *old)
{
	int how = (int)call->arguments[0];

	if (!call->mask)
		return sys_sigprocmask(how, set, old);
	*old = *call->mask;
	return set ? change_mask(call->mask, how, *set) : 0;
}

/* The kernel's own structures, as programs that go round libc have them. */
static long call_sigprocmask(const struct system_call *call)
{
	const long *a = call->arguments;
	uint64_t set = 0, old = 0;
	long result;

	/* What the kernel refuses it is to refuse itself. */
	if (a[3] != sizeof set || !signals_guarded() || (a[1] && !calls_read(call, &set, a[1], sizeof set)))
		return calls_pass(call);
	if (a[1])
		set = signals_change_to_kernel((int)a[0], set);
	result = change(call, a[1] ? &set : NULL, &old);
	old = signals_to_host(old);
	if (!sys_failed(result) && a[2])
		result = calls_write(call, a[2], &old, sizeof old);
	return result;
}

static struct sigaction libc_action(const struct sys_sigaction *kernel)
{
	struct sigaction action = { .sa_flags = (int)kernel->flags };

	action.sa_handler = (void (*)(int))kernel->handler;
	memcpy(&action.sa_mask, &kernel->mask, sizeof kernel->mask);
	return action;
}

static void kept_action(int signal, const struct sys_sigaction *to, struct sys_sigaction *old)
{
	struct sigaction action, before;

	if (to)
		action = libc_action(to);
	signals_host_action(signal, to ? &action : NULL, &before);
	*old = (struct sys_sigaction){
		.handler = (void *)before.sa_handler,
		.flags = (unsigned long)before.sa_flags,
		.restorer = (void *)before.sa_restorer,
	};
	memcpy(&old->mask, &before.sa_mask, sizeof old->mask);
}

static long call_sigaction(const struct system_call *call)
{
	const long *a = call->arguments;
	struct sys_sigaction kernel = { 0 }, old = { 0 }, *to = a[1] ? &kernel : NULL;
	long result = 0;

	if (a[3] != sizeof(uint64_t) || !signals_guarded() ||
	    (to && !calls_read(call, &kernel, a[1], sizeof kernel)))
		return calls_pass(call);
	if (a[0] == SIGSEGV || a[0] == SIGNAL_STAND_IN) {
		kept_action((int)a[0], to, &old);
	} else {
		if (to)
			kernel.mask = signals_to_kernel(kernel.mask);
		result = sys_sigaction((int)a[0], to, &old);
		old.mask = signals_to_host(old.mask);
	}
	if (!sys_failed(result) && a[2])
		result = calls_write(call, a[2], &old, sizeof old);
	return result;
}

/* ------------------------------------------------------------------ forks */

bool calls_is_plain_fork(const struct system_call *call)
{
	const long *a = call->arguments;

	if (call->number == SYS_clone)
		return !(a[0] & CLONE_VM) && a[1] == 0;
#ifdef SYS_fork
	if (call->number == SYS_fork)
		return true;
#endif
	if (call->number == SYS_clone3) {
		struct clone_args args;

		return (size_t)a[1] >= sizeof args && calls_copy_in(&args, a[0], sizeof args) &&
		       !(args.flags & CLONE_VM) && args.stack == 0;
	}
	return false;
}

/* -------------------------------------------------------------- by number */

bool calls_settle(const struct system_call *call, long *result)
{
	const long *a = call->arguments;

	switch (call->number) {
#ifdef SYS_mmap2
	case SYS_mmap:
		return *result = call_old_mmap(call), true;
	case SYS_mmap2:
		return *result = call_mmap(call, a, 4096), true;
#else
	case SYS_mmap:
		return *result = call_mmap(call, a, 1), true;
#endif
#ifdef SYS_ipc
	case SYS_ipc: /* of the version that libc has had since 1996 */
		if (a[0] != ARCH_IPC_SHMAT)
			return false;
		return *result = call_ipc(call), true;
#endif
	case SYS_mprotect:
		return *result = call_mprotect(call, -1), true;
	case SYS_pkey_mprotect:
		return *result = call_mprotect(call, (int)a[3]), true;
	case SYS_shmat:
		return *result = call_shmat(call), true;
	case SYS_munmap:
		return *result = engine_munmap((uintptr_t)a[0], (size_t)a[1]), true;
	case SYS_brk:
		return *result = (long)engine_brk((uintptr_t)a[0]), true;
	case SYS_mremap:
		return *result = engine_mremap((uintptr_t)a[0], (size_t)a[1], (size_t)a[2],
					       (int)a[3], (uintptr_t)a[4]), true;
	case SYS_madvise:
		return *result = engine_madvise((uintptr_t)a[0], (size_t)a[1], (int)a[2]), true;
	case SYS_mlock:
	case SYS_mlock2:
	case SYS_mlockall:
	case SYS_munlock:
	case SYS_munlockall:
		return *result = engine_lock(call->number, a[0], a[1], a[2]), true;
	case SYS_personality:
		return *result = engine_personality((unsigned long)a[0]), true;
	case SYS_rt_sigprocmask:
		return *result = call_sigprocmask(call), true;
	case SYS_rt_sigaction:
		return *result = call_sigaction(call), true;
	case SYS_close:
		return *result = closing_close((int)a[0]), true;
	case SYS_fcntl:
	case SYS_fstat:
#ifdef SYS_fcntl64
	case SYS_fcntl64:
	case SYS_fstat64:
#endif
		if (!descriptors_is_ours((int)a[0]))
			return false;
		return *result = -EBADF, true;
	case SYS_close_range:
		return *result = closing_range((unsigned)a[0], (unsigned)a[1], (unsigned)a[2]), true;
#ifdef SYS_dup2
	case SYS_dup2:
		return *result = closing_dup2((int)a[0], (int)a[1]), true;
#endif
	case SYS_dup3:
		return *result = closing_dup3((int)a[0], (int)a[1], (int)a[2]), true;
	case SYS_seccomp:
		if (a[0] == SECCOMP_SET_MODE_FILTER)
			engine_before_filter((uintptr_t)a[2]);
		return false;
	case SYS_prctl:
		if (a[0] == PR_SET_SECCOMP && a[1] == SECCOMP_MODE_FILTER)
			engine_before_filter((uintptr_t)a[2]);
		return false;
	case SYS_chroot:
	case SYS_pivot_root:
	case SYS_mount:
	case SYS_move_mount:
	case SYS_setns:
		engine_before_confinement();
		return false;
	case SYS_umount2:
#ifdef SYS_umount
	case SYS_umount:
#endif
		engine_before_unmount();
		return false;
	case SYS_exit_group:
		journal_end();
		return false;
	default:
		return false;
	}
}
