/* forks.c: forks while code is being written, by every way that libc has.
 *
 *     forks [THREADS]
 *
 * A thread's page tells of itself: which function is about to be written, the function,
 * which one is written. However a fork falls into that, the child's page is one that the
 * parent's was at some moment: what is written is no more than what the function
 * returns, and that no more than what was begun. What the child writes then is not the
 * parent's, and the other way round. */
#include "hostile.h"

#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { PAGES = 2, CHILDREN = 6, CODE_AT = 128, TEXT_AT = 1024, TEXT = 64 };

/* At the beginning of each page. */
struct told {
	atomic_int begun, written;
	atomic_bool writable; /* no call is under way that takes it, nor one that gives it */
	pid_t owner;
};

static struct told *told(unsigned char *page)
{
	return (struct told *)(void *)page;
}

static atomic_bool ready[WORKERS_MOST];
static bool in_child;
static atomic_long children;

static void write_page(unsigned char *page, int value)
{
	atomic_store(&told(page)->begun, value);
	code_write(page + CODE_AT, value);
	memset(page + TEXT_AT, value, TEXT);
	atomic_store(&told(page)->written, value);
}

/* Natively a page is copied at one moment. */
static bool is_a_moment(unsigned char *page)
{
	int written = told(page)->written, begun = told(page)->begun;
	int got = code_run(page + CODE_AT);

	if (got < written || got > begun)
		wrong("code of the moment of a fork", got, written);
	for (int i = 0; i < TEXT; i++)
		if (page[TEXT_AT + i] != (unsigned char)written &&
		    page[TEXT_AT + i] != (unsigned char)begun)
			wrong("text of the moment of a fork", page[TEXT_AT + i], written);
	return got >= written && got <= begun;
}

static void check_page(unsigned char *page, int value)
{
	if (code_run(page + CODE_AT) != value)
		wrong(in_child ? "child's code" : "parent's code", code_run(page + CODE_AT), value);
	if (!all_bytes(page + TEXT_AT, TEXT, value))
		wrong(in_child ? "child's text" : "parent's text", page[TEXT_AT], value);
	if (told(page)->owner != getpid())
		wrong("whose page it is", told(page)->owner, getpid());
}

/* ---------------------------------------------------------------- threads */

static void make_own(struct worker *worker)
{
	enum { BY_HEAP, BY_FILE, BY_MMAP };
	void *memory = NULL;

	switch (worker->number % 3) {
	case BY_HEAP:
		must(posix_memalign(&memory, PAGE, PAGES * PAGE) == 0, "posix_memalign");
		memset(memory, 0, PAGES * PAGE);
		worker->own = memory;
		break;
	case BY_FILE:
		worker->own = file_pages(PAGES);
		break;
	case BY_MMAP:
		worker->own = data_pages(PAGES);
		break;
	}
	for (int i = 0; i < PAGES; i++) {
		unsigned char *page = worker->own + (size_t)i * PAGE;

		told(page)->owner = getpid();
		write_page(page, 0);
	}
	must(mprotect(worker->own, PAGES * PAGE, RWX) == 0, "rwx");
	for (int i = 0; i < PAGES; i++)
		told(worker->own + (size_t)i * PAGE)->writable = true;
	ready[worker->number] = true;
}

static void come_and_go(struct worker *worker)
{
	unsigned char *at = code_pages(2);
	int value = (int)some(worker, 1u << 20);

	code_write(at + PAGE, value);
	maybe_yield(worker);
	if (code_run(at + PAGE) != value)
		wrong("code that comes and goes", code_run(at + PAGE), value);
	must(munmap(at, 2 * PAGE) == 0, "munmap");
}

static void turn(struct worker *worker)
{
	unsigned char *page = worker->own + some(worker, PAGES) * PAGE;
	int value;

	if (!worker->own) {
		make_own(worker);
		return;
	}
	if (some(worker, 8) == 0) {
		come_and_go(worker);
		return;
	}
	value = told(page)->written + 1;
	write_page(page, value);
	maybe_yield(worker);
	check_page(page, value);
	/* For which memory of a file's must be the program's own again; but not the page that
	 * was turned last, of which a child would know. */
	if (some(worker, 4) == 0) {
		page = worker->own + some(worker, PAGES) * PAGE;
		value = told(page)->written;
		must(madvise(page, PAGE, MADV_KEEPONFORK) == 0, "madvise");
		check_page(page, value);
	}
	if (some(worker, 4) == 0) {
		told(page)->writable = false;
		must(mprotect(page, PAGE, RX) == 0, "rx");
		check_page(page, value);
		must(mprotect(page, PAGE, RWX) == 0, "rwx");
		told(page)->writable = true;
	}
}

/* --------------------------------------------------------------- children */

static void write_all(int round)
{
	for (int i = 0; i < worker_count; i++)
		for (int j = 0; j < PAGES && ready[i]; j++) {
			unsigned char *page = workers[i].own + (size_t)j * PAGE;

			if (!told(page)->writable)
				must(mprotect(page, PAGE, RWX) == 0, "rwx");
			told(page)->owner = getpid();
			write_page(page, -round - i);
			check_page(page, -round - i);
		}
}

static _Noreturn void be_child(struct worker *dice)
{
	bool good = true;

	in_child = true;
	give_up_after(300);
	for (int i = 0; i < worker_count; i++)
		for (int j = 0; j < PAGES && ready[i]; j++)
			good &= is_a_moment(workers[i].own + (size_t)j * PAGE);
	if (!good)
		_exit(1);
	write_all(1);
	if (some(dice, 2)) {
		come_and_go(dice);
		maybe_yield(dice);
		write_all(1000);
	}
	for (int i = 0; i < worker_count; i++)
		for (int j = 0; j < PAGES && ready[i]; j++)
			if (!is_a_moment(workers[i].own + (size_t)j * PAGE))
				_exit(2);
	_exit(0);
}

/* Whoever is not made by fork() has malloc's locks as they were, perhaps held by a thread
 * that is not there: fork() would wait for it for good. */
static _Noreturn void begin_child(struct worker *dice, bool by_fork)
{
	pid_t child;
	int status;

	if (some(dice, 8) == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(127);
	}
	child = some(dice, 4) != 0 ? -1 : by_fork ? fork() : _Fork();
	if (child == 0)
		be_child(dice);
	if (child > 0 && (waitpid(child, &status, 0) != child || status != 0))
		_exit(3);
	be_child(dice);
}

static int begin_clone(void *dice)
{
	begin_child(dice, false);
}

static pid_t make_child(struct worker *dice)
{
	static char stack[512 * 1024] __attribute__((aligned(16)));
	pid_t child;

	switch (some(dice, 5)) {
	case 0:
		child = _Fork();
		break;
	case 1:
		child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);
		break;
	case 2:
		return clone(begin_clone, stack + sizeof(stack), SIGCHLD, dice);
	case 3:
		child = vfork();
		if (child == 0) {
			execl("/bin/true", "true", (char *)NULL);
			_exit(127);
		}
		break;
	default:
		child = fork();
		if (child == 0)
			begin_child(dice, true);
	}
	if (child == 0)
		begin_child(dice, false);
	return child;
}

static void reap(int flags)
{
	int status;
	pid_t child;

	while ((child = waitpid(-1, &status, flags)) > 0) {
		if (WIFSIGNALED(status))
			wrong("a child ended by signal", WTERMSIG(status), 0);
		else if (status)
			wrong("a child's exit status", WEXITSTATUS(status), 0);
		children++;
		if (!flags)
			return;
	}
}

static void fork_often(void)
{
	static struct worker dice = { .random = 4711 };
	static int alive;
	long before = children;
	pid_t child = make_child(&dice);

	must(child > 0, "child");
	alive++;
	reap(alive > CHILDREN ? 0 : WNOHANG);
	alive -= (int)(children - before);
}

/* A fork takes its time: much is to be copied between one page of the program's and
 * another. Before there is any code, so that what is noted of it lies on the one side,
 * and the program's libraries on the other. */
static void be_large(void)
{
	enum { BALLAST = 16384 };
	unsigned char *at = data_pages(BALLAST);

	madvise(at, BALLAST * PAGE, MADV_NOHUGEPAGE);
	memset(at, 1, BALLAST * PAGE);
}

int main(int argc, char **argv)
{
	long before;

	be_large();
	catch_faults();
	storm(argc > 1 ? atoi(argv[1]) : 6, turn, fork_often);
	do {
		before = children;
		reap(0);
	} while (children != before);
	fprintf(stderr, "forks: %ld children\n", children);
	return verdict("forks");
}
