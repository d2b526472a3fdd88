/* code-signals.c: signals of the program's own while its code is written and
 * run: its handlers see its own faults and no other, with every word in them
 * right; whatever is blocked, code goes on working. */
#include "code.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>

static unsigned char *page;

static volatile sig_atomic_t count, last_code, last_signal, on_own_stack;
static void *volatile last_address;
static volatile uintptr_t last_instruction;
static sigjmp_buf escape;

/* Some turns that each need a write to give way to a run. */
static int turns(unsigned char *at, int n)
{
	int i, sum = 0;

	for (i = 0; i < n; i++) {
		code_write(at, i);
		sum += code_run(at);
	}
	return sum;
}

static void note(int number, siginfo_t *info, void *context)
{
	count++;
	last_signal = number;
	last_code = info->si_code;
	last_address = info->si_addr;
	last_instruction = interrupted_at(context);
}

static void leave(int number, siginfo_t *info, void *context)
{
	note(number, info, context);
	siglongjmp(escape, 1);
}

/* Makes the page writable, and lets the instruction be done again. */
static void repair(int number, siginfo_t *info, void *context)
{
	note(number, info, context);
	if (do_mprotect(page, PAGE, RWX) != 0)
		_exit(3);
}

static void handle(int number, void (*handler)(int, siginfo_t *, void *), int flags, int masked)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO | flags };

	action.sa_sigaction = handler;
	sigemptyset(&action.sa_mask);
	if (masked)
		sigaddset(&action.sa_mask, masked);
	must(sigaction(number, &action, NULL) == 0, "sigaction");
}

static void say_fault(const char *what, const void *base)
{
	siginfo_t info = { .si_signo = last_signal, .si_code = last_code };

	say("%s: %d, %s, address %+ld", what, (int)count, fault_name(&info),
	    (long)((intptr_t)last_address - (intptr_t)base));
}

static void prepare(void)
{
	page = code_pages(2);
	must(turns(page, 10) == 45 && turns(page + PAGE, 10) == 45, "code");
	count = 0;
}

static void own_faults(void)
{
	static volatile unsigned char *volatile nowhere = (volatile unsigned char *)16;

	prepare();
	handle(SIGSEGV, leave, SA_NODEFER, 0);
	say("%d", turns(page, 100));
	say("faults: %d", (int)count);
	if (!sigsetjmp(escape, 1))
		*nowhere = 1;
	say_fault("nowhere", NULL);
	say("%d", turns(page, 100));
	must(do_mprotect(page, PAGE, RX) == 0, "rx");
	if (!sigsetjmp(escape, 1))
		page[77] = 1;
	say_fault("rx", page);
	must(do_mprotect(page, PAGE, RW) == 0, "rw");
	if (!sigsetjmp(escape, 1))
		code_run(page);
	say_fault("rw", page);
	say("at the function: %d", last_instruction == (uintptr_t)page);
	must(do_mprotect(page, PAGE, PROT_NONE) == 0, "none");
	if (!sigsetjmp(escape, 1))
		code_run(page);
	say_fault("none", page);
	must(do_munmap(page, PAGE) == 0, "munmap");
	if (!sigsetjmp(escape, 1))
		code_run(page);
	say_fault("unmapped", page);
	say("%d", turns(page + PAGE, 100));
	say("faults: %d", (int)count);
}

/* Faults of the generated code itself. */
static void of_the_code(void)
{
	prepare();
	handle(SIGSEGV, leave, SA_NODEFER, 0);
	handle(SIGILL, leave, SA_NODEFER, 0);
	handle(SIGTRAP, leave, SA_NODEFER, 0);
	code_read_at(page + 64);
	if (!sigsetjmp(escape, 1))
		code_call(page + 64, (void *)16, 0, 0);
	say_fault("null", NULL);
	say("instruction: %+ld", (long)(last_instruction - (uintptr_t)page));
	code_illegal(page + 128);
	if (!sigsetjmp(escape, 1))
		code_call(page + 128, NULL, 0, 0);
	say_fault("illegal", page);
	say("instruction: %+ld", (long)(last_instruction - (uintptr_t)page));
	code_breakpoint(page + 192);
	if (!sigsetjmp(escape, 1))
		code_call(page + 192, NULL, 0, 0);
	say("breakpoint: %d, code %d", (int)last_signal, (int)last_code);
	say("instruction: %+ld", (long)(last_instruction - (uintptr_t)page));
	/* The instruction lies in two pages, the second of which is none. */
	say("%d", turns(page + PAGE - CODE_ACROSS, 10));
	must(do_mprotect(page + PAGE, PAGE, PROT_NONE) == 0, "none");
	if (!sigsetjmp(escape, 1))
		code_run(page + PAGE - CODE_ACROSS);
	say_fault("into the next page", page + PAGE);
	say("instruction: %+ld", (long)(last_instruction - (uintptr_t)page));
	say("faults: %d", (int)count);
}

/* A write barrier of the program's own. */
static void barrier(void)
{
	int i;

	prepare();
	handle(SIGSEGV, repair, 0, 0);
	for (i = 0; i < 100; i++) {
		must(do_mprotect(page, PAGE, i % 2 ? RX : PROT_READ) == 0, "mprotect");
		code_write(page, i);
		must(code_run(page) == i, "code");
	}
	say_fault("barrier", page);
	say("%d", turns(page, 10));
	say("faults: %d", (int)count);
}

static sigset_t all_but(int number)
{
	sigset_t set;

	sigfillset(&set);
	if (number)
		sigdelset(&set, number);
	return set;
}

static void say_blocked(const char *what)
{
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	say("%s: SIGSEGV blocked %d", what, sigismember(&set, SIGSEGV));
}

static void turn_in_handler(int number)
{
	(void)number;
	count += turns(page, 10) == 45 && turns(page + PAGE, 10) == 45;
}

static void *turn_in_thread(void *unused)
{
	(void)unused;
	say_blocked("thread");
	say("%d", turns(page, 100));
	return NULL;
}

/* Every way to block SIGSEGV, and code written and run meanwhile. */
static void blocked(void)
{
	struct sigaction action = { .sa_handler = turn_in_handler };
	sigset_t set = all_but(0), before;
	struct itimerval soon = { .it_value = { 0, 10000 } };
	struct epoll_event event;
	pthread_t thread;
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	prepare();
	sigprocmask(SIG_SETMASK, &set, &before);
	say_blocked("sigprocmask");
	say("%d", turns(page, 100));
	must(pthread_create(&thread, NULL, turn_in_thread, NULL) == 0, "thread");
	pthread_join(thread, NULL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	say_blocked("pthread_sigmask");
	say("%d", turns(page, 100));
	pthread_sigmask(SIG_SETMASK, &before, NULL);

	action.sa_mask = all_but(0);
	must(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGALRM, &action, NULL) == 0,
	     "sigaction");
	raise(SIGUSR1);
	say("sa_mask: %d", (int)count);
	/* Only the waiting itself lets SIGALRM in, however late that begins. */
	set = all_but(0);
	sigdelset(&set, SIGSEGV);
	sigprocmask(SIG_SETMASK, &set, NULL);
	set = all_but(SIGALRM);
	setitimer(ITIMER_REAL, &soon, NULL);
	say_result("sigsuspend", sigsuspend(&set));
	say("%d, %d", (int)count, turns(page, 10));
	setitimer(ITIMER_REAL, &soon, NULL);
	say_result("ppoll", ppoll(NULL, 0, NULL, &set));
	say("%d, %d", (int)count, turns(page, 10));
	setitimer(ITIMER_REAL, &soon, NULL);
	say_result("pselect", pselect(0, NULL, NULL, NULL, NULL, &set));
	say("%d, %d", (int)count, turns(page, 10));
	setitimer(ITIMER_REAL, &soon, NULL);
	say_result("epoll_pwait", epoll_pwait(epoll, &event, 1, -1, &set));
	say("%d, %d", (int)count, turns(page, 10));
	say_blocked("at the end");
}

/* Handlers that leave by siglongjmp, with and without the mask. */
static void jump(int number, siginfo_t *info, void *context)
{
	note(number, info, context);
	turns(page, 3);
	siglongjmp(escape, 1);
}

static void jumps(void)
{
	int i;

	prepare();
	handle(SIGUSR1, jump, 0, SIGSEGV);
	handle(SIGSEGV, jump, 0, SIGUSR1);
	for (i = 0; i < 50; i++) {
		if (!sigsetjmp(escape, 1))
			raise(SIGUSR1);
		must(turns(page, 5) == 10, "code");
		if (!sigsetjmp(escape, 1))
			*(volatile int *volatile)NULL = 1;
		must(turns(page + PAGE, 5) == 10, "code");
	}
	say("%d", (int)count);
	say_blocked("with the mask");
	/* SIGSEGV stays blocked, as the program has it. */
	if (!sigsetjmp(escape, 0))
		raise(SIGUSR1);
	say_blocked("without the mask");
	say("%d %d", turns(page, 100), turns(page + PAGE, 100));
}

/* ------------------------------------------------------------------- stacks */

static char *stack_start;
static size_t stack_length;

static void small_handler(int number, siginfo_t *info, void *context)
{
	char here;

	note(number, info, context);
	on_own_stack = &here >= stack_start && &here < stack_start + stack_length;
	code_write(page, count);
	if (code_run(page) != count)
		_exit(4);
	if (number == SIGSEGV)
		siglongjmp(escape, 1);
}

static void on_stack_of(size_t length)
{
	stack_t stack = { .ss_size = length };
	int i;

	/* The guard tells of a stack that was not enough. */
	stack_start = must_map(NULL, 32 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_start += PAGE;
	must(mprotect(stack_start, (length + PAGE - 1) & ~(PAGE - 1), RW) == 0, "stack");
	stack_length = length;
	stack.ss_sp = stack_start;
	must(sigaltstack(&stack, NULL) == 0, "sigaltstack");
	prepare();
	handle(SIGUSR1, small_handler, SA_ONSTACK, 0);
	handle(SIGSEGV, small_handler, SA_ONSTACK, 0);
	for (i = 0; i < 20; i++) {
		raise(SIGUSR1);
		must(turns(page, 5) == 10, "code");
		if (!sigsetjmp(escape, 1))
			*(volatile int *volatile)NULL = 1;
		must(turns(page, 5) == 10, "code");
	}
	say("%d, on the stack: %d", (int)count, (int)on_own_stack);
	sigaltstack(NULL, &stack);
	say("flags %d, as it was: %d", stack.ss_flags, stack.ss_sp == stack_start &&
	    stack.ss_size == length);
	stack.ss_flags = SS_DISABLE;
	must(sigaltstack(&stack, NULL) == 0, "sigaltstack");
	raise(SIGUSR1);
	say("on the stack: %d", (int)on_own_stack);
}

static void *turn_a_few(void *unused)
{
	(void)unused;
	say("%d", turns(page, 10));
	return NULL;
}

/* A fault within the library, which is left: nobody has to wait for it. */
static void from_nowhere(void)
{
	const struct sigaction *volatile nowhere = (const struct sigaction *)16;
	pthread_t thread;

	give_up_after(200);
	prepare();
	handle(SIGSEGV, leave, SA_NODEFER, 0);
	if (!sigsetjmp(escape, 1))
		say_result("sigaction", sigaction(SIGSEGV, nowhere, NULL));
	say("faults: %d", (int)count);
	must(pthread_create(&thread, NULL, turn_a_few, NULL) == 0, "thread");
	must(pthread_join(thread, NULL) == 0, "join");
}

/* A signal stack above a guard page. What it returns is where it ends. */
static uintptr_t guarded_stack(size_t length)
{
	size_t whole = (length + PAGE - 1) & ~(PAGE - 1);
	char *start = must_map(NULL, whole + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t stack = { .ss_size = length };

	must(mprotect(start + PAGE, whole, RW) == 0, "stack");
	stack.ss_sp = start + PAGE;
	must(sigaltstack(&stack, NULL) == 0, "sigaltstack");
	return (uintptr_t)start + PAGE + length;
}

/* A filter of the program's own, whose handler makes the call in the program's stead. The
 * last argument, which pwrite has no use for, tells that from others. */
enum { BY_HANDLER = 0x600d };

static void make_call(int number, siginfo_t *info, void *context)
{
	unsigned char room[1024];

	(void)number;
	memset(room, 0x11, sizeof room);
	must(all_bytes(room, sizeof room, 0x11), "room");
	call_again(info->si_syscall, BY_HANDLER, context);
}

static void forbid_pwrite(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwrite64, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BY_HANDLER, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof filter / sizeof *filter, filter };

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	     syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0, "seccomp");
}

static void with_data_on_stack(int number)
{
	unsigned char data[1024];

	(void)number;
	memset(data, 0x5a, sizeof data);
	say("code: %d", turns(page, 5));
	say("kept: %d", all_bytes(data, sizeof data, 0x5a));
}

/* All of it on a signal stack that has little room for more. */
static void trapped(void)
{
	static const struct sigaction plain = { .sa_handler = with_data_on_stack,
						.sa_flags = SA_ONSTACK };

	prepare();
	guarded_stack((size_t)sysconf(_SC_MINSIGSTKSZ) + 6144);
	handle(SIGSYS, make_call, SA_ONSTACK, 0);
	sigaction(SIGUSR1, &plain, NULL);
	forbid_pwrite();
	raise(SIGUSR1);
	say("code: %d", turns(page, 5));
}

static volatile uintptr_t lowest;

static void measure(int number, siginfo_t *info, void *context)
{
	note(number, info, context);
	lowest = (uintptr_t)__builtin_frame_address(0);
}

/* How much of a signal stack the kernel takes for one signal. */
static size_t kernels_frame(void)
{
	uintptr_t end = guarded_stack(65536);

	handle(SIGUSR1, measure, SA_ONSTACK, 0);
	raise(SIGUSR1);
	return end - lowest;
}

/* All that a handler of few words needs. */
#define HANDLER_BYTES 1024

static void barrier_of_few_words(int number, siginfo_t *info, void *context)
{
	note(number, info, context);
	if (mprotect(page, PAGE, RWX))
		_exit(3);
}

static void code_in_handler(int number, siginfo_t *info, void *context)
{
	note(number, info, context);
	code_write(page + PAGE, count);
	if (code_run(page + PAGE) != count)
		_exit(3);
}

static void write_and_be_caught(void)
{
	must(turns(page, 5) == 10, "code");
	code_loop(page + 64, 4);
	must(code_call(page + 64, (void *)100, 0, 0) == 5050, "code that changes itself");
	if (!sigsetjmp(escape, 1))
		*(volatile int *volatile)NULL = 1;
	must(mprotect(page, PAGE, RX) == 0, "rx");
	if (!sigsetjmp(escape, 1))
		page[2000] = 1;
	must(code_run(page) == 4 && mprotect(page, PAGE, RWX) == 0, "rwx");
}

static void write_behind_barrier(void)
{
	must(turns(page, 5) == 10, "code");
	must(mprotect(page, PAGE, count % 2 ? RX : PROT_READ) == 0, "protection");
	page[2000] = 1;
	must(code_run(page) == 4, "code");
}

static void write_beside_handler(void)
{
	must(turns(page, 5) == 10, "code");
	raise(SIGUSR1);
}

/* DO_IT with a signal stack that has room for what that takes natively, and for no more:
 * the first time, when symbols are bound, with any. */
static void on_tight_stack(void (*do_it)(void), size_t length)
{
	int i;

	give_up_after(200);
	count = 0;
	guarded_stack(65536);
	do_it();
	guarded_stack(length < 2048 ? 2048 : length); /* the kernel takes no smaller one */
	for (i = 0; i < 20; i++)
		do_it();
	say("%d", (int)count);
}

static void tight_stack(void)
{
	size_t frame = kernels_frame();

	prepare();
	handle(SIGSEGV, leave, SA_ONSTACK, 0);
	on_tight_stack(write_and_be_caught, frame + HANDLER_BYTES);
}

/* The handler asks for other rights, and returns. */
static void tight_barrier(void)
{
	size_t frame = kernels_frame();

	prepare();
	handle(SIGSEGV, barrier_of_few_words, SA_ONSTACK, 0);
	on_tight_stack(write_behind_barrier, frame + 4 * HANDLER_BYTES);
}

/* The handler writes code and runs it, for which the kernel has a second frame there. */
static void tight_frames(void)
{
	size_t frame = kernels_frame();

	prepare();
	handle(SIGUSR1, code_in_handler, SA_ONSTACK, 0);
	on_tight_stack(write_beside_handler, 2 * frame + HANDLER_BYTES);
}

/* Another thread sends SIGSEGVs all the while: a third frame. */
static void *send_faults(void *target)
{
	while (last_signal)
		pthread_kill(*(pthread_t *)target, SIGSEGV);
	return NULL;
}

static void count_sent(int number)
{
	(void)number;
}

static void tight_storm(void)
{
	struct sigaction action = { .sa_handler = count_sent, .sa_flags = SA_ONSTACK | SA_RESTART };
	size_t frame = kernels_frame();
	pthread_t self = pthread_self(), thread;
	int i;

	prepare();
	handle(SIGUSR1, code_in_handler, SA_ONSTACK, 0);
	must(sigaction(SIGSEGV, &action, NULL) == 0, "sigaction");
	must(pthread_create(&thread, NULL, send_faults, &self) == 0, "thread");
	for (i = 0; i < 50; i++)
		on_tight_stack(write_beside_handler, 3 * frame + HANDLER_BYTES);
	last_signal = 0;
	pthread_join(thread, NULL);
}

/* One frame of the kernel's on this processor, and little more. */
static void small_stack(void)
{
	on_stack_of((size_t)sysconf(_SC_MINSIGSTKSZ) + 2048);
}

/* Room for a signal within a handler. */
static void two_frames(void)
{
	on_stack_of(2 * (size_t)sysconf(_SC_MINSIGSTKSZ) + 4096);
}

static void stack_64k(void)
{
	on_stack_of(65536);
}

/* ------------------------------------------------------------------- storms */

static unsigned char *handler_pages;
static atomic_int depth, bad, storms;

static void storm_handler(int number)
{
	unsigned char *own = handler_pages + (size_t)(depth++ % 8) * PAGE;
	int error = errno, value = ++storms;

	code_write(own, value);
	if (code_run(own) != value)
		bad++;
	/* Beside what the main program has in hand. */
	code_write(page + 1024, value);
	if (number == SIGUSR1 && code_run(page + 1024) != value && depth == 1)
		bad++;
	depth--;
	errno = error;
}

static void storm(int number, int timer, int flags)
{
	struct sigaction action = { .sa_handler = storm_handler, .sa_flags = SA_RESTART | flags };
	struct itimerval often = { { 0, 500 }, { 0, 500 } };
	int i;

	give_up_after(200);
	prepare();
	handler_pages = code_pages(8);
	storms = 0;
	must(sigaction(number, &action, NULL) == 0, "sigaction");
	must(setitimer(timer, &often, NULL) == 0, "setitimer");
	for (i = 0; i < 3000 || storms < 50; i++) {
		code_write(page, i);
		if (code_run(page) != i)
			bad++;
		code_write(page + PAGE, -i);
		if (code_run(page + PAGE) != -i)
			bad++;
	}
	memset(&often, 0, sizeof(often));
	setitimer(timer, &often, NULL);
	say("bad: %d", (int)bad);
}

static void profile_storm(void)
{
	storm(SIGPROF, ITIMER_PROF, 0);
	storm(SIGVTALRM, ITIMER_VIRTUAL, SA_NODEFER);
}

static void *shoot(void *target)
{
	while (storms < 1000)
		pthread_kill(*(pthread_t *)target, SIGUSR1);
	return NULL;
}

static void thread_storm(void)
{
	struct sigaction action = { .sa_handler = storm_handler, .sa_flags = SA_RESTART };
	pthread_t self = pthread_self(), thread;
	int i;

	give_up_after(200);
	prepare();
	handler_pages = code_pages(8);
	must(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
	must(pthread_create(&thread, NULL, shoot, &self) == 0, "thread");
	for (i = 0; storms < 1000; i++) {
		code_write(page, i);
		if (code_run(page) != i)
			bad++;
	}
	pthread_join(thread, NULL);
	say("bad: %d", (int)bad);
}

/* Signals in the middle of code that stores into its own page. */
static void run_in_signal(int number, siginfo_t *info, void *context)
{
	note(number, info, context);
	code_write(page + PAGE, (int)count);
	bad += code_run(page + PAGE) != (int)count;
}

static void interrupted(void)
{
	struct itimerval often = { { 0, 500 }, { 0, 500 } };
	long sum = 0;
	int i;

	give_up_after(200);
	prepare();
	code_increment(page, page + 2048);
	handle(SIGPROF, run_in_signal, SA_RESTART, 0);
	must(setitimer(ITIMER_PROF, &often, NULL) == 0, "setitimer");
	for (i = 1; i <= 30000; i++)
		sum += code_call(page, NULL, 0, 0) == i;
	memset(&often, 0, sizeof(often));
	setitimer(ITIMER_PROF, &often, NULL);
	say("counted: %ld, bad: %d", sum, (int)bad);
}

/* Makes the second page writable. */
static void repair_next(int number, siginfo_t *info, void *context)
{
	note(number, info, context);
	if (do_mprotect(page + PAGE, PAGE, RW) != 0)
		_exit(3);
}

/* An instruction that is seldom met stores into its own page and into the next,
 * which may not be written. */
static void store_into_next(void)
{
	unsigned char *place = page + PAGE - 4;

	must(do_mprotect(page + PAGE, PAGE, PROT_READ) == 0, "mprotect");
	if (!sigsetjmp(escape, 1))
		code_call(page, place, 0, 0);
	say_fault("into the next page", page + PAGE);
	say("at the instruction: %d",
	    last_instruction == (uintptr_t)page + CODE_STORE_REAL_AT);
	say_checksum("place", place, 10);
}

static void seldom_faults(void)
{
	int i;

	page = code_pages(2);
	code_store_real(page);
	for (i = 0; i < 3; i++) {
		handle(SIGSEGV, repair_next, 0, 0);
		store_into_next();
		handle(SIGSEGV, leave, SA_NODEFER, 0);
		memset(page + PAGE - 4, 0, 4);
		store_into_next();
	}
	signal(SIGSEGV, SIG_DFL);
	say("%d", turns(page + 64, 100));
	do_mprotect(page + PAGE, PAGE, PROT_READ);
	code_call(page, page + PAGE - 4, 0, 0);
	say("not reached");
}

/* In a handler too, and on top of one: each thread has its function there. */
static __thread unsigned char *own_page;
static atomic_long counted;
static atomic_int counting;

static void count_in_signal(int number)
{
	int error = errno;

	(void)number;
	storms++;
	code_call(page, NULL, 0, 0);
	if (own_page)
		code_call(own_page + 64, NULL, 0, 0);
	counted++;
	errno = error;
}

static void *count_under_storm(void *own)
{
	long i;

	own_page = own;
	for (i = 1; i <= 2000 || storms < 2000; i++) {
		if (code_call(own_page, NULL, 0, 0) != i)
			bad++;
		code_call(page, NULL, 0, 0);
		counted++;
	}
	counting--;
	return NULL;
}

static void seldom_storm(void)
{
	enum { THREADS = 4 };
	pthread_t threads[THREADS];
	int i;

	give_up_after(200);
	page = code_pages(1 + THREADS);
	code_count_pair(page, page + 2048);
	signal(SIGUSR1, count_in_signal);
	counting = THREADS;
	for (i = 0; i < THREADS; i++) {
		unsigned char *own = page + (size_t)(1 + i) * PAGE;

		code_count_pair(own, own + 2048);
		code_count_pair(own + 64, own + 2048 + 64);
		must(pthread_create(&threads[i], NULL, count_under_storm, own) == 0, "thread");
	}
	for (i = 0; counting; i++)
		pthread_kill(threads[i % THREADS], SIGUSR1);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	say("bad: %d, missed: %ld", (int)bad, counted - code_call(page, NULL, 0, 0) + 1);
}

/* SIGSEGV that somebody sends is the program's. */
static void sent(void)
{
	sigset_t set, pending;

	prepare();
	handle(SIGSEGV, note, 0, 0);
	raise(SIGSEGV);
	say("raised: %d, code %d", (int)count, (int)last_code);
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGSEGV);
	say("%d", turns(page, 100));
	sigpending(&pending);
	say("blocked: %d, pending %d", (int)count, sigismember(&pending, SIGSEGV));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	say("unblocked: %d", (int)count);
	signal(SIGSEGV, SIG_IGN);
	raise(SIGSEGV);
	say("ignored: %d, %d", (int)count, turns(page, 100));
	signal(SIGSEGV, SIG_DFL);
	say("%d", turns(page, 100));
}

/* Without a handler, ignored or blocked, a fault of its own is the end. */
static void deadly(void)
{
	prepare();
	do_mprotect(page, PAGE, RX);
	say("%d", code_run(page));
	page[0] = 1;
	say("not reached");
}

static void deadly_ignored(void)
{
	prepare();
	signal(SIGSEGV, SIG_IGN);
	do_mprotect(page, PAGE, RW);
	code_run(page);
	say("not reached");
}

static void deadly_blocked(void)
{
	sigset_t set = all_but(0);

	prepare();
	handle(SIGSEGV, note, 0, 0);
	sigprocmask(SIG_SETMASK, &set, NULL);
	do_mprotect(page, PAGE, RW);
	code_run(page);
	say("not reached");
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "own-faults", own_faults },
		{ "of-the-code", of_the_code },
		{ "barrier", barrier },
		{ "blocked", blocked },
		{ "jumps", jumps },
		{ "from-nowhere", from_nowhere },
		{ "small-stack", small_stack },
		{ "trapped", trapped },
		{ "two-frames", two_frames },
		{ "stack-64k", stack_64k },
		{ "tight-stack", tight_stack },
		{ "tight-barrier", tight_barrier },
		{ "tight-frames", tight_frames },
		{ "tight-storm", tight_storm },
		{ "profile-storm", profile_storm },
		{ "thread-storm", thread_storm },
		{ "interrupted", interrupted },
		{ "seldom-faults", seldom_faults },
		{ "seldom-storm", seldom_storm },
		{ "sent", sent },
		{ "deadly", deadly },
		{ "deadly-ignored", deadly_ignored },
		{ "deadly-blocked", deadly_blocked },
		{ NULL, NULL },
	};
	return host_main(parts, argc, argv);
}
