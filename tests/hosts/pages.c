/* pages.c: what a program does with its pages after they were made code:
 * unmap, remap, advise, lock, map over them. */
#include "host.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

enum { PAGES = 4 };

/* Four pages of each kind; page N is filled with '0' + N, but for its code. */
static unsigned char *some_pages(bool of_file)
{
	unsigned char *at = of_file ? file_pages(PAGES) : sbrk_pages(PAGES);
	int i;

	for (i = 0; i < PAGES; i++) {
		memset(at + (size_t)i * PAGE, '0' + i, PAGE);
		code_write(at + (size_t)i * PAGE, 70 + i);
	}
	return at;
}

static void give_back(bool of_file, unsigned char *at)
{
	if (of_file)
		munmap(at, PAGES * PAGE);
	else
		must(sbrk(-(intptr_t)(PAGES * PAGE)) != (void *)-1, "sbrk down");
}

static void say_pages(const char *what, const unsigned char *at, int pages)
{
	char text[PAGES * 4 + 1] = "";
	int i;

	for (i = 0; i < pages; i++)
		sprintf(text + strlen(text), " %c%d", at[(size_t)i * PAGE + CODE_ROOM],
			at[(size_t)i * PAGE] == CODE_BEGINS ? code_run(at + (size_t)i * PAGE) : 0);
	say("%s:%s", what, text);
}

/* Once for heap pages, once for a file's. */
static void for_both(void (*test)(bool of_file, unsigned char *at))
{
	int of_file;

	for (of_file = 0; of_file < 2; of_file++) {
		unsigned char *at = some_pages(of_file);

		say("%s", of_file ? "file" : "heap");
		must(do_mprotect(at, PAGES * PAGE, RWX) == 0, "to code");
		test(of_file, at);
	}
}

static void unmap_both(bool of_file, unsigned char *at)
{
	say_result("second page", do_munmap(at + PAGE, PAGE));
	say_protection("pages", at, PAGES);
	say_result("over the hole", do_mprotect(at, PAGES * PAGE, RX));
	say_protection("pages", at, PAGES);
	say("new page at its place: %d",
	    do_mmap(at + PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		    -1, 0) == at + PAGE);
	say("%d", all_bytes(at + PAGE, PAGE, 0));
	memset(at + PAGE, 'n', PAGE);
	code_write(at + PAGE, 1);
	say_protection("pages", at, PAGES);
	say_result("data", do_mprotect(at, PAGES * PAGE, RW));
	say_result("code", do_mprotect(at, PAGES * PAGE, RWX));
	say_pages("pages", at, PAGES);
	say("twice gone: %d %d", do_munmap(at, 2 * PAGE), do_munmap(at, 2 * PAGE));
	say_result("bad", do_munmap(at + 1, PAGE));
	say_result("bad", do_munmap(at, 0));
	if (of_file)
		do_munmap(at, PAGES * PAGE);
	/* The heap keeps its hole: sbrk down would not mind, but neither matters. */
}

static void unmap(void)
{
	for_both(unmap_both);
}

static void map_over_both(bool of_file, unsigned char *at)
{
	int fd = temporary_file(2 * PAGE);

	say("taken: %d", do_mmap(at, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
				 -1, 0) == MAP_FAILED && errno == EEXIST);
	say("%d", do_mmap(at + PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			  -1, 0) == at + PAGE);
	say("%d", do_mmap(at + 2 * PAGE, PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd,
			  (off_t)PAGE) == at + 2 * PAGE);
	say_protection("pages", at, PAGES);
	say("%d %c", at[PAGE], at[2 * PAGE]);
	say_result("code again", do_mprotect(at, PAGES * PAGE, RWX));
	at[PAGE + CODE_ROOM] = 'x';
	at[2 * PAGE + 9] = 'x';
	say_pages("pages", at, PAGES);
	say_protection("pages", at, PAGES);
	close(fd);
	(void)of_file;
}

static void map_over(void)
{
	for_both(map_over_both);
}

static void remap_both(bool of_file, unsigned char *at)
{
	unsigned char *away, *target;

	away = do_mremap(at + PAGE, PAGE, PAGE, MREMAP_MAYMOVE, NULL);
	say("nothing to do: %d", away == at + PAGE);
	target = do_mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(target != MAP_FAILED, "mmap");
	away = do_mremap(at + PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target);
	say("moved: %d", away == target);
	say_protection("where they were", at, PAGES);
	say_protection("where they are", target, 3);
	say_pages("moved", target, 2);
	say_result("data", do_mprotect(target, 2 * PAGE, RW));
	say_result("code", do_mprotect(target, 2 * PAGE, RWX));
	say_pages("moved", target, 2);
	away = do_mremap(target, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + PAGE);
	say("back: %d", away == at + PAGE);
	say_pages("back", at, PAGES);
	say_result("data", do_mprotect(at, PAGES * PAGE, RW));
	say_result("code", do_mprotect(at, PAGES * PAGE, RWX));
	/* Over another code page, and shorter. */
	away = do_mremap(at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 3 * PAGE);
	say("over another: %d", away == at + 3 * PAGE);
	say_protection("pages", at, PAGES);
	say_pages("pages", at + PAGE, 3);
	away = do_mremap(at + PAGE, 2 * PAGE, PAGE, 0, NULL);
	say("shorter: %d", away == at + PAGE);
	say_protection("pages", at, PAGES);
	say("bad: %d", do_mremap(at + 1, PAGE, PAGE, MREMAP_MAYMOVE, NULL) == MAP_FAILED &&
	    errno == EINVAL);
	say("a hole: %d", do_mremap(at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
				    target) == MAP_FAILED && errno == EFAULT);
	do_munmap(target, 8 * PAGE);
	(void)of_file;
}

static void remap(void)
{
	for_both(remap_both);
}

/* Growing where there is room, and where there is none. */
static void remap_grow(void)
{
	unsigned char *at = some_pages(false), *away;

	must(do_mprotect(at, PAGES * PAGE, RWX) == 0, "to code");
	away = do_mremap(at, PAGES * PAGE, 2 * PAGES * PAGE, MREMAP_MAYMOVE, NULL);
	must(away != MAP_FAILED, "mremap");
	say_protection("grown", away, 2 * PAGES);
	say_pages("grown", away, PAGES);
	say("zero %d", all_bytes(away + PAGES * PAGE, PAGES * PAGE, 0));
	say_result("data", do_mprotect(away, 2 * PAGES * PAGE, RW));
	say_result("code", do_mprotect(away, 2 * PAGES * PAGE, RWX));
	say_pages("grown", away, PAGES);
	do_munmap(away, 2 * PAGES * PAGE);
}

static void remap_dontunmap(void)
{
	unsigned char *at = some_pages(false), *away;

	must(do_mprotect(at, PAGES * PAGE, RWX) == 0, "to code");
	away = do_mremap(at, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	must(away != MAP_FAILED, "mremap");
	say_pages("moved", away, 2);
	say("left behind: %d", all_bytes(at, 2 * PAGE, 0));
	say_protection("left behind", at, PAGES);
	say_result("data", do_mprotect(at, PAGES * PAGE, RW));
	say_result("code", do_mprotect(at, PAGES * PAGE, RWX));
	say("left behind: %d", all_bytes(at, 2 * PAGE, 0));
	do_munmap(away, 2 * PAGE);
	give_back(false, at);
}

/* Private memory that is not needed: the heap's is zero again. */
static void dontneed(void)
{
	unsigned char *at = some_pages(false);

	must(do_mprotect(at, PAGES * PAGE, RWX) == 0, "to code");
	say_result("second page", do_madvise(at + PAGE, PAGE, MADV_DONTNEED));
	say("zero %d", all_bytes(at + PAGE, PAGE, 0));
	say_protection("pages", at, PAGES);
	at[PAGE + CODE_ROOM] = 'z';
	say_pages("pages", at, PAGES);
	say_result("bad", do_madvise(at + 1, PAGE, MADV_DONTNEED));
	say_result("unknown", do_madvise(at, PAGE, 12345));
	say_result("free", do_madvise(at, PAGE, MADV_FREE));
	memset(at, 'f', PAGE);
	say("kept when written: %d", all_bytes(at, PAGE, 'f'));
	say_result("data", do_mprotect(at, PAGES * PAGE, RW));
	say_result("third page", do_madvise(at + 2 * PAGE, PAGE, MADV_DONTNEED));
	say("zero %d", all_bytes(at + 2 * PAGE, PAGE, 0));
	give_back(false, at);
}

/* A file's private page goes back to what the file has. */
static void dontneed_file(void)
{
	unsigned char *at = some_pages(true);

	must(do_mprotect(at, PAGES * PAGE, RWX) == 0, "to code");
	say_result("second page", do_madvise(at + PAGE, PAGE, MADV_DONTNEED));
	say("%c %c", at[PAGE], at[PAGE + 100]);
	give_back(true, at);
}

/* What a child of fork sees of the pages. */
static void say_in_child(const char *what, const unsigned char *at)
{
	pid_t child = fork();

	if (child == 0)
		_exit(at[CODE_ROOM]);
	say_child(what, child);
}

static void fork_advice_both(bool of_file, unsigned char *at)
{
	say_in_child("plain", at);
	say_result("dontfork", do_madvise(at + PAGE, PAGE, MADV_DONTFORK));
	say_in_child("dontfork", at + PAGE);
	say_in_child("its neighbour", at + 2 * PAGE);
	say_result("data", do_mprotect(at, PAGES * PAGE, RW));
	say_result("code", do_mprotect(at, PAGES * PAGE, RWX));
	say_in_child("dontfork, turned", at + PAGE);
	say_pages("pages", at, PAGES);
	say_result("dofork", do_madvise(at + PAGE, PAGE, MADV_DOFORK));
	say_in_child("dofork", at + PAGE);
	if (of_file)
		return;
	say_result("wipeonfork", do_madvise(at + 2 * PAGE, PAGE, MADV_WIPEONFORK));
	say_in_child("wipeonfork", at + 2 * PAGE);
	say_result("data", do_mprotect(at, PAGES * PAGE, RW));
	say_result("code", do_mprotect(at, PAGES * PAGE, RWX));
	say_in_child("wipeonfork, turned", at + 2 * PAGE);
}

static void fork_advice(void)
{
	for_both(fork_advice_both);
}

/* Advice given before the pages become code. */
static void advice_first(void)
{
	int of_file;

	for (of_file = 0; of_file < 2; of_file++) {
		unsigned char *at = some_pages(of_file);

		say("%s", of_file ? "file" : "heap");
		say_result("dontfork", do_madvise(at + PAGE, PAGE, MADV_DONTFORK));
		say_result("code", do_mprotect(at, PAGES * PAGE, RWX));
		say_in_child("dontfork", at + PAGE);
		say_in_child("its neighbour", at + 2 * PAGE);
		say_pages("pages", at, PAGES);
	}
}

/* The kernel's count of locked memory. */
static long locked_now(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	long locked = -1;

	must(status, "/proc/self/status");
	while (fgets(line, sizeof(line), status))
		sscanf(line, "VmLck: %ld kB", &locked);
	fclose(status);
	return locked;
}

static void lock_both(bool of_file, unsigned char *at)
{
	unsigned char resident[PAGES];
	long before = locked_now();

	say_result("mlock", mlock(at + PAGE, 2 * PAGE));
	say("locked %ld kB", locked_now() - before);
	say_result("data", do_mprotect(at, PAGES * PAGE, RW));
	say_result("code", do_mprotect(at, PAGES * PAGE, RWX));
	say("locked %ld kB", locked_now() - before);
	say_result("dontneed", do_madvise(at + PAGE, PAGE, MADV_DONTNEED));
	say_result("mincore", mincore(at, PAGES * PAGE, resident));
	say("%d %d", resident[1] & 1, resident[2] & 1);
	say_result("munlock", munlock(at, PAGES * PAGE));
	say("locked %ld kB", locked_now() - before);
	say_result("msync", msync(at, PAGES * PAGE, MS_SYNC));
	say_pages("pages", at, PAGES);
	(void)of_file;
}

static void lock_later(void)
{
	for_both(lock_both);
}

static void lock_first(void)
{
	int of_file;

	for (of_file = 0; of_file < 2; of_file++) {
		unsigned char *at = some_pages(of_file);
		long before = locked_now();

		say("%s", of_file ? "file" : "heap");
		say_result("mlock", mlock(at, PAGES * PAGE));
		say_result("code", do_mprotect(at + PAGE, 2 * PAGE, RWX));
		say("locked %ld kB", locked_now() - before);
		say_pages("pages", at + PAGE, 2);
		say_result("munlock", munlock(at, PAGES * PAGE));
		say("locked %ld kB", locked_now() - before);
	}
}

/* Sealed pages stay what they are. */
static void seal(void)
{
	unsigned char *at = some_pages(false);

	if (syscall(SYS_mseal, at, 2 * PAGE, 0) != 0) {
		say("no mseal");
		return;
	}
	say_result("sealed", do_mprotect(at, 2 * PAGE, RWX));
	say_result("in part", do_mprotect(at, PAGES * PAGE, RWX));
	say_protection("pages", at, PAGES);
	say_result("unsealed", do_mprotect(at + 2 * PAGE, 2 * PAGE, RWX));
	say_protection("pages", at, PAGES);
	say_pages("pages", at + 2 * PAGE, 2);
	say("%c", at[CODE_ROOM]);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "unmap", unmap },
		{ "map-over", map_over },
		{ "remap", remap },
		{ "remap-grow", remap_grow },
		{ "remap-dontunmap", remap_dontunmap },
		{ "dontneed", dontneed },
		{ "dontneed-file", dontneed_file },
		{ "fork-advice", fork_advice },
		{ "advice-first", advice_first },
		{ "lock", lock_later },
		{ "lock-first", lock_first },
		{ "seal", seal },
		{ NULL, NULL },
	};
	return host_main(parts, argc, argv);
}
