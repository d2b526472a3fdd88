/* signals.c: one handler under the host's own. See signals.h.
 *
 * The handler runs at any instruction of the host's, on whatever stack the
 * host's own handler would have run on: it calls no libc and leaves errno alone.
 *
 * A fault is entered with every signal blocked, by the kernel and at no cost, but
 * for one: settling it may take the engine's lock and turn pages, and a handler
 * of the host's on top of that could leave by siglongjmp with the lock held, or
 * wait for itself. SIGSYS stays open because a filter of the host's may raise it.
 * A SIGSEGV that is sent meanwhile waits: many of them, each on top of the last,
 * would fill any stack. The handler touches nothing that is on the move, or the
 * fault would kill. What turns out to be the host's
 * gets the host's mask back before its handler runs: one system call, which a
 * fault of ours does not pay. */
#include "signals.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "backtrace.h"
#include "detour.h"
#include "fault.h"
#include "journal.h"
#include "lock.h"
#include "memory.h"
#include "fault-probe.h"
#include "sys.h"

/* si_errno of a SIGSEGV that was sent on as the stand-in; the kernel leaves the
 * field alone, and nobody else sets it. */
#define SENT_ON 0x6a6d

/* The flags that every kernel knows, and that we read ourselves. */
#define USUAL_FLAGS ((int)(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | \
			   SA_NODEFER | SA_RESETHAND | ARCH_SA_RESTORER))

#define SIGSEGV_BIT (1ULL << (SIGSEGV - 1))
#define STAND_IN_BIT (1ULL << (SIGNAL_STAND_IN - 1))
#define NEIGHBOUR_BIT (1ULL << (SIGNAL_STAND_IN - 2))

/* What the kernel blocks while a fault is looked at. */
#define ALL_BUT_SIGSYS (~(1ULL << (SIGSYS - 1)))

/* All signals are blocked while an action is written: a handler on the same
 * thread that wanted to read it would never end. The engine's lock keeps other
 * writers out, and a fork from leaving the child with half an action. */
static uint64_t hold_writers(void)
{
	uint64_t all = ~0ULL, mask = 0;

	sys_sigprocmask(SIG_SETMASK, &all, &mask);
	lock_take_blocked();
	return mask;
}

static void free_writers(uint64_t mask)
{
	lock_release_blocked();
	sys_sigprocmask(SIG_SETMASK, &mask, NULL);
}

/* What the host set, twice: one is in force while the other is written, so that the
 * child of a fork, in which a writer may not exist any more, finds one that is
 * whole. Which one: the lowest bit of the number of writes. */
struct host_action {
	atomic_uint writes;
	struct {
		_Atomic uintptr_t handler; /* SIG_DFL, SIG_IGN or a function */
		atomic_int flags;
		_Atomic uint64_t mask;     /* as the host gave it */
		_Atomic uintptr_t restorer;
	} copies[2];
};

struct action {
	uintptr_t handler;
	int flags;
	uint64_t mask;
	uintptr_t restorer;
};

static struct host_action host_segv, host_stand_in;
static atomic_bool guarded;
static atomic_int process; /* whose actions these are */

static void on_signal(int signal, siginfo_t *info, void *context);

/* ------------------------------------------------------------------- sets */

bool signals_guarded(void)
{
	return atomic_load_explicit(&guarded, memory_order_relaxed);
}

static uint64_t kept_open;

void signals_keep_open(uint64_t set)
{
	kept_open = set;
}

uint64_t signals_to_kernel(uint64_t set)
{
	set &= ~kept_open;
	if (!signals_guarded())
		return set;
	return (set & ~(SIGSEGV_BIT | STAND_IN_BIT)) | (set & SIGSEGV_BIT ? STAND_IN_BIT : 0);
}

/* The stand-in's own bit is not kept, nor are those of signals that are kept open.
 * They are shown as their neighbours' are, which is right for sets that were made by
 * filling; Valgrind looks whether its handlers' still are. */
uint64_t signals_to_host(uint64_t set)
{
	uint64_t host;

	if (set & kept_open >> 1)
		set |= kept_open;
	host = set & ~(SIGSEGV_BIT | STAND_IN_BIT);
	if (!signals_guarded() || !(set & STAND_IN_BIT))
		return set;
	return host | SIGSEGV_BIT | (set & NEIGHBOUR_BIT ? STAND_IN_BIT : 0);
}

uint64_t signals_change_to_kernel(int how, uint64_t set)
{
	uint64_t kernel = signals_to_kernel(set);

	return how == SIG_UNBLOCK ? kernel | (set & SIGSEGV_BIT) : kernel;
}

/* libc's set is 128 bytes, of which it, like the kernel, touches the first 8.
 * Behind them is room for a mark, by which a set of ours is known again. */
struct marked_set {
	uint64_t word, mark[2];
};

#define MARK 0x6a69746d656e6420ULL

static bool is_marked(const struct marked_set *marked)
{
	return marked->mark[0] == MARK && marked->mark[1] == ~MARK;
}

sigset_t signals_set_to_kernel(const sigset_t *set)
{
	struct marked_set marked = { .mark = { MARK, ~MARK } };
	sigset_t kernel;

	memset(&kernel, 0, sizeof kernel);
	memcpy(&marked.word, set, sizeof marked.word);
	marked.word = signals_to_kernel(marked.word);
	memcpy(&kernel, &marked, sizeof marked);
	return kernel;
}

void signals_set_to_host(sigset_t *set)
{
	struct marked_set marked;

	memcpy(&marked, set, sizeof marked);
	marked.word = signals_to_host(marked.word);
	if (is_marked(&marked))
		marked.mark[0] = marked.mark[1] = 0;
	memcpy(set, &marked, sizeof marked);
}

/* ---------------------------------------------------------------- actions */

static struct host_action *host_action_of(int signal)
{
	return signal == SIGSEGV ? &host_segv : &host_stand_in;
}

static struct action read_action(struct host_action *host)
{
	for (;;) {
		unsigned writes = atomic_load(&host->writes), now = writes % 2;
		struct action action = {
			.handler = atomic_load(&host->copies[now].handler),
			.flags = atomic_load(&host->copies[now].flags),
			.mask = atomic_load(&host->copies[now].mask),
			.restorer = atomic_load(&host->copies[now].restorer),
		};

		if (atomic_load(&host->writes) == writes)
			return action;
	}
}

static uintptr_t handler_of(struct host_action *host)
{
	return read_action(host).handler;
}

/* Between hold_writers and free_writers. */
static void write_action(struct host_action *host, const struct action *action)
{
	unsigned next = (atomic_load(&host->writes) + 1) % 2;

	atomic_store(&host->copies[next].handler, action->handler);
	atomic_store(&host->copies[next].flags, action->flags);
	atomic_store(&host->copies[next].mask, action->mask);
	atomic_store(&host->copies[next].restorer, action->restorer);
	atomic_fetch_add(&host->writes, 1);
}

static bool has_handler(const struct action *host)
{
	return host->handler != (uintptr_t)SIG_DFL && host->handler != (uintptr_t)SIG_IGN;
}

/* What the kernel would block during the host's handler, with the stand-in in
 * SIGSEGV's place: that itself stays open, for pages that the handler touches. */
static uint64_t blocked_during(const struct action *host)
{
	uint64_t mask = signals_to_kernel(host->mask);

	return host->flags & SA_NODEFER ? mask : mask | STAND_IN_BIT;
}

/* Our handler as the host's flags want it: on the same stack, with the same calls
 * restarted. What comes as the stand-in is never ours, so the kernel blocks for it
 * what the host wants blocked; a fault has everything blocked at first. */
static struct sys_sigaction kernel_action(int signal, const struct action *host)
{
	bool handled = has_handler(host);
	int kept = handled ? host->flags & (SA_ONSTACK | SA_RESTART) : SA_ONSTACK | SA_RESTART;
	int unusual = host->flags & ~USUAL_FLAGS;
	uint64_t mask = ALL_BUT_SIGSYS;

	if (signal == SIGNAL_STAND_IN)
		mask = STAND_IN_BIT | (handled ? blocked_during(host) : 0);
	return (struct sys_sigaction){
		.handler = (void *)on_signal,
		.flags = (unsigned long)(kept | unusual | SA_SIGINFO | SA_NODEFER | ARCH_SA_RESTORER),
		.restorer = (void *)arch_restore_rt,
		.mask = mask,
	};
}

static bool install(int signal)
{
	/* The stand-in brings SIGSEGVs that were kept waiting: their action counts. */
	struct action host = read_action(&host_segv);
	struct sys_sigaction action = kernel_action(signal, &host);

	return !sys_failed(sys_sigaction(signal, &action, NULL));
}

static struct action from_kernel(const struct sys_sigaction *kernel)
{
	return (struct action){
		.handler = (uintptr_t)kernel->handler,
		.flags = (int)kernel->flags,
		.mask = kernel->mask,
		.restorer = (uintptr_t)kernel->restorer,
	};
}

static bool is_ours(const struct sys_sigaction *kernel)
{
	return kernel->handler == (void *)on_signal;
}

static void set_in_kernel(int signal, const struct action *action)
{
	struct sys_sigaction kernel = {
		.handler = (void *)action->handler,
		.flags = (unsigned long)action->flags | ARCH_SA_RESTORER,
		.restorer = (void *)arch_restore_rt,
		.mask = action->mask,
	};

	sys_sigaction(signal, &kernel, NULL);
}

/* The action in the kernel becomes the host's, ours takes its place. Between
 * hold_writers and free_writers. */
static bool take_over(int signal)
{
	struct sys_sigaction kernel;
	struct action host;

	if (sys_failed(sys_sigaction(signal, NULL, &kernel)))
		return false;
	if (is_ours(&kernel))
		return true;
	host = from_kernel(&kernel);
	write_action(host_action_of(signal), &host);
	return install(signal);
}

/* One without the other is no use. */
static void give_back(int signal)
{
	struct sys_sigaction kernel;
	struct action host = read_action(host_action_of(signal));

	if (!sys_failed(sys_sigaction(signal, NULL, &kernel)) && is_ours(&kernel))
		set_in_kernel(signal, &host);
}

/* A child of vfork runs on its parent's memory, with actions of its own. */
static bool on_parents_memory(void)
{
	return atomic_load(&process) != sys_getpid();
}

void signals_in_child(void)
{
	atomic_store(&process, sys_getpid());
}

bool signals_guard(void)
{
	struct sys_sigaction kernel;
	uint64_t mask;
	bool guards;

	if (!signals_guarded() || sys_failed(sys_sigaction(SIGSEGV, NULL, &kernel)))
		return false;
	if (is_ours(&kernel))
		return true;
	if (on_parents_memory())
		return false;
	mask = hold_writers();
	guards = take_over(SIGSEGV);
	free_writers(mask);
	return guards;
}

/* A mask that came over exec has SIGSEGV itself where the program before had it
 * blocked; or the stand-in alone, by a way that we have no hook for (system). */
static uint64_t inherited_mask(uint64_t mask)
{
	if ((mask & (STAND_IN_BIT | NEIGHBOUR_BIT | SIGSEGV_BIT)) == STAND_IN_BIT)
		return mask;
	return signals_to_kernel(mask);
}

void signals_begin(void)
{
	uint64_t mask;

	signals_in_child();
	mask = hold_writers();
	if (take_over(SIGSEGV) && take_over(SIGNAL_STAND_IN)) {
		atomic_store(&guarded, true);
		mask = inherited_mask(mask);
	} else {
		give_back(SIGSEGV);
	}
	free_writers(mask);
}

void signals_end(void)
{
	uint64_t mask;

	if (!signals_guarded())
		return;
	mask = hold_writers();
	mask = signals_to_host(mask);
	atomic_store(&guarded, false);
	give_back(SIGSEGV);
	give_back(SIGNAL_STAND_IN);
	free_writers(mask);
}

static struct action from_host(const struct sigaction *libc)
{
	struct action action = {
		.handler = (uintptr_t)libc->sa_handler,
		.flags = libc->sa_flags | ARCH_SA_RESTORER, /* which libc adds, and does not hide */
		.restorer = (uintptr_t)arch_restore_rt,
	};

	memcpy(&action.mask, &libc->sa_mask, sizeof action.mask);
	/* The kernel never lets these two be blocked. */
	action.mask &= ~(sys_signal_bit(SIGKILL) | sys_signal_bit(SIGSTOP));
	return action;
}

static void to_host(const struct action *action, struct sigaction *libc)
{
	libc->sa_handler = (void (*)(int))action->handler;
	libc->sa_flags = action->flags;
	libc->sa_restorer = (void (*)(void))action->restorer;
	memcpy(&libc->sa_mask, &action->mask, sizeof action->mask);
}

/* What is pending and then ignored is gone. */
static void drop_pending(void)
{
	struct sys_sigaction ignore = { .handler = (void *)SIG_IGN };

	sys_sigaction(SIGNAL_STAND_IN, &ignore, NULL);
}

/* Flags that the kernel does not know it clears, and programs look whether it
 * does (sigaction(2), SA_UNSUPPORTED): ours were installed with the host's. */
static void keep_known_flags(int signal, struct action *action)
{
	struct sys_sigaction kernel;

	if (!(action->flags & ~USUAL_FLAGS) || sys_failed(sys_sigaction(signal, NULL, &kernel)))
		return;
	action->flags &= USUAL_FLAGS | (int)kernel.flags;
}

void signals_host_action(int signal, const struct sigaction *libc, struct sigaction *old)
{
	struct host_action *host = host_action_of(signal);
	struct action before, after;
	uint64_t mask;

	if (libc) /* before the lock: it may lie nowhere */
		after = from_host(libc);
	mask = hold_writers();
	before = read_action(host);
	if (libc && on_parents_memory()) {
		set_in_kernel(signal, &after);
	} else if (libc) {
		write_action(host, &after);
		if (after.handler == (uintptr_t)SIG_IGN)
			drop_pending();
		install(SIGSEGV);
		install(SIGNAL_STAND_IN);
		keep_known_flags(SIGSEGV, &after);
		write_action(host, &after);
	}
	free_writers(mask);
	if (old)
		to_host(&before, old);
}

/* ------------------------------------------------------------- handing on */

bool signals_to_hand_on(void)
{
	uint64_t mask = 0;

	if (!signals_guarded())
		return false;
	sys_sigprocmask(SIG_BLOCK, NULL, &mask);
	return mask & STAND_IN_BIT || handler_of(&host_segv) == (uintptr_t)SIG_IGN;
}

void signals_hand_on(struct signals_handed *handed)
{
	struct sys_sigaction ignore = { .handler = (void *)SIG_IGN };
	uint64_t hosts;

	*handed = (struct signals_handed){ 0 };
	if (!signals_guarded() || sys_failed(sys_sigprocmask(SIG_BLOCK, NULL, &handed->mask)))
		return;
	if (handler_of(&host_segv) == (uintptr_t)SIG_IGN) {
		handed->action_changed = true;
		sys_sigaction(SIGSEGV, &ignore, NULL);
	}
	if (handed->mask & STAND_IN_BIT) {
		handed->mask_changed = true;
		hosts = signals_to_host(handed->mask);
		sys_sigprocmask(SIG_SETMASK, &hosts, NULL);
	}
}

void signals_take_back(const struct signals_handed *handed)
{
	if (handed->mask_changed)
		sys_sigprocmask(SIG_SETMASK, &handed->mask, NULL);
	if (handed->action_changed)
		install(SIGSEGV);
}

/* ---------------------------------------------------------------- handler */

static bool is_synchronous(const siginfo_t *info)
{
	return info->si_code > 0;
}

static bool is_page_fault(const siginfo_t *info)
{
	return info->si_code == SEGV_MAPERR || info->si_code == SEGV_ACCERR;
}

/* An emulator may not say that it was a fetch. But an instruction may store into
 * itself. */
static int access_of(const siginfo_t *info, const ucontext_t *context)
{
	if (arch_fault_is_fetch(context))
		return PROT_EXEC;
	if (arch_fault_is_write(context))
		return PROT_WRITE;
	return (uintptr_t)info->si_addr == arch_instruction(context) ? PROT_EXEC : PROT_READ;
}

static bool settled(const siginfo_t *info, ucontext_t *context)
{
	struct fault fault = {
		.address = (uintptr_t)info->si_addr,
		.access = access_of(info, context),
		.unmapped = info->si_code == SEGV_MAPERR,
		.context = context,
	};

	return is_page_fault(info) && fault_settle(&fault);
}

static uint64_t *mask_of(ucontext_t *context)
{
	return (uint64_t *)&context->uc_sigmask;
}

/* A set that a hook of ours hands to the system call of this moment. */
static bool is_handed(const ucontext_t *context, uintptr_t address, size_t size, uint64_t *mask)
{
	struct marked_set marked;

	/* Below the stack pointer it would be what an earlier call has left. */
	if (size != sizeof *mask || address < arch_stack(context) ||
	    sys_read_memory(sys_getpid(), &marked, address, sizeof marked) != (long)sizeof marked ||
	    !is_marked(&marked))
		return false;
	*mask = marked.word;
	return true;
}

/* Whether the signal ended a call that waits under a mask of its own. That mask
 * is gone by now: the kernel has blocked everything, and the context holds what
 * the call puts back. It is read again from where the call took it. */
static bool was_waiting(const ucontext_t *context, uint64_t *mask)
{
	static const int places[] = { 0 /* sigsuspend */, 3 /* ppoll */, 4 /* epoll_pwait */ };
	uintptr_t pair[2]; /* pselect has a pointer to both */

	if (arch_call_result(context) != -EINTR || !sys_was_called(context))
		return false;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (is_handed(context, arch_call_argument(context, places[i]),
			      arch_call_argument(context, places[i] + 1), mask))
			return true;
	return sys_read_memory(sys_getpid(), pair, arch_call_argument(context, 5),
			       sizeof pair) == (long)sizeof pair &&
	       is_handed(context, pair[0], pair[1], mask);
}

/* The mask that the signal met. */
static uint64_t mask_met(const siginfo_t *info, ucontext_t *context)
{
	uint64_t mask;

	if (!is_synchronous(info) && was_waiting(context, &mask))
		return mask;
	return *mask_of(context);
}

/* A fault that somebody sent, with a system call, will not come again. */
static bool was_sent(const siginfo_t *info, const ucontext_t *context)
{
	return !is_synchronous(info) || sys_was_called(context);
}

/* The default action, by the kernel's own hand. A fault comes again when the
 * handler returns; a signal that was sent is sent again. */
static void die(int signal, siginfo_t *info, const ucontext_t *context)
{
	struct sys_sigaction action = { .handler = (void *)SIG_DFL };
	uint64_t bit = sys_signal_bit(signal);

	if (!lock_is_mine())
		journal_end();
	sys_sigaction(signal, &action, NULL);
	if (!was_sent(info, context))
		return;
	sys_sigprocmask(SIG_UNBLOCK, &bit, NULL);
	sys_queue_to_thread(sys_getpid(), sys_gettid(), signal, info);
}

static void keep_pending(siginfo_t *info)
{
	/* A signal is pending once, however often it is sent. */
	if (sys_pending_signals() & STAND_IN_BIT)
		return;
	info->si_errno = SENT_ON;
	/* To whom it was sent: another thread may have it open, or wait for it. */
	if (info->si_code == SI_TKILL)
		sys_queue_to_thread(sys_getpid(), sys_gettid(), SIGNAL_STAND_IN, info);
	else
		sys_queue_to_process(sys_getpid(), SIGNAL_STAND_IN, info);
}

/* The host's handler, under the mask that the kernel would have given it, and
 * with a context in which its mask is as it knows it. A signal that comes with
 * the mask nests here instead of on the handler's first instruction. CAME is the
 * signal in the kernel's words. */
static void call_host(const struct action *action, int came, int signal, siginfo_t *info,
		      ucontext_t *context)
{
	void (*handler)(int, siginfo_t *, void *) =
		(void (*)(int, siginfo_t *, void *))action->handler;
	uint64_t mask;

	if (came == SIGSEGV) {
		mask = mask_met(info, context) | blocked_during(action);
		sys_sigprocmask(SIG_SETMASK, &mask, NULL);
	}
	*mask_of(context) = signals_to_host(*mask_of(context));
	handler(signal, info, context);
	*mask_of(context) = signals_to_kernel(*mask_of(context));
}

/* What CAME is SIGNAL to the host. BLOCKED: the host believes it blocked. */
static void forward(int came, int signal, bool blocked, siginfo_t *info, ucontext_t *context)
{
	struct host_action *host = host_action_of(signal);
	struct action action = read_action(host);

	if (is_synchronous(info) &&
	    (blocked || action.handler == (uintptr_t)SIG_IGN ||
	     action.handler == (uintptr_t)SIG_DFL)) {
		die(signal, info, context);
		return;
	}
	if (blocked) {
		keep_pending(info);
		return;
	}
	if (action.handler == (uintptr_t)SIG_IGN)
		return;
	if (action.handler == (uintptr_t)SIG_DFL) {
		die(signal, info, context);
		return;
	}
	if (action.flags & SA_RESETHAND)
		atomic_store(&host->copies[atomic_load(&host->writes) % 2].handler,
			     (uintptr_t)SIG_DFL);
	call_host(&action, came, signal, info, context);
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
	if (signal == SIGSEGV && settled(info, context))
		return;
	if (signal == SIGSEGV && is_synchronous(info) && backtrace_fault(context))
		return;
	detour_restore(context);
	/* Here, not in a function of its own: the debugger's user is shown the frame two
	 * above this one. */
	if (signal == SIGSEGV && is_synchronous(info))
		PROBE_FAULT(info->si_addr, arch_instruction(context));
	if (signal == SIGSEGV) {
		bool held = !is_synchronous(info) && lock_is_mine(); /* no place for the host's code */

		forward(signal, SIGSEGV, held || mask_met(info, context) & STAND_IN_BIT, info,
			context);
		return;
	}
	if (info->si_errno != SENT_ON) {
		forward(signal, SIGNAL_STAND_IN, false, info, context);
		return;
	}
	/* What was kept pending comes only once it is not blocked any more. */
	info->si_errno = 0;
	info->si_signo = SIGSEGV;
	forward(signal, SIGSEGV, false, info, context);
}
