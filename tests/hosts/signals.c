/* signals.c: what a program does with SIGSEGV's handler: sets it, asks for it,
 * recovers from real faults, runs it on other stacks, dies by default. jitmend
 * has that handler itself; the host must not notice. masks.c has the rest. */
#include "signal-words.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>

/* siginterrupt and its kin are what is to be tried. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* ------------------------------------------------------------ dispositions */

static void query(void)
{
	static const int flags[] = { 0, SA_SIGINFO, SA_ONSTACK, SA_NODEFER, SA_RESTART, SA_RESETHAND,
				     SA_NOCLDSTOP, SA_NOCLDWAIT, SA_SIGINFO | SA_ONSTACK | SA_RESTART,
				     0x800, (int)(SA_RESETHAND | SA_NODEFER) };
	struct sigaction action, old;
	size_t i;

	say_action("at first");
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		memset(&action, 0, sizeof(action));
		if (flags[i] & SA_SIGINFO)
			action.sa_sigaction = handler_b;
		else
			action.sa_handler = handler_a;
		action.sa_flags = flags[i];
		if (i % 3 == 1)
			sigfillset(&action.sa_mask);
		else if (i % 3 == 2)
			action.sa_mask = set_of(SIGSEGV);
		must(sigaction(SIGSEGV, &action, &old) == 0, "sigaction");
		say("before it %s %#x", handler_name(&old), flags_of(&old));
		say_action("now");
	}
	say("signal: %s", signal_name(signal(SIGSEGV, handler_a)));
	say_action("signal");
	say("sysv_signal: %s", signal_name(sysv_signal(SIGSEGV, handler_a)));
	say_action("sysv_signal");
	say("signal: %s", signal_name(signal(SIGSEGV, SIG_IGN)));
	say_action("ignored");
	say("ssignal: %s", signal_name(ssignal(SIGSEGV, handler_a)));
	say("signal: %s", signal_name(signal(SIGSEGV, SIG_DFL)));
	say_action("default");
	say("bad: %s", signal_name(signal(0, SIG_DFL)));
	say("bad: %s", signal_name(signal(SIGSEGV, SIG_ERR)));
	say("bad: %s", signal_name(signal(65, SIG_DFL)));
	say_result("bad", sigaction(SIGKILL, &action, NULL));
	say_result("bad", sigaction(0, NULL, NULL));
	say_result("bad", sigaction(-1, NULL, NULL));
	say_result("bad", sigaction(1000, &action, &old));
	/* Other signals' are not changed either. */
	sigfillset(&action.sa_mask);
	action.sa_handler = handler_a;
	action.sa_flags = SA_RESTART;
	must(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
	must(sigaction(SIGUSR1, NULL, &old) == 0, "sigaction");
	say("usr1: %s %#x", handler_name(&old), flags_of(&old));
	say_set("usr1", &old.sa_mask);
	signal(SIGUSR1, SIG_DFL);
}

/* siginterrupt changes the handler that is there, and what signal sets later. */
static void interrupting(void)
{
	code_page();
	signal(SIGSEGV, handler_a);
	say_result("siginterrupt", siginterrupt(SIGSEGV, 1));
	say_action("at once");
	signal(SIGSEGV, handler_a);
	say_action("later");
	say_result("siginterrupt", siginterrupt(SIGSEGV, 0));
	say_action("at once");
	signal(SIGSEGV, handler_a);
	say_action("later");
	signal(SIGSEGV, SIG_DFL);
}

/* Flags that no kernel knows, which newer ones take away. */
static void odd_flags(void)
{
	static const int flags[] = { 0x400, 0x10000, 0x20000000 };
	struct sigaction action = { .sa_handler = handler_a };
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		action.sa_flags = flags[i];
		must(sigaction(SIGSEGV, &action, NULL) == 0, "sigaction");
		say_action("now");
	}
	signal(SIGSEGV, SIG_DFL);
}

/* The flag that libc adds. */
static void restorer(void)
{
	struct sigaction action;

	signal(SIGSEGV, handler_a);
	must(sigaction(SIGSEGV, NULL, &action) == 0, "sigaction");
	say("flags %#x", (unsigned)action.sa_flags);
	signal(SIGSEGV, SIG_DFL);
}

/* The same, with the library's handler standing. */
static void query_later(void)
{
	code_page();
	query();
}

#ifdef __x86_64__
enum { INSTRUCTION_POINTER = REG_RIP, ACCUMULATOR = REG_RAX };
#elif defined(__i386__)
enum { INSTRUCTION_POINTER = REG_EIP, ACCUMULATOR = REG_EAX };
#endif

/* Goes on behind the store of store_nowhere, whose result is one more. */
static void step_over(ucontext_t *where)
{
#ifdef __aarch64__
	where->uc_mcontext.pc += 4;
	where->uc_mcontext.regs[0] += 1;
#else
	where->uc_mcontext.gregs[INSTRUCTION_POINTER] += 3;
	where->uc_mcontext.gregs[ACCUMULATOR] += 1;
#endif
}

/* ------------------------------------------------------------------ faults */

static sigjmp_buf back;
static jmp_buf plain_back;
static siginfo_t seen;
static volatile long seen_trap, seen_error, seen_stack_alignment;

static void on_fault(int number, siginfo_t *info, void *context)
{
	ucontext_t *where = context;
	__attribute__((aligned(16))) volatile char probe[16];

	probe[0] = (char)number;
	seen = *info;
	seen_stack_alignment = (long)((uintptr_t)probe % 16);
#ifdef __aarch64__
	seen_trap = (long)where->uc_mcontext.fault_address != (long)(uintptr_t)info->si_addr;
#else
	seen_trap = (long)where->uc_mcontext.gregs[REG_TRAPNO];
	seen_error = (long)where->uc_mcontext.gregs[REG_ERR];
#endif
	count++;
	siglongjmp(back, 1);
}

static void say_fault(const char *what, volatile unsigned char *base, volatile unsigned char *at,
		      int how)
{
	if (sigsetjmp(back, 1)) {
		say("%s: signal %d code %d offset %ld errno %d, trap %ld error %#lx", what,
		    seen.si_signo, seen.si_code, seen.si_addr ?
		    (long)((uintptr_t)seen.si_addr - (uintptr_t)base) : -1, seen.si_errno,
		    seen_trap, (unsigned long)seen_error);
		return;
	}
	if (how == PROT_EXEC)
		code_run((void *)(uintptr_t)at);
	else if (how == PROT_WRITE)
		*at = 1;
	else
		(void)*at;
	say("%s: no fault", what);
}

static void faults(void)
{
	unsigned char *page = code_page(), *map;
	volatile unsigned char *odd = (volatile unsigned char *)0x8000000000001234ul;

	handle(on_fault, 0);
	map = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(map != MAP_FAILED, "mmap");
	must(munmap(map + 3 * PAGE, PAGE) == 0, "munmap");
	must(mprotect(map + PAGE, PAGE, PROT_READ) == 0, "mprotect");
	must(mprotect(map + 2 * PAGE, PAGE, RW) == 0, "mprotect");
	say_fault("null", NULL, null_page(), PROT_READ);
	say_fault("null", NULL, null_page(), PROT_WRITE);
	say_fault("null", NULL, null_page(), PROT_EXEC);
	say_fault("none", map, map + 5, PROT_READ);
	say_fault("none", map, map + 5, PROT_WRITE);
	say_fault("read-only", map, map + PAGE + 7, PROT_WRITE);
	say_fault("not code", map, map + 2 * PAGE, PROT_EXEC);
	say_fault("unmapped", map, map + 3 * PAGE + 9, PROT_WRITE);
	say_fault("no address", NULL, odd, PROT_READ);
	say_fault("no address", NULL, odd, PROT_EXEC);
	say_fault("the kernel's", NULL, (volatile unsigned char *)0xffffffff81000000ul, PROT_READ);
	/* On pages that have been code, and neighbours. */
	say_fault("heap, no code", page, page + PAGE, PROT_EXEC);
	must(mprotect(page, PAGE, RX) == 0, "mprotect");
	say_fault("heap, code", page, page + 100, PROT_WRITE);
	must(mprotect(page, PAGE, PROT_NONE) == 0, "mprotect");
	say_fault("heap, none", page, page + 100, PROT_READ);
	must(mprotect(page, PAGE, RW) == 0, "mprotect");
	say_fault("heap, data", page, page, PROT_EXEC);
	must(mprotect(page, PAGE, RWX) == 0, "mprotect");
	say_fault("heap, all", page, page, PROT_EXEC);
	say_mask("after all");
	say("aligned %ld", seen_stack_alignment);
	/* Many times, and by both kinds of jump. */
	for (count = 0; count < 10000;)
		if (!sigsetjmp(back, 1))
			fault();
	say("%d jumps", (int)count);
	say_mask("after them");
	say_action("after them");
	munmap(map, 3 * PAGE);
	signal(SIGSEGV, SIG_DFL);
}

static void on_fault_plain(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
	count++;
	longjmp(plain_back, 1);
}

/* longjmp leaves the mask alone: SIGSEGV stays blocked, whoever undoes it. */
static void jumps(void)
{
	sigset_t segv = set_of(SIGSEGV);

	code_page();
	handle(on_fault_plain, 0);
	for (count = 0; count < 3000;) {
		if (!setjmp(plain_back)) {
			fault();
		} else {
			if (count == 1)
				say_mask("after a plain jump");
			sigprocmask(SIG_UNBLOCK, &segv, NULL);
		}
	}
	say("%d jumps", (int)count);
	handle(on_fault_plain, SA_NODEFER);
	for (count = 0; count < 3000;)
		if (!setjmp(plain_back))
			fault();
	say("%d jumps", (int)count);
	say_mask("nodefer");
	signal(SIGSEGV, SIG_DFL);
}

/* The mask that sigsetjmp saved comes back. */
static void jump_masks(void)
{
	sigset_t segv = set_of(SIGSEGV);
	sigjmp_buf buffer;
	volatile int turn;

	code_page();
	for (turn = 0; turn < 4; turn++) {
		sigprocmask(turn & 1 ? SIG_BLOCK : SIG_UNBLOCK, &segv, NULL);
		if (!sigsetjmp(buffer, turn < 2)) {
			sigprocmask(turn & 1 ? SIG_UNBLOCK : SIG_BLOCK, &segv, NULL);
			siglongjmp(buffer, 1);
		}
		say_mask(turn & 1 ? "jumped, was blocked" : "jumped, was not");
	}
	unmask_all();
}

static void contexts(void)
{
	sigset_t segv = set_of(SIGSEGV);
	ucontext_t context;
	volatile int turn = 0;

	code_page();
	sigprocmask(SIG_BLOCK, &segv, NULL);
	must(getcontext(&context) == 0, "getcontext");
	say_mask("here");
	sigprocmask(SIG_UNBLOCK, &segv, NULL);
	say_mask("unblocked");
	if (turn++ < 2)
		setcontext(&context);
	unmask_all();
}

/* The mask within a context that getcontext filled in. */
static void context_mask(void)
{
	sigset_t segv = set_of(SIGSEGV);
	ucontext_t context;

	code_page();
	sigprocmask(SIG_BLOCK, &segv, NULL);
	must(getcontext(&context) == 0, "getcontext");
	say_set("context", &context.uc_sigmask);
	unmask_all();
}

/* A handler that steps over the instruction. */
static void on_fault_skip(int number, siginfo_t *info, void *context)
{
	ucontext_t *where = context;

	(void)number;
	(void)info;
	if (count++ == 0) {
		say_set("interrupted", &where->uc_sigmask);
		say_mask("in the handler");
	}
	step_over(where);
	if (count == 5)
		sigaddset(&where->uc_sigmask, SIGUSR1);
	if (count == 6)
		sigaddset(&where->uc_sigmask, SIGSEGV);
}

static long store_nowhere(void)
{
#ifdef __aarch64__
	register long result __asm__("x0") = 41;

	__asm__ volatile ("strb wzr, [%1]" : "+r"(result) : "r"(null_page()) : "memory");
#else
	long result = 41;

	/* movb $1, (%rdi): c6 07 01 */
	__asm__ volatile (".byte 0xc6, 0x07, 0x01" : "+a"(result) : "D"(null_page()) : "memory");
#endif
	return result;
}

static void skip(void)
{
	sigset_t usr2 = set_of(SIGUSR2);
	struct sigaction action;

	code_page();
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_fault_skip;
	action.sa_flags = SA_SIGINFO;
	action.sa_mask = set_of(SIGALRM);
	must(sigaction(SIGSEGV, &action, NULL) == 0, "sigaction");
	sigprocmask(SIG_BLOCK, &usr2, NULL);
	for (count = 0; count < 6;)
		must(store_nowhere() == 42, "the register that the handler changed");
	say_mask("as the handler left it");
	unmask_all();
	say_mask("unmasked");
	signal(SIGSEGV, SIG_DFL);
}

static unsigned char *barrier_base;

static void on_barrier(int number, siginfo_t *info, void *context)
{
	uintptr_t page = (uintptr_t)info->si_addr & ~(PAGE - 1);

	(void)number;
	(void)context;
	count++;
	if (page < (uintptr_t)barrier_base || mprotect((void *)page, PAGE, RWX) != 0)
		_exit(96);
}

/* A collector's write barrier, on pages that are code. */
static void barrier(void)
{
	enum { BARRIER = 300 };
	unsigned char *heap = heap_pages(BARRIER), *file = file_pages(BARRIER);
	int i, round;

	handle(on_barrier, 0);
	for (round = 0; round < 4; round++) {
		barrier_base = round % 2 ? file : heap;
		memset(barrier_base, round, BARRIER * PAGE);
		must(mprotect(barrier_base, BARRIER * PAGE, RX) == 0, "mprotect");
		count = 0;
		for (i = 0; i < BARRIER; i += 3)
			barrier_base[(size_t)i * PAGE + 8] = 1;
		say("%d faults", (int)count);
		must(mprotect(barrier_base, BARRIER * PAGE, RW) == 0, "mprotect");
	}
	signal(SIGSEGV, SIG_DFL);
	free(heap);
	munmap(file, BARRIER * PAGE);
}

/* ------------------------------------------------------------------ stacks */

static char *stack_base;
static size_t stack_size;

static void on_fault_where(int number, siginfo_t *info, void *context)
{
	char here;
	stack_t now;

	(void)number;
	(void)info;
	(void)context;
	must(sigaltstack(NULL, &now) == 0, "sigaltstack");
	say("on the %s stack, state %d, size %ld",
	    &here >= stack_base && &here < stack_base + stack_size ? "alternate" : "own",
	    now.ss_flags, (long)now.ss_size);
	siglongjmp(back, 1);
}

static void fault_once(void)
{
	if (!sigsetjmp(back, 1))
		fault();
}

static volatile int depth;

static int recurse(int n)
{
	volatile char room[4000];

	room[0] = (char)n;
	depth++;
	if (n < 0) /* never; but compilers reason */
		return 0;
	return recurse(n + 1) + room[0];
}

static void on_overflow(int number, siginfo_t *info, void *context)
{
	char here;

	(void)number;
	(void)context;
	say("overflow: code %d, on the alternate stack %d", info->si_code,
	    &here >= stack_base && &here < stack_base + stack_size);
	siglongjmp(back, 1);
}

static void *stacks_of_a_thread(void *argument)
{
	stack_t stack;
	int turn;

	stack_size = (size_t)sysconf(_SC_SIGSTKSZ) * 4;
	stack_base = malloc(stack_size);
	must(stack_base, "malloc");
	must(sigaltstack(NULL, &stack) == 0, "sigaltstack");
	say("at first: state %d, size %ld", stack.ss_flags, (long)stack.ss_size);
	for (turn = 0; turn < 2; turn++) {
		handle(on_fault_where, 0);
		fault_once();
		handle(on_fault_where, SA_ONSTACK);
		fault_once();
		stack = (stack_t){ .ss_sp = stack_base, .ss_size = stack_size };
		must(sigaltstack(&stack, NULL) == 0, "sigaltstack");
	}
	must(sigaltstack(NULL, &stack) == 0, "sigaltstack");
	say("state %d, mine %d", stack.ss_flags, stack.ss_sp == stack_base);
	handle(on_overflow, SA_ONSTACK);
	for (turn = 0; turn < 3; turn++)
		if (!sigsetjmp(back, 1))
			recurse(0);
	stack = (stack_t){ .ss_sp = stack_base, .ss_size = stack_size, .ss_flags = 1 << 31 };
	must(sigaltstack(&stack, NULL) == 0, "SS_AUTODISARM");
	handle(on_fault_where, SA_ONSTACK);
	fault_once();
	stack = (stack_t){ .ss_flags = SS_DISABLE };
	must(sigaltstack(&stack, NULL) == 0, "sigaltstack");
	fault_once();
	stack = (stack_t){ .ss_sp = stack_base, .ss_size = 100 };
	say_result("too small", sigaltstack(&stack, NULL));
	free(stack_base);
	signal(SIGSEGV, SIG_DFL);
	return argument;
}

static void stacks(void)
{
	code_page();
	stacks_of_a_thread(NULL);
}

static void thread_stacks(void)
{
	pthread_t thread;

	code_page();
	must(pthread_create(&thread, NULL, stacks_of_a_thread, NULL) == 0, "thread");
	pthread_join(thread, NULL);
}

/* ------------------------------------------------------------------- flags */

static void on_fault_oneshot(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
	say_action("in the handler");
	say_mask("in the handler");
	siglongjmp(back, 1);
}

static void oneshot(void)
{
	code_page();
	handle(on_fault_oneshot, SA_RESETHAND);
	fault_once();
	say_action("afterwards");
	handle(on_fault_oneshot, (int)SA_RESETHAND | SA_NODEFER);
	fault_once();
	say_action("afterwards");
	say_mask("afterwards");
	signal(SIGSEGV, SIG_DFL);
}

static void on_fault_nested(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
	if (++count < 5)
		fault();
	siglongjmp(back, 1);
}

static void nodefer(void)
{
	code_page();
	handle(on_fault_nested, SA_NODEFER);
	count = 0;
	fault_once();
	say("%d deep", (int)count);
	say_mask("afterwards");
	signal(SIGSEGV, SIG_DFL);
}

/* ------------------------------------------------- masks within the handler */

static sigset_t seen_mask, seen_interrupted;
static uint64_t seen_kernel;

/* What the kernel blocks for this thread, but for the two signals that jitmend
 * has its own way with. */
static uint64_t kernel_mask(void)
{
	FILE *status = fopen("/proc/thread-self/status", "re");
	uint64_t blocked = 0;
	char line[256];

	must(status, "/proc/thread-self/status");
	while (fgets(line, sizeof(line), status) && sscanf(line, "SigBlk: %" SCNx64, &blocked) != 1)
		;
	fclose(status);
	return blocked & ~(1ull << (SIGSEGV - 1) | 1ull << (STAND_IN_AS_SHOWN - 1));
}

static void on_masked(int number, siginfo_t *info, void *context)
{
	ucontext_t *where = context;

	(void)number;
	count++;
	pthread_sigmask(SIG_BLOCK, NULL, &seen_mask);
	memcpy(&seen_interrupted, &where->uc_sigmask, sizeof(uint64_t));
	seen_kernel = kernel_mask();
	if (info->si_code > 0)
		step_over(where);
}

static void say_handler_mask(const char *what, bool faulting)
{
	count = 0;
	if (faulting)
		store_nowhere();
	else
		raise(SIGSEGV);
	say("%s: %s, %d times", what, faulting ? "a fault" : "sent", (int)count);
	say_set("  in the handler", &seen_mask);
	say_set("  interrupted", &seen_interrupted);
	say("  in the kernel: %lx", (unsigned long)seen_kernel);
	say_mask("  afterwards");
}

static void say_handler_masks(const char *what, const sigset_t *mask, int flags)
{
	struct sigaction action = { .sa_mask = *mask, .sa_flags = SA_SIGINFO | flags };
	int turn;

	action.sa_sigaction = on_masked;
	for (turn = 0; turn < 2; turn++) {
		must(sigaction(SIGSEGV, &action, NULL) == 0, "sigaction");
		say_handler_mask(what, turn == 0);
	}
}

/* sa_mask, flags and what was blocked before, each with each. The raw sets have
 * the signals in them that libc keeps for itself. */
static void handler_masks(void)
{
	static const int flags[] = { 0, SA_NODEFER, (int)SA_RESETHAND,
				     (int)SA_RESETHAND | SA_NODEFER | SA_RESTART | SA_ONSTACK };
	sigset_t sets[6], before[4];
	char what[64];
	size_t i, j, k;

	code_page();
	sets[0] = set_of(0);
	sets[1] = set_of(SIGALRM);
	sigaddset(&sets[1], SIGUSR1);
	sigfillset(&sets[2]);
	sets[3] = set_of(SIGSEGV);
	memset(&sets[4], 0xff, sizeof(sets[4]));
	sigfillset(&sets[5]);
	sigdelset(&sets[5], SIGSEGV);
	before[0] = set_of(0);
	before[1] = set_of(SIGUSR2);
	sigaddset(&before[1], 34);
	before[2] = set_of(SIGSYS);
	sigfillset(&before[3]);
	sigdelset(&before[3], SIGSEGV);
	for (i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		must(sigprocmask(SIG_SETMASK, &before[i], NULL) == 0, "sigprocmask");
		for (j = 0; j < sizeof(sets) / sizeof(sets[0]); j++)
			for (k = 0; k < sizeof(flags) / sizeof(flags[0]); k++) {
				snprintf(what, sizeof(what), "before %d, sa_mask %d, flags %#x",
					 (int)i, (int)j, (unsigned)flags[k]);
				say_handler_masks(what, &sets[j], flags[k]);
			}
	}
	unmask_all();
	signal(SIGSEGV, SIG_DFL);
}

/* Signals of the thread library's own that are pending while a fault is looked at
 * must come through: setuid has every thread take part. */
static atomic_bool finished;

static void *fault_all_the_time(void *argument)
{
	while (!finished)
		must(store_nowhere() == 42, "the register that the handler changed");
	return argument;
}

static void on_fault_step(int number, siginfo_t *info, void *context)
{
	ucontext_t *where = context;

	(void)number;
	(void)info;
	step_over(where);
}

static void all_threads(void)
{
	pthread_t threads[2];
	int i, failed = 0;

	code_page();
	handle(on_fault_step, 0);
	finished = false;
	for (i = 0; i < 2; i++)
		must(pthread_create(&threads[i], NULL, fault_all_the_time, NULL) == 0, "thread");
	for (i = 0; i < 500; i++)
		failed += setuid(getuid()) != 0;
	finished = true;
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	say("setuid failed %d times", failed);
	signal(SIGSEGV, SIG_DFL);
}

/* ------------------------------------------------------------------ storms */

static atomic_int alarms, within, odd_masks;
static volatile sig_atomic_t may_jump;

/* Open beside itself are all signals but, within the host's own handler, SIGSEGV. */
static void on_usr1(int number)
{
	sigset_t mask;
	int i;

	(void)number;
	alarms++;
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	within += sigismember(&mask, SIGSEGV);
	for (i = 1; i <= 64; i++)
		if (i != SIGUSR1 && i != SIGSEGV && i != STAND_IN && sigismember(&mask, i) == 1)
			odd_masks++;
	if (may_jump)
		siglongjmp(back, 2);
}

static void *send_usr1(void *argument)
{
	pthread_t *to = argument;

	while (!finished) {
		pthread_kill(*to, SIGUSR1);
		usleep(20);
	}
	return NULL;
}

/* SIGUSR1 from a clock and from another thread, to this one. */
static pthread_t self, sender;
static timer_t clock_timer;

static void begin_storm(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	struct itimerspec often = { { 0, 100000 }, { 0, 100000 } };

	event._sigev_un._tid = gettid();
	finished = false;
	alarms = within = odd_masks = 0;
	self = pthread_self();
	signal(SIGUSR1, on_usr1);
	must(pthread_create(&sender, NULL, send_usr1, &self) == 0, "thread");
	must(timer_create(CLOCK_MONOTONIC, &event, &clock_timer) == 0, "timer_create");
	must(timer_settime(clock_timer, 0, &often, NULL) == 0, "timer_settime");
}

static void end_storm(void)
{
	timer_delete(clock_timer);
	finished = true;
	pthread_join(sender, NULL);
	signal(SIGUSR1, SIG_IGN);
	unmask_all();
	signal(SIGUSR1, SIG_DFL);
}

/* The host's own faults, jumped out of, under a storm of another signal. */
static void storm(void)
{
	volatile int i;

	code_page();
	handle(on_fault, 0);
	begin_storm();
	for (i = 0; i < 100000; i++)
		if (!sigsetjmp(back, 1))
			fault();
	say_mask("after the faults");
	end_storm();
	say("%d faults, signals came: %d, some within the handler: %d, odd masks %d", (int)count,
	    alarms > 100, within > 0, (int)odd_masks);
	signal(SIGSEGV, SIG_DFL);
}

static unsigned char *turned;

static void turn_page(int times)
{
	while (times--)
		must(mprotect(turned, PAGE, RWX) == 0 && mprotect(turned, PAGE, RW) == 0,
		     "mprotect");
}

static void *turn_pages(void *argument)
{
	while (!finished)
		turn_page(1);
	return argument;
}

/* The other signal's handler jumps out of whatever it meets: a store into a page
 * that turns to code and back, or the handler of a fault. Nothing may be left
 * held, or the page could turn no more. */
static void storm_jumps(void)
{
	volatile uint64_t *word;
	volatile int jumps = 0;
	pthread_t turner;

	code_page();
	turned = heap_pages(1);
	word = (volatile uint64_t *)(void *)(turned + 256);
	handle(on_fault_step, 0);
	begin_storm();
	must(pthread_create(&turner, NULL, turn_pages, NULL) == 0, "thread");
	while (jumps < 3000) {
		if (sigsetjmp(back, 1) == 2)
			jumps++;
		may_jump = jumps < 3000;
		while (may_jump) {
			++*word;
			store_nowhere();
		}
	}
	may_jump = 0;
	end_storm();
	pthread_join(turner, NULL);
	turn_page(100);
	say("%d jumps, odd masks %d, stores %d", (int)jumps, (int)odd_masks, *word > 0);
	say_mask("afterwards");
	signal(SIGSEGV, SIG_DFL);
}

static void *store_until_cancelled(void *argument)
{
	volatile uint64_t *word = argument;

	must(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL) == 0, "cancel type");
	for (;;)
		++*word;
	return argument;
}

static void *fault_until_cancelled(void *argument)
{
	must(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL) == 0, "cancel type");
	for (;;)
		store_nowhere();
	return argument;
}

/* Cancelled at any instruction, in faults of both kinds, while a page turns. */
static void cancelled(void)
{
	pthread_t threads[2], turner;
	int round, i, wrong = 0;
	void *result;

	code_page();
	turned = heap_pages(1);
	handle(on_fault_step, 0);
	finished = false;
	must(pthread_create(&turner, NULL, turn_pages, NULL) == 0, "thread");
	for (round = 0; round < 600; round++) {
		must(pthread_create(&threads[0], NULL, store_until_cancelled, turned + 256) == 0 &&
		     pthread_create(&threads[1], NULL, fault_until_cancelled, NULL) == 0, "thread");
		usleep((useconds_t)round % 100);
		for (i = 0; i < 2; i++) {
			pthread_cancel(threads[i]);
			pthread_join(threads[i], &result);
			wrong += result != PTHREAD_CANCELED;
		}
	}
	finished = true;
	pthread_join(turner, NULL);
	turn_page(100);
	say("not cancelled: %d", wrong);
	signal(SIGSEGV, SIG_DFL);
}

/* Open again by the handler's own hand, it may fault as deep as it likes. */
static void on_fault_open(int number, siginfo_t *info, void *context)
{
	sigset_t segv = set_of(SIGSEGV);

	(void)number;
	(void)info;
	(void)context;
	if (++count == 3)
		say_mask("three deep");
	pthread_sigmask(SIG_UNBLOCK, &segv, NULL);
	if (count < 5)
		fault();
	siglongjmp(back, 1);
}

static void nested_open(void)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO };

	code_page();
	action.sa_sigaction = on_fault_open;
	action.sa_mask = set_of(SIGALRM);
	must(sigaction(SIGSEGV, &action, NULL) == 0, "sigaction");
	count = 0;
	fault_once();
	say("%d deep", (int)count);
	say_mask("afterwards");
	signal(SIGSEGV, SIG_DFL);
}

static void on_fault_trace(int number, siginfo_t *info, void *context)
{
	void *frames[50];
	int n = backtrace(frames, 50), i;
	bool found = false;
	Dl_info symbol;

	(void)number;
	(void)info;
	(void)context;
	for (i = 0; i < n; i++)
		found = found || (dladdr(frames[i], &symbol) && symbol.dli_sname &&
				  !strcmp(symbol.dli_sname, "host_main"));
	/* main() is of no use: every frame between is to be passed. */
	for (i = 0; i < n && !found; i++)
		found = (uintptr_t)frames[i] >= (uintptr_t)host_main &&
			(uintptr_t)frames[i] < (uintptr_t)host_main + 4000;
	say("main's caller is in the backtrace: %d", found);
	siglongjmp(back, 1);
}

static void trace(void)
{
	void *warm[2];

	code_page();
	backtrace(warm, 2);
	handle(on_fault_trace, 0);
	fault_once();
	signal(SIGSEGV, SIG_DFL);
}

/* ------------------------------------------------------------------- death */

/* What MAKE does in a child, and how the child ends, as its parent is told. */
static void say_death(const char *what, void (*make)(void))
{
	siginfo_t info;
	pid_t child = fork();

	must(child >= 0, "fork");
	if (child == 0) {
		make();
		_exit(0);
	}
	must(waitid(P_PID, (id_t)child, &info, WEXITED) == 0, "waitid");
	say("%s: %s %d", what, info.si_code == CLD_EXITED ? "exit" :
	    info.si_code == CLD_DUMPED ? "core dumped by" : "killed by", info.si_status);
}

static void raise_segv(void)
{
	raise(SIGSEGV);
}

static void kill_segv(void)
{
	kill(getpid(), SIGSEGV);
}

static void ignored_fault(void)
{
	signal(SIGSEGV, SIG_IGN);
	fault();
}

static void ignored_raise(void)
{
	signal(SIGSEGV, SIG_IGN);
	raise(SIGSEGV);
	kill(getpid(), SIGSEGV);
}

static void blocked_fault(void)
{
	sigset_t segv = set_of(SIGSEGV);

	handle(on_fault, 0);
	sigprocmask(SIG_BLOCK, &segv, NULL);
	if (!sigsetjmp(back, 1))
		fault();
}

static void blocked_raise(void)
{
	sigset_t segv = set_of(SIGSEGV);

	sigprocmask(SIG_BLOCK, &segv, NULL);
	raise(SIGSEGV);
}

static void unblocked_raise(void)
{
	sigset_t segv = set_of(SIGSEGV);

	blocked_raise();
	sigprocmask(SIG_UNBLOCK, &segv, NULL);
}

static void on_fault_fault(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
	fault();
}

static void nested_fault(void)
{
	handle(on_fault_fault, 0);
	fault();
}

/* SA_NODEFER does not open what sa_mask names. */
static void nested_named_fault(void)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_NODEFER };

	action.sa_sigaction = on_fault_nested;
	action.sa_mask = set_of(SIGSEGV);
	sigaction(SIGSEGV, &action, NULL);
	fault_once();
}

static void nested_filled_fault(void)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO };

	action.sa_sigaction = on_fault_fault;
	sigfillset(&action.sa_mask);
	sigaction(SIGSEGV, &action, NULL);
	fault();
}

/* Again and again, until the stack has no room for another frame. */
static void nested_endless_fault(void)
{
	struct rlimit little = { 1 << 20, 1 << 20 };

	setrlimit(RLIMIT_STACK, &little);
	handle(on_fault_fault, SA_NODEFER);
	fault();
}

static void on_usr1_fault(int number);

static void on_fault_raise(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
	raise(SIGUSR1);
}

/* A handler on top of the handler faults. */
static void nested_other_fault(void)
{
	signal(SIGUSR1, on_usr1_fault);
	handle(on_fault_raise, 0);
	fault();
}

static void oneshot_fault(void)
{
	handle(on_fault, (int)SA_RESETHAND);
	fault_once();
	fault_once();
}

static void stuck_fault(void)
{
	handle(on_fault_plain, 0);
	if (!setjmp(plain_back))
		fault();
	/* Still blocked. */
	if (!setjmp(plain_back))
		fault();
}

static void on_fault_return(int number)
{
	if (++count > 100)
		_exit(number);
}

/* A handler that returns without a cure meets the fault again. */
static void again_fault(void)
{
	signal(SIGSEGV, on_fault_return);
	fault();
}

static void on_usr1_fault(int number)
{
	(void)number;
	fault();
}

static void masked_handler_fault(void)
{
	struct sigaction action = { .sa_handler = on_usr1_fault };

	handle(on_fault, 0);
	sigfillset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	if (!sigsetjmp(back, 1))
		raise(SIGUSR1);
}

static void code_fault(void)
{
	code_page()[5] = 0xf4; /* hlt: a general protection fault, no address */
	code_run(code_page());
}

static void moved_fault(void)
{
	mprotect(code_page(), PAGE, PROT_READ);
	code_run(code_page());
}

static void overflow(void)
{
	struct rlimit little = { 1 << 20, 1 << 20 };

	setrlimit(RLIMIT_STACK, &little);
	recurse(0);
}

static void abort_it(void)
{
	abort();
}

static void bus(void)
{
	int fd = temporary_file(10);
	volatile unsigned char *at = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);

	at[PAGE] = 1;
}

static void deaths(void)
{
	static const struct { const char *what; void (*make)(void); } ways[] = {
		{ "fault", fault }, { "raise", raise_segv }, { "kill", kill_segv },
		{ "ignored, fault", ignored_fault }, { "ignored, raise", ignored_raise },
		{ "blocked, fault", blocked_fault }, { "blocked, raise", blocked_raise },
		{ "blocked, raise, unblocked", unblocked_raise }, { "nested", nested_fault },
		{ "nested, named", nested_named_fault }, { "nested, filled", nested_filled_fault },
		{ "nested, endless", nested_endless_fault },
		{ "nested, another's", nested_other_fault },
		{ "one shot", oneshot_fault }, { "plain jump", stuck_fault },
		{ "again and again", again_fault }, { "all masked", masked_handler_fault },
		{ "in code", code_fault }, { "code no more", moved_fault },
		{ "overflow", overflow }, { "abort", abort_it }, { "bus", bus },
	};
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		say_death(ways[i].what, ways[i].make);
}

/* No core; and with one, where the machine lets it be written. */
static void death(void)
{
	struct rlimit limit;

	code_page();
	must(getrlimit(RLIMIT_CORE, &limit) == 0, "getrlimit");
	limit.rlim_cur = 0;
	setrlimit(RLIMIT_CORE, &limit);
	deaths();
}

static void death_with_core(void)
{
	struct rlimit limit;

	code_page();
	must(getrlimit(RLIMIT_CORE, &limit) == 0, "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_CORE, &limit);
	say_death("fault", fault);
	say_death("raise", raise_segv);
	say_death("kill", kill_segv);
	say_death("ignored, fault", ignored_fault);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "query", query },
		{ "query-later", query_later },
		{ "interrupting", interrupting },
		{ "odd-flags", odd_flags },
		{ "restorer", restorer },
		{ "faults", faults },
		{ "jumps", jumps },
		{ "jump-masks", jump_masks },
		{ "contexts", contexts },
		{ "context-mask", context_mask },
		{ "skip", skip },
		{ "barrier", barrier },
		{ "stacks", stacks },
		{ "thread-stacks", thread_stacks },
		{ "oneshot", oneshot },
		{ "nodefer", nodefer },
		{ "handler-masks", handler_masks },
		{ "all-threads", all_threads },
		{ "storm", storm },
		{ "storm-jumps", storm_jumps },
		{ "cancelled", cancelled },
		{ "nested-open", nested_open },
		{ "trace", trace },
		{ "death", death },
		{ "death-with-core", death_with_core },
		{ NULL, NULL },
	};
	return host_main(parts, argc, argv);
}
