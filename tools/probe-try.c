/* probe-try.c: one request, made in a child process of its own. See probe.h.
 *
 * A filter may kill for a request, and memory that is given may not run: the
 * child tells by a shared page how far it came. */
#include <config.h>

#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codefile.h"
#include "policy.h"
#include "sys.h"

enum { R = PROT_READ, W = PROT_WRITE, X = PROT_EXEC };

enum stage { STAGE_PREPARE, STAGE_ASK, STAGE_RUN, STAGE_DONE };

/* What the child leaves behind. */
struct trace {
	volatile enum stage stage;
	volatile long result; /* of the stage: 0 or more, or a negated errno */
};

/* A function that returns 42. */
#if defined(__x86_64__) || defined(__i386__)
static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
#elif defined(__aarch64__)
static const unsigned char code[] = { 0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6 };
#endif

/* ------------------------------------------------------------ in the child */

static void fill(long at)
{
	char *place = (char *)at;

	if (!place) /* where the kernel maps nothing */
		return;
	memcpy(place, code, sizeof code);
	__builtin___clear_cache(place, place + sizeof code);
}

static int run(long at)
{
	int (*function)(void);

	memcpy(&function, &at, sizeof function);
	return function();
}

static long heap_pages(unsigned pages)
{
	uintptr_t now = (uintptr_t)sbrk(0);
	char *at;

	if (sbrk((intptr_t)(page_up(now) - now)) == (void *)-1)
		return -ENOMEM;
	at = sbrk((intptr_t)(pages * PAGE_BYTES));
	if (at == (void *)-1)
		return -ENOMEM;
	memset(at, 1, pages * PAGE_BYTES);
	return (long)at;
}

static long one_page(long fd)
{
	if (sys_failed(fd))
		return fd;
	return ftruncate((int)fd, (off_t)PAGE_BYTES) == 0 ? fd : -errno;
}

static long temporary_file(void)
{
	const char *folder = getenv("TMPDIR");
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof path, "%s/jitmend-probe-XXXXXX", folder && *folder ? folder : "/tmp");
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

/* -1: anonymous. */
static long descriptor_for(const struct probe_request *request)
{
	switch (request->memory) {
	case MEMORY_DEVZERO:
		return sys_open("/dev/zero", O_RDWR | O_CLOEXEC, 0);
	case MEMORY_FILE:
		return one_page(temporary_file());
	case MEMORY_MEMFD: {
		long fd = one_page(codefile_memfd(CODEFILE_NAME));

		if (!sys_failed(fd) && request->place == BEYOND_HEAP &&
		    ftruncate((int)fd, 2 * (off_t)PAGE_BYTES) != 0)
			return -errno;
		return fd;
	}
	default:
		return -EBADF;
	}
}

/* Where a mapping is to go; 0: anywhere. */
static long place_for(const struct probe_request *request)
{
	long heap;

	if (request->place == ANYWHERE)
		return 0;
	heap = heap_pages(3);
	if (sys_failed(heap))
		return heap;
	return heap + (request->place == BEYOND_HEAP ? 2 : 1) * (long)PAGE_BYTES;
}

struct memory_made {
	long at;       /* or a negated errno */
	size_t length;
	long fd;
	long place;
};

static long map(const struct memory_made *made, const struct probe_request *request, long at,
		int protection)
{
	bool anonymous = request->memory == MEMORY_ANONYMOUS;
	int flags = (request->shared ? MAP_SHARED : MAP_PRIVATE) | (anonymous ? MAP_ANONYMOUS : 0) |
		    (at ? MAP_FIXED : 0);

	return sys_mmap((uintptr_t)at, made->length, protection, flags,
			anonymous ? -1 : (int)made->fd, 0);
}

/* Memory of the kind, readable and writable, not asked for anything yet. */
static struct memory_made prepare(const struct probe_request *request, char *stack)
{
	struct memory_made made = { .length = PAGE_BYTES, .fd = -EBADF };

	if (request->memory == MEMORY_HEAP) {
		made.at = heap_pages(3);
		if (!sys_failed(made.at))
			made.at += (long)PAGE_BYTES;
		return made;
	}
	if (request->memory == MEMORY_STACK || request->memory == MEMORY_TEXT) {
		made.at = request->memory == MEMORY_STACK ? (long)page_up((uintptr_t)stack) :
							    (long)page_down((uintptr_t)&prepare);
		return made;
	}
	if (request->memory == MEMORY_SEGMENT) {
		made.fd = shmget(IPC_PRIVATE, PAGE_BYTES, IPC_CREAT | 0700);
		made.at = made.fd < 0 ? -errno : 0;
		return made;
	}
	made.fd = descriptor_for(request);
	if (sys_failed(made.fd) && request->memory != MEMORY_ANONYMOUS) {
		made.at = made.fd;
		return made;
	}
	made.place = place_for(request);
	if (request->place == BEYOND_HEAP)
		made.length = 2 * PAGE_BYTES;
	made.at = made.place;
	if (sys_failed(made.place) || request->way == WAY_MAP)
		return made;
	made.at = map(&made, request, request->way == WAY_MOVE ? 0 : made.place, R | W);
	return made;
}

static long attach(int segment)
{
	long result = sys_shmat(segment, 0, SHM_EXEC);

	shmctl(segment, IPC_RMID, NULL);
	return result;
}

/* What the request is about. Returns where the code lies, or what the kernel says. */
static long ask(const struct probe_request *request, const struct memory_made *made)
{
	long result;

	switch (request->way) {
	case WAY_MAP:
		if (!(request->protection & W) && request->memory == MEMORY_MEMFD &&
		    pwrite((int)made->fd, code, sizeof code, 0) < 0)
			return -errno;
		return map(made, request, made->place, request->protection);
	case WAY_DUAL:
		return map(made, request, 0, request->protection);
	case WAY_FLIP:
		return map(made, request, made->at, request->protection);
	case WAY_ATTACH:
		return attach((int)made->fd);
	case WAY_MOVE:
		result = sys_mprotect((uintptr_t)made->at, made->length, request->protection, -1);
		if (sys_failed(result))
			return result;
		return sys_mremap((uintptr_t)made->at, made->length, made->length,
				  MREMAP_MAYMOVE | MREMAP_FIXED, (uintptr_t)made->place);
	case WAY_PKEY: /* key -1: as mprotect, but by the other call */
		result = SYS_CALL(SYS_pkey_mprotect, made->at, made->length, request->protection,
				  -1, 0, 0);
		break;
	default:
		result = sys_mprotect((uintptr_t)made->at, made->length, request->protection, -1);
	}
	return result ? result : made->at;
}

/* Memory that nobody could write has no code in it. */
static bool has_code(const struct probe_request *request)
{
	if (request->memory == MEMORY_TEXT)
		return false;
	return request->protection & W || request->way != WAY_MAP ||
	       request->memory == MEMORY_MEMFD;
}

static void child(const struct probe_request *request, struct trace *trace)
{
	char stack[3 * PAGE_BYTES];
	struct memory_made made = prepare(request, stack);
	long at;

	trace->result = made.at;
	if (sys_failed(made.at))
		return;
	if (request->way != WAY_MAP && request->way != WAY_ATTACH && request->memory != MEMORY_TEXT)
		fill(made.at);
	trace->stage = STAGE_ASK;
	at = trace->result = ask(request, &made);
	if (sys_failed(at))
		return;
	trace->stage = STAGE_RUN;
	if (has_code(request)) {
		if (request->protection & W)
			fill(at);
		if (run(at) != 42)
			return;
	}
	trace->stage = STAGE_DONE;
}

/* ------------------------------------------------------------ in the parent */

static struct trace *trace_page(void)
{
	static struct trace *page;
	long made;

	if (!page) {
		made = sys_mmap(0, PAGE_BYTES, R | W, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (sys_failed(made))
			probe_fail(PROBE_NOT_FOUND_OUT, "no memory to share with a child: %s",
				   strerror((int)-made));
		page = (struct trace *)made;
	}
	page->stage = STAGE_PREPARE;
	page->result = -EAGAIN;
	return page;
}

/* Its death is no news for anybody else: one byte is too little for a core, and
 * too much for a handler of cores. */
static void become_quiet(void)
{
	const struct rlimit none = { 1, 1 };
	static const int deadly[] = { SIGSEGV, SIGBUS, SIGILL, SIGSYS, SIGTRAP };

	setrlimit(RLIMIT_CORE, &none);
	for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
		signal(deadly[i], SIG_DFL);
}

static struct probe_result result_of(const struct trace *trace, int status)
{
	struct probe_result result = { .how = HOW_TRIED, .rung = -1 };

	if (WIFSIGNALED(status))
		result.signal = WTERMSIG(status);
	else if (sys_failed(trace->result))
		result.error = (int)-trace->result;
	switch (trace->stage) {
	case STAGE_PREPARE:
		result.answer = ANSWER_UNAVAILABLE;
		break;
	case STAGE_ASK:
		result.answer = result.signal ? ANSWER_KILLED : ANSWER_REFUSED;
		break;
	case STAGE_RUN:
		result.answer = ANSWER_WRONG;
		break;
	case STAGE_DONE:
		result.answer = ANSWER_OK;
		break;
	}
	/* A call that the kernel was built without, a folder that cannot be written to:
	 * no policy's word. */
	if (result.answer == ANSWER_REFUSED && !sys_refused(-(long)result.error))
		result.answer = ANSWER_UNAVAILABLE;
	return result;
}

static struct probe_result in_child(void (*function)(const void *, struct trace *),
				    const void *argument)
{
	struct trace *trace = trace_page();
	pid_t process;
	int status;

	fflush(NULL);
	process = fork();
	if (process == 0) {
		become_quiet();
		function(argument, trace);
		_exit(0);
	}
	if (process < 0) {
		trace->result = -errno;
		return result_of(trace, 0);
	}
	while (waitpid(process, &status, 0) != process)
		if (errno != EINTR) /* somebody else waited for it: SIGCHLD is ignored */
			return result_of(trace, 0);
	return result_of(trace, status);
}

static void child_request(const void *argument, struct trace *trace)
{
	child(argument, trace);
}

struct probe_result probe_try(const struct probe_request *request)
{
	return in_child(child_request, request);
}

static void child_backing(const void *argument, struct trace *trace)
{
	trace->stage = STAGE_ASK;
	trace->result = codefile_try(*(const unsigned *)argument, CODEFILE_NAME);
	if (!sys_failed(trace->result))
		trace->stage = STAGE_DONE;
}

struct probe_result probe_try_backing(unsigned kind)
{
	return in_child(child_backing, &kind);
}

/* ------------------------------------------------------ asking a filter alone */

static void child_filter_mprotect(const void *unused, struct trace *trace)
{
	(void)unused;
	trace->stage = STAGE_ASK;
	trace->result = policy_filter_refuses_exec() ? -EPERM : 0;
	if (!trace->result)
		trace->stage = STAGE_DONE;
}

/* No descriptor: EBADF, before anything else is looked at. */
static void child_filter_mmap(const void *unused, struct trace *trace)
{
	(void)unused;
	trace->stage = STAGE_ASK;
	trace->result = sys_mmap(0, PAGE_BYTES, R | W | X, MAP_PRIVATE, -1, 0);
	if (trace->result == -EBADF)
		trace->stage = STAGE_DONE;
}

static struct probe_result asked(struct probe_result result)
{
	result.how = HOW_ASKED;
	if (result.answer == ANSWER_OK)
		result.error = 0;
	return result;
}

struct probe_result probe_ask_filter_mprotect(void)
{
	return asked(in_child(child_filter_mprotect, NULL));
}

struct probe_result probe_ask_filter_mmap(void)
{
	return asked(in_child(child_filter_mmap, NULL));
}
