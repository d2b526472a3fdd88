/* descriptors.c: hosts that close every descriptor, and put files on every number,
 * while they have code. What they see of their own numbers, and the code that they
 * go on changing and running, must be as without jitmend.
 *
 * What is printed is about numbers below OWN, but for what a host is told that asks:
 * nothing is open above that. With --syscall the calls
 * are made by libc's syscall(). */
#include "host.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define OWN 900
#define MOST 1100 /* numbers that are tried */

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

static bool through_syscall;
static unsigned char *code;
static int value;

static int do_close(int fd)
{
	return through_syscall ? (int)syscall(SYS_close, fd) : close(fd);
}

static int do_close_range(unsigned first, unsigned last, unsigned flags)
{
	if (through_syscall)
		return (int)syscall(SYS_close_range, first, last, flags);
	return close_range(first, last, (int)flags);
}

static int do_dup2(int old, int fd)
{
#ifdef SYS_dup2
	if (through_syscall)
		return (int)syscall(SYS_dup2, old, fd);
#endif
	return dup2(old, fd);
}

static int do_dup3(int old, int fd, int flags)
{
	return through_syscall ? (int)syscall(SYS_dup3, old, fd, flags) : dup3(old, fd, flags);
}

/* Code that has been run, and is changed and run again: whoever keeps it in a file
 * needs the file from the first call on. */
static void make_code(void)
{
	code = do_mmap(NULL, 4 * PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(code != MAP_FAILED, "mmap");
	code_write(code, value = 1);
	must(code_run(code) == value, "code");
}

/* On the page that has been run, on one that has not, and on new ones. */
static void still_runs(const char *what)
{
	unsigned char *more;
	int failures = 0;

	for (size_t i = 0; i < 4; i++) {
		code_write(code + i * PAGE, ++value);
		failures += code_run(code + i * PAGE) != value;
	}
	more = do_mmap(NULL, PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(more != MAP_FAILED, "mmap");
	code_write(more, ++value);
	failures += code_run(more) != value;
	say("%s: the code %s", what, failures ? "is wrong" : "runs");
}

static void open_some(void)
{
	int fd = open("/dev/null", O_RDWR);

	must(fd >= 0 && fcntl(fd, F_DUPFD, 20) >= 20 && fcntl(fd, F_DUPFD_CLOEXEC, 400) >= 400,
	     "open");
}

static int do_fcntl(int fd, int command, long argument)
{
	return through_syscall ? (int)syscall(SYS_fcntl, fd, command, argument) :
				 fcntl(fd, command, argument);
}

static bool is_open(int fd)
{
	return do_fcntl(fd, F_GETFD, 0) >= 0;
}

static void say_open(const char *what)
{
	char list[1024] = "";
	int fd;

	for (fd = 0; fd < OWN; fd++)
		if (is_open(fd) && strlen(list) < sizeof(list) - 20)
			snprintf(list + strlen(list), 20, " %d%s", fd,
				 do_fcntl(fd, F_GETFD, 0) & FD_CLOEXEC ? "x" : "");
	say("%s: open are%s", what, list);
}

static int do_fstat(int fd, struct stat *status)
{
	return through_syscall ? (int)syscall(SYS_fstat, fd, status) : fstat(fd, status);
}

/* Output stays where it was. */
#define FIRST 3

/* Those that fstat knows are there to be closed: one answer for both. */
static void stat_each(void)
{
	char list[1024] = "";
	struct stat status;
	int fd;

	make_code();
	open_some();
	for (fd = FIRST; fd < MOST; fd++) {
		if (do_fstat(fd, &status) != 0) {
			must(errno == EBADF, "what is not open is not open");
			continue;
		}
		must(do_close(fd) == 0, "what fstat knows can be closed");
		if (fd < OWN)
			snprintf(list + strlen(list), 20, " %d", fd);
	}
	say("fstat knew%s", list);
	still_runs("after");
}

/* Whoever asks in any of these ways hears of the host's own numbers, and of no other. */
static void ask_each(void)
{
	static const int commands[] = { F_GETFD, F_GETFL, F_DUPFD, F_DUPFD_CLOEXEC, F_GETOWN };
	char list[1024] = "";
	struct stat status;
	int fd, known;

	make_code();
	open_some();
	for (fd = FIRST; fd < MOST; fd++) {
		known = do_fstat(fd, &status) == 0;
		for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
			int answer = do_fcntl(fd, commands[i], MOST);

			must(answer >= 0 || errno == EBADF, "what is not open is not open");
			known += answer >= 0;
		}
		if (known)
			snprintf(list + strlen(list), 20, " %d:%d", fd, known);
	}
	say("known are%s", list);
	say_result("fcntl -1", do_fcntl(-1, F_GETFD, 0));
	say_result("no command", do_fcntl(0, 12345, 0));
	say_result("flags", do_fcntl(20, F_SETFL, O_NONBLOCK | O_APPEND));
	say_result("and now", do_fcntl(20, F_GETFL, 0));
	still_runs("after");
}

static void close_loop(void)
{
	char list[1024] = "";
	int fd, others = 0, wrong = 0;

	make_code();
	open_some();
	say_open("before");
	for (fd = FIRST; fd < MOST; fd++) {
		if (do_close(fd) == 0 && fd < OWN)
			snprintf(list + strlen(list), 20, " %d", fd);
		else if (fd < OWN)
			others++, wrong += errno != EBADF;
	}
	say("closed:%s; %d were not open, %d errors of another sort", list, others, wrong);
	say_open("after");
	still_runs("after");
}

static void close_twice(void)
{
	int fd;

	make_code();
	for (fd = FIRST; fd < MOST; fd++)
		do_close(fd);
	for (fd = FIRST; fd < MOST; fd++)
		must(do_close(fd) == -1 && errno == EBADF, "what was closed is closed");
	say_result("close -1", do_close(-1));
	still_runs("after");
}

/* Those that are listed, as programs do that look before they close. */
static void close_listed(void)
{
	struct dirent *entry;
	DIR *list;
	int fd;

	make_code();
	open_some();
	list = opendir("/proc/self/fd");
	must(list, "/proc/self/fd");
	while ((entry = readdir(list))) {
		fd = atoi(entry->d_name);
		if (fd >= FIRST && fd != dirfd(list))
			do_close(fd);
	}
	closedir(list);
	say_open("after");
	still_runs("after");
}

static void close_from(void)
{
	make_code();
	open_some();
	closefrom(21);
	say_open("closefrom 21");
	closefrom(FIRST);
	say_open("closefrom 3");
	closefrom(OWN);
	closefrom(100000);
	still_runs("after");
}

static void ranges(void)
{
	make_code();
	open_some();
	say_result("close_range 20 20", do_close_range(20, 20, 0));
	say_open("after");
	say_result("close_range 21 up", do_close_range(21, ~0U, 0));
	say_open("after");
	say_result("close_range 3 to 2000", do_close_range(FIRST, 2000, 0));
	say_open("after");
	for (unsigned fd = OWN; fd < MOST; fd++)
		must(do_close_range(fd, fd, 0) == 0, "close_range of one");
	still_runs("after");
	say_result("backwards", do_close_range(5, 4, 0));
	say_result("flags that there are not", do_close_range(FIRST, ~0U, 1U << 20));
	still_runs("after all");
}

static void range_on_exec(void)
{
	make_code();
	open_some();
	say_result("close_range", do_close_range(FIRST, ~0U, CLOSE_RANGE_CLOEXEC));
	say_open("after");
	still_runs("after");
}

static void range_unshared(void)
{
	make_code();
	open_some();
	say_result("close_range", do_close_range(10, ~0U, CLOSE_RANGE_UNSHARE));
	say_open("after");
	say_result("on exec",
		   do_close_range(FIRST, ~0U, CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC));
	say_open("after");
	for (unsigned fd = OWN; fd < MOST; fd++)
		must(do_close_range(fd, fd, CLOSE_RANGE_UNSHARE) == 0, "close_range of one");
	still_runs("after");
}

/* A file of ours on every number: nobody may write to it. */
static void onto_each(bool with_flags)
{
	int file = temporary_file(PAGE), fd, wrong = 0, limit;
	char page[PAGE], first[PAGE];
	struct rlimit numbers;
	struct stat status;

	must(getrlimit(RLIMIT_NOFILE, &numbers) == 0, "getrlimit");
	limit = numbers.rlim_cur < MOST ? (int)numbers.rlim_cur : MOST;
	must(pread(file, first, PAGE, 0) == (ssize_t)PAGE, "pread");
	make_code();
	still_runs("before");
	for (fd = FIRST; fd < limit; fd++) {
		if (fd == file)
			continue;
		wrong += (with_flags ? do_dup3(file, fd, O_CLOEXEC) : do_dup2(file, fd)) != fd;
		wrong += fcntl(fd, F_GETFD) != (with_flags ? FD_CLOEXEC : 0);
	}
	say("wrong: %d", wrong);
	still_runs("with a file on every number");
	for (fd = FIRST, wrong = 0; fd < limit; fd++)
		wrong += pread(fd, page, PAGE, 0) != (ssize_t)PAGE || memcmp(page, first, PAGE);
	must(fstat(file, &status) == 0, "fstat");
	say("other files: %d, its size %lld", wrong, (long long)status.st_size);
	for (fd = FIRST, wrong = 0; fd < limit; fd++)
		wrong += do_close(fd) != 0;
	say("not closed: %d", wrong);
	still_runs("after");
}

static void dup2_onto_each(void)
{
	onto_each(false);
}

static void dup3_onto_each(void)
{
	onto_each(true);
}

static void bad_dups(void)
{
	int fd, wrong = 0;

	make_code();
	say_result("dup2 -1 5", do_dup2(-1, 5));
	say_result("dup2 0 -1", do_dup2(0, -1));
	say_result("dup2 0 0", do_dup2(0, 0));
	say_result("dup2 800 800", do_dup2(800, 800));
	say_result("dup3 0 0", do_dup3(0, 0, 0));
	say_result("dup3 0 5, flags", do_dup3(0, 5, 1));
	say_result("dup3 0 5, all flags", do_dup3(0, 5, -1));
	for (fd = OWN; fd < 1000; fd++) {
		wrong += do_dup2(-1, fd) != -1 || errno != EBADF;
		wrong += do_dup2(800, fd) != -1 || errno != EBADF;
		wrong += do_dup3(fd, fd, 0) != -1 || errno != EINVAL;
		wrong += do_dup3(0, fd, 1) != -1 || errno != EINVAL;
	}
	say("wrong: %d", wrong);
	say_open("after");
	still_runs("after");
}

/* Children that close all before they become somebody else, and one that does not. */
static void children(void)
{
	char *const nothing[] = { "true", NULL };
	pid_t child;

	make_code();
	open_some();
	child = vfork();
	if (child == 0) {
		for (int fd = FIRST; fd < MOST; fd++)
			do_close(fd);
		execvp("true", nothing);
		_exit(1);
	}
	say_child("vfork, close", child);
	child = vfork();
	if (child == 0) {
		for (int fd = OWN; fd < 1000; fd++)
			do_dup2(0, fd);
		do_close_range(FIRST, ~0U, 0);
		execvp("true", nothing);
		_exit(1);
	}
	say_child("vfork, dup2, close_range", child);
	say_open("after");
	still_runs("in the parent");
	child = fork();
	if (child == 0) {
		for (int fd = OWN; fd < 1000; fd++)
			do_dup2(0, fd);
		still_runs("in the child, each number taken");
		closefrom(FIRST);
		say_open("in the child");
		still_runs("in the child, all closed");
		_exit(0);
	}
	say_child("fork", child);
	still_runs("in the parent, after");
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "stat-each", stat_each },
		{ "ask-each", ask_each },
		{ "close-loop", close_loop },
		{ "close-twice", close_twice },
		{ "close-listed", close_listed },
		{ "closefrom", close_from },
		{ "ranges", ranges },
		{ "range-on-exec", range_on_exec },
		{ "range-unshared", range_unshared },
		{ "dup2-onto-each", dup2_onto_each },
		{ "dup3-onto-each", dup3_onto_each },
		{ "bad-dups", bad_dups },
		{ "children", children },
		{ 0 },
	};

	through_syscall = argc > 1 && !strcmp(argv[1], "--syscall");
	return host_main(parts, argc, argv);
}
