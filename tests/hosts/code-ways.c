/* code-ways.c: the ways to ask for memory that code is to run in. Whatever is
 * given is written, run, written and run again. */
#include "code.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)

/* Two functions in each of PAGES pages, each written and run twice. */
static void use(const char *what, unsigned char *at, size_t pages)
{
	int sum = 0, round;
	size_t i;

	if (at == MAP_FAILED) {
		say_result(what, -1);
		return;
	}
	for (round = 0; round < 2; round++)
		for (i = 0; i < pages; i++) {
			code_write(at + i * PAGE, (int)i + round);
			code_write(at + (i + 1) * PAGE - 16, 1000);
			sum += code_run(at + i * PAGE) + code_run(at + (i + 1) * PAGE - 16);
		}
	say("%s: %d", what, sum);
}

/* The same for memory that is data first: written, turned, run, turned back. */
static void turn(const char *what, unsigned char *at, size_t pages, int protection)
{
	int round, sum = 0;
	size_t i;

	if (at == MAP_FAILED) {
		say_result(what, -1);
		return;
	}
	for (round = 0; round < 2; round++) {
		for (i = 0; i < pages; i++)
			code_write(at + i * PAGE, (int)i + 100 * round);
		if (do_mprotect(at, pages * PAGE, protection) != 0) {
			say_result(what, -1);
			return;
		}
		for (i = 0; i < pages; i++)
			sum += code_run(at + i * PAGE);
		if (do_mprotect(at, pages * PAGE, RW) != 0) {
			say_result(what, -1);
			return;
		}
	}
	say("%s: %d", what, sum);
}

static void rwx(void)
{
	unsigned char *at = do_mmap(NULL, 3 * PAGE, RWX, PRIVATE, -1, 0);

	say("zero: %d", at != MAP_FAILED && all_bytes(at, 3 * PAGE, 0));
	use("rwx", at, 3);
	/* Not a whole number of pages. */
	at = do_mmap(NULL, PAGE + 1, RWX, PRIVATE, -1, 0);
	use("rwx, a page and a byte", at, 2);
	say_result("unmapped", do_munmap(at, PAGE + 1));
	say_read("second page", at + PAGE);
}

static void rw_rx(void)
{
	turn("rw to rx", data_pages(3), 3, RX);
}

static void rw_rwx(void)
{
	unsigned char *at = data_pages(3);

	turn("rw to rwx", at, 3, RWX);
	say_result("rwx", do_mprotect(at, 3 * PAGE, RWX));
	use("rwx", at, 3);
	say_result("pkey_mprotect", pkey_mprotect(at, 2 * PAGE, RWX, -1));
	use("rwx", at, 3);
}

static void rx_first(void)
{
	unsigned char *at = do_mmap(NULL, 2 * PAGE, RX, PRIVATE, -1, 0);

	if (at == MAP_FAILED) {
		say_result("rx", -1);
		return;
	}
	say("zero: %d", all_bytes(at, 2 * PAGE, 0));
	say_write("rx", at, 1);
	say_result("rw", do_mprotect(at, 2 * PAGE, RW));
	turn("rx to rw to rx", at, 2, RX);
}

/* Readable on this processor whatever the bits say. */
static void write_and_exec(void)
{
	int wx = PROT_WRITE | PROT_EXEC;
	unsigned char *at = do_mmap(NULL, 2 * PAGE, wx, PRIVATE, -1, 0);

	use("wx", at, 2);
	at = data_pages(2);
	say_result("wx", do_mprotect(at, 2 * PAGE, wx));
	use("rw to wx", at, 2);
}

static void exec_only(void)
{
	unsigned char *at = data_pages(1);

	code_write(at, 5);
	say_result("x", do_mprotect(at, PAGE, PROT_EXEC));
	say_run("x", at);
	say_write("x", at, 1);
	say_result("rw", do_mprotect(at, PAGE, RW));
	say_read("rw", at);
	say_run("rw", at);
}

/* What a virtual machine does: much address space, little of it used. */
static void reservation(void)
{
	size_t length = (size_t)1 << 30, step = 37 * PAGE * 8;
	unsigned char *at = must_map(NULL, length, PROT_NONE, PRIVATE | MAP_NORESERVE, -1, 0);
	unsigned char *piece;
	int i;

	say_read("reserved", at);
	for (i = 0; i < 16; i++) {
		piece = at + (size_t)i * step;
		say_result("mprotect", do_mprotect(piece, (size_t)(i + 1) * PAGE, RWX));
		use("committed by mprotect", piece, (size_t)i + 1);
		piece += 100 * PAGE;
		say("mmap: %d", do_mmap(piece, 4 * PAGE, RWX, PRIVATE | MAP_FIXED | MAP_NORESERVE,
					-1, 0) == piece);
		use("committed by mmap", piece, 4);
		say_read("behind it", piece + 4 * PAGE);
	}
	say_result("decommit", do_mprotect(at, PAGE, PROT_NONE));
	say_read("decommitted", at);
	say_result("commit", do_mprotect(at, PAGE, RWX));
	say_run("kept", at);
	say("decommit: %d", do_mmap(at, PAGE, PROT_NONE, PRIVATE | MAP_FIXED | MAP_NORESERVE,
				    -1, 0) == at);
	say_run("decommitted", at);
	say_result("commit", do_mprotect(at, PAGE, RWX));
	say("zero: %d", all_bytes(at, PAGE, 0));
	use("again", at, 1);
	say_result("release", do_munmap(at, length));
	say_read("released", at);
}

/* All of it at once. */
static void gigabyte(void)
{
	size_t length = (size_t)1 << 30, i;
	unsigned char *at = do_mmap(NULL, length, RWX, PRIVATE | MAP_NORESERVE, -1, 0);
	int sum = 0;

	if (at == MAP_FAILED) {
		say_result("rwx", -1);
		return;
	}
	for (i = 0; i < length; i += length / 128) {
		code_write(at + i, (int)(i / PAGE));
		sum += code_run(at + i);
	}
	say("run: %d", sum);
	say_result("rx", do_mprotect(at, length, RX));
	say_run("rx", at + length / 2);
	say_write("rx", at + length / 2, 1);
	say_write("rx, new page", at + length / 2 + PAGE, 1);
	say_result("rwx", do_mprotect(at, length, RWX));
	use("rwx", at + length / 2, 3);
	say_result("unmapped", do_munmap(at, length));
	say_read("unmapped", at + length / 2);
}

/* Asked for as code, used as data: nothing is run. */
static void never_run(void)
{
	size_t length = (size_t)16 << 20, i;
	unsigned char *at = do_mmap(NULL, length, RWX, PRIVATE, -1, 0);

	if (at == MAP_FAILED) {
		say_result("rwx", -1);
		return;
	}
	for (i = 0; i < length; i++)
		at[i] = (unsigned char)(i * 7 >> 3);
	say_checksum("written", at, length);
	say_result("rx", do_mprotect(at, length / 2, RX));
	say_checksum("half of it rx", at, length);
	say_write("rx", at, 1);
	say_write("rwx", at + length / 2, 1);
}

static void places(void)
{
	/* Not where the kernel puts what may lie anywhere, the library's own too. */
	unsigned char *at, *hint = mmap((void *)(uintptr_t)0x20000000, 4 * PAGE, RW,
					PRIVATE | MAP_FIXED_NOREPLACE, -1, 0);
	void *low = (void *)(uintptr_t)0x10000000;

#ifdef MAP_32BIT
	at = do_mmap(NULL, 2 * PAGE, RWX, PRIVATE | MAP_32BIT, -1, 0);
	use("32bit", at, 2);
	say("low: %d", at != MAP_FAILED && (uintptr_t)at < (uintptr_t)1 << 31);
#endif
	must(hint != MAP_FAILED && munmap(hint, 4 * PAGE) == 0, "munmap");
	at = do_mmap(hint, 2 * PAGE, RWX, PRIVATE, -1, 0);
	use("hint", at, 2);
	say("there: %d", at == hint);
	at = do_mmap(hint, PAGE, RWX, PRIVATE, -1, 0);
	use("hint that is taken", at, 1);
	say("there: %d", at == hint);
	must(at == MAP_FAILED || do_munmap(at, PAGE) == 0, "munmap");
	at = do_mmap(hint + PAGE, 2 * PAGE, RWX, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0);
	use("no replace, taken", at, 2);
	at = do_mmap(hint + 2 * PAGE, 2 * PAGE, RWX, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0);
	use("no replace", at, 2);
	say("there: %d", at == hint + 2 * PAGE);
	say_run("the neighbour", hint + PAGE);
	at = do_mmap(hint + PAGE, 2 * PAGE, RWX, PRIVATE | MAP_FIXED, -1, 0);
	say("zero: %d", at != MAP_FAILED && all_bytes(at, 2 * PAGE, 0));
	use("fixed", at, 2);
	say_run("the neighbours", hint);
	say_run("the neighbours", hint + 3 * PAGE);
	/* Low, and odd. */
	at = do_mmap(low, PAGE, RWX, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0);
	use("at a number", at, 1);
	at = do_mmap((char *)low + 1, PAGE, RWX, PRIVATE | MAP_FIXED, -1, 0);
	use("at an odd number", at, 1);
}

static void flags(void)
{
	unsigned char resident[8], *at;
	long locked = kilobytes("status", "VmLck");
	int i, here = 0;

	at = do_mmap(NULL, 8 * PAGE, RWX, PRIVATE | MAP_POPULATE, -1, 0);
	if (at != MAP_FAILED) {
		must(mincore(at, 8 * PAGE, resident) == 0, "mincore");
		for (i = 0; i < 8; i++)
			here += resident[i] & 1;
		say("resident: %d", here);
	}
	use("populate", at, 8);
	at = do_mmap(NULL, 4 * PAGE, RWX, PRIVATE | MAP_LOCKED, -1, 0);
	use("locked", at, 4);
	say("locked: %ld kB", kilobytes("status", "VmLck") - locked);
	say_result("unmapped", at == MAP_FAILED ? 0 : do_munmap(at, 4 * PAGE));
	say("locked: %ld kB", kilobytes("status", "VmLck") - locked);
	at = do_mmap(NULL, 4 * PAGE, RWX, PRIVATE | MAP_NORESERVE | MAP_STACK, -1, 0);
	use("stack", at, 4);
}

/* ENOMEM where the machine has none set aside. */
static void huge_pages(void)
{
	use("huge pages", do_mmap(NULL, (size_t)2 << 20, RWX, PRIVATE | MAP_HUGETLB, -1, 0), 4);
}

/* Grows by itself when it is touched below. */
static void grows_down(void)
{
	unsigned char *at = must_map(NULL, 2048 * PAGE, PROT_NONE, PRIVATE, -1, 0), *top;

	must(munmap(at, 2048 * PAGE) == 0, "munmap");
	top = do_mmap(at + 2000 * PAGE, PAGE, RWX, PRIVATE | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	if (top == MAP_FAILED) {
		say_result("grows down", -1);
		return;
	}
	use("first page", top, 1);
	say_write("below", top - 8, 1);
	use("two pages", top - PAGE, 2);
	say_write("further below", top - 3 * PAGE, 1);
	use("four pages", top - 3 * PAGE, 4);
	say_result("rx", do_mprotect(top, PAGE, RX | PROT_GROWSDOWN));
	say_write("rx", top - PAGE, 1);
	say_run("rx", top - 2 * PAGE);
}

/* By the size of addresses. */
#define TOO_LONG (SIZE_MAX / 16 * 15)
#if UINTPTR_MAX > UINT32_MAX
#define HALF_WAY ((uintptr_t)1 << 46)
#define TOO_LONG_THERE ((size_t)1 << 47)
#else
#define HALF_WAY ((uintptr_t)1 << 30)
#define TOO_LONG_THERE ((size_t)0xe0000000)
#endif

/* What makes no sense is refused in the kernel's own words. */
static void errors(void)
{
	int fd = temporary_file(PAGE), folder = open("/", O_RDONLY | O_CLOEXEC);
	int read_only, pipes[2];
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_only = open(path, O_RDONLY | O_CLOEXEC);
	must(read_only >= 0 && folder >= 0 && pipe2(pipes, O_CLOEXEC) == 0, "descriptors");
	use("no length", do_mmap(NULL, 0, RWX, PRIVATE, -1, 0), 1);
	use("too long", do_mmap(NULL, TOO_LONG, RWX, PRIVATE, -1, 0), 1);
	use("wraps", do_mmap(NULL, (size_t)-1, RWX, PRIVATE, -1, 0), 1);
	use("no kind", do_mmap(NULL, PAGE, RWX, MAP_ANONYMOUS, -1, 0), 1);
	use("no kind that is known", do_mmap(NULL, PAGE, RWX, 5 | MAP_ANONYMOUS, -1, 0), 1);
	use("flags to be known, and no file", do_mmap(NULL, PAGE, RWX,
						      MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0), 1);
	use("no descriptor", do_mmap(NULL, PAGE, RWX, MAP_PRIVATE, -1, 0), 1);
	use("bad descriptor", do_mmap(NULL, PAGE, RWX, MAP_SHARED, 9999, 0), 1);
	use("odd offset", do_mmap(NULL, PAGE, RWX, MAP_PRIVATE, fd, 100), 1);
	use("read-only, shared", do_mmap(NULL, PAGE, RWX, MAP_SHARED, read_only, 0), 1);
	use("read-only, private", do_mmap(NULL, PAGE, RWX, MAP_PRIVATE, read_only, 0), 1);
	use("a folder", do_mmap(NULL, PAGE, RWX, MAP_PRIVATE, folder, 0), 1);
	use("a pipe", do_mmap(NULL, PAGE, RWX, MAP_SHARED, pipes[0], 0), 1);
	use("beyond the end", do_mmap((void *)-PAGE, PAGE, RWX, PRIVATE | MAP_FIXED, -1, 0), 1);
	use("too long for the place", do_mmap((void *)HALF_WAY, TOO_LONG_THERE, RWX,
					      PRIVATE | MAP_FIXED, -1, 0), 1);
	use("bits unknown", do_mmap(NULL, PAGE, RWX | 0x40, PRIVATE, -1, 0), 1);
	use("anonymous, with a descriptor", do_mmap(NULL, PAGE, RWX, PRIVATE, fd, 0), 1);
}

static void heap(void)
{
	unsigned char *at = heap_pages(3), *small = malloc(100);

	say_result("rwx", do_mprotect(at, 2 * PAGE, RWX));
	use("rwx", at, 2);
	turn("rx and rw", at + PAGE, 2, RX);
	memset(small, 1, 100);
	free(small);
	must(do_mprotect(at, 3 * PAGE, RW) == 0, "data");
	free(at);
	/* All of a block, and with it what malloc keeps beside. */
	small = malloc(5000);
	say_result("beside", do_mprotect((void *)((uintptr_t)small & ~(PAGE - 1)), 2 * PAGE, RWX));
	code_write(small + 16, 12);
	say_run("beside", small + 16);
	free(small);
	small = malloc(4000);
	memset(small, 2, 4000);
	free(small);
}

static void devzero(void)
{
	int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	unsigned char *at;

	must(fd >= 0, "/dev/zero");
	use("private rwx", do_mmap(NULL, 2 * PAGE, RWX, MAP_PRIVATE, fd, 0), 2);
	at = must_map(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);
	turn("private rw to rx", at, 2, RX);
	turn("private rw to rwx", at, 2, RWX);
	use("shared rwx", do_mmap(NULL, 2 * PAGE, RWX, MAP_SHARED, fd, 0), 2);
}

/* Twelve pages' worth of functions in a file of code. */
static int code_file(size_t length)
{
	int fd = temporary_file(length);
	unsigned char code[CODE_BYTES];
	size_t i;

	for (i = 0; i < length / PAGE; i++) {
		code_write(code, 500 + (int)i);
		must(pwrite(fd, code, sizeof(code), (off_t)(i * PAGE)) == sizeof(code), "pwrite");
	}
	return fd;
}

static void say_file(const char *what, int fd, off_t at)
{
	unsigned char bytes[6];

	must(pread(fd, bytes, sizeof(bytes), at) == sizeof(bytes), "pread");
	say("%s: %02x %02x%02x%02x%02x %02x", what, bytes[0], bytes[1], bytes[2], bytes[3],
	    bytes[4], bytes[5]);
}

/* A saved world: mapped at its address, and partly past the file's end. */
static void file_private(void)
{
	int fd = code_file(4 * PAGE);
	unsigned char *place = must_map(NULL, 8 * PAGE, PROT_NONE, PRIVATE, -1, 0), *at;

	must(ftruncate(fd, 3 * (off_t)PAGE + 200) == 0, "ftruncate");
	at = do_mmap(place, 6 * PAGE, RWX, MAP_PRIVATE | MAP_FIXED, fd, 0);
	if (at == MAP_FAILED) {
		say_result("rwx", -1);
		return;
	}
	say_run("first page", at);
	say_run("last page", at + 3 * PAGE);
	say("%c %c", at[100], at[2 * PAGE + 100]);
	say("zero: %d", all_bytes(at + 3 * PAGE + 200, PAGE - 200, 0));
	use("in the file", at, 3);
	use("the last page", at + 3 * PAGE, 1);
	say_file("the file", fd, 0);
	say_read("past the end", at + 4 * PAGE + 5);
	say_write("past the end", at + 4 * PAGE + 5, 1);
	say_run("past the end", at + 4 * PAGE + 5);
	say_read("behind", at + 6 * PAGE);
	say_run("still", at + 3 * PAGE);
	must(ftruncate(fd, 6 * (off_t)PAGE) == 0, "ftruncate");
	say("the file has grown");
	say_read("past the old end", at + 4 * PAGE + 5);
	use("past the old end", at + 4 * PAGE, 2);
	say_result("rx", do_mprotect(at, 6 * PAGE, RX));
	say_write("rx", at + PAGE, 1);
	say_run("rx", at + 5 * PAGE);
	say_result("unmapped", do_munmap(at, 6 * PAGE));
	close(fd);
	/* From the middle of a file, data first. */
	fd = code_file(4 * PAGE);
	at = must_map(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 2 * (off_t)PAGE);
	say_result("rx", do_mprotect(at, 2 * PAGE, RX));
	say_run("not written", at + PAGE);
	say_result("rw", do_mprotect(at, 2 * PAGE, RW));
	turn("rw to rx", at, 2, RX);
	say_file("the file", fd, 2 * (off_t)PAGE);
	close(fd);
}

/* Pages of which the program has no copy yet follow the file. */
static void file_beneath(void)
{
	int fd = code_file(2 * PAGE);
	unsigned char *at = do_mmap(NULL, 2 * PAGE, RWX, MAP_PRIVATE, fd, 0), code[CODE_BYTES];

	if (at == MAP_FAILED) {
		say_result("rwx", -1);
		return;
	}
	say_run("run", at);
	code_write(code, 7);
	must(pwrite(fd, code, sizeof(code), 0) == sizeof(code), "pwrite");
	must(pwrite(fd, code, sizeof(code), (off_t)PAGE) == sizeof(code), "pwrite");
	say_run("written in the file", at);
	say_run("written in the file, never run", at + PAGE);
	close(fd);
}

/* A store into a file's page is none into the file behind its end, and none that
 * appends. */
static void file_short(void)
{
	int fd = temporary_file(100);
	unsigned char *at;
	struct stat status;

	must(!fcntl(fd, F_SETFL, O_APPEND), "O_APPEND");
	at = do_mmap(NULL, 2 * PAGE, RWX, MAP_SHARED, fd, 0);
	must(at != MAP_FAILED, "mmap");
	code_write(at, 31);
	say_run("at its beginning", at);
	at[CODE_ROOM - 1] = 'a';
	say_run("one store later", at);
	must(!fcntl(fd, F_SETFL, 0), "no O_APPEND");
	code_write(at + 80, 32);
	say_run("before its end", at + 80);
	at[99] = 'b';
	at[200] = 'c';
	say_run("stores later", at + 80);
	must(!fstat(fd, &status), "fstat");
	say("%ld bytes, %c %c %c", (long)status.st_size, at[CODE_ROOM - 1], at[99], at[200]);
	say_write("the page behind", at + PAGE, 1);
	must(!fstat(fd, &status), "fstat");
	say("%ld bytes", (long)status.st_size);
}

static void file_shared(void)
{
	int fd = code_file(3 * PAGE), other = code_file(PAGE);
	unsigned char *at = do_mmap(NULL, 3 * PAGE, RWX, MAP_SHARED, fd, 0), *second;
	unsigned char code[CODE_ROOM] = { 0 };

	if (at == MAP_FAILED) {
		say_result("rwx", -1);
		return;
	}
	second = must_map(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0);
	say_run("as it is", at);
	code_write(at, 31);
	say_run("written here", at);
	say_file("the file", fd, 0);
	say_checksum("the second mapping", second, 3 * PAGE);
	code_write(second, 32);
	say_run("written there", at);
	say_file("the file", fd, 0);
	use("in turn", at, 3);
	say_checksum("the second mapping", second, 3 * PAGE);
	code_write(code, 33);
	must(pwrite(fd, code, sizeof(code), (off_t)PAGE) == sizeof(code), "pwrite");
	say_run("written to the file", at + PAGE);
	say_result("msync", msync(at, 3 * PAGE, MS_SYNC));
	say_result("second to rx", do_mprotect(second, PAGE, RX));
	say_run("second", second);
	code_write(at, 34);
	say_run("second", second);
	say_write("second", second, 1);
	say_result("rw", do_mprotect(at, 3 * PAGE, RW));
	turn("rw to rx", at, 3, RX);
	must(ftruncate(fd, (off_t)PAGE) == 0, "ftruncate");
	say_run("cut off", at + 2 * PAGE);
	say_read("cut off", at + 2 * PAGE);
	say_result("unmapped", do_munmap(at, 3 * PAGE));
	say_file("the file", fd, 0);
	close(fd);
	/* The descriptor is the program's to close, and to use for another file. */
	fd = code_file(PAGE);
	at = do_mmap(NULL, PAGE, RWX, MAP_SHARED, fd, 0);
	must(dup2(other, fd) == fd, "dup2");
	use("descriptor replaced", at, 1);
	say_file("the other file", fd, 0);
	close(fd);
	close(other);
}

static void in_child(const char *what, void (*work)(unsigned char *), unsigned char *at)
{
	pid_t child = fork();

	if (child == 0) {
		work(at);
		_exit(0);
	}
	say_child(what, child);
}

static void write_51(unsigned char *at)
{
	code_write(at, 51);
}

static void run_it(unsigned char *at)
{
	say_run("run in the child", at);
}

static void rw_write_52(unsigned char *at)
{
	if (do_mprotect(at, PAGE, RW) != 0)
		_exit(1);
	code_write(at, 52);
}

/* Of a server and its workers: what one writes all run. */
static void anonymous_shared(void)
{
	int kind = MAP_SHARED | MAP_ANONYMOUS;
	unsigned char *at = do_mmap(NULL, 2 * PAGE, RWX, kind, -1, 0);

	if (at == MAP_FAILED) {
		say_result("rwx", -1);
	} else {
		in_child("child writes", write_51, at);
		say_run("parent", at);
		code_write(at, 53);
		in_child("child runs", run_it, at);
		in_child("child writes", write_51, at);
		say_run("parent", at);
		use("in turn", at, 2);
		in_child("child runs", run_it, at + PAGE);
	}
	at = must_map(NULL, 2 * PAGE, RW, kind, -1, 0);
	in_child("child writes", write_51, at);
	say_result("rx", do_mprotect(at, PAGE, RX));
	say_run("parent", at);
	in_child("child runs", run_it, at);
	in_child("child turns and writes", rw_write_52, at);
	say_run("parent", at);
	say_write("parent", at, 1);
	turn("rw to rx", at + PAGE, 1, RX);
}

/* A segment of System V's: the answer is the kernel's own. */
static void segment(void)
{
	int id = shmget(IPC_PRIVATE, 2 * PAGE, IPC_CREAT | 0700);
	unsigned char *at;

	must(id >= 0, "shmget");
	at = shmat(id, NULL, SHM_EXEC);
	use("segment", at, 2);
	if (at != MAP_FAILED)
		say_result("detached", shmdt(at));
	at = shmat(id, NULL, 0);
	turn("segment, rw to rx", at, 2, RX);
	if (at != MAP_FAILED)
		say_result("detached", shmdt(at));
	shmctl(id, IPC_RMID, NULL);
}

/* A program that keeps the two apart by itself. */
static void two_views(void)
{
	int fd = memfd_create("views", MFD_CLOEXEC);
	unsigned char *writable, *executable;

	must(fd >= 0 && ftruncate(fd, 2 * (off_t)PAGE) == 0, "memfd");
	writable = must_map(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	executable = must_map(NULL, 2 * PAGE, RX, MAP_SHARED, fd, 0);
	code_write(writable, 61);
	say_run("executable", executable);
	code_write(writable, 62);
	say_run("executable", executable);
	say_write("executable", executable, 1);
	say_result("rwx", do_mprotect(executable, 2 * PAGE, RWX));
	use("rwx", executable, 2);
	say_checksum("writable", writable, 2 * PAGE);
	writable[CODE_VALUE_AT + 2] = 1;
	say_run("executable", executable);
}

/* Every readable page is executable. */
static void read_implies_exec(void)
{
	int before = personality(0xffffffff);
	unsigned char *at;

	must(personality((unsigned long)before | READ_IMPLIES_EXEC) != -1, "personality");
	at = do_mmap(NULL, 2 * PAGE, RW, PRIVATE, -1, 0);
	use("mmap", at, 2);
	must(personality((unsigned long)before) != -1, "personality");
	at = data_pages(2);
	must(personality((unsigned long)before | READ_IMPLIES_EXEC) != -1, "personality");
	say_result("mprotect", do_mprotect(at, 2 * PAGE, RW));
	use("mprotect", at, 2);
	must(personality((unsigned long)before) != -1, "personality");
	say_result("mprotect", do_mprotect(at, PAGE, RW));
	say_run("data again", at);
}

static void try_implied(const char *who)
{
	unsigned char *at = do_mmap(NULL, PAGE, RW, PRIVATE, -1, 0);
	unsigned char *shared = do_mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned char *turned = do_mmap(NULL, PAGE, PROT_NONE, PRIVATE, -1, 0);

	say("%s: %#x", who, (unsigned)personality(0xffffffff));
	must(do_mprotect(turned, PAGE, RW) == 0, "mprotect");
	code_write(at, 1);
	say_run("mmap", at);
	code_write(shared, 2);
	say_run("shared", shared);
	code_write(turned, 3);
	say_run("mprotect", turned);
}

static void change_implied(unsigned long on)
{
	must(personality(on) != -1, "personality");
}

static pthread_barrier_t both;

static void *began_before(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&both);
	pthread_barrier_wait(&both);
	try_implied("a thread from before");
	return NULL;
}

static void *began_after(void *unused)
{
	(void)unused;
	try_implied("a thread from after");
	change_implied(0);
	try_implied("which clears it");
	return NULL;
}

static void *sets_it(void *unused)
{
	(void)unused;
	change_implied(READ_IMPLIES_EXEC);
	try_implied("a thread that sets it");
	return NULL;
}

static void run_thread(void *(*function)(void *))
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, function, NULL) == 0, "thread");
	must(pthread_join(thread, NULL) == 0, "join");
}

/* Each thread has a personality, and hands it to what it starts, but not over exec. */
static void implied_for_each(void)
{
	pthread_t before;
	pid_t child;

	run_thread(sets_it);
	try_implied("the first");
	must(pthread_barrier_init(&both, NULL, 2) == 0, "barrier");
	must(pthread_create(&before, NULL, began_before, NULL) == 0, "thread");
	pthread_barrier_wait(&both);
	change_implied(READ_IMPLIES_EXEC);
	try_implied("the first, which set it");
	pthread_barrier_wait(&both);
	must(pthread_join(before, NULL) == 0, "join");
	run_thread(began_after);
	try_implied("the first, after another cleared it");
	fflush(stdout);
	child = fork();
	if (child == 0) {
		try_implied("a child");
		change_implied(0);
		try_implied("which clears it");
		fflush(stdout);
		execl("/proc/self/exe", "code-ways", "implied", NULL);
		_exit(3);
	}
	say_child("child", child);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		execl("/proc/self/exe", "code-ways", "implied", NULL);
		_exit(3);
	}
	say_child("another", child);
	try_implied("the first");
}

static void implied(void)
{
	try_implied("at the start");
}

/* Every other page run: more changes of view than the kernel has mappings for. */
static void many_views(void)
{
	size_t pages = 140000, i;
	unsigned char *at = do_mmap(NULL, pages * PAGE, RWX, PRIVATE | MAP_NORESERVE, -1, 0);
	long sum = 0;

	if (at == MAP_FAILED) {
		say_result("rwx", -1);
		return;
	}
	for (i = 0; i < pages; i += 2) {
		code_write(at + i * PAGE, (int)i);
		sum += code_run(at + i * PAGE);
	}
	say("run: %ld", sum);
	for (i = 1; i < pages; i += 2000)
		at[i * PAGE] = 1;
	use("mmap", do_mmap(NULL, PAGE, RWX, PRIVATE, -1, 0), 1);
	say_result("unmapped", do_munmap(at, pages * PAGE));
}

/* A range that nothing has, as a program with one thread knows: given back, and claimed
 * a piece at a time, the first for code, the rest for data. Whatever is made for code
 * must not be there. */
static void claim(size_t pages)
{
	unsigned char *at = must_map(NULL, pages * PAGE, PROT_NONE, PRIVATE, -1, 0);
	size_t half = pages / 2, i;
	bool kept = true;

	do_munmap(at, pages * PAGE);
	must_map(at, half * PAGE, RWX, PRIVATE | MAP_FIXED, -1, 0);
	for (i = 0; i < half; i++)
		use("claimed for code", at + i * PAGE, 1);
	for (i = half; i < pages; i++) {
		must_map(at + i * PAGE, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0);
		memset(at + i * PAGE, (int)i, PAGE);
	}
	for (i = 0; i < half; i++)
		use("used again", at + i * PAGE, 1);
	for (i = half; i < pages; i++)
		kept = kept && all_bytes(at + i * PAGE, PAGE, (int)(i & 255));
	say("kept what was written: %d", kept);
}

static void claimed(void)
{
	size_t pages;

	for (pages = 2; pages <= 2048; pages *= 4)
		claim(pages);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "rwx", rwx },
		{ "rw-rx", rw_rx },
		{ "rw-rwx", rw_rwx },
		{ "rx-first", rx_first },
		{ "write-and-exec", write_and_exec },
		{ "exec-only", exec_only },
		{ "reservation", reservation },
		{ "gigabyte", gigabyte },
		{ "never-run", never_run },
		{ "places", places },
		{ "flags", flags },
		{ "huge-pages", huge_pages },
		{ "grows-down", grows_down },
		{ "errors", errors },
		{ "heap", heap },
		{ "devzero", devzero },
		{ "file-private", file_private },
		{ "file-beneath", file_beneath },
		{ "file-shared", file_shared },
		{ "file-short", file_short },
		{ "anonymous-shared", anonymous_shared },
		{ "segment", segment },
		{ "two-views", two_views },
		{ "read-implies-exec", read_implies_exec },
		{ "implied", implied },
		{ "implied-for-each", implied_for_each },
		{ "many-views", many_views },
		{ "claimed", claimed },
		{ NULL, NULL },
	};
	return host_main(parts, argc, argv);
}
