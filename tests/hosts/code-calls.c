/* code-calls.c: what a program does with pages whose code has run: turn, unmap,
 * move, advise, lock, map over them. A part is named TEST/KIND, a kind being
 * where the pages come from. */
#include "code.h"

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* asm-generic/mman-common.h of Linux 6.13 */
#define MADV_GUARD_REMOVE 103
#endif

enum { PAGES = 4 };

/* Before the test the pages have been run, run and written again, never run,
 * and written and run several times. Page N is filled with '0' + N but for its
 * code, which returns 70 + N. */
static unsigned char *prepare(unsigned char *at)
{
	int i, turn;

	for (i = 0; i < PAGES; i++) {
		memset(at + (size_t)i * PAGE, '0' + i, PAGE);
		code_write(at + (size_t)i * PAGE, 70 + i);
		if (i != 2)
			code_run(at + (size_t)i * PAGE);
	}
	at[PAGE + 100] = '!';
	for (turn = 0; turn < 20; turn++) {
		code_write(at + 3 * PAGE, 73);
		code_run(at + 3 * PAGE);
	}
	return at;
}

static bool of_file, is_shared;

/* The reserve around lets pages grow, move, and be found empty. */
static unsigned char *mapped(int flags, int fd)
{
	unsigned char *room = must_map(NULL, 64 * PAGE, PROT_NONE,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	must(munmap(room + 16 * PAGE, 32 * PAGE) == 0, "munmap");
	return prepare(must_map(room + 16 * PAGE, PAGES * PAGE, RWX, flags | MAP_FIXED, fd, 0));
}

static unsigned char *anonymous(void)
{
	return mapped(MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

/* On both sides of a multiple of a MiB, and so of all that the library divides memory by. */
static unsigned char *across(void)
{
	const size_t size = 1UL << 20;
	unsigned char *room = must_map(NULL, 3 * size, PROT_NONE,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned char *at = room + size + -(uintptr_t)room % size - PAGES / 2 * PAGE;

	must(munmap(at, 32 * PAGE) == 0, "munmap");
	must_map(at, PAGES * PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	return prepare(at);
}

static unsigned char *turned(void)
{
	unsigned char *room = must_map(NULL, 64 * PAGE, PROT_NONE,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	must(munmap(room + 20 * PAGE, 28 * PAGE) == 0, "munmap");
	must(do_mprotect(room + 16 * PAGE, PAGES * PAGE, RWX) == 0, "mprotect");
	return prepare(room + 16 * PAGE);
}

static unsigned char *heap(void)
{
	unsigned char *at = sbrk_pages(PAGES);

	must(do_mprotect(at, PAGES * PAGE, RWX) == 0, "mprotect");
	return prepare(at);
}

static unsigned char *file(void)
{
	int fd = temporary_file(2 * PAGES * PAGE);
	unsigned char *at = mapped(MAP_PRIVATE, fd);

	of_file = true;
	close(fd);
	return at;
}

static unsigned char *shared(void)
{
	is_shared = true;
	return mapped(MAP_SHARED | MAP_ANONYMOUS, -1);
}

/* ----------------------------------------------------------------- the words */

static void say_pages(const char *what, const unsigned char *at, int pages)
{
	char text[8 * PAGES + 8] = "";
	int i;

	for (i = 0; i < pages; i++)
		sprintf(text + strlen(text), " %c%d", at[(size_t)i * PAGE + CODE_ROOM],
			at[(size_t)i * PAGE] == CODE_BEGINS ? code_run(at + (size_t)i * PAGE) : 0);
	say("%s:%s", what, text);
	say_checksum(what, at, (size_t)pages * PAGE);
}

/* What may be done with each of the pages. */
static void say_rights(const char *what, unsigned char *at, int pages)
{
	char text[100];
	int i;

	for (i = 0; i < pages; i++) {
		snprintf(text, sizeof(text), "%s, page %d", what, i);
		say_read(text, at + (size_t)i * PAGE + 8);
		say_write(text, at + (size_t)i * PAGE + 8, '0' + i);
		say_run(text, at + (size_t)i * PAGE);
	}
}

/* ----------------------------------------------------------------- the tests */

static void rights(unsigned char *at)
{
	static const struct {
		const char *name;
		int protection;
	} steps[] = {
		{ "rx", RX }, { "rw", RW }, { "rx", RX }, { "r", PROT_READ }, { "rwx", RWX },
		{ "r", PROT_READ }, { "none", PROT_NONE }, { "rx", RX }, { "none", PROT_NONE },
		{ "rw", RW }, { "rwx", RWX },
	};
	size_t i;

	code_write(at + 32, 99);
	for (i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		say_result(steps[i].name, do_mprotect(at, PAGES * PAGE, steps[i].protection));
		say_rights(steps[i].name, at, PAGES);
		if (steps[i].protection & PROT_WRITE)
			code_write(at + 32, (int)i);
		if (steps[i].protection & PROT_EXEC)
			say_run("further on", at + 32);
	}
	say_pages("pages", at, PAGES);
}

/* Each page has another protection, then one call for all. */
static void mixed_rights(unsigned char *at)
{
	say_result("first to rx", do_mprotect(at, PAGE, RX));
	say_result("second to rw", do_mprotect(at + PAGE, PAGE, RW));
	say_result("third to none", do_mprotect(at + 2 * PAGE, PAGE, PROT_NONE));
	say_rights("mixed", at, PAGES);
	say_result("middle to rx", do_mprotect(at + PAGE, 2 * PAGE, RX));
	say_rights("middle rx", at, PAGES);
	say_result("all to rwx", do_mprotect(at, PAGES * PAGE, RWX));
	say_pages("pages", at, PAGES);
	say_rights("all rwx", at, PAGES);
}

/* Code, plain data and a hole in one call: what lies before the hole changes. */
static void mixed_range(unsigned char *at)
{
	int i, steps[] = { RWX, RX, RW, PROT_READ, RWX };

	say_result("hole", do_munmap(at + 2 * PAGE, PAGE));
	say("data: %d", do_mmap(at + PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				-1, 0) == at + PAGE);
	code_write(at + PAGE, 5);
	for (i = 0; i < 5; i++) {
		say_result("all", do_mprotect(at, PAGES * PAGE, steps[i]));
		say_rights("before the hole", at, 2);
		say_rights("behind the hole", at + 3 * PAGE, 1);
	}
}

static void unmap(unsigned char *at)
{
	say_result("second page", do_munmap(at + PAGE, PAGE));
	say_read("hole", at + PAGE);
	say_run("hole", at + PAGE);
	say_write("hole", at + PAGE, 1);
	say("new page: %d", do_mmap(at + PAGE, PAGE, RW,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
	    at + PAGE);
	say("zero: %d", all_bytes(at + PAGE, PAGE, 0));
	memset(at + PAGE, '1', PAGE);
	code_write(at + PAGE, 6);
	say_run("data", at + PAGE);
	say_result("rwx", do_mprotect(at, PAGES * PAGE, RWX));
	say_pages("pages", at, PAGES);
	say_result("all", do_munmap(at, PAGES * PAGE));
	say_read("gone", at);
	say_run("gone", at + 3 * PAGE);
	say("code: %d", do_mmap(at, PAGES * PAGE, RWX,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == at);
	say("zero: %d", all_bytes(at, PAGES * PAGE, 0));
	prepare(at);
	say_pages("pages", at, PAGES);
}

static void map_over(unsigned char *at)
{
	int fd = temporary_file(2 * PAGE);
	int over = MAP_PRIVATE | MAP_FIXED;

	say("taken: %d", do_mmap(at, PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
				 -1, 0) == MAP_FAILED && errno == EEXIST);
	say("rw: %d", do_mmap(at, PAGE, RW, over | MAP_ANONYMOUS, -1, 0) == at);
	say_rights("rw", at, 1);
	say("rwx: %d", do_mmap(at + PAGE, PAGE, RWX, over | MAP_ANONYMOUS, -1, 0) == at + PAGE);
	say("zero: %d", all_bytes(at + PAGE, PAGE, 0));
	code_write(at + PAGE, 8);
	say_run("rwx", at + PAGE);
	say("file: %d", do_mmap(at + 2 * PAGE, PAGE, PROT_READ, over, fd, (off_t)PAGE) ==
	    at + 2 * PAGE);
	say_read("file", at + 2 * PAGE);
	say_write("file", at + 2 * PAGE, 1);
	say("none: %d", do_mmap(at + 3 * PAGE, PAGE, PROT_NONE, over | MAP_ANONYMOUS, -1, 0) ==
	    at + 3 * PAGE);
	say_rights("none", at + 3 * PAGE, 1);
	say("shared file: %d", do_mmap(at, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0) == at);
	at[1] = 'S';
	say("%d", pread(fd, at + PAGE + 64, 2, 0) == 2);
	say("%c", at[PAGE + 65]);
	close(fd);
}

static void move(unsigned char *at)
{
	unsigned char *target = must_map(NULL, 16 * PAGE, PROT_NONE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *away;

	away = do_mremap(at + PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			 target + 4 * PAGE);
	say("moved: %d", away == target + 4 * PAGE);
	say_read("where they were", at + PAGE);
	say_run("where they were", at + 2 * PAGE);
	say_pages("where they are", away, 2);
	say_rights("where they are", away, 2);
	code_write(away, 33);
	say_run("written", away);
	say_run("neighbour", at);
	say_run("neighbour", at + 3 * PAGE);
	say_result("rx", do_mprotect(away, 2 * PAGE, RX));
	say_rights("rx", away, 2);
	say("back: %d", do_mremap(away, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
				  at + PAGE) == at + PAGE);
	say_rights("back", at + PAGE, 2);
	say_result("rwx", do_mprotect(at, PAGES * PAGE, RWX));
	say_pages("back", at, PAGES);
	say("over another: %d", do_mremap(at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
					  at + 3 * PAGE) == at + 3 * PAGE);
	say_pages("pages", at + PAGE, 3);
	say("bad: %d", do_mremap(at + PAGE + 1, PAGE, PAGE, MREMAP_MAYMOVE, NULL) == MAP_FAILED &&
	    errno == EINVAL);
	say("a hole: %d", do_mremap(at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target) ==
	    MAP_FAILED && errno == EFAULT);
}

/* Shared pages beyond their object's end are not zero, they are not there. */
static void say_new(const unsigned char *at)
{
	if (is_shared || of_file)
		say_read("new", at);
	else
		say("new: zero %d", all_bytes(at, PAGES * PAGE, 0));
}

static void resize(unsigned char *at)
{
	unsigned char *away = do_mremap(at, PAGES * PAGE, 2 * PAGES * PAGE, 0, NULL);

	say("grown in its place: %d", away == at);
	if (away != at)
		return;
	say_pages("grown", at, PAGES);
	say_new(at + PAGES * PAGE);
	if (!is_shared) {
		code_write(at + PAGES * PAGE, 44);
		say_run("new", at + PAGES * PAGE);
	}
	say("no room: %d", do_mremap(at, PAGE, 2 * PAGE, 0, NULL) == MAP_FAILED && errno == ENOMEM);
	away = do_mremap(at, 2 * PAGES * PAGE, 100 * PAGE, MREMAP_MAYMOVE, NULL);
	say("moved to grow: %d", away != at && away != MAP_FAILED);
	if (away == MAP_FAILED)
		return;
	say_read("where they were", at);
	say_pages("grown", away, PAGES);
	say_rights("grown", away, PAGES);
	say("shrunk: %d", do_mremap(away, 100 * PAGE, 2 * PAGE, 0, NULL) == away);
	say_pages("shrunk", away, 2);
	say_read("cut off", away + 2 * PAGE);
	say_run("cut off", away + 3 * PAGE);
	say_result("rx", do_mprotect(away, 2 * PAGE, RX));
	say_rights("rx", away, 2);
}

static void dontunmap(unsigned char *at)
{
	unsigned char *away = do_mremap(at, 2 * PAGE, 2 * PAGE,
					MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);

	if (away == MAP_FAILED) {
		say_result("moved", -1);
		return;
	}
	say_pages("moved", away, 2);
	if (!is_shared && !of_file)
		say("left behind: %d", all_bytes(at, 2 * PAGE, 0));
	code_write(at, 3);
	say_run("left behind", at);
	code_write(away, 4);
	say_run("moved", away);
}

static void dontneed(unsigned char *at)
{
	int i;

	say_result("dontneed", do_madvise(at, 3 * PAGE, MADV_DONTNEED));
	say_checksum("after", at, PAGES * PAGE);
	for (i = 0; i < 3; i++)
		code_write(at + (size_t)i * PAGE, 80 + i);
	say_pages("pages", at, PAGES);
	say_result("rx", do_mprotect(at, PAGES * PAGE, RX));
	say_result("dontneed", do_madvise(at, PAGE, MADV_DONTNEED));
	say_checksum("after", at, PAGES * PAGE);
	say_write("rx", at, 1);
	say_result("unaligned", do_madvise(at + 1, PAGE, MADV_DONTNEED));
	say_result("unknown", do_madvise(at, PAGE, 12345));
	say_result("rwx", do_mprotect(at, PAGES * PAGE, RWX));
	say_result("hole", do_munmap(at + 2 * PAGE, PAGE));
	say_result("over a hole", do_madvise(at, PAGES * PAGE, MADV_DONTNEED));
	say_checksum("before the hole", at, 2 * PAGE);
	say_checksum("behind the hole", at + 3 * PAGE, PAGE);
}

static void advice(unsigned char *at)
{
	say_result("free", do_madvise(at, 2 * PAGE, MADV_FREE));
	memset(at, 'f', 2 * PAGE);
	code_write(at, 90);
	code_write(at + PAGE, 91);
	say_pages("written", at, PAGES);
	say_result("huge page", do_madvise(at, PAGES * PAGE, MADV_HUGEPAGE));
	say_result("no huge page", do_madvise(at, PAGES * PAGE, MADV_NOHUGEPAGE));
	say_result("random", do_madvise(at, PAGES * PAGE, MADV_RANDOM));
	say_result("will need", do_madvise(at, PAGES * PAGE, MADV_WILLNEED));
	say_result("cold", do_madvise(at, PAGES * PAGE, MADV_COLD));
	say_result("page out", do_madvise(at, PAGES * PAGE, MADV_PAGEOUT));
	say_result("no dump", do_madvise(at, PAGES * PAGE, MADV_DONTDUMP));
	say_result("mergeable", do_madvise(at, PAGES * PAGE, MADV_MERGEABLE));
	say_result("populate", do_madvise(at, PAGES * PAGE, MADV_POPULATE_WRITE));
	say_pages("pages", at, PAGES);
}

static void in_child(const char *what, unsigned char *at)
{
	pid_t child = fork();

	if (child == 0)
		_exit(at[CODE_ROOM] == 0 ? 200 : code_run(at));
	say_child(what, child);
}

static void fork_advice(unsigned char *at)
{
	in_child("plain", at);
	say_result("dontfork", do_madvise(at, 2 * PAGE, MADV_DONTFORK));
	in_child("dontfork", at);
	in_child("dontfork", at + PAGE);
	in_child("its neighbour", at + 2 * PAGE);
	code_write(at, 61);
	say_run("parent", at);
	in_child("dontfork, written and run", at);
	say_result("dofork", do_madvise(at, PAGE, MADV_DOFORK));
	in_child("dofork", at);
	say_result("wipeonfork", do_madvise(at + 2 * PAGE, 2 * PAGE, MADV_WIPEONFORK));
	in_child("wipeonfork", at + 2 * PAGE);
	in_child("wipeonfork", at + 3 * PAGE);
	say_pages("parent", at, PAGES);
	say_result("keeponfork", do_madvise(at + 3 * PAGE, PAGE, MADV_KEEPONFORK));
	in_child("keeponfork", at + 3 * PAGE);
}

static long locked(void)
{
	return kilobytes("status", "VmLck");
}

static void lock(unsigned char *at)
{
	unsigned char resident[PAGES];
	long before = locked();

	say_result("mlock", mlock(at, 2 * PAGE));
	say("locked: %ld kB", locked() - before);
	say_pages("pages", at, PAGES);
	code_write(at, 3);
	say_run("locked", at);
	say("locked: %ld kB", locked() - before);
	say_result("dontneed", do_madvise(at, PAGE, MADV_DONTNEED));
	say_result("rx", do_mprotect(at, PAGES * PAGE, RX));
	say_run("locked", at);
	say("locked: %ld kB", locked() - before);
	say_result("rw", do_mprotect(at, PAGES * PAGE, RW));
	say("locked: %ld kB", locked() - before);
	say_result("rwx", do_mprotect(at, PAGES * PAGE, RWX));
	say_result("mincore", mincore(at, PAGES * PAGE, resident));
	say("resident: %d %d", resident[0] & 1, resident[1] & 1);
	say_result("mincore, odd", mincore(at + 1, PAGE, resident));
	say_result("msync", msync(at, PAGES * PAGE, MS_SYNC));
	say_result("munmap", do_munmap(at, PAGE));
	say("locked: %ld kB", locked() - before);
	say_result("msync over a hole", msync(at, PAGES * PAGE, MS_ASYNC));
	say_result("munlock", munlock(at + PAGE, 3 * PAGE));
	say("locked: %ld kB", locked() - before);
	say_run("pages", at + 3 * PAGE);
}

/* More than a store that is carried out by itself. */
static void turn_pages(unsigned char *at)
{
	int i, j;

	for (i = 0; i < PAGES; i++) {
		for (j = 0; j < 8; j++)
			code_write(at + i * PAGE, i + j);
		say("%d", code_run(at + i * PAGE));
	}
}

/* What is said of pages that are written and run all the while. */
static void lock_again(unsigned char *at)
{
	long before = locked();
	int i;

	for (i = 0; i < 2; i++) {
		say_result("mlock", mlock(at, PAGES * PAGE));
		turn_pages(at);
		say("locked: %ld kB", locked() - before);
		say_result("munlock", munlock(at + PAGE, PAGE));
		turn_pages(at);
		say("locked: %ld kB", locked() - before);
		say_result("munlockall", munlockall());
		turn_pages(at);
		say("locked: %ld kB", locked() - before);
	}
	say_result("mlock", mlock(at, PAGES * PAGE));
	turn_pages(at);
	say_result("dontfork", do_madvise(at, PAGE, MADV_DONTFORK));
	turn_pages(at);
	in_child("dontfork", at);
	in_child("its neighbour", at + PAGE);
	say_result("dofork", do_madvise(at, PAGE, MADV_DOFORK));
	turn_pages(at);
	in_child("dofork", at);
	say("locked: %ld kB", locked() - before);
	say_result("map over", do_mmap(at + PAGE, PAGE, RWX,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at + PAGE);
	turn_pages(at);
	say("locked: %ld kB", locked() - before);
}

/* All that there is, and all that comes. The total is the process's own affair:
 * only what these pages add to it is told. */
static void lock_all(unsigned char *at)
{
	long before;

	say_result("mlockall", mlockall(MCL_CURRENT));
	before = locked();
	say_result("unmapped", do_munmap(at, PAGE));
	say("locked: %ld kB", locked() - before);
	code_write(at + PAGE, 5);
	say_run("locked", at + PAGE);
	say_result("rx", do_mprotect(at + PAGE, PAGE, RX));
	say_run("locked", at + PAGE);
	say("locked: %ld kB", locked() - before);
	say_result("munlockall", munlockall());
	say("locked: %ld kB", locked());
	say_pages("pages", at + PAGE, 3);
	say_result("mlockall", mlockall(MCL_FUTURE));
	locked(); /* stdio's own memory */
	before = locked();
	at = do_mmap(NULL, 2 * PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	say("locked: %ld kB", locked() - before);
	code_write(at, 6);
	say_run("new", at);
	say("locked: %ld kB", locked() - before);
	say_result("munlockall", munlockall());
}

static void run_again(unsigned char *at, size_t pages)
{
	for (int turn = 0; turn < 3; turn++)
		for (size_t i = 0; i < pages; i++) {
			memset(at + i * PAGE, turn, PAGE);
			code_write(at + i * PAGE, turn);
			must(code_run(at + i * PAGE) == turn, "code");
		}
}

/* Pages that are unlocked where all new memory is locked. */
static void unlock_some(void)
{
	unsigned char *at;

	say_result("mlockall", mlockall(MCL_FUTURE));
	at = do_mmap(NULL, 6 * PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	say_result("munlock", munlock(at + PAGE, 3 * PAGE));
	run_again(at, 6);
	say_advice(at, 6);
	say_result("dontfork", do_madvise(at, 6 * PAGE, MADV_DONTFORK));
	run_again(at, 6);
	say_advice(at, 6);
	say_result("munlockall", munlockall());
	run_again(at, 6);
	say_advice(at, 6);
}

/* Locked pages that move, and others that come to be where they were. */
static void dontunmap_locked(void)
{
	unsigned char *at = do_mmap(NULL, 6 * PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *to;

	say_result("mlock", mlock(at, 6 * PAGE));
	run_again(at, 6);
	to = do_mremap(at, 6 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	must(to != MAP_FAILED, "mremap");
	run_again(at, 6);
	run_again(to, 6);
	say_advice(at, 6);
	say_advice(to, 6);
}

struct turner {
	unsigned char *at;
	atomic_bool begun, ended;
};

/* Code is written and run all the time. */
static void *keep_turning(void *argument)
{
	struct turner *turner = argument;

	for (int turn = 0; !atomic_load(&turner->ended); turn = (turn + 1) % 100) {
		for (size_t i = 0; i < PAGES * PAGE; i += PAGE) {
			code_write(turner->at + i, turn);
			must(code_run(turner->at + i) == turn, "code");
		}
		atomic_store(&turner->begun, true);
	}
	return NULL;
}

/* What is locked when a thread that turned the pages meanwhile has ended. */
static long locked_beside(unsigned char *at, int (*work)(const void *at, size_t length))
{
	struct turner turner = { .at = at };
	pthread_t thread;

	must(!pthread_create(&thread, NULL, keep_turning, &turner), "pthread_create");
	while (!atomic_load(&turner.begun))
		sched_yield();
	must(work(at, PAGES * PAGE) == 0, "work");
	atomic_store(&turner.ended, true);
	must(!pthread_join(thread, NULL), "pthread_join");
	return locked();
}

static void lock_beside(unsigned char *at)
{
	long before = locked(), wrong = 0;

	give_up_after(200);
	for (int i = 0; i < 40; i++) {
		wrong += locked_beside(at, mlock) != before + (long)(PAGES * PAGE / 1024);
		wrong += locked_beside(at, munlock) != before;
	}
	say("wrong: %ld", wrong);
}

/* Pages that nobody may touch (Linux 6.13), among others. */
static void guard(unsigned char *at)
{
	give_up_after(200);
	say_result("guarded", do_madvise(at + PAGE, 2 * PAGE, MADV_GUARD_INSTALL));
	say_rights("guarded", at, PAGES);
	say_result("rx", do_mprotect(at, PAGES * PAGE, RX));
	say_rights("rx", at, PAGES);
	say_result("rwx", do_mprotect(at, PAGES * PAGE, RWX));
	code_write(at, 5);
	say_run("written", at);
	say_result("free again", do_madvise(at + PAGE, PAGE, MADV_GUARD_REMOVE));
	say_rights("free again", at, PAGES);
	say_checksum("free again", at + PAGE, PAGE);
}

/* Sealed pages stay as they are. */
static void seal(unsigned char *at)
{
	if (syscall(SYS_mseal, at, 2 * PAGE, 0) != 0) {
		say_result("mseal", -1);
		return;
	}
	say_result("rx", do_mprotect(at, 2 * PAGE, RX));
	say_result("unmapped", do_munmap(at, 2 * PAGE));
	say_result("in part", do_mprotect(at, PAGES * PAGE, RX));
	say_rights("all", at, PAGES);
	code_write(at, 5);
	say_run("written", at);
	say_result("unsealed", do_mprotect(at + 2 * PAGE, 2 * PAGE, RX));
	say_rights("unsealed", at + 2 * PAGE, 2);
}

/* A key of the program's own. A handler that is left by siglongjmp leaves all keys
 * shut, so each access sets them anew. */
static void say_with_key(const char *what, int key, unsigned rights, unsigned char *at)
{
	pkey_set(key, rights);
	say_read(what, at + 8);
	pkey_set(key, rights);
	say_write(what, at + 8, 'k');
	pkey_set(key, rights);
	say_run(what, at);
	pkey_set(key, 0);
}

static void keys(unsigned char *at)
{
	int key = pkey_alloc(0, 0);

	if (key < 0) {
		say("no protection keys");
		return;
	}
	say_result("rwx", pkey_mprotect(at, 2 * PAGE, RWX, key));
	say_result("no such key", pkey_mprotect(at, 2 * PAGE, RWX, 14));
	code_write(at, 5);
	say_with_key("open", key, 0, at);
	say_with_key("writing shut", key, PKEY_DISABLE_WRITE, at);
	say_with_key("shut", key, PKEY_DISABLE_ACCESS, at + PAGE);
	say_with_key("without the key", key, PKEY_DISABLE_ACCESS, at + 2 * PAGE);
	say_result("rx", do_mprotect(at, 2 * PAGE, RX));
	say_with_key("rx, open", key, 0, at);
	say_with_key("rx, shut", key, PKEY_DISABLE_ACCESS, at);
	say_result("rw", do_mprotect(at, 2 * PAGE, RW));
	say_with_key("rw, shut", key, PKEY_DISABLE_ACCESS, at);
	say_pages("pages", at + 2 * PAGE, 2);
	pkey_free(key);
}

/* --------------------------------------------------------- kinds, and the rest */

/* glibc trims its heap and grows it again where code was. */
static void trim(void)
{
	unsigned char *at = heap_pages(600), *again;
	size_t i;

	say_result("rwx", do_mprotect(at + PAGE, 590 * PAGE, RWX));
	for (i = 1; i < 590; i += 7) {
		code_write(at + i * PAGE, (int)i);
		must(code_run(at + i * PAGE) == (int)i, "code");
	}
	free(at);
	say("trimmed: %d", malloc_trim(0) == 1);
	again = heap_pages(600);
	memset(again, 'd', 600 * PAGE);
	say("data: %d", all_bytes(again, 600 * PAGE, 'd'));
	code_write(again + 8 * PAGE, 5);
	say_run("grown anew", again + 8 * PAGE);
	code_write(again + 2 * PAGE, 6);
	say_run("where code was never run", again + 2 * PAGE);
	say_result("rw", do_mprotect(again, 600 * PAGE, RW));
	say_run("rw", again + 8 * PAGE);
	say_result("rwx", do_mprotect(again + PAGE, 590 * PAGE, RWX));
	say_run("rwx", again + 8 * PAGE);
}

/* The program's own brk: up, code, down, up. */
static void brk_again(void)
{
	unsigned char *at = sbrk_pages(8);

	say_result("rwx", do_mprotect(at, 8 * PAGE, RWX));
	prepare(at + 4 * PAGE);
	say("down: %d", sbrk(-6 * (intptr_t)PAGE) != (void *)-1);
	say_read("gone", at + 4 * PAGE);
	say_run("gone", at + 7 * PAGE);
	say("up: %d", sbrk(6 * (intptr_t)PAGE) == at + 2 * PAGE);
	say("zero: %d", all_bytes(at + 2 * PAGE, 6 * PAGE, 0));
	memset(at + 4 * PAGE, 'h', PAGE);
	code_write(at + 4 * PAGE, 1);
	say_run("data", at + 4 * PAGE);
	code_write(at + 3 * PAGE, 2);
	say_run("where code was never run", at + 3 * PAGE);
	say_result("rwx", do_mprotect(at + 4 * PAGE, PAGE, RWX));
	say_run("code", at + 4 * PAGE);
	say_write("its neighbour", at + 5 * PAGE, 1);
	say_run("its neighbour", at + 5 * PAGE);
}

static const struct kind {
	const char *name;
	unsigned char *(*make)(void);
} kinds[] = {
	{ "anonymous", anonymous },
	{ "across", across },
	{ "turned", turned },
	{ "heap", heap },
	{ "file", file },
	{ "shared", shared },
};

static const struct test {
	const char *name;
	void (*run)(unsigned char *at);
} tests[] = {
	{ "rights", rights },
	{ "mixed-rights", mixed_rights },
	{ "mixed-range", mixed_range },
	{ "unmap", unmap },
	{ "map-over", map_over },
	{ "move", move },
	{ "resize", resize },
	{ "dontunmap", dontunmap },
	{ "dontneed", dontneed },
	{ "advice", advice },
	{ "fork-advice", fork_advice },
	{ "lock", lock },
	{ "lock-all", lock_all },
	{ "lock-again", lock_again },
	{ "lock-beside", lock_beside },
	{ "guard", guard },
	{ "seal", seal },
	{ "keys", keys },
};

/* ------------------------------------------------------------ several at once */

enum { SEVERAL = 3 };

/* Two pages: Private code and Shared code, each run or (small) not yet; data. */
static void map_two(unsigned char *at, char kind)
{
	int type = strchr("Ss", kind) ? MAP_SHARED : MAP_PRIVATE, i;

	must_map(at, 2 * PAGE, kind == 'd' ? RW : RWX, type | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	for (i = 0; i < 2; i++) {
		code_write(at + (size_t)i * PAGE, kind + 100 * i);
		if (strchr("PS", kind))
			code_run(at + (size_t)i * PAGE);
	}
}

static void say_each(const char *what, unsigned char *at)
{
	int i;

	for (i = 0; i < 2 * SEVERAL + 2; i++) {
		say_read(what, at + (size_t)i * PAGE + 1);
		say_run(what, at + (size_t)i * PAGE);
	}
}

static void write_each(unsigned char *at, int byte)
{
	int i;

	for (i = 0; i < 2 * SEVERAL + 2; i++)
		say_write("written", at + (size_t)i * PAGE + 1, byte + i);
}

/* What the kernel says to each depends on its version. */
static void move_these(const char *these, long grow, int flags, size_t skip)
{
	unsigned char *room = must_map(NULL, 64 * PAGE, PROT_NONE,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned char *at = room + 8 * PAGE, *to = room + 40 * PAGE, *away;
	size_t length = strlen(these) * 2 * PAGE - 2 * skip;
	pid_t child;

	for (size_t i = 0; these[i]; i++)
		map_two(at + 2 * i * PAGE, these[i]);
	away = do_mremap(at + skip, length, length + (size_t)grow, flags, to + skip);
	say("%s %+ld %#x: %s", these, grow, (unsigned)flags, away == to + skip ? "moved" :
	    away == at + skip ? "in place" : away == MAP_FAILED ? strerror(errno) : "elsewhere");
	say_each("where they were", at);
	say_each("where they are", to);
	/* What is shared shows it. */
	fflush(stdout);
	child = fork();
	if (child == 0) {
		write_each(at, 10);
		write_each(to, 20);
		exit(0);
	}
	say_child("child", child);
	say_each("where they were", at);
	say_each("where they are", to);
	write_each(at, 30);
	write_each(to, 40);
	say_each("written, where they were", at);
	say_each("written, where they are", to);
}

static void move_several(void)
{
	static const char *const sets[] = { "PS", "SP", "Pd", "dP", "pd", "dp", "Sd", "dS", "PdS",
					    "dpd", "pPs" };
	const int fixed = MREMAP_MAYMOVE | MREMAP_FIXED;

	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		move_these(sets[i], 0, fixed, 0);
		move_these(sets[i], 0, fixed, PAGE);
		move_these(sets[i], 2 * PAGE, fixed, 0);
		move_these(sets[i], -(long)PAGE, fixed, 0);
		move_these(sets[i], 2 * PAGE, 0, 0);
		move_these(sets[i], 0, fixed | MREMAP_DONTUNMAP, 0);
	}
}

/* Six pages on both sides of a multiple of a MiB, of which the first COUNT are kept from
 * children; then they move. */
static void move_advised(size_t count)
{
	const size_t size = 1UL << 20, before = 3 * PAGE;
	unsigned char *room = must_map(NULL, 3 * size, PROT_NONE,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned char *at = room + size + -(uintptr_t)room % size - before, *away;
	int i;

	must_map(at, 6 * PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	for (i = 0; i < 6; i++) {
		code_write(at + i * PAGE, i);
		say("%d", code_run(at + i * PAGE));
	}
	say_result("dontfork", do_madvise(at, count * PAGE, MADV_DONTFORK));
	for (i = 0; i < 6; i++)
		say("%d", code_run(at + i * PAGE));
	away = do_mremap(at, 6 * PAGE, 40 * PAGE, MREMAP_MAYMOVE, NULL);
	say("grown: %s", away == MAP_FAILED ? strerror(errno) : "yes");
	if (away == MAP_FAILED)
		away = at;
	for (i = 0; i < 6; i++) {
		say("%d", code_run(away + i * PAGE));
		in_child("dontfork", away + i * PAGE);
	}
}

/* Eight pages that are one mapping, whatever became of two of them; then they grow. */
static unsigned char *one_mapping(int protection)
{
	unsigned char *room = must_map(NULL, 64 * PAGE, PROT_NONE,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned char *at = room + 16 * PAGE;

	must(munmap(at, 32 * PAGE) == 0, "munmap");
	must_map(at, 8 * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	memset(at, 'm', 8 * PAGE);
	return at;
}

static void grow_one(const char *what, unsigned char *at, int flags)
{
	unsigned char *grown = do_mremap(at, 8 * PAGE, 12 * PAGE, flags, NULL);

	say("%s: %s", what, grown == MAP_FAILED ? strerror(errno) : "grown");
	if (grown == MAP_FAILED)
		return;
	say_checksum(what, grown, 12 * PAGE);
	say_write(what, grown + 2 * PAGE, 1);
	say_write(what, grown + 5 * PAGE, 1);
	say_write(what, grown + 11 * PAGE, 1);
	say_run(what, grown + 11 * PAGE);
}

static void grow_turned(void)
{
	unsigned char *at;

	for (int flags = 0; flags <= MREMAP_MAYMOVE; flags += MREMAP_MAYMOVE) {
		at = one_mapping(RWX);
		code_write(at + 2 * PAGE, 5);
		say_run("code", at + 2 * PAGE);
		say_result("dontneed", do_madvise(at + 2 * PAGE, PAGE, MADV_DONTNEED));
		grow_one("came back", at, flags);
		at = one_mapping(RW);
		say_result("rwx", do_mprotect(at + 2 * PAGE, 2 * PAGE, RWX));
		code_write(at + 2 * PAGE, 5);
		say_run("code", at + 2 * PAGE);
		say_result("rw", do_mprotect(at + 2 * PAGE, 2 * PAGE, RW));
		grow_one("data again", at, flags);
	}
}

static void move_across(void)
{
	move_advised(6);
	move_advised(3);
	move_advised(4);
}

static const struct kind *chosen_kind;
static const struct test *chosen_test;

static void run_chosen(void)
{
	chosen_test->run(chosen_kind->make());
}

/* TEST/KIND in words of these tables; the part that host_main is to run. */
static bool choose(const char *name)
{
	const char *slash = strchr(name, '/');
	size_t i;

	if (!slash)
		return false;
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].name, slash + 1))
			chosen_kind = &kinds[i];
	for (i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		if (strlen(tests[i].name) == (size_t)(slash - name) &&
		    !strncmp(tests[i].name, name, strlen(tests[i].name)))
			chosen_test = &tests[i];
	return chosen_kind && chosen_test;
}

/* One part only where it is of a kind. */
int main(int argc, char **argv)
{
	struct part parts[] = {
		{ "trim", trim },
		{ "brk-again", brk_again },
		{ "move-several", move_several },
		{ "move-across", move_across },
		{ "grow-turned", grow_turned },
		{ "unlock-some", unlock_some },
		{ "dontunmap-locked", dontunmap_locked },
		{ NULL, NULL },
		{ NULL, NULL },
	};

	if (argc > 1 && choose(argv[argc - 1])) {
		parts[3].name = argv[argc - 1];
		parts[3].run = run_chosen;
	}
	return host_main(parts, argc, argv);
}
