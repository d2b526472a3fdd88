/* callers.c: libdw unwinds; where the object lies in a process is hidden from it, so
 * that it reads the object once for all runs. See callers.h. */
#define _GNU_SOURCE
#include "callers.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <unistd.h>

/* Where libdw is told that the object lies. Nothing else that is on a stack looks like
 * an address there. */
static const GElf_Addr base = 0x5000000000000000;

/* By the numbers of the x86-64 ABI (figure 3.36): up to the return address. */
enum { REGISTERS = 17 };

static Dwfl *session;

/* What is looked at now. */
static struct {
	pid_t thread;
	uint64_t start, end, bias;
	uint32_t *callers;
	unsigned frames, most;
} now;

/* As libdw sees it. */
static Dwarf_Word seen(Dwarf_Word value)
{
	return value >= now.start && value < now.end ? value - now.bias + base : value;
}

static pid_t next_thread(Dwfl *dwfl, void *argument, void **thread)
{
	(void)dwfl, (void)argument;
	if (*thread)
		return 0;
	*thread = &now;
	return now.thread;
}

static bool get_thread(Dwfl *dwfl, pid_t id, void *argument, void **thread)
{
	(void)dwfl, (void)id, (void)argument;
	*thread = &now;
	return true;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *result, void *argument)
{
	long word;

	(void)dwfl, (void)argument;
	errno = 0;
	word = ptrace(PTRACE_PEEKDATA, now.thread, address, 0);
	*result = seen((Dwarf_Word)word);
	return !errno;
}

static bool set_registers(Dwfl_Thread *thread, void *argument)
{
	struct user_regs_struct user;

	(void)argument;
	if (ptrace(PTRACE_GETREGS, now.thread, 0, &user))
		return false;

	const Dwarf_Word registers[REGISTERS] = {
		user.rax, user.rdx, user.rcx, user.rbx, user.rsi, user.rdi,
		user.rbp, user.rsp, user.r8,  user.r9,	user.r10, user.r11,
		user.r12, user.r13, user.r14, user.r15, seen(user.rip),
	};
	return dwfl_thread_state_registers(thread, 0, REGISTERS, registers);
}

static const Dwfl_Thread_Callbacks threads = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = read_memory,
	.set_initial_registers = set_registers,
};

static int on_frame(Dwfl_Frame *frame, void *argument)
{
	Dwarf_Addr at;

	(void)argument;
	if (now.frames > now.most || !dwfl_frame_pc(frame, &at, NULL) || at < base ||
	    at - base > UINT32_MAX)
		return DWARF_CB_ABORT;
	if (now.frames)
		now.callers[now.frames - 1] = (uint32_t)(at - base);
	now.frames++;
	return DWARF_CB_OK;
}

void callers_begin(const char *object)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
	};

	session = dwfl_begin(&callbacks);
	if (!session || !dwfl_report_elf(session, object, object, -1, base, true) ||
	    dwfl_report_end(session, NULL, NULL) ||
	    !dwfl_attach_state(session, NULL, getpid(), &threads, NULL)) {
		fprintf(stderr, "faults: %s: %s\n", object, dwfl_errmsg(-1));
		exit(2);
	}
}

void callers_of(pid_t thread, uint64_t start, uint64_t end, uint64_t bias,
		uint32_t callers[CALLERS_MOST], unsigned most)
{
	memset(callers, 0, CALLERS_MOST * sizeof *callers);
	now.thread = thread;
	now.start = start;
	now.end = end;
	now.bias = bias;
	now.callers = callers;
	now.most = most;
	now.frames = 0;
	if (!most)
		return;
	/* It ends where the object does, which to libdw is an error. */
	dwfl_getthread_frames(session, thread, on_frame, NULL);
}
