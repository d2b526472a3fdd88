/* journal.c: lines about events. See journal.h. */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "config.h"
#include "memory.h"
#include "provenance.h"
#include "sys.h"
#include "trace.h"

#define LINE_SIZE 1536
#define PATH_SIZE 4096
#define HIGH_DESCRIPTOR 900 /* above what programs take or close by number */

static const struct settings *settings;
static char program[16];
static _Atomic uint64_t lost;
static atomic_int header_written_by; /* process id */

/* Where lines go: a number, and what it must be. */
static struct {
	int fd;
	int pid; /* the process that opened it */
	dev_t device;
	ino_t inode;
} output = { .fd = -1 };

/* ------------------------------------------------------------ the output */

static bool remember_output(int fd)
{
	struct stat status;

	if (sys_failed(sys_fstat(fd, &status)))
		return false;
	output.fd = fd;
	output.pid = sys_getpid();
	output.device = status.st_dev;
	output.inode = status.st_ino;
	return true;
}

static bool output_is_ours(void)
{
	struct stat status;

	return output.fd >= 0 && !sys_failed(sys_fstat(output.fd, &status)) &&
	       status.st_dev == output.device && status.st_ino == output.inode;
}

static long open_log(const char *path)
{
	long fd = sys_open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
			   0666);
	long high;

	if (sys_failed(fd))
		return fd;
	high = sys_fcntl((int)fd, F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR);
	if (sys_failed(high))
		return fd; /* RLIMIT_NOFILE is lower */
	sys_close((int)fd);
	return high;
}

static bool names_process(const char *pattern)
{
	for (const char *c = pattern; *c; c++)
		if (*c == '%' && *++c == 'p')
			return true;
	return false;
}

static long open_output(void)
{
	/* Not on the stack, which may be a small one: whoever else writes it in this
	 * process writes the same. */
	static char path[PATH_SIZE];
	long fd;

	if (!settings->log)
		return remember_output(2) ? 2 : -EBADF;
	if (!settings_log_path(settings->log, sys_getpid(), path, sizeof path))
		return -ENAMETOOLONG;
	fd = open_log(path);
	if (!sys_failed(fd) && !remember_output((int)fd))
		return -EBADF;
	return fd;
}

/* A child of fork has a file of its own where the name holds %p; a host that
 * closed the descriptor makes it be opened again. Standard error that became
 * something else is the host's to keep. */
static bool find_output(void)
{
	bool own_file = settings->log && names_process(settings->log);

	if (output_is_ours() && !(own_file && output.pid != sys_getpid()))
		return true;
	return settings->log && !sys_failed(open_output());
}

static bool would_wait(int fd)
{
	struct pollfd want = { .fd = fd, .events = POLLOUT };
	struct timespec now = { 0 };

	return SYS_CALL(SYS_ppoll, &want, 1, &now, NULL, 0, 0) == 0;
}

/* A write whose signals do not reach the host: blocked meanwhile, and the one
 * that the write itself raised is taken back. */
static long write_without_signals(int fd, const char *line, size_t length)
{
	uint64_t set = sys_signal_bit(SIGPIPE) | sys_signal_bit(SIGXFSZ) | sys_signal_bit(SIGTTOU);
	uint64_t before = 0, pending = 0;
	struct timespec now = { 0 };
	long written;

	sys_sigprocmask(SIG_BLOCK, &set, &before);
	SYS_CALL(SYS_rt_sigpending, &pending, sizeof pending, 0, 0, 0, 0);
	written = sys_write(fd, line, length);
	if (written == -EPIPE || written == -EFBIG) {
		uint64_t raised = set & ~pending & ~sys_signal_bit(SIGTTOU);

		SYS_CALL(SYS_rt_sigtimedwait, &raised, NULL, &now, sizeof raised, 0, 0);
	}
	sys_sigprocmask(SIG_SETMASK, &before, NULL);
	return written;
}

static bool put(const char *line, size_t length)
{
	return !would_wait(output.fd) &&
	       write_without_signals(output.fd, line, length) == (long)length;
}

/* ------------------------------------------------------------- the lines */

static void begin_line(struct text *text)
{
	text_add(text, "jitmend: ");
	text_add_quoted(text, program, sizeof program);
	text_add(text, "[");
	text_add_number(text, (uint64_t)sys_getpid());
	text_add(text, "]: ");
}

static void put_header(void)
{
	char line[256];
	struct text text = text_in(line, sizeof line);
	int pid = sys_getpid();

	if (atomic_exchange(&header_written_by, pid) == pid)
		return;
	begin_line(&text);
	text_add(&text, "jitmend " PACKAGE_VERSION " is active, ");
	text_add(&text, settings->mode == MODE_AUDIT ? "mode audit: it changes nothing"
						     : "mode mend: it relocates refused memory");
	if (!put(line, text_end_line(&text)))
		atomic_fetch_add(&lost, 1);
}

static void put_lost(void)
{
	char line[128];
	struct text text = text_in(line, sizeof line);
	uint64_t count = atomic_exchange(&lost, 0);

	if (count == 0)
		return;
	begin_line(&text);
	text_add_number(&text, count);
	text_add(&text, count == 1 ? " line" : " lines");
	text_add(&text, " before this could not be written");
	if (!put(line, text_end_line(&text)))
		atomic_fetch_add(&lost, count);
}

static void put_line(struct text *text)
{
	size_t length = text_end_line(text);

	if (!find_output()) {
		atomic_fetch_add(&lost, 1);
		return;
	}
	put_header();
	put_lost();
	if (!put(text->buffer, length))
		atomic_fetch_add(&lost, 1);
}

static void add_protection(struct text *text, int protection)
{
	text_add(text, protection & PROT_READ ? "r" : "-");
	text_add(text, protection & PROT_WRITE ? "w" : "-");
	text_add(text, protection & PROT_EXEC ? "x" : "-");
}

static void add_request(struct text *text, const struct request *r)
{
	text_add(text, call_name(r->call));
	text_add(text, "(");
	text_add_hex(text, r->address);
	if (r->call != CALL_SHMAT) {
		text_add(text, ", ");
		text_add_number(text, r->length);
		text_add(text, ", ");
		add_protection(text, r->protection);
	}
	text_add(text, "): ");
}

static void add_piece(struct text *text, const struct event *event)
{
	const struct request *r = event->request;

	if (event->address == r->address && event->length == page_up(r->length))
		return;
	text_add(text, " at ");
	text_add_hex(text, event->address);
	text_add(text, "+");
	text_add_hex(text, event->length);
}

static void add_answer(struct text *text, const struct event *event)
{
	text_add(text, danger_name(event->danger));
	add_piece(text, event);
	if (!event->refused) {
		if (event->outcome == OUTCOME_PASSED)
			text_add(text, " allowed here");
		return;
	}
	text_add(text, event->expected ? " refused by the policy given" : " refused here (");
	if (event->expected)
		return;
	text_add(text, event->error == EPERM ? "EPERM)" : "EACCES)");
}

static const char *outcome_words(enum outcome outcome)
{
	static const char *const words[OUTCOME_COUNT] = {
		[OUTCOME_PASSED] = "",
		[OUTCOME_REFUSED] = ", not mended",
		[OUTCOME_ANONYMOUS] = ", mapped anonymous memory instead",
		[OUTCOME_MOVED] = ", mended by moving the pages",
		[OUTCOME_COPIED] = ", mended by copying the pages",
	};

	return (unsigned)outcome < OUTCOME_COUNT ? words[outcome] : "";
}

static void add_origin(struct text *text, const struct event *event)
{
	struct provenance origin;

	if (!provenance_find(event->address, &origin))
		return;
	text_add(text, "; memory from ");
	text_add(text, origin.function);
	text_add(text, " at ");
	trace_describe(text, origin.call_site);
}

void journal_event(const struct event *event)
{
	char line[LINE_SIZE];
	struct text text = text_in(line, sizeof line);

	begin_line(&text);
	add_request(&text, event->request);
	add_answer(&text, event);
	text_add(&text, outcome_words(event->outcome));
	text_add(&text, ", at ");
	trace_describe(&text, event->request->call_site);
	add_origin(&text, event);
	put_line(&text);
}

/* ------------------------------------------------------------- beginning */

static void say_unopened(long error)
{
	char line[LINE_SIZE];
	struct text text = text_in(line, sizeof line);

	begin_line(&text);
	text_add(&text, "cannot open the log ");
	text_add_quoted(&text, settings->log, LINE_SIZE / 2);
	text_add(&text, ": errno ");
	text_add_number(&text, (uint64_t)-error);
	text_add(&text, "; nothing will be written down");
	write_without_signals(2, line, text_end_line(&text));
}

static void read_program_name(void)
{
	SYS_CALL(SYS_prctl, PR_GET_NAME, program, 0, 0, 0, 0);
}

void journal_begin(const struct settings *from)
{
	long fd;

	settings = from;
	read_program_name();
	fd = open_output();
	if (!settings->log)
		return;
	if (sys_failed(fd))
		say_unopened(fd);
	else
		put_header();
}

void journal_bad_setting(const struct settings_error *error)
{
	char line[512];
	struct text text = text_in(line, sizeof line);

	read_program_name();
	begin_line(&text);
	text_add(&text, error->variable);
	if (error->word) {
		text_add(&text, ": '");
		text_add_quoted(&text, error->word, error->length);
		text_add(&text, "'");
	}
	text_add(&text, " ");
	text_add(&text, error->reason);
	text_add(&text, "; jitmend is off here");
	write_without_signals(2, line, text_end_line(&text));
}
