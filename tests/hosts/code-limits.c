/* code-limits.c: code where the process may have little more of something. A
 * limit gives the error that it gives without us, and no signal. */
#include "code.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)

static void limit(int resource, rlim_t value)
{
	struct rlimit limits;

	must(getrlimit(resource, &limits) == 0, "getrlimit");
	limits.rlim_cur = value;
	must(setrlimit(resource, &limits) == 0, "setrlimit");
}

/* Writes and runs PAGES pages, in turn. */
static void use(const char *what, unsigned char *at, size_t pages)
{
	long sum = 0;
	int round;
	size_t i;

	if (at == MAP_FAILED) {
		say_result(what, -1);
		return;
	}
	for (round = 0; round < 3; round++)
		for (i = 0; i < pages; i++) {
			code_write(at + i * PAGE, (int)i + round);
			sum += code_run(at + i * PAGE);
		}
	say("%s: %ld", what, sum);
}

static void use_both(size_t pages)
{
	unsigned char *at = do_mmap(NULL, pages * PAGE, RWX, PRIVATE, -1, 0);

	use("rwx", at, pages);
	if (at != MAP_FAILED)
		do_munmap(at, pages * PAGE);
	at = do_mmap(NULL, pages * PAGE, RW, PRIVATE, -1, 0);
	if (at == MAP_FAILED) {
		say_result("rw", -1);
		return;
	}
	code_write(at, 9);
	say_result("rx", do_mprotect(at, pages * PAGE, RX));
	say_run("rx", at);
	say_result("rwx", do_mprotect(at, pages * PAGE, RWX));
	use("rw to rwx", at, pages);
	do_munmap(at, pages * PAGE);
}

/* No file may grow: 0 bytes, and 1 MiB. Code is no file of the program's. */
static void file_size_0(void)
{
	limit(RLIMIT_FSIZE, 0);
	use_both(64);
	use_both(1024);
}

static void file_size_1(void)
{
	limit(RLIMIT_FSIZE, 1 << 20);
	use_both(64);
	use_both(1024);
	/* After code was made without the limit. */
	limit(RLIMIT_FSIZE, RLIM_INFINITY);
	use_both(64);
	limit(RLIMIT_FSIZE, PAGE);
	use_both(2048);
}

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
	(void)number;
	signals++;
}

static void file_size_handler(void)
{
	signal(SIGXFSZ, on_signal);
	limit(RLIMIT_FSIZE, 0);
	use_both(600);
	say("signals: %d", (int)signals);
}

static void no_descriptors(void)
{
	int fds[64], i;

	limit(RLIMIT_NOFILE, 64);
	for (i = 0; i < 64; i++) {
		fds[i] = open("/", O_RDONLY | O_CLOEXEC);
		if (fds[i] < 0)
			break;
	}
	say_result("open", open("/", O_RDONLY | O_CLOEXEC));
	use_both(8);
	while (i--)
		close(fds[i]);
	limit(RLIMIT_NOFILE, 0);
	use_both(8);
}

/* Code first, then every number closed. */
static void all_closed(void)
{
	unsigned char *at = do_mmap(NULL, 4 * PAGE, RWX, PRIVATE, -1, 0);
	pid_t child;
	int i;

	use("before", at, 2);
	for (i = 3; i < 4096; i++)
		close(i);
	use("closed", at, 4);
	use_both(8);
	close_range(3, ~0u, 0);
	use("closed by range", at, 4);
	use_both(8);
	child = fork();
	if (child == 0) {
		close_range(3, ~0u, 0);
		use("child", at, 4);
		_exit(0);
	}
	say_child("child", child);
	use("parent", at, 4);
}

/* The program's own file on every number, each in turn. */
static void replaced(void)
{
	unsigned char *at = do_mmap(NULL, 4 * PAGE, RWX, PRIVATE, -1, 0);
	int fd = temporary_file(4 * PAGE), i;
	unsigned char before[4096], after[4096];

	use("before", at, 2);
	must(pread(fd, before, sizeof(before), 0) == sizeof(before), "pread");
	limit(RLIMIT_NOFILE, 1024);
	for (i = 3; i < 1024; i++)
		if (i != fd)
			must(dup2(fd, i) == i, "dup2");
	use("replaced", at, 4);
	use_both(8);
	must(pread(fd, after, sizeof(after), 0) == sizeof(after), "pread");
	say("file as it was: %d, %ld bytes", !memcmp(before, after, sizeof(before)),
	    (long)lseek(fd, 0, SEEK_END));
}

/* The program asks, gets its answer, frees something, and asks again. */
static void address_space(void)
{
	size_t room = (size_t)32 << 20, large = (size_t)24 << 20;
	unsigned char *at;

	limit(RLIMIT_AS, (rlim_t)kilobytes("status", "VmSize") * 1024 + room);
	use_both(16);
	at = do_mmap(NULL, large, RWX, PRIVATE, -1, 0);
	use("much", at, 1000);
	use("too much", do_mmap(NULL, large, RWX, PRIVATE, -1, 0), 1);
	use("far too much", do_mmap(NULL, large * 100, RWX, PRIVATE, -1, 0), 1);
	if (at != MAP_FAILED)
		say_result("freed", do_munmap(at, large));
	use("again", do_mmap(NULL, large, RWX, PRIVATE, -1, 0), 1000);
}

static void data(void)
{
	limit(RLIMIT_DATA, (rlim_t)kilobytes("status", "VmData") * 1024 + ((rlim_t)32 << 20));
	use_both(16);
	use("much", do_mmap(NULL, (size_t)24 << 20, RWX, PRIVATE, -1, 0), 1000);
	use("too much", do_mmap(NULL, (size_t)24 << 20, RWX, PRIVATE, -1, 0), 1);
}

static void locked(void)
{
	unsigned char *at = do_mmap(NULL, 64 * PAGE, RWX, PRIVATE, -1, 0);

	use("rwx", at, 64);
	/* root may lock what it likes */
	if (geteuid() == 0)
		must(seteuid(65534) == 0, "seteuid");
	limit(RLIMIT_MEMLOCK, 64 * 1024);
	say_result("mlock 16 pages", mlock(at, 16 * PAGE));
	say_result("mlock 17 pages", mlock(at, 17 * PAGE));
	use("locked", at, 64);
	say_result("rx", do_mprotect(at, 64 * PAGE, RX));
	say_run("rx", at);
	say_result("munlock", munlock(at, 8 * PAGE));
	say_result("mlock others", mlock(at + 32 * PAGE, 8 * PAGE));
	say_result("mlock one more", mlock(at + 48 * PAGE, PAGE));
	use("MAP_LOCKED", do_mmap(NULL, PAGE, RWX, PRIVATE | MAP_LOCKED, -1, 0), 1);
}

/* As many mappings as there can be (vm.max_map_count). */
static bool fill_mappings(void)
{
	size_t most = 1 << 20, i;
	unsigned char *at = do_mmap(NULL, most * PAGE, PROT_NONE, PRIVATE | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return false;
	for (i = 1; i < most && mprotect(at + i * PAGE, PAGE, PROT_READ) == 0; i += 2)
		;
	return i < most;
}

/* What the program said of its memory is said of it still where there is no room for a
 * mapping more. It lies low: smaps is read from there. */
static void advised(void)
{
	enum { PAGES = 48 };
	unsigned char *at = do_mmap((void *)0x10000000, PAGES * PAGE, RWX,
				    PRIVATE | MAP_FIXED_NOREPLACE, -1, 0);
	int i;

	must(at == (void *)0x10000000, "a low address");
	say_result("mlock", mlock(at + 4 * PAGE, 10 * PAGE));
	say_result("dontfork", do_madvise(at + 16 * PAGE, 10 * PAGE, MADV_DONTFORK));
	say_result("dontdump", do_madvise(at + 24 * PAGE, 10 * PAGE, MADV_DONTDUMP));
	say_advice(at, PAGES);
	if (!fill_mappings()) {
		say("there may be too many");
		return;
	}
	for (i = 0; i < PAGES; i += 2) {
		code_write(at + (size_t)i * PAGE, i);
		say("%d", code_run(at + (size_t)i * PAGE));
	}
	say_advice(at, PAGES);
	for (i = 0; i < PAGES; i += 3)
		code_write(at + (size_t)i * PAGE, 2 * i);
	for (i = 0; i < PAGES; i += 3)
		say("%d", code_run(at + (size_t)i * PAGE));
	say_advice(at, PAGES);
}

static void processes(void)
{
	unsigned char *at = do_mmap(NULL, 4 * PAGE, RWX, PRIVATE, -1, 0);

	if (geteuid() == 0)
		must(setuid(65534) == 0, "setuid");
	limit(RLIMIT_NPROC, 0);
	use("no process", at, 4);
	say_result("fork", fork());
	use("after", at, 4);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "file-size-0", file_size_0 },
		{ "file-size-1", file_size_1 },
		{ "file-size-handler", file_size_handler },
		{ "no-descriptors", no_descriptors },
		{ "all-closed", all_closed },
		{ "replaced", replaced },
		{ "address-space", address_space },
		{ "data", data },
		{ "locked", locked },
		{ "advised", advised },
		{ "processes", processes },
		{ NULL, NULL },
	};
	return host_main(parts, argc, argv);
}
