/* output.c: opens and writes. See output.h. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "descriptors.h"
#include "memory.h"
#include "settings.h"
#include "sys.h"

#define PATH_SIZE 4096

static const char *pattern;
static enum output_kind kind;

/* What is open, and what it must be. */
struct output {
	bool open;  /* as far as is known */
	bool kept;  /* by its handle; else the number is nobody's to keep */
	int handle; /* of descriptors.h */
	int fd;
	int pid;    /* the process that opened it */
	dev_t device, root_device;
	ino64_t inode, root_inode;
	bool torn; /* it ends in half a line */
};

/* This process's, and what a child of vfork opened for itself: its parent's numbers
 * are in its memory, but not in its table of descriptors. */
static struct output own, visitor;
static struct output *output; /* what is written to */

enum output_kind output_kind(void)
{
	return kind;
}

/* ---------------------------------------------------------------- opening */

static long remember(int handle, int fd)
{
	struct stat64 status;
	long result = sys_fstat(handle < 0 ? fd : descriptors_number(handle), &status);

	if (sys_failed(result))
		return result;
	*output = (struct output){
		.open = true,
		.kept = handle >= 0,
		.handle = handle,
		.fd = fd,
		.pid = sys_getpid(),
		.device = status.st_dev,
		.inode = status.st_ino,
	};
	if (kind == OUTPUT_FILE && !sys_failed(sys_stat("/", &status))) {
		output->root_device = status.st_dev;
		output->root_inode = status.st_ino;
	}
	return 0;
}

/* FD, fresh, is where the host does not meet it, or closed. */
static long keep(int fd)
{
	bool visits = output == &visitor;
	int number = visits ? sys_move_up(fd) : fd, handle = visits ? -1 : descriptors_keep(fd);
	long result = -EMFILE;

	if (visits || handle >= 0)
		result = remember(handle, visits ? number : -1);
	if (sys_failed(result) && handle >= 0)
		descriptors_release(handle);
	else if (sys_failed(result))
		sys_close(number);
	return result;
}

static const char *file_name(void)
{
	/* Not on the stack, which may be a small one. */
	LARGE static char path[PATH_SIZE];

	return settings_log_path(pattern, sys_getpid(), path, sizeof path) ? path : NULL;
}

static long open_file(void)
{
	const char *path = file_name();
	long fd;

	if (!path)
		return -ENAMETOOLONG;
	fd = sys_open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		      0666);
	return sys_failed(fd) ? fd : keep((int)fd);
}

static long open_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	long fd = SYS_CALL(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, 0, 0,
			   0);
	long result;

	if (sys_failed(fd))
		return fd;
	memcpy(address.sun_path, path, string_length(path));
	result = SYS_CALL(SYS_connect, fd, &address, sizeof address, 0, 0, 0);
	if (sys_failed(result)) {
		sys_close((int)fd);
		return result;
	}
	return keep((int)fd);
}

static long open_output(void)
{
	switch (kind) {
	case OUTPUT_STDERR:
		return remember(-1, 2);
	case OUTPUT_SYSLOG:
		return open_socket(OUTPUT_SYSLOG_SOCKET);
	case OUTPUT_JOURNALD:
		return open_socket(OUTPUT_JOURNALD_SOCKET);
	case OUTPUT_FILE:
		break;
	}
	return open_file();
}

long output_begin(const char *from)
{
	pattern = from;
	output = &own;
	if (!from)
		kind = OUTPUT_STDERR;
	else if (string_equal(from, OUTPUT_TO_SYSLOG))
		kind = OUTPUT_SYSLOG;
	else if (string_equal(from, OUTPUT_TO_JOURNALD))
		kind = OUTPUT_JOURNALD;
	else
		kind = OUTPUT_FILE;
	return open_output();
}

/* --------------------------------------------------------------- checking */

static int number(void)
{
	if (!output->open)
		return -1;
	return output->kept ? descriptors_number(output->handle) : output->fd;
}

static bool is_ours(void)
{
	struct stat64 status;
	int fd = number();

	return fd >= 0 && !sys_failed(sys_fstat(fd, &status)) &&
	       status.st_dev == output->device && status.st_ino == output->inode;
}

static bool same_root(void)
{
	struct stat64 status;

	return !sys_failed(sys_stat("/", &status)) && status.st_dev == output->root_device &&
	       status.st_ino == output->root_inode;
}

/* Renamed or removed, by logrotate perhaps. In another root the name is another
 * file's. */
static bool lost_its_name(void)
{
	struct stat64 status;
	const char *path = file_name();

	return path && same_root() &&
	       (sys_failed(sys_stat(path, &status)) || status.st_dev != output->device ||
		status.st_ino != output->inode);
}

static bool names_process(void)
{
	for (const char *c = pattern; *c; c++)
		if (*c == '%' && *++c == 'p')
			return true;
	return false;
}

/* A child of fork has a file of its own where the name holds %p; its parent's
 * is closed in it. */
static bool is_usable(void)
{
	if (kind != OUTPUT_FILE)
		return is_ours();
	return is_ours() && !(names_process() && output->pid != sys_getpid()) && !lost_its_name();
}

static void close_output(void)
{
	if (output->kept)
		descriptors_release(output->handle);
	else if (is_ours())
		sys_close(output->fd);
	output->open = output->kept = false;
}

/* Standard error that became something else is the host's to keep. What a child of
 * vfork closed or opened would be wrong for its parent, which goes on with OWN. */
bool output_refresh(void)
{
	output = &own;
	if (is_usable())
		return false;
	if (kind == OUTPUT_STDERR)
		return false;
	if (descriptors_of_another()) {
		output = &visitor;
		if (is_usable())
			return false;
	}
	close_output();
	return !sys_failed(open_output());
}

/* ---------------------------------------------------------------- writing */

static bool would_wait(int fd)
{
	struct pollfd want = { .fd = fd, .events = POLLOUT };
	struct timespec now = { 0 };

	return SYS_CALL(SYS_ppoll, &want, 1, &now, NULL, 0, 0) == 0;
}

/* A write whose signals do not reach the host: blocked meanwhile, and the one
 * that the write itself raised is taken back. */
static long write_without_signals(int fd, const char *bytes, size_t length)
{
	uint64_t set = sys_signal_bit(SIGPIPE) | sys_signal_bit(SIGXFSZ) | sys_signal_bit(SIGTTOU);
	uint64_t before = 0, pending;
	struct timespec now = { 0 };
	long written;

	sys_sigprocmask(SIG_BLOCK, &set, &before);
	pending = sys_pending_signals();
	written = sys_write(fd, bytes, length);
	if (written == -EPIPE || written == -EFBIG) {
		uint64_t raised = set & ~pending & ~sys_signal_bit(SIGTTOU);

		SYS_CALL(SYS_rt_sigtimedwait, &raised, NULL, &now, sizeof raised, 0, 0);
	}
	sys_sigprocmask(SIG_SETMASK, &before, NULL);
	return written;
}

/* The end of a line that did not fit. Where another process has written behind it
 * meanwhile, it stays, and what comes next begins a line of its own. */
static void take_back(size_t length)
{
	struct stat64 status;
	int64_t end;
	long result = sys_tell(number(), &end);

	output->torn = true;
	if (sys_failed(result) || sys_failed(sys_fstat(number(), &status)) ||
	    !S_ISREG(status.st_mode) || status.st_size != end)
		return;
	if (!sys_failed(sys_ftruncate(number(), (uint64_t)end - length)))
		output->torn = false;
}

static bool mend_torn_line(void)
{
	if (output->torn && write_without_signals(number(), "\n", 1) == 1)
		output->torn = false;
	return !output->torn;
}

bool output_write(const char *bytes, size_t length)
{
	long written;

	if (!is_ours() || would_wait(number()) || !mend_torn_line())
		return false;
	written = write_without_signals(number(), bytes, length);
	if (written > 0 && (size_t)written < length && kind == OUTPUT_FILE)
		take_back((size_t)written);
	return written == (long)length;
}

void output_complain(const char *line, size_t length)
{
	write_without_signals(2, line, length);
}
