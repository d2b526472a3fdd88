/* agent.c: what a program that no library is preloaded into asks of its kernel, by the
 * instruction itself where it can: it is jitmend-agent that sees it.
 *
 *	agent PART [FILE...]
 */
#include "host.h"

#include "arch/x86_64.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>

extern char **environ;

static char **rest;

/* The kernel, and nothing between. */
#define kernel arch_syscall

static unsigned char *new_code(size_t pages)
{
	return (unsigned char *)kernel(SYS_mmap, 0, (long)(pages * PAGE),
				       PROT_READ | PROT_WRITE | PROT_EXEC,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* ------------------------------------------------------------------ memory */

static void code(void)
{
	unsigned char *at = new_code(3);

	for (int i = 0; i < 6; i++) {
		code_write(at + (i % 3) * (int)PAGE, i);
		say("%d", code_run(at + (i % 3) * (int)PAGE));
	}
	say("rx: %ld", kernel(SYS_mprotect, (long)at, (long)PAGE, PROT_READ | PROT_EXEC, 0, 0, 0));
	say("%d", code_run(at));
	say("rwx: %ld", kernel(SYS_mprotect, (long)at, (long)PAGE,
			       PROT_READ | PROT_WRITE | PROT_EXEC, 0, 0, 0));
	code_write(at, 9);
	say("%d", code_run(at));
	say("munmap: %ld", kernel(SYS_munmap, (long)at, (long)(3 * PAGE), 0, 0, 0, 0));
}

static void in_thread(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, (void *(*)(void *))(uintptr_t)code, NULL) == 0, "thread");
	must(pthread_join(thread, NULL) == 0, "join");
}

/* The kernel writes into a page that has run. */
static void kernel_writes_to(unsigned char *at)
{
	unsigned char bytes[6];
	int ends[2];

	must(pipe(ends) == 0, "pipe");
	code_write(at, 1);
	say("%d", code_run(at));
	code_write(bytes, 2);
	must(write(ends[1], bytes, sizeof bytes) == sizeof bytes, "write");
	say("read: %ld", kernel(SYS_read, ends[0], (long)at, sizeof bytes, 0, 0, 0));
	say("%d", code_run(at));
}

/* Of the program's own memory, which in one linked statically lies where addresses begin. */
static void kernel_writes(void)
{
	static _Alignas(PAGE) unsigned char own[PAGE];

	kernel_writes_to(new_code(1));
	say("rwx: %ld", kernel(SYS_mprotect, (long)own, (long)PAGE,
			       PROT_READ | PROT_WRITE | PROT_EXEC, 0, 0, 0));
	kernel_writes_to(own);
}

static void heap(void)
{
	unsigned char *end = sbrk(0), *at;

	must(sbrk((intptr_t)(4 * PAGE)) == end, "sbrk");
	at = (unsigned char *)(((uintptr_t)end + PAGE) & ~(uintptr_t)(PAGE - 1));
	code_write(at, 5);
	say("rx: %ld", kernel(SYS_mprotect, (long)at, (long)PAGE, PROT_READ | PROT_EXEC, 0, 0, 0));
	say("%d", code_run(at));
}

/* ------------------------------------------------------------------- forks */

static void forks(void)
{
	unsigned char *at = new_code(1);
	int status;
	pid_t child;

	code_write(at, 1);
	say("%d", code_run(at));
	child = fork();
	if (child == 0) {
		code_write(at, 2);
		_exit(code_run(at));
	}
	must(waitpid(child, &status, 0) == child, "waitpid");
	say("child: %#x, parent: %d", (unsigned)status, code_run(at));
	child = (pid_t)kernel(SYS_fork, 0, 0, 0, 0, 0, 0);
	if (child == 0) {
		code_write(at, 3);
		_exit(code_run(at));
	}
	code_write(at, 4);
	must(waitpid(child, &status, 0) == child, "waitpid");
	say("child: %#x, parent: %d", (unsigned)status, code_run(at));
}

/* ----------------------------------------------------------------- signals */

static volatile sig_atomic_t seen;
static volatile uintptr_t seen_address;
static sigjmp_buf back;

static void note(int number, siginfo_t *info, void *context)
{
	(void)context;
	seen = number;
	seen_address = (uintptr_t)info->si_addr;
	siglongjmp(back, 1);
}

static void count(int number)
{
	seen = number;
}

static void signals(void)
{
	struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO }, old;
	unsigned char *at = new_code(2);
	struct pollfd nothing;
	struct timespec long_time = { 20, 0 };
	sigset_t all, none, now;
	volatile int *volatile nowhere = (volatile int *)16;

	must(sigaction(SIGSEGV, &action, NULL) == 0, "sigaction");
	must(sigaction(SIGSEGV, NULL, &old) == 0, "sigaction");
	say("its own: %d", old.sa_sigaction == note);
	code_write(at, 1);
	say("%d", code_run(at));
	if (!sigsetjmp(back, 1))
		*nowhere = 1;
	say("signal %d at %#lx", (int)seen, (unsigned long)seen_address);
	action = (struct sigaction){ .sa_handler = count };
	must(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
	sigfillset(&all);
	sigemptyset(&none);
	must(sigprocmask(SIG_SETMASK, &all, NULL) == 0, "sigprocmask");
	must(sigprocmask(SIG_SETMASK, NULL, &now) == 0, "sigprocmask");
	say("blocked: SEGV %d, USR1 %d", sigismember(&now, SIGSEGV), sigismember(&now, SIGUSR1));
	code_write(at, 2);
	say("%d", code_run(at));
	kill(getpid(), SIGUSR1);
	seen = 0;
	say("ppoll: %d, %d", ppoll(&nothing, 0, &long_time, &none), errno == EINTR);
	say("signal %d", (int)seen);
}

static uintptr_t stack_end;

static void change_mask(uintptr_t set, uintptr_t old)
{
	say("%ld and %ld before the stack's end: %ld", set ? (long)(stack_end - set) : 0,
	    old ? (long)(stack_end - old) : 0,
	    kernel(SYS_rt_sigprocmask, SIG_BLOCK, (long)set, (long)old, 8, 0, 0));
}

/* Sets that lie in the page of the stack that the caller is on, and half of them behind it,
 * where nothing is. */
static void at_stacks_end(void)
{
	uint64_t *last = (uint64_t *)stack_end - 1;

	*last = 1UL << (SIGUSR2 - 1);
	change_mask((uintptr_t)last, 0);
	change_mask((uintptr_t)last, (uintptr_t)(last - 1));
	say("blocked: %d", last[-1] == *last);
	change_mask(stack_end - 4, 0);
	change_mask(0, stack_end - 4);
	change_mask(0, stack_end);
	*last = 0;
	change_mask(0, (uintptr_t)last);
	say("blocked: %d", *last == 1UL << (SIGUSR2 - 1));
}

static void on_stack(size_t pages)
{
	unsigned char *stack = mmap(NULL, (pages + 1) * PAGE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ucontext_t there, here;

	must(stack != MAP_FAILED && munmap(stack + pages * PAGE, PAGE) == 0 && !getcontext(&there),
	     "a stack");
	stack_end = (uintptr_t)stack + pages * PAGE;
	there.uc_stack = (stack_t){ .ss_sp = stack, .ss_size = pages * PAGE - 64 };
	there.uc_link = &here;
	makecontext(&there, at_stacks_end, 0);
	must(swapcontext(&here, &there) == 0, "swapcontext");
}

static void bad_pointers(void)
{
	static unsigned char other[64 * 1024];
	stack_t alternate = { .ss_sp = other, .ss_size = sizeof other };

	on_stack(16);
	must(sigaltstack(&alternate, NULL) == 0, "sigaltstack");
	on_stack(16);
	say("sigprocmask: %ld", kernel(SYS_rt_sigprocmask, SIG_BLOCK, 16, 0, 8, 0, 0));
	say("sigprocmask, old: %ld", kernel(SYS_rt_sigprocmask, SIG_BLOCK, 0, 16, 8, 0, 0));
	say("sigaction: %ld", kernel(SYS_rt_sigaction, SIGUSR1, 16, 0, 8, 0, 0));
	say("sigaction, old: %ld", kernel(SYS_rt_sigaction, SIGSEGV, 0, 16, 8, 0, 0));
	say("execve: %ld", kernel(SYS_execve, 16, 0, 0, 0, 0, 0));
	say("readlink: %ld", kernel(SYS_readlink, 16, 16, 16, 0, 0, 0));
	say("how: %ld", kernel(SYS_rt_sigprocmask, 77, (long)&environ, 0, 8, 0, 0));
}

/* ------------------------------------------------------- the process itself */

static void itself(void)
{
	char text[4096], name[17] = "";
	ssize_t got;
	int file;

	got = readlink("/proc/self/exe", text, sizeof text - 1);
	text[got > 0 ? got : 0] = 0;
	say("exe: %s", strrchr(text, '/'));
	say("short: %zd", readlink("/proc/self/exe", text, 3));
	prctl(PR_GET_NAME, name);
	say("comm: %s", name);
	file = open("/proc/self/cmdline", O_RDONLY);
	got = read(file, text, sizeof text);
	close(file);
	for (ssize_t i = 0; i < got - 1; i++)
		text[i] = text[i] ? text[i] : ' ';
	say("%s", got > 0 ? strstr(text, "agent") : "");
	say("heap behind the program: %d", (uintptr_t)sbrk(0) - (uintptr_t)&rest < 0x40000000UL);
}

/* ------------------------------------------------------------------- exec */

static void execs(void)
{
	int status;

	for (char **file = rest; *file; file++) {
		char *arguments[] = { "zero", "itself", NULL };
		pid_t child = fork();

		if (child == 0) {
			execve(*file, arguments, environ);
			_exit(100 + (errno == ENOENT) + 2 * (errno == EACCES) + 4 * (errno == ENOEXEC));
		}
		must(waitpid(child, &status, 0) == child, "waitpid");
		say("%s: %#x", strrchr(*file, '/') ? strrchr(*file, '/') + 1 : *file, (unsigned)status);
	}
}

/* Pages, however many mappings they are: the kernel makes one of neighbours. */
static long mapped(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long pages = 0;

	must(file && fscanf(file, "%ld", &pages) == 1, "/proc/self/statm");
	fclose(file);
	return pages;
}

/* As many pages as a few calls of exec take. */
#define A_FEW_PAGES 100

/* Its status. */
static int become(const char *file)
{
	static __thread int status;
	pid_t child = vfork();

	if (child == 0) {
		execl(file, "true", (char *)NULL);
		_exit(1);
	}
	must(waitpid(child, &status, 0) == child, "vfork");
	return status;
}

static void become_true(void)
{
	must(become("/bin/true") == 0, "true");
}

/* On its parent's memory, many times: next to nothing of it stays. */
static void vforks(void)
{
	static long before;
	static int i;

	become_true();
	before = mapped();
	for (i = 0; i < 200; i++)
		become_true();
	say("little stays: %d", mapped() - before < A_FEW_PAGES);
}

static void *become_it(void *file)
{
	return (void *)(intptr_t)become(file);
}

/* While the exec of another thread's child waits for its file: the kernel lets nobody
 * open what is on lease (fcntl(2)), and tells who has it. */
static void execs_beside(void)
{
	int file = open(rest[0], O_RDONLY), signal;
	pthread_t thread;
	sigset_t set;
	void *status;
	long before;

	if (fcntl(file, F_SETLEASE, F_WRLCK)) {
		say("no leases here");
		return;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	must(pthread_create(&thread, NULL, become_it, rest[0]) == 0, "thread");
	must(sigwait(&set, &signal) == 0, "sigwait");
	before = mapped();
	for (int i = 0; i < 200; i++)
		must(kernel(SYS_execve, (long)"/nowhere", 0, 0, 0, 0, 0) == -ENOENT, "execve");
	say("nothing stays: %d", mapped() - before < A_FEW_PAGES);
	fcntl(file, F_SETLEASE, F_UNLCK);
	pthread_join(thread, &status);
	say("the other: %#x", (unsigned)(intptr_t)status);
}

/* Where nobody tells which processes have the same memory. */
static void execs_unseen(void)
{
	struct sock_filter parts[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kcmp, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { .len = sizeof parts / sizeof *parts, .filter = parts };

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0, "seccomp");
	execs_beside();
}

static volatile bool begun, over;

/* Not before all are there: while a thread is about to be another program, the kernel makes
 * no thread that shares its folder (clone(2), EAGAIN). */
static void *exec_again_and_again(void *file)
{
	char *arguments[] = { "zero", NULL };

	while (!begun)
		sched_yield();
	while (!over)
		kernel(SYS_execve, (long)file, (long)arguments, 0, 0, 0, 0);
	return NULL;
}

/* Of a program, with an environment that is nowhere, while other threads ask for what is
 * no program. */
static void execs_at_once(void)
{
	char *arguments[] = { "zero", NULL };
	pthread_t threads[2];
	int wrong = 0;

	for (int i = 0; i < 2; i++)
		must(pthread_create(&threads[i], NULL, exec_again_and_again, rest[0]) == 0, "thread");
	begun = true;
	for (int i = 0; i < 8000; i++)
		wrong += kernel(SYS_execve, (long)"/bin/true", (long)arguments, 16, 0, 0, 0) != -EFAULT;
	over = true;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	say("wrong answers: %d", wrong);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "code", code },
		{ "in-thread", in_thread },
		{ "kernel-writes", kernel_writes },
		{ "heap", heap },
		{ "forks", forks },
		{ "signals", signals },
		{ "bad-pointers", bad_pointers },
		{ "itself", itself },
		{ "execs", execs },
		{ "vforks", vforks },
		{ "execs-beside", execs_beside },
		{ "execs-unseen", execs_unseen },
		{ "execs-at-once", execs_at_once },
		{ NULL, NULL },
	};

	rest = argv + (argc > 2 ? 2 : argc);
	return host_main(parts, argc > 2 ? 2 : argc, argv);
}
