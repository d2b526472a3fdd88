/* journal-ask.c: asks for executable memory a known number of times, from known
 * places, while what the journal is written to goes away, fills up or is shared;
 * and ends in every way there is. */
#include "host.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

extern char **environ;

/* The heap page is data before each request; 0 if it was given. */
#define SITE(n)                                                              \
	__attribute__((noinline)) static int ask_##n(unsigned char *page)    \
	{                                                                    \
		int result = mprotect(page, PAGE, RW) || mprotect(page, PAGE, RWX); \
                                                                             \
		__asm__ volatile("" : : "i"(n));                             \
		return result;                                               \
	}
SITE(0) SITE(1) SITE(2) SITE(3) SITE(4) SITE(5) SITE(6) SITE(7)

enum { SITES = 8 };
static int (*const ask[SITES])(unsigned char *page) = {
	ask_0, ask_1, ask_2, ask_3, ask_4, ask_5, ask_6, ask_7,
};

static unsigned char *page;

static void ask_often(int site, int times)
{
	if (!page)
		page = heap_pages(1);
	while (times-- > 0)
		must(ask[site](page) == 0, "code");
}

static void repeat(void)
{
	ask_often(0, 1000);
	say("asked");
}

/* --------------------------------------------------------- many at a time */

enum { THREADS = 100, CHILDREN = 8, TIMES = 20 };

static pthread_barrier_t barrier;

static void *ask_everywhere(void *own)
{
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < TIMES; i++)
		must(ask[i % SITES](own) == 0, "code");
	return NULL;
}

/* THREADS * TIMES requests here, TIMES in each child. */
static void storm(void)
{
	unsigned char *pages = heap_pages(THREADS + 1);
	pthread_t threads[THREADS];
	pid_t children[CHILDREN];
	int status, failed = 0;

	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		must(pthread_create(&threads[i], NULL, ask_everywhere, pages + (size_t)i * PAGE) == 0,
		     "thread");
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		if (children[i])
			continue;
		for (int k = 0; k < TIMES; k++)
			if (ask[k % SITES](pages + (size_t)THREADS * PAGE))
				_exit(1);
		_exit(0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < CHILDREN; i++)
		failed += waitpid(children[i], &status, 0) != children[i] || status;
	say("failed %d", failed);
}

static void forked(void)
{
	pid_t child;

	ask_often(0, 3);
	child = fork();
	if (child == 0) {
		ask_often(0, 5);
		exit(0);
	}
	say_child("child", child);
	ask_often(0, 4);
}

/* ------------------------------------------------------------------- ends */

static void ask_25(void)
{
	ask_often(0, 25);
	fflush(stdout);
}

static void end_exit(void)
{
	ask_25();
	exit(3);
}

static void end__exit(void)
{
	ask_25();
	_exit(4);
}

static void end__Exit(void)
{
	ask_25();
	_Exit(5);
}

static void end_quick_exit(void)
{
	ask_25();
	quick_exit(6);
}

static void end_syscall(void)
{
	ask_25();
	syscall(SYS_exit_group, 7);
}

static char *const true_arguments[] = { "true", NULL };

static void end_execv(void)
{
	ask_25();
	execv("/bin/true", true_arguments);
}

static void end_execlp(void)
{
	ask_25();
	execlp("true", "true", (char *)NULL);
}

static void end_fexecve(void)
{
	ask_25();
	fexecve(open("/bin/true", O_RDONLY | O_CLOEXEC), true_arguments, environ);
}

static void end_abort(void)
{
	ask_25();
	abort();
}

static int *volatile nowhere = (int *)16;

static void end_segv(void)
{
	ask_25();
	*nowhere = 1;
}

static void end_raise(void)
{
	ask_25();
	raise(SIGSEGV);
}

static void end_trap(void)
{
	ask_25();
	__builtin_trap();
}

static void end_term(void)
{
	ask_25();
	kill(getpid(), SIGTERM);
}

static void end_thread(void)
{
	ask_25();
	pthread_exit(NULL);
}

static void *end_here(void *nothing)
{
	(void)nothing;
	_exit(8);
}

static void end_in_thread(void)
{
	pthread_t thread;

	ask_25();
	pthread_create(&thread, NULL, end_here, NULL);
	pthread_join(thread, NULL);
}

/* An exec that fails is no end, nor is one of a child on our memory. */
static void not_the_end(void)
{
	pid_t child;

	ask_often(0, 11);
	execv("/none/there", true_arguments);
	ask_often(0, 11);
	child = vfork();
	if (child == 0) {
		execv("/bin/true", true_arguments);
		_exit(9);
	}
	say_child("vfork", child);
	child = vfork();
	if (child == 0)
		_exit(9);
	say_child("vfork", child);
	must(posix_spawn(&child, "/bin/true", NULL, NULL, true_arguments, environ) == 0, "spawn");
	say_child("spawn", child);
	ask_often(0, 3);
}

/* ------------------------------------------------------- what is written to */

static off_t size_of(int fd)
{
	struct stat status;

	must(fstat(fd, &status) == 0, "fstat");
	return status.st_size;
}

static void closed(void)
{
	ask_often(0, 1);
	closefrom(3);
	ask_often(1, 1);
	closefrom(3);
	ask_often(2, 1);
}

/* Our own file on every number: nothing may be written into it. Then there are
 * numbers again. */
static void reused(void)
{
	const struct rlimit few = { 1024, 1024 };
	int fd, i;

	must(setrlimit(RLIMIT_NOFILE, &few) == 0, "setrlimit");
	ask_often(0, 1);
	closefrom(3);
	fd = temporary_file(0);
	for (i = 3; i < 1024; i++)
		must(i == fd || dup2(fd, i) == i, "dup2");
	ask_often(1, 1);
	ask_often(2, 1);
	ask_often(3, 1);
	say("our file has %ld bytes", (long)size_of(fd));
	for (i = 1000; i < 1010; i++)
		close(i);
	ask_often(4, 1);
	say("our file has %ld bytes", (long)size_of(fd));
}

static const char *log_name(void)
{
	const char *name = getenv("HOST_LOG");

	must(name, "HOST_LOG");
	return name;
}

static void rotated(void)
{
	char other[4096];

	snprintf(other, sizeof other, "%s.1", log_name());
	ask_often(0, 5);
	must(rename(log_name(), other) == 0, other);
	ask_often(1, 1);
	ask_often(0, 5);
	snprintf(other, sizeof other, "%s.2", log_name());
	rename(log_name(), other); /* made anew by jitmend alone */
	ask_often(2, 1);
}

static void removed(void)
{
	ask_often(0, 1);
	must(unlink(log_name()) == 0, log_name());
	ask_often(1, 1);
}

/* Room for 100 bytes more, then again for as much as there is. */
static void file_size(void)
{
	struct rlimit limit;
	struct stat status;

	ask_often(0, 1);
	must(stat(log_name(), &status) == 0, log_name());
	must(getrlimit(RLIMIT_FSIZE, &limit) == 0, "getrlimit");
	limit.rlim_cur = (rlim_t)status.st_size + 100;
	must(setrlimit(RLIMIT_FSIZE, &limit) == 0, "setrlimit");
	ask_often(1, 1);
	ask_often(2, 1);
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(RLIMIT_FSIZE, &limit) == 0, "setrlimit");
	ask_often(3, 1);
	say("alive");
}

/* Fills the file system that HOST_FILL is on but for some bytes of a page, and
 * makes room again. */
static void full(void)
{
	const char *name = getenv("HOST_FILL");
	char bytes[PAGE];
	int fd;

	must(name, "HOST_FILL");
	memset(bytes, 'x', sizeof bytes);
	ask_often(0, 1);
	fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	must(fd >= 0, name);
	while (write(fd, bytes, sizeof bytes) > 0)
		;
	must(errno == ENOSPC, "a full disk");
	for (int i = 1; i < 7; i++)
		ask_often(i, 1);
	close(fd);
	must(unlink(name) == 0, name);
	ask_often(7, 1);
	say("alive");
}

static void in_chroot(void)
{
	char folder[] = "root-XXXXXX";

	ask_often(0, 1);
	must(mkdtemp(folder), folder);
	if (chroot(folder) != 0 || chdir("/") != 0) {
		say("no chroot");
		return;
	}
	ask_often(1, 1);
	ask_often(0, 4);
	say("alive");
}

enum { PIECES = 1500, PIECE = 32 };

/* A call of mprotect, with the arguments that it is called with itself. */
static void put_call(unsigned char *at, int (*function)(void *, size_t, int))
{
#ifdef __x86_64__
	/* sub $8, %rsp; mov $FUNCTION, %rax; call *%rax; add $8, %rsp; ret */
	memcpy(at, "\x48\x83\xec\x08\x48\xb8", 6);
	memcpy(at + 6, &function, 8);
	memcpy(at + 14, "\xff\xd0\x48\x83\xc4\x08\xc3", 7);
#elif defined(__aarch64__)
	/* stp x29, x30, [sp, #-16]!; ldr x16, . + 8; b . + 12, over what is loaded;
	 * blr x16; ldp x29, x30, [sp], #16; ret */
	static const uint32_t begin[] = { 0xa9bf7bfd, 0x58000050, 0x14000003 };
	static const uint32_t end[] = { 0xd63f0200, 0xa8c17bfd, 0xd65f03c0 };

	memcpy(at, begin, 12);
	memcpy(at + 12, &function, 8);
	memcpy(at + 20, end, 12);
	__builtin___clear_cache((char *)at, (char *)at + PIECE);
#else
	/* push 12(%esp), three times; mov $FUNCTION, %eax; call *%eax; add $12, %esp; ret */
	memcpy(at, "\xff\x74\x24\x0c\xff\x74\x24\x0c\xff\x74\x24\x0c\xb8", 13);
	memcpy(at + 13, &function, 4);
	memcpy(at + 17, "\xff\xd0\x83\xc4\x0c\xc3", 6);
#endif
}

/* As many sites as there are pieces of code that call it. */

static void flood(void)
{
	unsigned char *code = mmap(NULL, PIECES * PIECE, RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int (*function)(void *, size_t, int) = mprotect;

	must(code != MAP_FAILED, "code");
	if (!page)
		page = heap_pages(1);
	for (unsigned char *at = code; at < code + PIECES * PIECE; at += PIECE) {
		int (*call)(void *, size_t, int) = (int (*)(void *, size_t, int))(uintptr_t)at;

		put_call(at, function);
		must(mprotect(page, PAGE, RW) == 0 && call(page, PAGE, RWX) == 0, "code");
	}
	say("flooded");
}

/* Then waits for a line, after which the reader has made room. */
static void flood_and_wait(void)
{
	char line[16];

	flood();
	must(fgets(line, sizeof line, stdin) != NULL, "a line");
	ask_often(0, 1);
	say("alive");
}

/* ----------------------------------------------------------------- sandbox */

/* What is not allowed fails with EPERM, or kills. */
static void shut_in(unsigned otherwise)
{
	static const int allowed[] = {
		/* what this host calls itself */
		SYS_write, SYS_exit_group, SYS_mprotect,
		/* what jitmend calls when it mends, and when it writes a line of its file */
		SYS_brk, SYS_mmap, SYS_mremap, SYS_munmap, SYS_rt_sigprocmask, SYS_rt_sigaction,
		SYS_futex, SYS_gettid, SYS_getpid, SYS_openat, SYS_ioctl, SYS_read, SYS_close,
		SYS_clock_gettime, SYS_fstat, SYS_ppoll, SYS_rt_sigpending,
		SYS_rt_sigtimedwait,
#ifdef SYS_stat
		SYS_stat,
#else
		SYS_newfstatat,
#endif
#ifdef SYS_mmap2
		SYS_mmap2, SYS_stat64, SYS_fstat64,
#endif
	};
	enum { COUNT = sizeof allowed / sizeof *allowed };
	struct sock_filter filter[COUNT * 2 + 2];
	struct sock_fprog program = { .filter = filter };
	unsigned n = 0;

	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						   offsetof(struct seccomp_data, nr));
	for (unsigned i = 0; i < COUNT; i++) {
		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							   (unsigned)allowed[i], 0, 1);
		filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, otherwise);
	program.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
		say("no seccomp");
		exit(0);
	}
}

static void ask_shut_in(unsigned otherwise)
{
	ask_often(0, 1);
	fflush(stdout);
	shut_in(otherwise);
	ask_often(0, 24);
	ask_often(1, 15);
	say("alive");
}

static void sandbox(void)
{
	ask_shut_in(SECCOMP_RET_ERRNO | EPERM);
}

static void sandbox_or_die(void)
{
	ask_shut_in(SECCOMP_RET_KILL_PROCESS);
}

/* What is open is not to be told what it is. */
static bool refuse_fstat(void)
{
	static struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef SYS_fstat64
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fstat64, 1, 0),
#endif
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fstat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof filter / sizeof *filter, .filter = filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int count_open(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

/* A child of vfork that opens the journal for itself, again and again. */
static void open_in_vain(void)
{
	static int before, after;
	pid_t child;

	ask_often(0, 1);
	child = vfork();
	if (child == 0) {
		if (!refuse_fstat())
			_exit(2);
		before = count_open();
		for (int site = 1; site < SITES; site++)
			ask[site](page);
		after = count_open();
		_exit(0);
	}
	say_child("child", child);
	say("left open: %d", after - before);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "repeat", repeat },
		{ "storm", storm },
		{ "forked", forked },
		{ "exit", end_exit },
		{ "_exit", end__exit },
		{ "_Exit", end__Exit },
		{ "quick_exit", end_quick_exit },
		{ "syscall", end_syscall },
		{ "execv", end_execv },
		{ "execlp", end_execlp },
		{ "fexecve", end_fexecve },
		{ "abort", end_abort },
		{ "segv", end_segv },
		{ "raise", end_raise },
		{ "trap", end_trap },
		{ "term", end_term },
		{ "thread", end_thread },
		{ "in-thread", end_in_thread },
		{ "not-the-end", not_the_end },
		{ "closed", closed },
		{ "reused", reused },
		{ "rotated", rotated },
		{ "removed", removed },
		{ "file-size", file_size },
		{ "full", full },
		{ "chroot", in_chroot },
		{ "flood", flood },
		{ "flood-and-wait", flood_and_wait },
		{ "sandbox", sandbox },
		{ "sandbox-or-die", sandbox_or_die },
		{ "open-in-vain", open_in_vain },
		{ NULL, NULL },
	};
	return host_main(parts, argc, argv);
}
