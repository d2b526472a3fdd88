/* forks.c: fork and its kin after pages were made code, and while another
 * thread makes them so. */
#include "host.h"

#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char **environ;

static unsigned char *heap, *file;
static atomic_bool stop;
static atomic_int turns;

static void prepare(void)
{
	if (heap)
		return;
	heap = heap_pages(3);
	file = file_pages(2);
	memset(heap, 'h', 3 * PAGE);
	memset(file, 'f', 2 * PAGE);
	code_write(heap, 10);
	code_write(file, 20);
}

/* What a child finds, changes and makes code once more: 0 when all is well. */
static int look_in_child(void)
{
	if (code_run(heap) != 10 || code_run(file) != 20)
		return 1;
	if (!all_bytes(heap + CODE_BYTES, 3 * PAGE - CODE_BYTES, 'h') || !all_bytes(file + CODE_BYTES, 2 * PAGE - CODE_BYTES, 'f'))
		return 2;
	if (do_mprotect(heap, 2 * PAGE, RW) || do_mprotect(file, PAGE, RW))
		return 3;
	code_write(heap, 11);
	code_write(file, 21);
	if (do_mprotect(heap, 3 * PAGE, RWX) || do_mprotect(file, 2 * PAGE, RX))
		return 4;
	return code_run(heap) == 11 && code_run(file) == 21 ? 0 : 5;
}

static void after(void)
{
	pid_t child;
	int i;

	prepare();
	must(do_mprotect(heap, 2 * PAGE, RWX) == 0 && do_mprotect(file, PAGE, RWX) == 0, "to code");
	for (i = 0; i < 3; i++) {
		child = fork();
		if (child == 0) {
			int result = look_in_child();

			/* A grandchild, of a child that has code pages of its own. */
			child = fork();
			if (child == 0)
				_exit(code_run(heap) == 11 ? 0 : 6);
			say_child("grandchild", child);
			_exit(result);
		}
		say_child("child", child);
		say("parent %d %d", code_run(heap), code_run(file));
		heap[PAGE + 1] = (unsigned char)('0' + i);
		heap[PAGE + 1] = 'h';
	}
	must(do_mprotect(heap, 3 * PAGE, RW) == 0, "data");
}

static void vforks(void)
{
	static char *const arguments[] = { "true", NULL };
	pid_t child;
	int i;

	prepare();
	for (i = 0; i < 3; i++) {
		must(do_mprotect(heap, 2 * PAGE, RWX) == 0, "to code");
		child = vfork();
		if (child == 0) {
			execvp("true", arguments);
			_exit(127);
		}
		say_child("exec", child);
		say("parent %d", code_run(heap));
		must(do_mprotect(heap, 2 * PAGE, RW) == 0, "data");
		/* The child works on its parent's memory. */
		child = vfork();
		if (child == 0)
			_exit(do_mprotect(heap, 2 * PAGE, RWX) ? 1 : code_run(heap));
		say_child("mprotect", child);
		say_protection("parent", heap, 3);
	}
	must(do_mprotect(heap, 3 * PAGE, RW) == 0, "data");
}

static void *turn(void *argument)
{
	(void)argument;
	while (!stop) {
		must(mprotect(heap, 2 * PAGE, RWX) == 0, "to code");
		must(mprotect(file, PAGE, RWX) == 0, "to code");
		must(mprotect(heap, 2 * PAGE, RX) == 0, "to code");
		turns++;
	}
	return NULL;
}

/* N times MAKE while another thread turns the pages all the time. */
static void while_turning(int n, pid_t (*make)(void))
{
	pthread_t thread;
	int i, status, bad = 0, first = 0;

	prepare();
	must(mprotect(heap, 2 * PAGE, RWX) == 0 && mprotect(file, PAGE, RWX) == 0, "to code");
	stop = false;
	turns = 0;
	must(pthread_create(&thread, NULL, turn, NULL) == 0, "thread");
	for (i = 0; i < n; i++) {
		int seen = turns;
		pid_t child;

		while (turns == seen)
			sched_yield();
		child = make();
		must(child > 0 && waitpid(child, &status, 0) == child, "child");
		if (status && !bad++)
			first = status;
	}
	stop = true;
	pthread_join(thread, NULL);
	if (bad)
		say("%d of %d children failed, the first with status %#x", bad, n, first);
	else
		say("%d children", n);
	must(do_mprotect(heap, 3 * PAGE, RW) == 0, "data");
}

static pid_t by_fork(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(look_in_child());
	return child;
}

static pid_t by_underscore_fork(void)
{
	pid_t child = _Fork();

	if (child == 0)
		_exit(look_in_child());
	return child;
}

static pid_t by_syscall_fork(void)
{
#ifdef SYS_fork
	pid_t child = (pid_t)syscall(SYS_fork);
#else
	pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
#endif

	if (child == 0)
		_exit(look_in_child());
	return child;
}

static pid_t by_vfork(void)
{
	pid_t child = vfork();

	if (child == 0)
		_exit(code_run(heap) == 10 && heap[CODE_ROOM] == 'h' ? 0 : 1);
	return child;
}

/* The child reads its arguments from the page that is on the move, with all
 * signals blocked, as glibc does it. */
static pid_t by_spawn(void)
{
	char *const arguments[] = { "sh", "-c", (char *)heap + PAGE, NULL };
	pid_t child;

	return posix_spawnp(&child, "sh", NULL, NULL, arguments, environ) ? -1 : child;
}

static void while_forking(void)
{
	while_turning(100, by_fork);
}

static void while_underscore_forking(void)
{
	while_turning(100, by_underscore_fork);
}

static void while_syscall_forking(void)
{
	while_turning(100, by_syscall_fork);
}

static void while_vforking(void)
{
	while_turning(100, by_vfork);
}

static void while_spawning(void)
{
	prepare();
	must(mprotect(heap, 2 * PAGE, RW) == 0, "data");
	strcpy((char *)heap + PAGE, "exit 0");
	while_turning(50, by_spawn);
	memset(heap + PAGE, 'h', PAGE);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "after", after },
		{ "vfork", vforks },
		{ "while-forking", while_forking },
		{ "while-_Forking", while_underscore_forking },
		{ "while-syscall-forking", while_syscall_forking },
		{ "while-vforking", while_vforking },
		{ "while-spawning", while_spawning },
		{ NULL, NULL },
	};
	return host_main(parts, argc, argv);
}
