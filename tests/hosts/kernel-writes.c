/* kernel-writes.c: the kernel writes where code has just run.
 *
 * A page that holds both code and data is executed, and then a call has the kernel
 * write to it. Nothing raises a signal then: where the page is not writable just
 * now, the call fails. Each call prints its result and what is in the memory. */
#include "config.h"

#include "host.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

#define PAGES 4
#define VALUE 77

/* glibc has declarations of these for fortified programs alone. */
ssize_t __read_chk(int, void *, size_t, size_t);
ssize_t __pread_chk(int, void *, size_t, off_t, size_t);
ssize_t __pread64_chk(int, void *, size_t, off64_t, size_t);
ssize_t __recv_chk(int, void *, size_t, size_t, int);
ssize_t __recvfrom_chk(int, void *, size_t, size_t, int, struct sockaddr *, socklen_t *);
ssize_t __readlink_chk(const char *, char *, size_t, size_t);
ssize_t __readlinkat_chk(int, const char *, char *, size_t, size_t);
char *__getcwd_chk(char *, size_t, size_t);
size_t __fread_chk(void *, size_t, size_t, size_t, FILE *);
size_t __fread_unlocked_chk(void *, size_t, size_t, size_t, FILE *);
char *__fgets_chk(char *, size_t, int, FILE *);
char *__fgets_unlocked_chk(char *, size_t, int, FILE *);

/* The compiler knows better than to read from these. */
static void *volatile no_pointer;
static void *volatile nowhere = (void *)16;
static volatile int too_many = 5000, fewer_than_none = -1;

static unsigned char *area; /* PAGES pages, code at the start of each */
static int file;            /* letters, a page of each */

/* Data lies behind the code of the first page, and reaches into the second: over
 * its code, which is made anew each time. */
#define LENGTH 5000

static void *data(size_t offset)
{
	return area + 64 + offset;
}

/* From here on every page is as it is after it has been executed. */
static void run_all(void)
{
	for (size_t i = 0; i < PAGES; i++) {
		code_write(area + i * PAGE, VALUE + (int)i);
		must(code_run(area + i * PAGE) == VALUE + (int)i, "code");
	}
}

static void begin(void)
{
	if (!area) {
		area = do_mmap(NULL, PAGES * PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		must(area != MAP_FAILED, "mmap");
		file = temporary_file(4 * PAGE);
	}
	memset(area, 0, PAGES * PAGE);
	run_all();
}

static unsigned checksum(const void *at, size_t length)
{
	const unsigned char *bytes = at;
	unsigned sum = 0;

	while (length--)
		sum = sum * 31 + *bytes++;
	return sum;
}

/* And the pages are ready for the next. */
static void written(const char *what, long result)
{
	int error = errno;

	if (result == -1)
		say("%s: -1 %s", what, strerrorname_np(error));
	else
		say("%s: %ld, bytes %08x, code %d", what, result, checksum(data(0), LENGTH),
		    code_run(area));
	begin();
}

/* The same where the bytes are others in each run. */
static void filled(const char *what, long result, size_t length)
{
	say_result(what, result);
	say("is %s, code %d", all_bytes(data(0), length, 0) ? "nothing" : "something",
	    code_run(area));
	begin();
}

/* ------------------------------------------------------------------ files */

static void files(void)
{
	begin();
	written("read", read(file, data(0), LENGTH));
	lseek(file, 0, SEEK_SET);
	written("read one", read(file, data(1), 1));
	written("pread", pread(file, data(0), LENGTH, 17));
	written("pread64", pread64(file, data(0), LENGTH, 18));
	written("read nothing", read(file, data(0), 0));
	written("read, no such file", read(-1, data(0), LENGTH));
	written("pread, past the end", pread(file, data(0), LENGTH, 4 * PAGE - 100));
}

static void fortified(void)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	int pair[2];

	begin();
	lseek(file, 0, SEEK_SET);
	written("__read_chk", __read_chk(file, data(0), LENGTH, LENGTH));
	written("__pread_chk", __pread_chk(file, data(0), LENGTH, 17, LENGTH));
	written("__pread64_chk", __pread64_chk(file, data(0), LENGTH, 18, LENGTH));
	written("__readlink_chk", __readlink_chk("/proc/self/cwd", data(0), 1, 1));
	written("__readlinkat_chk",
		__readlinkat_chk(AT_FDCWD, "/proc/self/root", data(0), 100, 100));
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0, "socketpair");
	must(send(pair[0], "fortified", 9, 0) == 9 && send(pair[0], "twice", 5, 0) == 5, "send");
	written("__recv_chk", __recv_chk(pair[1], data(0), LENGTH, LENGTH, 0));
	written("__recvfrom_chk", __recvfrom_chk(pair[1], data(0), LENGTH, LENGTH, 0,
						 (struct sockaddr *)&address, &length));
	must(chdir("/") == 0, "chdir");
	written("__getcwd_chk", __getcwd_chk(data(0), LENGTH, LENGTH) == data(0));
}

/* The code itself comes by read. */
static void code_is_read(void)
{
	unsigned char bytes[CODE_BYTES];
	int pipes[2];

	begin();
	must(pipe(pipes) == 0, "pipe");
	for (int i = 0; i < 20; i++) {
		code_write(bytes, i * 1000);
		must(write(pipes[1], bytes, CODE_BYTES) == CODE_BYTES, "write");
		must(read(pipes[0], area, CODE_BYTES) == CODE_BYTES, "read of code");
		must(code_run(area) == i * 1000, "code that was read");
	}
	say("read and run: %d", code_run(area));
}

/* ---------------------------------------------------------------- vectors */

static void vectors(void)
{
	struct iovec parts[40];
	int i;

	begin();
	for (i = 0; i < 40; i++)
		parts[i] = (struct iovec){ data((size_t)i * 100), (size_t)i + 1 };
	lseek(file, 0, SEEK_SET);
	written("readv", readv(file, parts, 40));
	written("preadv", preadv(file, parts, 40, 9));
	written("preadv64", preadv64(file, parts, 40, 10));
	written("preadv2", preadv2(file, parts, 40, 11, 0));
	written("preadv64v2", preadv64v2(file, parts, 40, 12, 0));
	written("readv, no vector", readv(file, NULL, 0));
	written("readv, a vector nowhere", readv(file, nowhere, 3));
	written("readv, too many", readv(file, parts, too_many));
	written("readv, fewer than none", readv(file, parts, fewer_than_none));
	memcpy(data(LENGTH), parts, sizeof(*parts));
	run_all();
	written("preadv, a vector among code", preadv(file, data(LENGTH), 1, 9));
}

/* ---------------------------------------------------------------- sockets */

#define MANY 2000 /* IOV_MAX is 1024 */

static int pair[2];

static void send_some(int count)
{
	char text[64];

	for (int i = 0; i < count; i++) {
		memset(text, 'a' + i, sizeof(text));
		must(send(pair[0], text, sizeof(text) - (size_t)i, 0) > 0, "send");
	}
}

static void messages(void)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec parts[2] = { { data(0), 10 }, { data(200), 100 } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	static struct mmsghdr many[MANY];
	struct mmsghdr *several;

	for (int i = 0; i < MANY; i++)
		many[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i % 2], .msg_iovlen = 1 };
	send_some(1);
	written("recvmsg", recvmsg(pair[1], &message, 0));

	message.msg_control = data(1000);
	message.msg_controllen = sizeof(control);
	control.header = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	must(sendmsg(pair[0], &(struct msghdr){ .msg_iov = parts, .msg_iovlen = 1,
						.msg_control = &control,
						.msg_controllen = sizeof(control) }, 0) == 10,
	     "sendmsg");
	say_result("recvmsg, a descriptor", recvmsg(pair[1], &message, MSG_CMSG_CLOEXEC));
	say("%zu bytes about it", (size_t)message.msg_controllen);
	begin();

	several = data(LENGTH);
	for (int i = 0; i < 3; i++)
		several[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i % 2], .msg_iovlen = 1 };
	run_all();
	send_some(3);
	written("recvmmsg, headers among code", recvmmsg(pair[1], several, 3, 0, NULL));
	send_some(3);
	written("recvmmsg, more than a vector may have", recvmmsg(pair[1], many, MANY, MSG_DONTWAIT, NULL));

	must(send(pair[0], "z", 1, 0) == 1, "send");
	written("recvmsg, nowhere", recvmsg(pair[1], nowhere, 0));
	written("recvmmsg, nowhere", recvmmsg(pair[1], nowhere, 3, 0, NULL));
	written("recv", recv(pair[1], data(0), LENGTH, MSG_DONTWAIT));
	written("recv, nothing there", recv(pair[1], data(0), LENGTH, MSG_DONTWAIT));
}

static void sockets(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0jitmend-host" };
	socklen_t *length;

	begin();
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0, "socketpair");
	send_some(3);
	written("recv", recv(pair[1], data(0), LENGTH, 0));
	written("recvfrom", recvfrom(pair[1], data(0), LENGTH, 0, NULL, NULL));
	/* The sender's name, and its length, among the code too. */
	snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "host-%d", (int)getpid());
	must(bind(pair[0], (struct sockaddr *)&name, sizeof(sa_family_t) + 20) == 0, "bind");
	must(recv(pair[1], name.sun_path, 64, 0) > 0, "recv");
	send_some(1);
	length = data(600);
	*length = 100;
	run_all();
	say_result("recvfrom, a name", recvfrom(pair[1], data(0), LENGTH, 0, data(500), length));
	say("its length is %d, its family %d", (int)*length,
	    ((struct sockaddr *)data(500))->sa_family);
	begin();
	messages();
}

/* ----------------------------------------------------------------- others */

static void others(void)
{
	int folder = open("/", O_RDONLY | O_DIRECTORY);

	begin();
	filled("getrandom", getrandom(data(0), 100, 0), 100);
	filled("getentropy", getentropy(data(0), 100), 100);
#ifdef HAVE_ARC4RANDOM_BUF
	arc4random_buf(data(0), 600);
	filled("arc4random_buf", 0, 600);
#endif
	filled("getdents64", getdents64(folder, data(0), LENGTH) > 0, 24);
	must(chdir("/proc") == 0, "chdir");
	written("readlink", readlink("/proc/self/cwd", data(0), LENGTH));
	written("readlinkat", readlinkat(AT_FDCWD, "/proc/self/cwd", data(0), LENGTH));
	written("getcwd", getcwd(data(0), LENGTH) == data(0));
	written("getcwd, little room", getcwd(data(0), 2) ? 0 : -1);
}

/* ---------------------------------------------------------------- results */

/* Each in a structure that lies among code; what is in it is looked at alone. */
static void results(void)
{
	int timer = timerfd_create(CLOCK_MONOTONIC, 0);

	begin();
	filled("stat", stat("/", data(0)), sizeof(struct stat));
	filled("lstat", lstat("/", data(0)), sizeof(struct stat));
	filled("fstat", fstat(file, data(0)), sizeof(struct stat));
	filled("fstatat", fstatat(AT_FDCWD, "/", data(0), 0), sizeof(struct stat));
	filled("statx", statx(AT_FDCWD, "/", 0, STATX_ALL, data(0)), sizeof(struct statx));
	filled("statfs", statfs("/", data(0)), sizeof(struct statfs));
	filled("fstatfs", fstatfs(file, data(0)), sizeof(struct statfs));
	filled("stat, no such file", stat("/none", data(0)), sizeof(struct stat));
	filled("uname", uname(data(0)), sizeof(struct utsname));
	filled("sysinfo", sysinfo(data(0)), sizeof(struct sysinfo));
	filled("times", times(data(0)) == (clock_t)-1, 0);
	filled("getrusage", getrusage(RUSAGE_SELF, data(0)), sizeof(struct rusage));
	filled("getrlimit", getrlimit(RLIMIT_NOFILE, data(0)), sizeof(struct rlimit));
	filled("getitimer", getitimer(ITIMER_REAL, data(0)), 0);
	filled("clock_gettime", clock_gettime(CLOCK_MONOTONIC, data(0)), sizeof(struct timespec));
	filled("ioctl", ioctl(0, TIOCGWINSZ, data(0)) == 0, 0);
	filled("prlimit", prlimit(0, RLIMIT_NOFILE, NULL, data(0)), sizeof(struct rlimit));
	filled("sched_getaffinity", sched_getaffinity(0, 128, data(0)), 128);
	filled("sigaltstack", sigaltstack(NULL, data(0)), sizeof(stack_t));
	filled("mincore", mincore(area, PAGE, data(0)), 1);
	written("timerfd_gettime", timerfd_gettime(timer, data(0)));
	written("timerfd_settime", timerfd_settime(timer, 0, &(struct itimerspec){ 0 }, data(0)));
	filled("pipe2", pipe2(data(0), 0), 2 * sizeof(int));
}

/* What goes in there, too. */
static void locks(void)
{
	struct flock *lock;

	begin();
	lock = data(0);
	*lock = (struct flock){ .l_type = F_WRLCK, .l_pid = 9 };
	run_all();
	say_result("F_GETLK", fcntl(file, F_GETLK, lock));
	say("it says %d", lock->l_type == F_UNLCK);
	say_result("F_GETLK, no such file", fcntl(-1, F_GETLK, lock));
}

static void pending(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	begin();
	raise(SIGUSR1);
	filled("sigpending", sigpending(data(0)), sizeof(long));
	filled("sigwaitinfo", sigwaitinfo(&set, data(0)), sizeof(siginfo_t));
	raise(SIGUSR1);
	filled("sigtimedwait", sigtimedwait(&set, data(0), &(struct timespec){ 0 }),
	       sizeof(siginfo_t));
	filled("none", sigtimedwait(&set, data(0), &(struct timespec){ 0 }), sizeof(siginfo_t));
}

static void polls(void)
{
	struct epoll_event *events;
	struct pollfd *polled;
	fd_set *readers;
	int *numbers, poller, from, to;

	begin();
	numbers = data(0);
	must(pipe(numbers) == 0, "pipe among code");
	from = numbers[0], to = numbers[1];
	must(write(to, "x", 1) == 1, "the pipe's end");
	begin();
	filled("FIONREAD", ioctl(from, FIONREAD, data(0)), 1);
	polled = data(0);
	*polled = (struct pollfd){ .fd = from, .events = POLLIN };
	run_all();
	say_result("poll", poll(polled, 1, 0));
	say("it says %d", polled->revents == POLLIN);
	polled->revents = 0;
	run_all();
	say_result("ppoll", ppoll(polled, 1, NULL, NULL));
	say("it says %d", polled->revents == POLLIN);
	readers = data(0);
	FD_ZERO(readers);
	FD_SET(from, readers);
	run_all();
	say_result("select", select(from + 1, readers, NULL, NULL, NULL));
	say("it says %d", FD_ISSET(from, readers));
	run_all();
	say_result("pselect", pselect(from + 1, readers, NULL, NULL, NULL, NULL));
	say("it says %d", FD_ISSET(from, readers));
	poller = epoll_create1(0);
	must(epoll_ctl(poller, EPOLL_CTL_ADD, from, &(struct epoll_event){ .events = EPOLLIN,
									    .data.u32 = 9 }) == 0,
	     "epoll_ctl");
	events = data(0);
	begin();
	say_result("epoll_wait", epoll_wait(poller, events, 3, 0));
	say("it says %u", (unsigned)events->data.u32);
	begin();
	say_result("epoll_pwait", epoll_pwait(poller, events, 3, 0, NULL));
	say("it says %u", (unsigned)events->data.u32);
}

static void addresses(void)
{
	struct sockaddr_un *name;
	socklen_t *length;
	int listener;

	begin();
	name = data(0);
	length = data(200);
	filled("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, data(0)), 2 * sizeof(int));
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	*name = (struct sockaddr_un){ .sun_family = AF_UNIX };
	must(bind(listener, (struct sockaddr *)name, sizeof(sa_family_t)) == 0 &&
	     listen(listener, 1) == 0, "listen");
	*length = sizeof(*name);
	run_all();
	say_result("getsockname", getsockname(listener, (struct sockaddr *)name, length));
	must(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)name, *length) == 0,
	     "connect");
	*length = sizeof(*name);
	run_all();
	say("accept: %s",
	    accept(listener, (struct sockaddr *)name, length) >= 0 ? "done" : "failed");
	say("its length is %d, its family %d", (int)*length, name->sun_family);
	*length = sizeof(int);
	run_all();
	say_result("getsockopt", getsockopt(listener, SOL_SOCKET, SO_TYPE, data(0), length));
	say("it says %d, %d bytes", *(int *)data(0), (int)*length);
}

static void child_that_ends(int status)
{
	pid_t child = fork();

	must(child >= 0, "fork");
	if (child == 0)
		_exit(status);
	run_all();
}

/* The handler runs code on the page that the status goes to. */
static void on_child(int signal)
{
	(void)signal;
	code_run(area);
}

static void waits(void)
{
	siginfo_t *information;
	int *status;

	begin();
	information = data(64);
	status = data(0);
	signal(SIGCHLD, on_child);
	child_that_ends(3);
	say("wait: %d", wait(status) > 0);
	say("status %d", WEXITSTATUS(*status));
	child_that_ends(4);
	say("waitpid: %d", waitpid(-1, status, 0) > 0);
	say("status %d", WEXITSTATUS(*status));
	child_that_ends(5);
	say("wait3: %d", wait3(status, 0, data(64)) > 0);
	say("status %d", WEXITSTATUS(*status));
	child_that_ends(6);
	say("wait4: %d", wait4(-1, status, 0, NULL) > 0);
	say("status %d", WEXITSTATUS(*status));
	child_that_ends(7);
	say_result("waitid", waitid(P_ALL, 0, information, WEXITED));
	say("status %d", information->si_status);
	run_all();
	say_result("wait, no child", wait(status));
}

/* A directory's entries are read into memory of malloc's, here on a page with code
 * behind them. */
static void directories(void)
{
	char folder[] = "host-XXXXXX";
	unsigned char *page, *code;
	DIR *directory;
	int entries = 0;

	must(mkdtemp(folder), "mkdtemp");
	do {
		must(malloc(500), "malloc");
		directory = opendir(folder);
		must(directory, "opendir");
	} while ((uintptr_t)directory % PAGE > PAGE - 2048);
	page = (unsigned char *)directory - (uintptr_t)directory % PAGE;
	code = (unsigned char *)directory + 1024;
	must(do_mprotect(page, PAGE, RWX) == 0, "mprotect");
	code_write(code, VALUE);
	must(code_run(code) == VALUE, "code");
	while (readdir(directory))
		entries++;
	say("readdir: %d entries, code %d", entries, code_run(code));
	closedir(directory);
	rmdir(folder);
}

/* --------------------------------------------------------------- syscall() */

static void by_syscall(void)
{
	struct iovec parts[2] = { { data(0), 10 }, { data(200), 100 } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	begin();
	parts[0].iov_base = data(0);
	parts[1].iov_base = data(200);
	lseek(file, 0, SEEK_SET);
	written("read", syscall(SYS_read, file, data(0), LENGTH));
	written("pread64", syscall(SYS_pread64, file, data(0), LENGTH, 17));
	written("readv", syscall(SYS_readv, file, parts, 2));
	written("preadv", syscall(SYS_preadv, file, parts, 2, 17, 0));
	written("preadv2", syscall(SYS_preadv2, file, parts, 2, 17, 0, 0));
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0, "socketpair");
	send_some(2);
	written("recvfrom", syscall(SYS_recvfrom, pair[1], data(0), LENGTH, 0, NULL, NULL));
	written("recvmsg", syscall(SYS_recvmsg, pair[1], &message, 0));
	written("readlinkat", syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", data(0), 1));
	filled("getrandom", syscall(SYS_getrandom, data(0), 100, 0), 100);
	filled("fstat", syscall(SYS_fstat, file, data(0)), sizeof(struct stat));
	written("pipe2", syscall(SYS_pipe2, data(0), O_CLOEXEC | O_NONBLOCK));
	filled("sched_getaffinity", syscall(SYS_sched_getaffinity, 0, 128, data(0)) > 0, 8);
	written("read, nowhere", syscall(SYS_read, file, nowhere, LENGTH));
}

/* ---------------------------------------------------------------- streams */

static FILE *stream_of_file(int buffering)
{
	FILE *stream = fdopen(dup(file), "r");

	must(stream && setvbuf(stream, NULL, buffering, buffering == _IONBF ? 0 : 1024) == 0 &&
	     fseek(stream, 0, SEEK_SET) == 0, "fdopen");
	return stream;
}

/* Without a buffer, or as large as several: straight to the memory. */
static void streams(void)
{
	FILE *stream;

	begin();
	stream = stream_of_file(_IONBF);
	written("fread", (long)fread(data(0), 1, 3 * PAGE, stream));
	rewind(stream);
	written("fread_unlocked", (long)(fread_unlocked)(data(0), 1, 3 * PAGE, stream));
	rewind(stream);
	written("__fread_chk", (long)__fread_chk(data(0), 3 * PAGE, 1, 3 * PAGE, stream));
	rewind(stream);
	written("__fread_unlocked_chk",
		(long)__fread_unlocked_chk(data(0), 3 * PAGE, 1, 3 * PAGE, stream));
	fclose(stream);
	stream = stream_of_file(_IOFBF);
	written("fread, small", (long)fread(data(0), 3, 7, stream));
	written("fread, the rest", (long)fread(data(0), 1, 3 * PAGE, stream));
	written("fread, none", (long)fread(data(0), 1, 0, stream));
	fclose(stream);
}

/* A stream with some lines in it, whose buffer lies among code. */
static FILE *fresh_stream(void)
{
	static const char lines[] = "alpha beta\n17 gamma\nlast";
	FILE *stream;
	int pipes[2];

	begin();
	must(pipe(pipes) == 0, "pipe");
	must(write(pipes[1], lines, sizeof(lines) - 1) == sizeof(lines) - 1, "write");
	close(pipes[1]);
	stream = fdopen(pipes[0], "r");
	must(stream && setvbuf(stream, data(0), _IOFBF, 512) == 0, "setvbuf");
	run_all();
	return stream;
}

static void stream_buffers(void)
{
	char line[100], *made = NULL;
	size_t room = 0;
	int number = 0;
	FILE *stream;

	stream = fresh_stream();
	say("getc: %d", getc(stream));
	fclose(stream);
	stream = fresh_stream();
	say("fgetc: %d", fgetc(stream));
	fclose(stream);
	stream = fresh_stream();
	say("getc_unlocked: %d", getc_unlocked(stream));
	fclose(stream);
	stream = fresh_stream();
	say("fgetc_unlocked: %d", (fgetc_unlocked)(stream));
	fclose(stream);
	stream = fresh_stream();
	say("fgets: %s", fgets(line, sizeof(line), stream));
	fclose(stream);
	stream = fresh_stream();
	say("fgets_unlocked: %s", fgets_unlocked(line, sizeof(line), stream));
	fclose(stream);
	stream = fresh_stream();
	say("__fgets_chk: %s", __fgets_chk(line, sizeof(line), sizeof(line), stream));
	fclose(stream);
	stream = fresh_stream();
	say("__fgets_unlocked_chk: %s",
	    __fgets_unlocked_chk(line, sizeof(line), sizeof(line), stream));
	fclose(stream);
	stream = fresh_stream();
	say_result("getline", getline(&made, &room, stream));
	say_result("getdelim", getdelim(&made, &room, ' ', stream));
	fclose(stream);
	stream = fresh_stream();
	say_result("fscanf", fscanf(stream, "%99s %*s %d", line, &number));
	say("%s %d", line, number);
	fclose(stream);
	stream = fresh_stream();
	say_result("fread", (long)fread(line, 1, 9, stream));
	fclose(stream);
	stream = fresh_stream();
	must(dup2(fileno(stream), 0) == 0 && setvbuf(stdin, data(0), _IOFBF, 512) == 0, "stdin");
	run_all();
	say("getchar: %d", getchar());
	say("getchar_unlocked: %d", getchar_unlocked());
	say_result("scanf", scanf("%99s", line));
	say("%s", line);
	fclose(stream);
	free(made);
}

/* ---------------------------------------------------------------- threads */

static atomic_int stop;

/* Executes the page all the time. */
static void *runner(void *unused)
{
	while (!atomic_load(&stop))
		must(code_run(area) == VALUE, "code in a thread");
	return unused;
}

static void *writer(void *end)
{
	for (int i = 0; i < 200; i++) {
		usleep(200);
		must(write(*(int *)end, "12345678", 8) == 8, "write");
	}
	return NULL;
}

/* A read waits for what comes, while another thread turns the page again and
 * again. */
static void while_waiting(void)
{
	pthread_t threads[2];
	int pipes[2], got = 0;

	begin();
	must(pipe(pipes) == 0, "pipe");
	pthread_create(&threads[0], NULL, runner, NULL);
	pthread_create(&threads[1], NULL, writer, &pipes[1]);
	for (int i = 0; i < 200; i++) {
		ssize_t result = read(pipes[0], data((size_t)i), 8);

		must(result == 8, "read while the page is executed");
		got += memcmp(data((size_t)i), "12345678", 8) == 0;
	}
	atomic_store(&stop, 1);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	say("read: %d times", got);
}

/* ------------------------------------------------------- what is not ours */

static void bad_pointers(void)
{
	unsigned char *read_only, *none;

	begin();
	read_only = do_mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	none = do_mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	say_result("pread, no pointer", pread(file, no_pointer, 10, 0));
	say_result("pread, nowhere", pread(file, nowhere, 10, 0));
	say_result("pread, read-only memory", pread(file, read_only, 10, 0));
	say_result("pread, no access", pread(file, none, 10, 0));
	/* Code that may not be written to stays as it is. */
	must(do_mprotect(area, PAGES * PAGE, RX) == 0, "mprotect");
	say_result("pread, code that is read-only", pread(file, data(0), 10, 0));
	say("code %d", code_run(area));
	must(do_mprotect(area, PAGES * PAGE, RWX) == 0, "mprotect");
	written("pread, writable again", pread(file, data(0), LENGTH, 0));
	must(do_munmap(area + 2 * PAGE, PAGE) == 0, "munmap");
	say_result("pread, up to a hole", pread(file, area + PAGE, 2 * PAGE, 0));
	say_result("pread, in the hole", pread(file, area + 2 * PAGE, 10, 0));
	area = NULL;
}

static void in_children(void)
{
	int pipes[2];
	pid_t child;

	begin();
	must(pipe(pipes) == 0 && write(pipes[1], "ab", 2) == 2, "pipe");
	child = vfork();
	if (child == 0)
		_exit(read(pipes[0], data(0), 1) == 1 && area[64] == 'a' ? 0 : 1);
	say_child("vfork", child);
	run_all();
	child = fork();
	if (child == 0)
		_exit(read(pipes[0], data(0), 1) == 1 && area[64] == 'b' &&
		      code_run(area) == VALUE ? 0 : 1);
	say_child("fork", child);
	say("in the parent: %d, code %d", area[64], code_run(area));
}

/* A thread that is cancelled while it reads, as it could be without us. */
static void *reads_for_ever(void *end)
{
	for (;;)
		must(read(*(int *)end, data(0), 1) == 1, "read");
	return NULL;
}

static void cancelled(void)
{
	pthread_t thread;
	void *result = NULL;
	int pipes[2];

	begin();
	must(pipe(pipes) == 0, "pipe");
	must(pthread_create(&thread, NULL, reads_for_ever, &pipes[0]) == 0, "pthread_create");
	usleep(20000);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	say("the thread was %s", result == PTHREAD_CANCELED ? "cancelled" : "not cancelled");
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "files", files },
		{ "fortified", fortified },
		{ "code-is-read", code_is_read },
		{ "vectors", vectors },
		{ "sockets", sockets },
		{ "others", others },
		{ "results", results },
		{ "locks", locks },
		{ "pending", pending },
		{ "polls", polls },
		{ "addresses", addresses },
		{ "waits", waits },
		{ "directories", directories },
		{ "by-syscall", by_syscall },
		{ "streams", streams },
		{ "stream-buffers", stream_buffers },
		{ "while-waiting", while_waiting },
		{ "bad-pointers", bad_pointers },
		{ "in-children", in_children },
		{ "cancelled", cancelled },
		{ 0 },
	};

	return host_main(parts, argc, argv);
}
