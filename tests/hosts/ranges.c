/* ranges.c: the ranges that mprotect is asked for: mixed ones, with holes,
 * longer than their file, the program's own data; and the bad ones. */
#include "host.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/personality.h>

/* From the program's own data segment. */
static unsigned char data_page[3 * 4096] __attribute__((aligned(4096))) = { 1, 2, 3 };
static unsigned char bss_page[3 * 4096] __attribute__((aligned(4096)));
static int variable = 1, other_variable;

static sigjmp_buf faulted;
static volatile sig_atomic_t fault_signal, fault_code;

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)context;
	fault_signal = number;
	fault_code = info->si_code;
	siglongjmp(faulted, 1);
}

/* What becomes of a read and of a store at AT. */
static void say_access(const char *what, volatile unsigned char *at)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO }, segv, bus;
	volatile int i;

	action.sa_sigaction = on_fault;
	sigemptyset(&action.sa_mask);
	sigaction(SIGSEGV, &action, &segv);
	sigaction(SIGBUS, &action, &bus);
	for (i = 0; i < 2; i++) {
		if (sigsetjmp(faulted, 1)) {
			say("%s, %s: signal %d code %d", what, i ? "write" : "read",
			    (int)fault_signal, (int)fault_code);
			continue;
		}
		if (i)
			*at = *at;
		else
			(void)*at;
		say("%s, %s: done", what, i ? "write" : "read");
	}
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &bus, NULL);
}

static unsigned char *anonymous(size_t pages, int protection)
{
	void *memory = do_mmap(NULL, pages * PAGE, protection,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(memory != MAP_FAILED, "mmap");
	return memory;
}

/* The kernel's own answers to what makes no sense. */
static void bad(void)
{
	unsigned char *heap = heap_pages(4), *file = file_pages(2);
	unsigned char *places[2];
	int i;

	memset(file, 1, 2 * PAGE);
	places[0] = heap;
	places[1] = file;
	for (i = 0; i < 2; i++) {
		unsigned char *at = places[i];

		say("%s", i ? "file" : "heap");
		say_result("unaligned", do_mprotect(at + 1, PAGE, RWX));
		say_result("nothing", do_mprotect(at, 0, RWX));
		say_result("nothing, unaligned", do_mprotect(at + 8, 0, RWX));
		say_result("bits unknown", do_mprotect(at, PAGE, RWX | 0x100000));
		say_result("all bits", do_mprotect(at, PAGE, -1));
		say_result("wraps", do_mprotect(at, (size_t)-1, RWX));
		say_result("wraps by a page", do_mprotect(at, -(size_t)at, RWX));
		if (!i) /* ends at the heap's end, at the latest */
			say_result("longer than memory", do_mprotect(at, SIZE_MAX / 4 + 1, RWX));
		say_result("grows down", do_mprotect(at, PAGE, RWX | PROT_GROWSDOWN));
		say_result("grows up", do_mprotect(at, PAGE, RWX | PROT_GROWSUP));
		say_result("both", do_mprotect(at, PAGE, RWX | PROT_GROWSUP | PROT_GROWSDOWN));
		say_protection("still", at, 2);
		say_result("sem", do_mprotect(at, PAGE, RWX | 8));
		say_protection("sem", at, 2);
		say_result("one byte", do_mprotect(at, 1, RWX));
		say_protection("one byte", at, 2);
		say_result("a page and a byte", do_mprotect(at, PAGE + 1, RX));
		say_protection("a page and a byte", at, 2);
		say_result("write and exec", do_mprotect(at, PAGE, PROT_WRITE | PROT_EXEC));
		say_protection("write and exec", at, 2);
		say_result("exec", do_mprotect(at, PAGE, PROT_EXEC));
		say_protection("exec", at, 2);
		say_result("none", do_mprotect(at, PAGE, PROT_NONE));
		say_protection("none", at, 2);
		say_result("none to code", do_mprotect(at, 2 * PAGE, RWX));
		say("kept %d", all_bytes(at, 2 * PAGE, i));
	}
	say_result("null", do_mprotect(NULL, PAGE, RWX));
	say_result("beyond", do_mprotect((void *)(SIZE_MAX / 16 + 1), PAGE, RWX));
	say_result("at the end", do_mprotect((void *)-PAGE, PAGE, RWX));
	errno = 0;
	do_mprotect(heap, 4 * PAGE, RWX);
	do_mprotect(heap, 4 * PAGE, RW);
	say("errno left alone: %d", errno == 0);
	errno = ECHILD;
	do_mprotect(file, 2 * PAGE, RWX);
	do_mprotect(file, 2 * PAGE, RW);
	say("errno left alone: %d", errno == ECHILD);
}

/* heap heap anonymous anonymous file file shared hole anonymous */
enum { MIXED = 9, MIXED_HOLE = 7 };

static unsigned char *mixed_range(void)
{
	unsigned char *at = sbrk_pages(2), *end = at + 2 * PAGE;
	int fd = temporary_file(4 * PAGE);
	int fixed = MAP_FIXED_NOREPLACE;

	must(do_mmap(end, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | fixed, -1, 0) == end,
	     "anonymous memory behind the heap");
	end += 2 * PAGE;
	must(do_mmap(end, 2 * PAGE, RW, MAP_PRIVATE | fixed, fd, 0) == end, "file");
	end += 2 * PAGE;
	must(do_mmap(end, PAGE, RW, MAP_SHARED | fixed, fd, 2 * (off_t)PAGE) == end, "shared");
	end += 2 * PAGE;
	must(do_mmap(end, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | fixed, -1, 0) == end, "last");
	close(fd);
	memset(at, 'H', 2 * PAGE);
	memset(at + 2 * PAGE, 'A', 2 * PAGE);
	at[4 * PAGE] = 'F'; /* the second page of the file is not written */
	at[6 * PAGE] = 'S';
	at[8 * PAGE] = 'L';
	return at;
}

static void say_contents(const unsigned char *at, size_t pages)
{
	char text[2 * MIXED + 1];
	size_t i;

	for (i = 0; i < pages; i++) {
		text[2 * i] = i == MIXED_HOLE ? '-' : (char)at[i * PAGE];
		text[2 * i + 1] = i == MIXED_HOLE ? '-' : (char)at[i * PAGE + 100];
	}
	text[2 * i] = 0;
	say("contents: %s", text);
}

static void mixed(void)
{
	unsigned char *at = mixed_range();
	int i, steps[] = { RWX, RW, RX, PROT_READ, RWX, RW };

	say_contents(at, MIXED);
	for (i = 0; i < 6; i++) {
		say_result("with a hole", do_mprotect(at, MIXED * PAGE, steps[i]));
		say_protection("after", at, MIXED);
		say_contents(at, MIXED);
	}
	for (i = 0; i < 6; i++) {
		say_result("up to the hole", do_mprotect(at, MIXED_HOLE * PAGE, steps[i]));
		say_protection("after", at, MIXED);
		say_contents(at, MIXED);
	}
	say_result("from the hole", do_mprotect(at + MIXED_HOLE * PAGE, 2 * PAGE, RWX));
	say_result("the hole", do_mprotect(at + MIXED_HOLE * PAGE, PAGE, RWX));
	say_protection("after", at, MIXED);
	/* Pieces that begin and end within mappings. */
	say_result("middle", do_mprotect(at + PAGE, 2 * PAGE, RWX));
	say_result("middle", do_mprotect(at + 3 * PAGE, 2 * PAGE, RX));
	say_result("middle", do_mprotect(at + 5 * PAGE, 2 * PAGE, RWX));
	say_protection("after", at, MIXED);
	say_contents(at, MIXED);
	memset(at, 'h', PAGE);
	memset(at + PAGE, 'h', 2 * PAGE);
	say_contents(at, MIXED);
	must(do_munmap(at + 2 * PAGE, 7 * PAGE) == 0, "munmap");
	must(sbrk(-2 * (intptr_t)PAGE) != (void *)-1, "sbrk down");
}

/* A mapping of four pages, of a file of one page and a bit. */
static void past_end(void)
{
	int fd = temporary_file(PAGE + 100);
	unsigned char *at = do_mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);

	must(at != MAP_FAILED, "mmap");
	at[0] = 'X';
	say_result("to code", do_mprotect(at, 4 * PAGE, RWX));
	say_protection("pages", at, 2);
	say("%c %c %c %d", at[0], at[1], at[PAGE + 99], at[PAGE + 100]);
	code_write(at + 200, 17);
	say("%d", code_run(at + 200));
	say_access("second page", at + PAGE);
	say_access("third page", at + 2 * PAGE);
	say_access("fourth page", at + 3 * PAGE);
	say_result("only past the end", do_mprotect(at + 2 * PAGE, 2 * PAGE, RW));
	say_result("only past the end", do_mprotect(at + 2 * PAGE, 2 * PAGE, RWX));
	say_access("fourth page", at + 3 * PAGE);
	say_protection("pages", at, 2);
	must(ftruncate(fd, 4 * (off_t)PAGE) == 0, "ftruncate");
	say("the file has grown");
	say_access("third page", at + 2 * PAGE);
	say_result("unmapped", do_munmap(at, 4 * PAGE));
	close(fd);
}

/* Pages that nobody may touch, made code later; never written ones. */
static void untouchable(void)
{
	int fd = temporary_file(4 * PAGE);
	unsigned char *at = anonymous(2, PROT_NONE), *heap = heap_pages(2);

	say_result("anonymous", do_mprotect(at, 2 * PAGE, RX));
	say_protection("anonymous", at, 2);
	say("zero %d", all_bytes(at, 2 * PAGE, 0));

	memset(heap, 7, 2 * PAGE);
	must(do_mprotect(heap, 2 * PAGE, PROT_NONE) == 0, "mprotect");
	say_result("heap", do_mprotect(heap, 2 * PAGE, RX));
	say_protection("heap", heap, 2);
	say("kept %d", all_bytes(heap, 2 * PAGE, 7));
	must(do_mprotect(heap, 2 * PAGE, RW) == 0, "mprotect");
	free(heap);

	at = do_mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE, fd, 0);
	must(at != MAP_FAILED, "mmap");
	say_result("file", do_mprotect(at, 2 * PAGE, RX));
	say_protection("file", at, 4);
	say("kept %d %d", all_bytes(at, PAGE, 'a'), all_bytes(at + PAGE, PAGE, 'b'));
	do_munmap(at, 4 * PAGE);

	at = do_mmap(NULL, 4 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	must(at != MAP_FAILED, "mmap");
	say_result("read-only file", do_mprotect(at, 4 * PAGE, RX));
	say_protection("read-only file", at, 4);
	say("kept %d %d", all_bytes(at, PAGE, 'a'), all_bytes(at + 3 * PAGE, PAGE, 'd'));
	say_access("read-only file", at);
	do_munmap(at, 4 * PAGE);

	at = do_mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, (off_t)PAGE);
	must(at != MAP_FAILED, "mmap");
	code_write(at + 2 * PAGE, 33);
	say_result("offset in the file", do_mprotect(at + PAGE, 2 * PAGE, RX));
	say("%d %c %c", code_run(at + 2 * PAGE), at[0], at[PAGE]);
	say_protection("offset in the file", at, 3);
	say_access("offset in the file", at + PAGE);
	do_munmap(at, 3 * PAGE);
	close(fd);
}

/* Code pages of the program's own data; the variables around go on. */
static void own_data(void)
{
	uintptr_t first, end;
	int i;

	for (i = 0; i < 10; i++) {
		code_write(data_page + PAGE, 60 + i);
		code_write(bss_page + PAGE, 80 + i);
		say_result(".data", do_mprotect(data_page, sizeof(data_page), RWX));
		say_result(".bss", do_mprotect(bss_page + PAGE, PAGE, RX));
		say("%d %d", code_run(data_page + PAGE), code_run(bss_page + PAGE));
		say_result(".bss", do_mprotect(bss_page + PAGE, PAGE, RW));
	}
	say("%d %d %d %d", data_page[0], data_page[1], data_page[2], data_page[3]);
	/* All of it, whatever else lies there: stdio's, libc's, our own. */
	first = (uintptr_t)&variable & ~(PAGE - 1);
	end = ((uintptr_t)(bss_page + sizeof(bss_page)) + PAGE - 1) & ~(PAGE - 1);
	if ((uintptr_t)data_page < first)
		first = (uintptr_t)data_page;
	for (i = 0; i < 10; i++) {
		say_result("all", do_mprotect((void *)first, end - first, i % 2 ? RW : RWX));
		variable *= 2;
		other_variable += variable;
	}
	say("%d %d", variable, other_variable);
}

/* A shared mapping of a file stays shared with it. */
static void shared(void)
{
	int fd = temporary_file(2 * PAGE);
	unsigned char *at = do_mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	char byte;

	must(at != MAP_FAILED, "mmap");
	at[5] = 'x';
	say_result("to code", do_mprotect(at, 2 * PAGE, RWX));
	say_protection("pages", at, 2);
	at[6] = 'y';
	must(pread(fd, &byte, 1, 5) == 1, "pread");
	say("%c", byte);
	must(pread(fd, &byte, 1, 6) == 1, "pread");
	say("%c", byte);
	must(pwrite(fd, "z", 1, (off_t)PAGE) == 1, "pwrite");
	say("%c", at[PAGE]);
	do_munmap(at, 2 * PAGE);
	close(fd);
}

/* A private file mapping whose file changes, and goes. */
static void file_beneath(void)
{
	int fd = temporary_file(2 * PAGE);
	unsigned char *at = do_mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);
	char bytes[2];

	must(at != MAP_FAILED, "mmap");
	at[0] = 'X';
	at[PAGE] = 'Y';
	say_result("to code", do_mprotect(at, 2 * PAGE, RWX));
	at[1] = 'Z';
	must(pread(fd, bytes, 2, 0) == 2, "pread");
	say("the file has %c%c, the program %c%c%c", bytes[0], bytes[1], at[0], at[1], at[2]);
	say_result("msync", msync(at, 2 * PAGE, MS_SYNC));
	must(ftruncate(fd, 0) == 0, "ftruncate");
	close(fd);
	do_munmap(at, 2 * PAGE);
}

/* Protection keys: a page keeps its key when it becomes code. */
static void keys(void)
{
	int key = pkey_alloc(0, 0);
	unsigned char *heap, *file;

	if (key < 0) {
		say("no protection keys");
		return;
	}
	heap = heap_pages(2);
	file = file_pages(2);
	memset(file, 1, 2 * PAGE);
	code_write(heap, 1);
	say_result("heap", pkey_mprotect(heap, PAGE, RWX, key));
	say_result("file", pkey_mprotect(file, PAGE, RWX, key));
	say_result("heap, key -1", pkey_mprotect(heap + PAGE, PAGE, RWX, -1));
	say_result("no such key", pkey_mprotect(heap + PAGE, PAGE, RWX, 14));
	say_protection("heap", heap, 2);
	pkey_set(key, PKEY_DISABLE_WRITE);
	say_access("heap, key shut", heap);
	say_access("heap, no key", heap + PAGE);
	say_access("file, key shut", file);
	pkey_set(key, 0);
	/* mprotect keeps the key. */
	say_result("heap", do_mprotect(heap, PAGE, RW));
	say_result("heap", do_mprotect(heap, PAGE, RWX));
	say_result("file", do_mprotect(file, PAGE, RW));
	say_result("file", do_mprotect(file, PAGE, RWX));
	pkey_set(key, PKEY_DISABLE_ACCESS);
	say_access("heap, key shut", heap);
	say_access("file, key shut", file);
	say("%d", code_run(heap));
	pkey_set(key, 0);
	/* Another key, then none, by the page's protection alone. */
	say_result("heap, key 0", pkey_mprotect(heap, PAGE, RWX, 0));
	pkey_set(key, PKEY_DISABLE_ACCESS);
	say_access("heap, key 0", heap);
	pkey_set(key, 0);
	do_munmap(file, 2 * PAGE);
	must(do_mprotect(heap, 2 * PAGE, RW) == 0, "mprotect");
	free(heap);
	pkey_free(key);
}

/* Every readable page is executable: GCL's world. */
static void read_implies_exec(void)
{
	unsigned char *heap = heap_pages(2);
	int before = personality(0xffffffff);

	code_write(heap, 9);
	must(personality((unsigned long)before | READ_IMPLIES_EXEC) != -1, "personality");
	say_result("heap", do_mprotect(heap, PAGE, RW));
	say_protection("heap", heap, 2);
	say("%d", code_run(heap));
	must(personality((unsigned long)before) != -1, "personality");
	say_result("heap", do_mprotect(heap, PAGE, RW));
	say_protection("heap", heap, 2);
	free(heap);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "bad", bad },
		{ "mixed", mixed },
		{ "past-end", past_end },
		{ "untouchable", untouchable },
		{ "own-data", own_data },
		{ "shared", shared },
		{ "file-beneath", file_beneath },
		{ "keys", keys },
		{ "read-implies-exec", read_implies_exec },
		{ NULL, NULL },
	};
	return host_main(parts, argc, argv);
}
