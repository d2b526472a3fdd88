/* trace.c: the tracer. See trace.h. One at a time: it waits for any child. */
#define _GNU_SOURCE
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#include "deny-look.h"
#include "deny-rules.h"
#include "settings.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65 /* linux/prctl.h of Linux 6.3 */
#endif

enum { THREADS_MOST = 64 };

struct thread {
	pid_t id; /* 0: a free place */
	bool begun;
	bool answered; /* the call that it is in is not made */
	long answer;
	/* Where the object's text lies in its process; END 0: not found yet. */
	uint64_t start, end, bias;
	/* A mapping that is not it, so that /proc is not asked again and again. */
	uint64_t other_start, other_end;
};

static struct thread threads[THREADS_MOST];
static const struct plan *plan;
static struct traced *traced;
static struct view view;

static struct thread *thread_of(pid_t id)
{
	struct thread *free_place = NULL;

	for (size_t i = 0; i < THREADS_MOST; i++) {
		if (threads[i].id == id)
			return &threads[i];
		if (!threads[i].id && !free_place)
			free_place = &threads[i];
	}
	if (free_place)
		*free_place = (struct thread){ .id = id };
	return free_place;
}

/* ------------------------------------------------------------- whose call */

static bool ends_with(const char *line, const char *end)
{
	size_t length = strcspn(line, "\n"), size = strlen(end);

	return length >= size && strncmp(line + length - size, end, size) == 0;
}

/* The mapping that AT lies in: the object's, or another's. */
static void look_for_object(struct thread *thread, uint64_t at)
{
	char path[64], line[512];
	unsigned long start, end, offset;
	char rights[5];
	FILE *maps;

	snprintf(path, sizeof path, "/proc/%d/maps", (int)thread->id);
	maps = fopen(path, "re");
	if (!maps)
		return;
	while (fgets(line, sizeof line, maps)) {
		if (sscanf(line, "%lx-%lx %4s %lx", &start, &end, rights, &offset) != 4 ||
		    at < start || at >= end)
			continue;
		if (ends_with(line, plan->object)) {
			thread->start = start;
			thread->end = end;
			thread->bias = start - offset;
		} else {
			thread->other_start = start;
			thread->other_end = end;
		}
	}
	fclose(maps);
}

static bool is_objects(struct thread *thread, uint64_t at)
{
	if (!thread->end && (at < thread->other_start || at >= thread->other_end))
		look_for_object(thread, at);
	return at >= thread->start && at < thread->end;
}

static struct place place_of(const struct thread *thread, uint64_t at)
{
	struct place place = { .at = (uint32_t)(at - thread->bias) };

	callers_of(thread->id, thread->start, thread->end, thread->bias, place.callers,
		   plan->callers);
	return place;
}

static bool is_place(const struct place *one, const struct place *other)
{
	return memcmp(one, other, sizeof *one) == 0;
}

static void count_call(const struct place *place, long number)
{
	for (size_t i = 0; i < traced->count; i++)
		if (is_place(&traced->sites[i].place, place) && traced->sites[i].number == number) {
			traced->sites[i].count++;
			return;
		}
	if (traced->count == SITES_MOST) {
		fputs("faults: there are more places than SITES_MOST\n", stderr);
		exit(2);
	}
	traced->sites[traced->count++] = (struct site){ *place, number, 1 };
}

bool trace_may_fail(long number, const uint64_t arguments[6])
{
	switch (number) {
	case SYS_getpid:
	case SYS_gettid:
	case SYS_rt_sigreturn:
	/* Of wrong arguments alone. */
	case SYS_rt_sigprocmask: /* and libc does not look */
	case SYS_clock_gettime:
	case SYS_uname:
	case SYS_exit:
	case SYS_exit_group:
		return false;
	case SYS_brk: /* answers with an address, whatever happens */
		return false;
	case SYS_personality:
		return (uint32_t)arguments[0] != 0xffffffff;
	default:
		return true;
	}
}

/* --------------------------------------------------------------- answering */

static void answer(struct thread *thread, long result)
{
	thread->answered = true;
	thread->answer = result;
	ptrace(PTRACE_POKEUSER, thread->id, offsetof(struct user_regs_struct, orig_rax), -1L);
}

static bool is_to_fail(const struct thread *thread, const struct ptrace_syscall_info *call)
{
	uint64_t at = call->instruction_pointer;
	struct place place;

	if (!trace_may_fail((long)call->entry.nr, (const uint64_t *)call->entry.args) ||
	    (plan->error && at - thread->bias != plan->place.at))
		return false;
	place = place_of(thread, at);
	if (!plan->error)
		count_call(&place, (long)call->entry.nr);
	if (!plan->error || !is_place(&place, &plan->place))
		return false;
	traced->met++;
	return traced->met == plan->nth || (plan->for_good && traced->met > plan->nth);
}

/* What jitmend deny's supervisor asks of a call (tools/deny-serve.c), for the calls
 * that hosts here make. */
static int refusal_of(const struct thread *thread, const struct ptrace_syscall_info *call)
{
	const uint64_t *arguments = (const uint64_t *)call->entry.args;
	struct asked asked = {
		.call = call->entry.nr == SYS_mmap ? ASKED_MMAP : ASKED_MPROTECT,
		.address = arguments[0],
		.length = arguments[1],
		.protection = (unsigned)arguments[2],
	};
	struct refusal refusal;

	if (!plan->policies || !(asked.protection & PROT_EXEC) ||
	    (call->entry.nr != SYS_mmap && call->entry.nr != SYS_mprotect &&
	     call->entry.nr != SYS_pkey_mprotect))
		return 0;
	if (asked.call == ASKED_MMAP) {
		asked.shared = (arguments[3] & MAP_TYPE) == MAP_SHARED;
		asked.backing = BACKING_ANONYMOUS;
		if (!(arguments[3] & MAP_ANONYMOUS) &&
		    !look_at_descriptor(thread->id, (int)arguments[4], &asked.backing,
					&asked.on_noexec_mount))
			return 0;
	} else if (!look_at_memory(thread->id, "maps", &view) ||
		   (rules_need_details(plan->policies, &asked, &view) &&
		    !look_at_memory(thread->id, "smaps", &view))) {
		return 0;
	}
	return rules_refuse(plan->policies, &asked, &view, &refusal) ? refusal.error : 0;
}

static void on_call(struct thread *thread)
{
	struct ptrace_syscall_info call;
	int error;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, thread->id, sizeof call, &call) <= 0)
		return;
	if (call.op == PTRACE_SYSCALL_INFO_EXIT && thread->answered) {
		ptrace(PTRACE_POKEUSER, thread->id, offsetof(struct user_regs_struct, rax),
		       thread->answer);
		thread->answered = false;
	}
	if (call.op != PTRACE_SYSCALL_INFO_ENTRY)
		return;
	if (is_objects(thread, call.instruction_pointer) && is_to_fail(thread, &call)) {
		traced->failed++;
		answer(thread, -plan->error);
		return;
	}
	error = refusal_of(thread, &call);
	if (error)
		answer(thread, -error);
}

/* ------------------------------------------------------------------- stops */

/* A child begins with what its parent has. */
static void begin_child(const struct thread *parent)
{
	unsigned long id;
	struct thread *child;

	if (ptrace(PTRACE_GETEVENTMSG, parent->id, 0, &id))
		return;
	child = thread_of((pid_t)id);
	if (!child)
		return;
	child->start = parent->start;
	child->end = parent->end;
	child->bias = parent->bias;
}

/* Handles a stop; which signal the thread is to go on with. */
static int on_stop(struct thread *thread, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;

	if (signal == (SIGTRAP | 0x80)) {
		on_call(thread);
		return 0;
	}
	if (event == PTRACE_EVENT_EXEC) {
		*thread = (struct thread){ .id = thread->id, .begun = true };
		return 0;
	}
	if (event) {
		begin_child(thread);
		return 0;
	}
	if (!thread->begun && signal == SIGSTOP) {
		thread->begun = true;
		return 0;
	}
	return signal;
}

static void kill_all(void)
{
	for (size_t i = 0; i < THREADS_MOST; i++)
		if (threads[i].id)
			kill(threads[i].id, SIGKILL);
}

static volatile sig_atomic_t late;

static void on_alarm(int number)
{
	(void)number;
	late = 1;
	/* In case it came just before the wait. */
	alarm(1);
}

/* Until all of them have ended. */
static void follow(pid_t first)
{
	for (;;) {
		struct thread *thread;
		int status, signal;
		pid_t id = waitpid(-1, &status, __WALL);

		if (late && !traced->hung) {
			traced->hung = true;
			kill_all();
		}
		if (id < 0 && errno == EINTR)
			continue;
		if (id < 0)
			return;
		thread = thread_of(id);
		if (!WIFSTOPPED(status)) {
			if (thread)
				thread->id = 0;
			if (id == first)
				traced->status = status;
			continue;
		}
		signal = thread ? on_stop(thread, status) : 0;
		ptrace(PTRACE_SYSCALL, id, 0, signal);
	}
}

/* ------------------------------------------------------------------- a run */

static void become_program(int output)
{
	const struct rlimit none = { 0, 0 };

	dup2(output, STDOUT_FILENO);
	setrlimit(RLIMIT_CORE, &none);
	if (plan->mdwe && prctl(PR_SET_MDWE, 1UL, 0UL, 0UL, 0UL))
		_exit(126);
	if (ptrace(PTRACE_TRACEME, 0, 0, 0))
		_exit(126);
	raise(SIGSTOP);
	execv(plan->command[0], plan->command);
	_exit(127);
}

static char *contents(int file)
{
	off_t size = lseek(file, 0, SEEK_END);
	char *text = calloc(1, (size_t)size + 1);

	if (!text || pread(file, text, (size_t)size, 0) != size) {
		perror("faults: what was printed");
		exit(2);
	}
	return text;
}

static bool begin(pid_t first)
{
	struct thread *thread;
	int status;

	if (waitpid(first, &status, 0) != first || !WIFSTOPPED(status)) {
		fputs("faults: nothing can be traced here, or PR_SET_MDWE not be had\n", stderr);
		return false;
	}
	if (ptrace(PTRACE_SETOPTIONS, first, 0,
		   PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
			   PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)) {
		perror("faults: ptrace");
		kill(first, SIGKILL);
		waitpid(first, &status, 0);
		return false;
	}
	thread = thread_of(first);
	thread->begun = true;
	ptrace(PTRACE_SYSCALL, first, 0, 0);
	return true;
}

bool trace_run(const struct plan *what, struct traced *result)
{
	struct sigaction action = { .sa_handler = on_alarm };
	int output = memfd_create("output", MFD_CLOEXEC);
	pid_t first;

	plan = what;
	traced = result;
	*traced = (struct traced){ .status = -1 };
	memset(threads, 0, sizeof threads);
	late = 0;
	fflush(NULL);
	first = fork();
	if (first == 0)
		become_program(output);
	if (first < 0 || output < 0 || !begin(first)) {
		close(output);
		return false;
	}
	sigaction(SIGALRM, &action, NULL);
	alarm(plan->seconds);
	follow(first);
	alarm(0);
	traced->output = contents(output);
	close(output);
	return true;
}
