/* host.c: a program that makes code in every way there is, and goes on when a
 * request of its own is refused: it says so, asks again a few times, and then does
 * without. `faults' runs it while the library's system calls fail.
 *
 * A part prints one line for each thing that came out right, and "given up" where
 * it had to do without. What a refused request must not cost, the contents of the
 * pages, it looks at all the same. No malloc of its own, which might fail, too. */
#include "../hosts/code.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define ATTEMPTS 3

/* ---------------------------------------------------------------- requests */

static bool attempt_failed(const char *call, const char *what)
{
	char text[100];

	snprintf(text, sizeof(text), "%s %s", call, what);
	say_result(text, -1);
	return false;
}

static void *map(const char *what, size_t pages, int protection, int flags, int fd)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		void *at = do_mmap(NULL, pages * PAGE, protection, flags, fd, 0);

		if (at != MAP_FAILED)
			return at;
		attempt_failed("mmap", what);
	}
	return NULL;
}

static bool protect(const char *what, void *at, size_t pages, int protection)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		if (do_mprotect(at, pages * PAGE, protection) == 0)
			return true;
		attempt_failed("mprotect", what);
	}
	return false;
}

static bool unmap(const char *what, void *at, size_t pages)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		if (do_munmap(at, pages * PAGE) == 0)
			return true;
		attempt_failed("munmap", what);
	}
	return false;
}

static void *resize(const char *what, void *at, size_t pages, size_t more)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		void *moved = do_mremap(at, pages * PAGE, more * PAGE, MREMAP_MAYMOVE, NULL);

		if (moved != MAP_FAILED)
			return moved;
		attempt_failed("mremap", what);
	}
	return NULL;
}

static bool advise(const char *what, void *at, size_t pages, int advice)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		if (do_madvise(at, pages * PAGE, advice) == 0)
			return true;
		attempt_failed("madvise", what);
	}
	return false;
}

static pid_t fork_child(const char *what)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		pid_t child = fork();

		if (child >= 0)
			return child;
		attempt_failed("fork", what);
	}
	return -1;
}

static void give_up(void)
{
	say("given up");
}

/* ---------------------------------------------------------------- contents */

/* Behind the code at its beginning, each page has bytes of its own. */
enum { DATA_AT = 512 };

static int byte_of(size_t page)
{
	return 17 + (int)page % 200;
}

static void mark(unsigned char *at, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		memset(at + i * PAGE + DATA_AT, byte_of(i), PAGE - DATA_AT);
}

static bool marked(const unsigned char *at, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		if (!all_bytes(at + i * PAGE + DATA_AT, PAGE - DATA_AT, byte_of(i)))
			return false;
	return true;
}

static void say_marked(const char *what, const unsigned char *at, size_t pages)
{
	say("%s: contents %s", what, marked(at, pages) ? "right" : "WRONG");
}

/* Each page is written and run, in turn. */
static void use(const char *what, unsigned char *at, size_t pages, int seed)
{
	long sum = 0;

	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < pages; i++) {
			code_write(at + i * PAGE, seed + (int)i + round);
			sum += code_run(at + i * PAGE);
		}
	say("%s: %ld", what, sum);
}

static void run_all(const char *what, const unsigned char *at, size_t pages)
{
	long sum = 0;

	for (size_t i = 0; i < pages; i++)
		sum += code_run(at + i * PAGE);
	say("%s: %ld", what, sum);
}

/* ------------------------------------------------------------------- parts */

static void rwx(void)
{
	unsigned char *at = map("rwx", 6, RWX, PRIVATE, -1);

	if (!at) {
		give_up();
		return;
	}
	mark(at, 6);
	use("rwx", at, 6, 1);
	say_marked("rwx", at, 6);
	if (!protect("rx", at, 6, RX) || !protect("rw", at + PAGE, 2, RW)) {
		say_marked("refused", at, 6);
		give_up();
		return;
	}
	code_write(at + PAGE, 40);
	code_write(at + 2 * PAGE, 50);
	if (!protect("rwx again", at + PAGE, 2, RWX)) {
		say_marked("refused again", at, 6);
		give_up();
		return;
	}
	run_all("turned", at, 6);
	use("rwx again", at + PAGE, 2, 7);
	say_marked("at last", at, 6);
	if (!unmap("one", at + 3 * PAGE, 1) || !unmap("all", at, 6))
		give_up();
}

/* Written, then made executable, again and again; and pages that are not. */
static void rw_rx(void)
{
	unsigned char *at = map("rw", 24, RW, PRIVATE, -1);

	if (!at) {
		give_up();
		return;
	}
	mark(at, 24);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 24; i++)
			code_write(at + i * PAGE, (int)i + round);
		if (!protect("rx", at + 2 * PAGE, 20, RX)) {
			say_marked("rx refused", at, 24);
			give_up();
			return;
		}
		run_all("rx", at + 2 * PAGE, 20);
		say_marked("rx", at, 24);
		if (!protect("rw", at + 2 * PAGE, 20, RW)) {
			say_marked("rw refused", at, 24);
			give_up();
			return;
		}
	}
	if (!protect("none", at, 24, PROT_NONE) || !protect("rx", at, 24, RX)) {
		give_up();
		return;
	}
	run_all("at last", at, 24);
	say_marked("at last", at, 24);
	if (!unmap("all", at, 24))
		give_up();
}

static unsigned char heap[1 << 16] __attribute__((aligned(4096)));

static void make_code_of(const char *what, unsigned char *at, size_t pages)
{
	char text[100];

	mark(at, pages);
	for (size_t i = 0; i < pages; i++)
		code_write(at + i * PAGE, 3 + (int)i);
	if (!protect(what, at + PAGE, 2, RWX)) {
		snprintf(text, sizeof(text), "%s refused", what);
		say_marked(text, at, pages);
		give_up();
		return;
	}
	run_all(what, at + PAGE, 2);
	use(what, at + PAGE, 2, 20);
	snprintf(text, sizeof(text), "%s, all", what);
	say_marked(text, at, pages);
	if (!protect("rx", at + PAGE, 2, RX)) {
		say_marked("rx refused", at, pages);
		give_up();
		return;
	}
	run_all("rx", at + PAGE, 2);
	if (!protect("back to rw", at, pages, RW)) {
		say_marked("refused", at, pages);
		give_up();
		return;
	}
	mark(at, pages);
	say_marked("data again", at, pages);
}

static void heap_code(void)
{
	unsigned char *at = sbrk(9 * PAGE);

	if (at == (void *)-1)
		attempt_failed("brk", "more"), give_up();
	else
		make_code_of("heap", (void *)(((uintptr_t)at + PAGE - 1) & ~(PAGE - 1)), 6);
	make_code_of("data", heap, 6);
}

static void file_code(void)
{
	int fd = temporary_file(6 * PAGE);
	unsigned char *at = map("file", 6, RW, MAP_PRIVATE, fd);
	char beneath = 0;

	if (at)
		make_code_of("file", at, 6);
	else
		give_up();
	say("beneath: %zd %c", pread(fd, &beneath, 1, PAGE), beneath);
	if (at && !unmap("file", at, 6))
		give_up();
	at = map("file, rwx", 6, RWX, MAP_PRIVATE, fd);
	if (at) {
		mark(at, 6);
		use("file, rwx", at, 6, 5);
		say_marked("file, rwx", at, 6);
	} else {
		give_up();
	}
	close(fd);
	fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	at = map("zero", 4, RW, MAP_PRIVATE, fd);
	close(fd);
	if (!at) {
		give_up();
		return;
	}
	make_code_of("zero", at, 4);
}

static void shared_code(void)
{
	unsigned char *at = map("shared", 4, RWX, MAP_SHARED | MAP_ANONYMOUS, -1);
	pid_t child;

	if (!at) {
		give_up();
		return;
	}
	mark(at, 4);
	use("shared", at, 4, 1);
	child = fork_child("shared");
	if (child == 0) {
		code_write(at, 77);
		_exit(code_run(at) == 77 && marked(at, 4) ? 0 : 1);
	}
	if (child < 0) {
		give_up();
		return;
	}
	say_child("child", child);
	run_all("of the child", at, 4);
	say_marked("shared", at, 4);
	if (!protect("rw", at, 4, RW)) {
		give_up();
		return;
	}
	code_write(at + PAGE, 5);
	if (!protect("rx", at, 4, RX)) {
		say_marked("refused", at, 4);
		give_up();
		return;
	}
	run_all("rx", at, 4);
	if (!unmap("shared", at, 4))
		give_up();
}

/* The child changes what it got, and what the parent has stays. */
static void child_of(unsigned char *at, size_t pages)
{
	long sum = 0;

	for (size_t i = 0; i < pages; i++)
		sum += code_run(at + i * PAGE);
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < pages; i++) {
			code_write(at + i * PAGE, 100 + (int)i);
			sum += code_run(at + i * PAGE);
		}
	_exit(marked(at, pages) && sum > 200 ? 0 : 1);
}

static void forks(void)
{
	unsigned char *at = map("rwx", 5, RWX, PRIVATE, -1);

	if (!at) {
		give_up();
		return;
	}
	mark(at, 5);
	use("before", at, 5, 1);
	code_write(at + 4 * PAGE, 9); /* writable when the fork comes */
	for (int i = 0; i < 2; i++) {
		pid_t child = fork_child("code");

		if (child == 0)
			child_of(at, 5);
		if (child < 0) {
			say_marked("no child", at, 5);
			give_up();
			return;
		}
		run_all("meanwhile", at, 5);
		code_write(at, 60 + i);
		run_all("stored", at, 5);
		say_child("child", child);
		say_marked("parent", at, 5);
	}
	use("after", at, 5, 30);
	say_marked("after", at, 5);
	if (!unmap("all", at, 5))
		give_up();
}

static void given_back(void)
{
	unsigned char *at = map("rwx", 6, RWX, PRIVATE, -1), *moved;

	if (!at) {
		give_up();
		return;
	}
	mark(at, 6);
	use("before", at, 6, 1);
	if (!advise("dontneed", at + 5 * PAGE, 1, MADV_DONTNEED)) {
		say_marked("refused", at, 6);
		give_up();
		return;
	}
	say("dropped: %d", all_bytes(at + 5 * PAGE, PAGE, 0));
	mark(at + 5 * PAGE, 0);
	if (!advise("dontfork", at, 6, MADV_DONTFORK)) {
		say_marked("dontfork refused", at, 5);
		give_up();
		return;
	}
	run_all("advised", at, 5);
	moved = resize("grow", at, 6, 40);
	if (!moved) {
		say_marked("not moved", at, 5);
		give_up();
		return;
	}
	say_marked("moved", moved, 5);
	run_all("moved", moved, 5);
	use("grown", moved + 30 * PAGE, 4, 3);
	say_marked("grown", moved, 5);
	if (!unmap("all", moved, 40))
		give_up();
}

/* Stores that are carried out, and instructions that go on elsewhere. */
static void stores(void)
{
	unsigned char *at = map("rwx", 4, RWX, PRIVATE, -1);
	long last = 0;

	if (!at) {
		give_up();
		return;
	}
	mark(at, 4);
	memset(at + 256, 0, 64);
	code_increment(at, at + 256);
	for (int i = 0; i < 20; i++)
		last = code_call(at, NULL, 0, 0);
	say("counted: %ld", last);
	code_exchange_add(at + PAGE, at + PAGE + 256);
	memset(at + PAGE + 256, 0, 64);
	for (int i = 0; i < 20; i++)
		last = code_call(at + PAGE, NULL, 0, 0);
	say("added: %ld", last);
	code_count_pair(at + 2 * PAGE, at + 2 * PAGE + 256);
	memset(at + 2 * PAGE + 256, 0, 64);
	for (int i = 0; i < 8; i++)
		last = code_call(at + 2 * PAGE, NULL, 0, 0);
	say("pair: %ld", last);
	code_loop(at + 3 * PAGE, 4);
	say("loop: %ld", code_call(at + 3 * PAGE, (void *)5, 0, 0));
	code_patch_next(at);
	for (int i = 0; i < 8; i++)
		if (code_call(at, NULL, i, 0) != i)
			say("patched: WRONG");
	say_marked("stores", at, 4);
}

static atomic_int stop, runs;

static void *keep_running(void *code)
{
	while (!stop) {
		if (code_run(code) > 100)
			say("thread: WRONG");
		runs++;
	}
	return NULL;
}

static void threads(void)
{
	unsigned char *at = map("rwx", 3, RWX, PRIVATE, -1), *more;
	pthread_t thread;
	int error = 0;

	if (!at) {
		give_up();
		return;
	}
	mark(at, 3);
	use("before", at, 3, 1);
	for (int i = 0; i < ATTEMPTS; i++) {
		error = pthread_create(&thread, NULL, keep_running, at);
		if (!error)
			break;
		errno = error;
		attempt_failed("thread", "create");
	}
	if (error) {
		give_up();
		return;
	}
	while (runs < 10)
		sched_yield();
	for (int i = 0; i < 6; i++) {
		at[1] = (unsigned char)(10 + i);
		at[DATA_AT - 1] = (unsigned char)i;
		for (int seen = runs; runs < seen + 3;)
			sched_yield();
	}
	use("beside", at + PAGE, 2, 4);
	more = map("more", 2, RWX, PRIVATE, -1);
	if (more)
		use("more", more, 2, 7);
	else
		give_up();
	stop = 1;
	pthread_join(thread, NULL);
	run_all("after", at, 3);
	say_marked("after", at, 3);
}

/* A large reservation becomes code a piece at a time; and memory that only its own
 * pages say what is in. */
static void reservation(void)
{
	unsigned char *at = map("none", 9000, PROT_NONE, PRIVATE | MAP_NORESERVE, -1);

	if (!at) {
		give_up();
		return;
	}
	for (size_t i = 0; i < 9000; i += 3000) {
		if (!protect("rwx", at + i * PAGE, 3, RWX)) {
			give_up();
			return;
		}
		mark(at + i * PAGE, 3);
		use("piece", at + i * PAGE, 3, (int)i);
		say_marked("piece", at + i * PAGE, 3);
	}
	if (!protect("none", at, 9000, PROT_NONE) || !protect("rx", at + 3000 * PAGE, 3, RX)) {
		give_up();
		return;
	}
	run_all("again", at + 3000 * PAGE, 3);
	say_marked("again", at + 3000 * PAGE, 3);
	if (!unmap("all", at, 9000))
		give_up();
}

static void say_private(unsigned char *at, size_t pages)
{
	pid_t child = fork_child("private");

	if (child == 0) {
		memset(at, 0, pages * PAGE);
		_exit(0);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
	say_marked("after a child's stores", at, pages);
}

/* Code that lies on both sides of a MiB: in two windows of the library's file. */
static void across(void)
{
	unsigned char *at = map("none", 512, PROT_NONE, PRIVATE | MAP_NORESERVE, -1), *code;

	if (!at) {
		give_up();
		return;
	}
	code = (void *)((((uintptr_t)at + 8 * PAGE) | 0xfffff) + 1 - 4 * PAGE);
	if (!protect("rw", code, 8, RW)) {
		give_up();
		return;
	}
	for (int round = 0; round < 2; round++) {
		mark(code, 8);
		for (size_t i = 0; i < 8; i++)
			code_write(code + i * PAGE, 1 + (int)i);
		for (int i = 0; i < ATTEMPTS && do_mprotect(code, 8 * PAGE, RX) != 0; i++) {
			attempt_failed("mprotect", "rx");
			/* What is changed by then, and what not, is the kernel's to choose. */
			if (!protect("back to rw", code, 8, RW)) {
				give_up();
				return;
			}
			mark(code, 8);
			say_private(code, 8);
			if (i == ATTEMPTS - 1) {
				give_up();
				return;
			}
		}
		run_all("rx", code, 8);
		say_marked("rx", code, 8);
		if (!protect("rw", code, 8, RW)) {
			give_up();
			return;
		}
		say_private(code, 8);
	}
}

/* Much memory that is alike, and a page of it goes, or becomes another's. */
static void cut(void)
{
	unsigned char *at = map("rwx", 12000, RWX, PRIVATE | MAP_NORESERVE, -1);

	if (!at) {
		give_up();
		return;
	}
	if (!unmap("one", at + 5000 * PAGE, 1)) {
		give_up();
		return;
	}
	use("beside", at + 5001 * PAGE, 3, 1);
	use("before", at + 4990 * PAGE, 3, 4);
	for (int i = 0; i < ATTEMPTS; i++) {
		if (do_mmap(at + 9000 * PAGE, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0) != MAP_FAILED)
			break;
		attempt_failed("mmap", "fixed");
	}
	for (int i = 0; i < ATTEMPTS; i++) {
		if (do_mmap(at + 9500 * PAGE, PAGE, RWX, PRIVATE | MAP_FIXED, -1, 0) != MAP_FAILED)
			break;
		attempt_failed("mmap", "fixed, rwx");
	}
	use("around", at + 8990 * PAGE, 10, 1);
	use("behind", at + 9001 * PAGE, 3, 1);
	use("last", at + 9490 * PAGE, 10, 1);
	if (!unmap("all", at, 12000))
		give_up();
}

/* ------------------------------------------------------------------ limits */

/* As many mappings as there can be, but for LEFT (vm.max_map_count). */
static bool fill_mappings(unsigned left)
{
	size_t most = 1 << 20, i;
	unsigned char *at = do_mmap(NULL, most * PAGE, PROT_NONE, PRIVATE | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return false;
	for (i = 1; i < most && mprotect(at + i * PAGE, PAGE, PROT_READ) == 0; i += 2)
		;
	for (; left >= 2 && i > 2; left -= 2, i -= 2)
		mprotect(at + (i - 2) * PAGE, PAGE, PROT_NONE);
	return i < most;
}

/* Pages that are no part of a larger mapping: to change what they may takes none more. */
static unsigned char *map_apart(const char *what, size_t pages, int protection)
{
	unsigned char *at = map(what, pages + 2, PROT_NONE, PRIVATE, -1);

	return at && protect(what, at + PAGE, pages, protection) ? at + PAGE : NULL;
}

static void with_mappings_left(unsigned left)
{
	unsigned char *at = map("rwx", 6, RWX, PRIVATE, -1), *other = map_apart("rw", 6, RW);
	unsigned char *busy = map("busy", 3, RWX, PRIVATE, -1);

	if (!at || !other || !busy) {
		give_up();
		return;
	}
	mark(at, 6);
	mark(busy, 3);
	use("busy", busy, 3, 1);
	if (!fill_mappings(left)) {
		say("there may be too many");
		return;
	}
	use("rwx", at, 6, 1);
	say_marked("rwx", at, 6);
	code_write(busy, 9); /* writable, and the others not */
	run_all("busy", busy + PAGE, 2);
	say_marked("busy", busy, 3);
	mark(other, 6);
	for (size_t i = 0; i < 6; i++)
		code_write(other + i * PAGE, 1 + (int)i);
	if (do_mprotect(other, 6 * PAGE, RX) == 0) {
		run_all("rx", other, 6);
		say_marked("rx", other, 6);
	} else {
		attempt_failed("mprotect", "rx");
		say_marked("refused", other, 6);
		give_up();
	}
	run_all("at last", busy, 3);
	use("at last", at, 6, 5);
}

/* Eight MiB of code, each page of them in use. */
static void much(void)
{
	unsigned char *at = map("rwx", 2048, RWX, PRIVATE, -1);

	if (!at) {
		give_up();
		return;
	}
	mark(at, 2048);
	use("much", at, 2048, 1);
	say_marked("much", at, 2048);
}

static void mappings_0(void)
{
	with_mappings_left(0);
}

static void mappings_2(void)
{
	with_mappings_left(2);
}

static void mappings_6(void)
{
	with_mappings_left(6);
}

static void mappings_30(void)
{
	with_mappings_left(30);
}

/* From now on these two calls fail with EPERM, in all threads. */
static bool forbid(unsigned one, unsigned other)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, one, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, other, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
		       &program) == 0;
}

/* Code that was there is used, and what was asked for and not used yet; by children too,
 * or beside a thread. */
static void without_calls(unsigned one, unsigned other, bool beside)
{
	unsigned char *at = map("rwx", 40, RWX, PRIVATE, -1);
	pthread_t thread;

	if (!at) {
		give_up();
		return;
	}
	mark(at, 40);
	use("before", at, 3, 1);
	code_write(at + 2 * PAGE, 9); /* writable now */
	if (beside && pthread_create(&thread, NULL, keep_running, at) != 0) {
		give_up();
		return;
	}
	if (!forbid(one, other)) {
		say("no filter can be had");
		return;
	}
	use("forbidden", at + PAGE, 20, 1);
	say_marked("forbidden", at, 39);
	code_count_pair(at + 39 * PAGE, at + 39 * PAGE + 256);
	memset(at + 39 * PAGE + 256, 0, 64);
	for (int i = 0; i < 3; i++)
		say("pair: %ld", code_call(at + 39 * PAGE, NULL, 0, 0));
	for (int i = 0; i < 2 && !beside; i++) {
		pid_t child = fork();

		if (child == 0)
			child_of(at, 25);
		say_child("child", child);
		say_marked("parent", at, 39);
		use("after", at, 30, 5);
	}
	for (int i = 0; i < 6 && beside; i++) {
		at[1] = (unsigned char)(10 + i);
		for (int seen = runs; runs < seen + 3;)
			sched_yield();
	}
	stop = 1;
	if (beside)
		pthread_join(thread, NULL);
	use("at last", at, 38, 4);
	say_marked("at last", at, 39);
}

static void without_mmap(void)
{
	without_calls(SYS_mmap, SYS_mmap, false);
}

static void without_mmap_beside(void)
{
	without_calls(SYS_mmap, SYS_mmap, true);
}

static void without_mprotect(void)
{
	without_calls(SYS_mprotect, SYS_pkey_mprotect, false);
}

static void without_mprotect_beside(void)
{
	without_calls(SYS_mprotect, SYS_pkey_mprotect, true);
}

static void without_files(void)
{
	without_calls(SYS_memfd_create, SYS_openat, false);
}

static void without_files_beside(void)
{
	without_calls(SYS_memfd_create, SYS_openat, true);
}

/* Its own faults stay its own. */
static void own_faults(void)
{
	unsigned char *at = map("rwx", 2, RWX, PRIVATE, -1);

	if (!at) {
		give_up();
		return;
	}
	mark(at, 2);
	use("before", at, 2, 1);
	say_write("null", (void *)16, 1);
	if (!protect("rx", at, 1, RX)) {
		give_up();
		return;
	}
	run_all("rx", at, 2);
	say_write("barrier", at + 600, 1);
	if (!protect("rwx", at, 1, RWX)) {
		give_up();
		return;
	}
	use("after", at, 2, 9);
	say_marked("after", at, 2);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "rwx", rwx },
		{ "rw-rx", rw_rx },
		{ "heap", heap_code },
		{ "file", file_code },
		{ "shared", shared_code },
		{ "forks", forks },
		{ "given-back", given_back },
		{ "stores", stores },
		{ "threads", threads },
		{ "reservation", reservation },
		{ "own-faults", own_faults },
		{ "across", across },
		{ "cut", cut },
		{ "much", much },
		{ "mappings-0", mappings_0 },
		{ "mappings-2", mappings_2 },
		{ "mappings-6", mappings_6 },
		{ "mappings-30", mappings_30 },
		{ "without-mmap", without_mmap },
		{ "without-mmap-beside", without_mmap_beside },
		{ "without-mprotect", without_mprotect },
		{ "without-mprotect-beside", without_mprotect_beside },
		{ "without-files", without_files },
		{ "without-files-beside", without_files_beside },
		{ NULL, NULL },
	};
	static char buffer[1 << 16];

	setvbuf(stdout, buffer, _IOLBF, sizeof(buffer));
	return host_main(parts, argc, argv);
}
