/* code-forks.c: fork and its kin when code has been written and run: private
 * code is each process's own, whoever writes first, however deep. */
#include "config.h"

#include "code.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#ifdef HAVE_PIDFD_SPAWN
#include <sys/pidfd.h>
#endif

extern char **environ;

enum { PAGES = 3 };

/* Run; run and written; written only. */
static unsigned char *make_pages(int value)
{
	unsigned char *at = code_pages(PAGES);
	int i;

	for (i = 0; i < PAGES; i++)
		code_write(at + (size_t)i * PAGE, value + i);
	code_run(at);
	code_run(at + PAGE);
	at[PAGE + 100] = 1;
	return at;
}

static void rewrite(unsigned char *at, int value)
{
	int i;

	for (i = 0; i < PAGES; i++)
		code_write(at + (size_t)i * PAGE, value + i);
}

static bool all_return(unsigned char *at, int value)
{
	int i;

	for (i = 0; i < PAGES; i++)
		if (code_run(at + (size_t)i * PAGE) != value + i)
			return false;
	return true;
}

/* Lets two processes take turns. */
struct turn {
	int to_child[2], to_parent[2];
};

static void make_turn(struct turn *turn)
{
	must(pipe(turn->to_child) == 0 && pipe(turn->to_parent) == 0, "pipe");
}

static void hand_over(const int *pipes)
{
	must(write(pipes[1], "", 1) == 1, "write");
}

static void wait_for(const int *pipes)
{
	char byte;

	must(read(pipes[0], &byte, 1) == 1, "read");
}

static void child_of_turns(unsigned char *at, const struct turn *turn)
{
	wait_for(turn->to_child);
	must(all_return(at, 10), "child: what was there at fork");
	rewrite(at, 30);
	hand_over(turn->to_parent);
	wait_for(turn->to_child);
	must(all_return(at, 30), "child: its own");
	at[PAGE * 2 + 200] = 'c';
	must(at[200] == 0 && at[PAGE + 200] == 0, "child: data of the parent");
	must(all_return(at, 30), "child: its own");
	_exit(0);
}

static void own(void)
{
	unsigned char *at = make_pages(10);
	struct turn turn;
	pid_t child;

	make_turn(&turn);
	child = fork();
	if (child == 0)
		child_of_turns(at, &turn);
	rewrite(at, 20);
	say("parent: %d", all_return(at, 20));
	hand_over(turn.to_child);
	wait_for(turn.to_parent);
	say("parent: %d", all_return(at, 20));
	at[200] = 'p';
	hand_over(turn.to_child);
	say_child("child", child);
	say("parent: %d, %c %d", all_return(at, 20), at[200], at[2 * PAGE + 200]);
}

/* The parent does nothing; the child writes. And the reverse. */
static void one_side(void)
{
	unsigned char *at = make_pages(10);
	struct turn turn;
	pid_t child = fork();

	if (child == 0) {
		rewrite(at, 30);
		_exit(all_return(at, 30) ? 0 : 1);
	}
	say_child("child writes", child);
	say("parent: %d", all_return(at, 10));
	make_turn(&turn);
	child = fork();
	if (child == 0) {
		wait_for(turn.to_child);
		_exit(all_return(at, 10) ? 0 : 1);
	}
	rewrite(at, 40);
	must(all_return(at, 40), "parent");
	hand_over(turn.to_child);
	say_child("parent writes", child);
	say("parent: %d", all_return(at, 40));
}

/* A generation each, down to the last; each writes before and after its child. */
static int generation(unsigned char *at, int depth)
{
	pid_t child;
	int status;

	rewrite(at, 100 * depth);
	if (depth == 6)
		return all_return(at, 100 * depth) ? 0 : depth;
	child = fork();
	if (child == 0) {
		if (!all_return(at, 100 * depth))
			_exit(50 + depth);
		_exit(generation(at, depth + 1));
	}
	if (depth % 2)
		rewrite(at, 100 * depth + 50);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return 90;
	if (!all_return(at, depth % 2 ? 100 * depth + 50 : 100 * depth))
		return 70 + depth;
	return WEXITSTATUS(status);
}

static void generations(void)
{
	unsigned char *at = make_pages(10);

	say("%d", generation(at, 1));
}

/* Siblings, all alive at once, write different code at the same address. */
static void siblings(void)
{
	unsigned char *at = make_pages(10), *later;
	pid_t children[20];
	char text[20];
	int i, turn;

	for (i = 0; i < 20; i++) {
		rewrite(at, i);
		children[i] = fork();
		if (children[i])
			continue;
		if (!all_return(at, i))
			_exit(1);
		for (turn = 0; turn < 20; turn++) {
			rewrite(at, 1000 * i + turn);
			sched_yield();
			if (!all_return(at, 1000 * i + turn))
				_exit(2);
		}
		later = make_pages(i);
		_exit(all_return(later, i) ? 0 : 3);
	}
	say("parent: %d", all_return(at, 19));
	for (i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), "child %d", i);
		say_child(text, children[i]);
	}
}

/* Turned by mprotect in parent and child. */
static void by_mprotect(void)
{
	unsigned char *at = data_pages(PAGES);
	pid_t child;
	int i;

	rewrite(at, 10);
	say_result("rx", do_mprotect(at, PAGES * PAGE, RX));
	for (i = 0; i < 3; i++) {
		child = fork();
		if (child == 0) {
			must(all_return(at, 10 + i), "child");
			must(do_mprotect(at, PAGES * PAGE, RW) == 0, "rw");
			rewrite(at, 30);
			must(do_mprotect(at, PAGES * PAGE, RX) == 0, "rx");
			_exit(all_return(at, 30) ? 0 : 1);
		}
		say_child("child", child);
		say("parent: %d", all_return(at, 10 + i));
		say_result("rw", do_mprotect(at, PAGES * PAGE, RW));
		rewrite(at, 11 + i);
		say_result("rx", do_mprotect(at, PAGES * PAGE, RX));
	}
	/* rw while it forks */
	say_result("rw", do_mprotect(at, PAGES * PAGE, RW));
	child = fork();
	if (child == 0) {
		rewrite(at, 50);
		must(do_mprotect(at, PAGES * PAGE, RX) == 0, "rx");
		_exit(all_return(at, 50) ? 0 : 1);
	}
	say_child("child", child);
	say_result("rx", do_mprotect(at, PAGES * PAGE, RX));
	say("parent: %d", all_return(at, 13));
}

static void then_exec(void)
{
	unsigned char *at = make_pages(10);
	pid_t child;
	int i;

	for (i = 0; i < 5; i++) {
		child = fork();
		if (child == 0) {
			execlp("true", "true", (char *)NULL);
			_exit(127);
		}
		rewrite(at, i);
		say_child("exec", child);
		say("parent: %d", all_return(at, i));
	}
}

static void after_vfork(void)
{
	unsigned char *at = make_pages(10);
	pid_t child;
	int i;

	for (i = 0; i < 5; i++) {
		child = vfork();
		if (child == 0) {
			execlp("true", "true", (char *)NULL);
			_exit(127);
		}
		say_child("exec", child);
		say("parent: %d", all_return(at, 10));
		/* What the child writes, it writes in its parent. */
		child = vfork();
		if (child == 0) {
			rewrite(at, 20 + i);
			_exit(all_return(at, 20 + i) ? 0 : 1);
		}
		say_child("write", child);
		say("parent: %d", all_return(at, 20 + i));
		rewrite(at, 10);
	}
}

static void spawn(void)
{
	unsigned char *at = make_pages(10);
	char *const arguments[] = { (char[]){ "true" }, NULL };
	pid_t child;
	int i;

	for (i = 0; i < 5; i++) {
		must(posix_spawnp(&child, "true", NULL, NULL, arguments, environ) == 0, "spawn");
		rewrite(at, i);
		say_child("spawn", child);
		say("parent: %d", all_return(at, i));
	}
}

/* The same, with a descriptor that is written beside code. */
static void pidfd_spawn_beside_code(void)
{
#ifdef HAVE_PIDFD_SPAWN
	char *const arguments[] = { "true", NULL };
	unsigned char *at = code_pages(1);
	int *pidfd = (int *)(at + 512);
	int i;

	for (i = 0; i < 3; i++) {
		code_write(at, i);
		say("run: %d", code_run(at));
		say("spawn: %d", pidfd_spawnp(pidfd, "true", NULL, NULL, arguments, environ));
		say_child("spawn", pidfd_getpid(*pidfd));
		close(*pidfd);
		say("run: %d", code_run(at));
		*pidfd = 99;
		say("run: %d", code_run(at));
		say("none: %d", pidfd_spawn(pidfd, "/nonexistent", NULL, NULL, arguments, environ));
		say("no child: %d", *pidfd);
	}
#else
	say("libc has no pidfd_spawn");
#endif
}

static int exit_at_once(void *status)
{
	_exit(*(int *)status);
}

/* All that is handed over, and what comes back, lies beside code that has just run. */
static void spawn_beside_code(void)
{
	struct {
		posix_spawnattr_t attributes;
		posix_spawn_file_actions_t actions;
		char *arguments[2], name[8];
		pid_t child, told;
		int status;
	} *beside;
	static char stack[65536] __attribute__((aligned(16)));
	unsigned char *at = code_pages(1);
	sigset_t none;
	int i;

	beside = (void *)(at + 512);
	strcpy(beside->name, "true");
	beside->arguments[0] = beside->name;
	sigemptyset(&none);
	must(posix_spawnattr_init(&beside->attributes) == 0 &&
	     posix_spawnattr_setsigmask(&beside->attributes, &none) == 0 &&
	     posix_spawnattr_setflags(&beside->attributes, POSIX_SPAWN_SETSIGMASK) == 0 &&
	     posix_spawn_file_actions_init(&beside->actions) == 0 &&
	     posix_spawn_file_actions_adddup2(&beside->actions, 1, 9) == 0, "attributes");
	for (i = 0; i < 3; i++) {
		code_write(at, i);
		say("run: %d", code_run(at));
		say("spawn: %d", posix_spawnp(&beside->child, "true", &beside->actions,
					      &beside->attributes, beside->arguments, environ));
		say_child("spawn", beside->child);
		beside->child = 99;
		say("run: %d", code_run(at));
		say("none: %d", posix_spawn(&beside->child, "/nonexistent", NULL, NULL,
					    beside->arguments, environ));
		say("no child: %d", (int)beside->child);
		beside->status = 7 + i;
		say("run: %d", code_run(at));
		beside->child = clone(exit_at_once, stack + sizeof(stack),
				      SIGCHLD | CLONE_PARENT_SETTID, &beside->status, &beside->told,
				      NULL, NULL);
		say("told: %d", beside->told == beside->child);
		say_child("clone", beside->child);
	}
}

/* Forks that no pthread_atfork sees. */
static int look_and_rewrite(unsigned char *at)
{
	if (!all_return(at, 10))
		return 1;
	rewrite(at, 30);
	return all_return(at, 30) ? 0 : 2;
}

static void unseen(const char *what, pid_t (*make)(void))
{
	unsigned char *at = make_pages(10);
	pid_t child;
	int i;

	for (i = 0; i < 3; i++) {
		child = make();
		if (child == 0)
			_exit(look_and_rewrite(at));
		say_child(what, child);
		say("parent: %d", all_return(at, 10));
		child = make();
		if (child == 0) {
			usleep(20000);
			_exit(look_and_rewrite(at));
		}
		rewrite(at, 20);
		say("parent: %d", all_return(at, 20));
		say_child(what, child);
		rewrite(at, 10);
	}
}

static pid_t syscall_clone(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);
}

static pid_t syscall_fork(void)
{
#ifdef SYS_fork
	return (pid_t)syscall(SYS_fork);
#else
	return syscall_clone();
#endif
}

static void underscore_fork(void)
{
	unseen("_Fork", _Fork);
}

static void by_syscall(void)
{
	unseen("syscall(SYS_fork)", syscall_fork);
	unseen("syscall(SYS_clone)", syscall_clone);
}

static unsigned char *clone_page;

static int in_clone(void *unused)
{
	(void)unused;
	return look_and_rewrite(clone_page);
}

static void clones(void)
{
	static char stack[256 * 1024] __attribute__((aligned(16)));
	pid_t child;

	clone_page = make_pages(10);
	child = clone(in_clone, stack + sizeof(stack), SIGCHLD, NULL);
	say_child("clone", child);
	say("parent: %d", all_return(clone_page, 10));
	/* In the parent's memory. */
	child = clone(in_clone, stack + sizeof(stack), SIGCHLD | CLONE_VM | CLONE_VFORK, NULL);
	say_child("clone, CLONE_VM", child);
	say("parent: %d", all_return(clone_page, 30));
}

/* Children that do not end well, while they hold code of their own. */
static void killed(void)
{
	static volatile int *volatile nowhere = (volatile int *)16;
	static const int numbers[] = { SIGKILL, SIGSEGV, SIGABRT, SIGTERM };
	unsigned char *at = make_pages(10);
	pid_t child;
	int i;

	for (i = 0; i < 4; i++) {
		child = fork();
		if (child == 0) {
			rewrite(at, 40);
			must(all_return(at, 40), "child");
			raise(numbers[i]);
			_exit(0);
		}
		say_child("raised", child);
		child = fork();
		if (child == 0) {
			for (;;) {
				rewrite(at, 40);
				all_return(at, 40);
			}
		}
		usleep(5000);
		kill(child, SIGKILL);
		say_child("killed", child);
		say("parent: %d", all_return(at, 10));
		rewrite(at, 10);
	}
	child = fork();
	if (child == 0) {
		*nowhere = 0;
		_exit(0);
	}
	say_child("fault", child);
	child = fork();
	if (child == 0) {
		do_mprotect(at, PAGE, RX);
		code_run(at);
		at[0] = 1;
		_exit(0);
	}
	say_child("fault in a code page", child);
	say("parent: %d", all_return(at, 10));
}

static int entries_of(const char *folder)
{
	DIR *entries = opendir(folder);
	int n = 0;

	must(entries, folder);
	while (readdir(entries))
		n++;
	closedir(entries);
	return n;
}

static int lines_of(const char *name)
{
	FILE *lines = fopen(name, "re");
	int n = 0, c;

	must(lines, name);
	while ((c = getc(lines)) != EOF)
		n += c == '\n';
	fclose(lines);
	return n;
}

/* Many forks, with code written between them: no memory may pile up. */
static void bounded(void)
{
	unsigned char *at = make_pages(10);
	long before = 0, shared = 0;
	size_t i, pages = 64;
	unsigned char *more = code_pages(pages);
	int n, status, bad = 0;
	pid_t child;

	for (n = 0; n < 300; n++) {
		rewrite(at, n);
		for (i = 0; i < pages; i++) {
			code_write(more + i * PAGE, n);
			if (n % 10 == 0)
				code_run(more + i * PAGE);
		}
		child = fork();
		if (child == 0)
			_exit(all_return(at, n) && code_run(more) == n ? 0 : 1);
		must(child > 0 && waitpid(child, &status, 0) == child, "child");
		bad += status != 0;
		if (!all_return(at, n))
			bad++;
		if (n == 20) {
			before = kilobytes("smaps_rollup", "Pss");
			shared = kilobytes("status", "RssShmem");
		}
	}
	say("bad: %d", bad);
	say("bounded: %d %d", kilobytes("smaps_rollup", "Pss") < before + 2048,
	    kilobytes("status", "RssShmem") < shared + 2048);
	say("descriptors, mappings: %d %d", entries_of("/proc/self/fd") < 64,
	    lines_of("/proc/self/maps") < 400);
}

/* What was changed since the last turn of a page is as it is, in the child too. */
static void changed_since(void)
{
	unsigned char *at = code_pages(1), *gone = code_pages(1), *guard;
	int status;
	pid_t child;

	code_write(at, 1);
	code_run(at);
	must(mprotect(at, PAGE, PROT_READ | PROT_EXEC) == 0, "mprotect");
	code_run(at);
	must(mprotect(at, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0, "mprotect");
	child = fork();
	if (child == 0) {
		code_write(at, 2);
		_exit(code_run(at));
	}
	must(child > 0, "fork");
	must(waitpid(child, &status, 0) == child, "waitpid");
	say("child, status: %#x", status);
	code_write(gone, 3);
	code_run(gone);
	must(munmap(gone, PAGE) == 0, "munmap");
	guard = mmap(gone, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	must(guard == gone, "mmap");
	child = fork();
	if (child == 0) {
		*(volatile unsigned char *)guard = 1;
		_exit(0);
	}
	must(child > 0 && waitpid(child, &status, 0) == child, "child");
	say("guard, status: %#x", status & ~0x80);
}

/* Between forks one page of many is written: what the others hold is of many ages. */
static void by_turns(void)
{
	enum { CODE_PAGES = 120, FORKS = 600 };
	unsigned char *at = code_pages(CODE_PAGES);
	int bad = 0, n, i, status;
	pid_t child;

	for (i = 0; i < CODE_PAGES; i++) {
		code_write(at + i * (int)PAGE, i);
		bad += code_run(at + i * (int)PAGE) != i;
	}
	for (n = 0; n < FORKS; n++) {
		i = n * 7 % CODE_PAGES;
		child = fork();
		if (child == 0)
			_exit(code_run(at + i * (int)PAGE) == (n < CODE_PAGES ? i : n - CODE_PAGES) ? 0 : 1);
		must(child > 0 && waitpid(child, &status, 0) == child, "child");
		bad += status != 0;
		code_write(at + i * (int)PAGE, n);
		bad += code_run(at + i * (int)PAGE) != n;
	}
	for (n = FORKS - CODE_PAGES; n < FORKS; n++)
		bad += code_run(at + n * 7 % CODE_PAGES * (int)PAGE) != n;
	say("bad: %d", bad);
	say("descriptors: %d", entries_of("/proc/self/fd") < 64);
}

static unsigned char *busy_page;
static atomic_bool stop;
static atomic_long turns;

static void *busy(void *unused)
{
	int i = 0;

	(void)unused;
	while (!stop) {
		code_write(busy_page, ++i);
		if (code_run(busy_page) != i)
			abort();
		turns++;
	}
	return NULL;
}

/* Another thread writes code and runs it; the child calls what was written
 * before, in the same page and elsewhere, and writes itself. */
static void while_busy(void)
{
	unsigned char *at = make_pages(10);
	pthread_t thread;
	pid_t child;
	int n, status, bad = 0;
	long seen;

	give_up_after(200);
	busy_page = code_pages(1);
	code_write(busy_page + 512, 77);
	must(pthread_create(&thread, NULL, busy, NULL) == 0, "thread");
	for (n = 0; n < 100; n++) {
		seen = turns;
		while (turns == seen)
			sched_yield();
		child = fork();
		if (child == 0) {
			if (code_run(busy_page + 512) != 77)
				_exit(3);
			code_write(busy_page, 5);
			_exit(code_run(busy_page) != 5 ? 4 : look_and_rewrite(at));
		}
		must(child > 0 && waitpid(child, &status, 0) == child, "child");
		if (status && !bad++)
			say("the first bad one: %#x", status);
		if (!all_return(at, 10))
			bad++;
	}
	stop = true;
	pthread_join(thread, NULL);
	say("bad: %d", bad);
}

/* Counts in its own page, by an instruction that is seldom met. */
static long count_pair(unsigned char *at, int times)
{
	long result = 0;

	while (times--)
		result = code_call(at, NULL, 0, 0);
	return result;
}

static void child_of_pairs(unsigned char *at)
{
	int i;

	/* Another instruction than the parent's at this address. */
	code_store_real(at + 64);
	code_count_pair(at + PAGE, at + PAGE + 2048);
	for (i = 1; i <= 500; i++) {
		code_call(at + 64, at + 1024, 0, 0);
		must(count_pair(at, 1) == 10 + i && count_pair(at + PAGE, 2) == 2 * i,
		     "child: counts");
	}
	_exit(0);
}

static void pairs(void)
{
	unsigned char *at = code_pages(2);
	pid_t children[3];
	long sum = 0;
	int i;

	code_count_pair(at, at + 2048);
	say("before: %ld", count_pair(at, 10));
	for (i = 0; i < 3; i++) {
		children[i] = fork();
		if (children[i] == 0)
			child_of_pairs(at);
		*(volatile long *)(void *)(at + 2048) = 10;
		code_count_pair(at + 64 + 64 * i, at + 2048 + 64);
		sum += count_pair(at + 64 + 64 * i, 500);
	}
	for (i = 0; i < 3; i++)
		say_child("child", children[i]);
	say("parent: %ld %ld", sum, count_pair(at, 1));
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "own", own },
		{ "one-side", one_side },
		{ "generations", generations },
		{ "siblings", siblings },
		{ "by-mprotect", by_mprotect },
		{ "exec", then_exec },
		{ "vfork", after_vfork },
		{ "spawn", spawn },
		{ "spawn-beside-code", spawn_beside_code },
		{ "pidfd-spawn-beside-code", pidfd_spawn_beside_code },
		{ "_Fork", underscore_fork },
		{ "syscall", by_syscall },
		{ "clone", clones },
		{ "killed", killed },
		{ "bounded", bounded },
		{ "by-turns", by_turns },
		{ "changed-since", changed_since },
		{ "while-busy", while_busy },
		{ "pairs", pairs },
		{ NULL, NULL },
	};
	return host_main(parts, argc, argv);
}
