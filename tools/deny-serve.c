/* deny-serve.c: the supervisor's work: take a question, look, answer.
 *
 * One question at a time, and nothing here may wait for a program that is
 * supervised: every one of them may be waiting for us. */
#include <config.h>

#include "deny-supervisor.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "deny-look.h"
#include "deny-report.h"
#include "deny-rules.h"

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS /* Linux 6.6 */
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 1UL
#endif

/* 32-bit calls, by their numbers. */
enum {
	I386_MMAP = 90,
	I386_IPC = 117,
	I386_MPROTECT = 125,
	I386_MMAP2 = 192,
	I386_PKEY_MPROTECT = 380,
};

/* The others: the program's and ours are alike, unless ours are those above. */
enum {
#ifdef __i386__
	OTHER_MMAP = 9, /* x86_64's */
	OTHER_MPROTECT = 10,
	OTHER_SHMAT = 30,
	OTHER_PERSONALITY = 135,
	OTHER_PKEY_MPROTECT = 329,
#else
	OTHER_MMAP = SYS_mmap,
	OTHER_MPROTECT = SYS_mprotect,
	OTHER_SHMAT = SYS_shmat,
	OTHER_PERSONALITY = SYS_personality,
	OTHER_PKEY_MPROTECT = SYS_pkey_mprotect,
#endif
};

struct server {
	int listener;
	const struct deny_settings *settings;
	struct seccomp_notif *question;
	struct seccomp_notif_resp *answer;
	size_t question_size, answer_size; /* the kernel's, may be larger than ours */
	struct view view;
};

/* What the filter let through to us that is no request for memory. */
enum kind { KIND_REQUEST, KIND_PERSONALITY, KIND_OTHER };

/* The call's arguments, mmap's flags and descriptor beside what rules want. */
struct question {
	struct asked asked;
	uint64_t flags;
	int fd;
};

static void decode_mmap(const uint64_t *arguments, struct question *question)
{
	question->asked.call = ASKED_MMAP;
	question->asked.address = arguments[0];
	question->asked.length = arguments[1];
	question->asked.protection = (unsigned)arguments[2];
	question->flags = arguments[3];
	question->fd = (int)arguments[4];
}

static void decode_mprotect(const uint64_t *arguments, struct question *question)
{
	question->asked.call = ASKED_MPROTECT;
	question->asked.address = arguments[0];
	question->asked.length = arguments[1];
	question->asked.protection = (unsigned)arguments[2];
	question->asked.grows_down = arguments[2] & PROT_GROWSDOWN;
}

static void decode_shmat(uint64_t address, uint64_t flags, struct question *question)
{
	question->asked.call = ASKED_SHMAT;
	question->asked.address = address;
	question->asked.protection = PROT_READ | (flags & SHM_RDONLY ? 0u : PROT_WRITE) |
				     (flags & SHM_EXEC ? PROT_EXEC : 0u);
	question->asked.shared = true;
	question->asked.backing = BACKING_INTERNAL;
}

/* The old 32-bit mmap: its arguments lie in the caller's memory. */
static bool decode_old_mmap(pid_t thread, uint64_t address, struct question *question)
{
	uint32_t words[6];
	uint64_t arguments[6];
	struct iovec here = { words, sizeof words };
	struct iovec there = { (void *)(uintptr_t)address, sizeof words };

	if (process_vm_readv(thread, &here, 1, &there, 1, 0) != (ssize_t)sizeof words)
		return false;
	for (int i = 0; i < 6; i++)
		arguments[i] = words[i];
	decode_mmap(arguments, question);
	return true;
}

static enum kind decode_i386(pid_t thread, const struct seccomp_data *data,
			     struct question *question)
{
	uint64_t arguments[6];

	for (int i = 0; i < 6; i++)
		arguments[i] = (uint32_t)data->args[i];
	switch (data->nr) {
	case I386_MMAP:
		return decode_old_mmap(thread, arguments[0], question) ? KIND_REQUEST : KIND_OTHER;
	case I386_MMAP2:
		decode_mmap(arguments, question);
		return KIND_REQUEST;
	case I386_MPROTECT:
	case I386_PKEY_MPROTECT:
		decode_mprotect(arguments, question);
		return KIND_REQUEST;
	case I386_IPC: /* call, identifier, flags, where the result goes, address */
		decode_shmat(arguments[4], arguments[2], question);
		question->asked.by_ipc = true;
		return KIND_REQUEST;
	default:
		return KIND_OTHER;
	}
}

static enum kind decode(const struct seccomp_notif *notice, struct question *question)
{
	const struct seccomp_data *data = &notice->data;
	uint64_t arguments[6];

	memset(question, 0, sizeof *question);
	memcpy(arguments, data->args, sizeof arguments);
	if (data->arch == AUDIT_ARCH_I386)
		return decode_i386((pid_t)notice->pid, data, question);
	switch (data->nr) {
	case OTHER_MMAP:
		decode_mmap(arguments, question);
		return KIND_REQUEST;
	case OTHER_MPROTECT:
	case OTHER_PKEY_MPROTECT:
		decode_mprotect(arguments, question);
		return KIND_REQUEST;
	case OTHER_SHMAT:
		decode_shmat(arguments[1], arguments[2], question);
		return KIND_REQUEST;
	case OTHER_PERSONALITY:
		return KIND_PERSONALITY;
	default:
		return KIND_OTHER;
	}
}

/* Returns false where the kernel fails the mmap before any policy is asked. */
static bool look_at_mapping(pid_t thread, struct question *question)
{
	struct asked *asked = &question->asked;

	asked->shared = (question->flags & MAP_TYPE) == MAP_SHARED;
	if (!(question->flags & MAP_ANONYMOUS))
		return look_at_descriptor(thread, question->fd, &asked->backing,
					  &asked->on_noexec_mount);
	/* Huge pages come from a file that mmap makes. */
	asked->backing = question->flags & MAP_HUGETLB ? BACKING_FILE : BACKING_ANONYMOUS;
	return true;
}

static bool look_at_range(struct server *server, pid_t thread, const struct asked *asked)
{
	unsigned policies = server->settings->policies;
	struct view *view = &server->view;

	if (!look_at_memory(thread, "maps", view))
		return false;
	if (rules_need_details(policies, asked, view) &&
	    !look_at_memory(thread, "smaps", view))
		return false;
	view->stack_pointer = policies & POLICY_EXECSTACK ? look_at_stack_pointer(thread) : 0;
	return true;
}

/* Everything the rules want to know. Returns false where there is nothing to
 * rule on, or not to be seen. */
static bool look(struct server *server, struct question *question)
{
	pid_t thread = (pid_t)server->question->pid;
	struct asked *asked = &question->asked;

	server->view.count = 0;
	server->view.read_implies_exec = false;
	if (!(asked->protection & PROT_EXEC)) {
		/* A call that asks READ alone comes here only where that may
		 * mean EXEC as well. */
		server->view.read_implies_exec = look_at_personality(thread, false);
		if (!server->view.read_implies_exec)
			return false;
	}
	if (asked->call == ASKED_MMAP)
		return look_at_mapping(thread, question);
	if (asked->call == ASKED_MPROTECT && !look_at_range(server, thread, asked)) {
		report_unseen(server->settings, thread, asked);
		return false;
	}
	return true;
}

/* The thread may be gone, and its number someone else's by now. */
static bool still_asked(const struct server *server)
{
	return ioctl(server->listener, SECCOMP_IOCTL_NOTIF_ID_VALID,
		     &server->question->id) == 0;
}

static int verdict(struct server *server)
{
	pid_t thread = (pid_t)server->question->pid;
	unsigned policies = server->settings->policies;
	struct question question;
	struct refusal refusal;
	enum kind kind = decode(server->question, &question);

	if (kind == KIND_PERSONALITY)
		report_personality(server->settings, thread, server->question->data.args[0]);
	if (kind != KIND_REQUEST)
		return 0;
	if (!rules_filter_refuses(policies, &question.asked, &refusal) &&
	    !(look(server, &question) &&
	      rules_refuse(policies, &question.asked, &server->view, &refusal)))
		return 0;
	if (!still_asked(server))
		return 0;
	report_refusal(server->settings, thread, &question.asked, &refusal);
	return refusal.by_kernel ? 0 : refusal.error;
}

static void serve_one(struct server *server)
{
	int error;

	memset(server->question, 0, server->question_size);
	if (ioctl(server->listener, SECCOMP_IOCTL_NOTIF_RECV, server->question) != 0)
		return; /* ENOENT: the thread died, or a signal took its call back */
	error = verdict(server);
	memset(server->answer, 0, server->answer_size);
	server->answer->id = server->question->id;
	server->answer->error = -error;
	server->answer->flags = error ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	ioctl(server->listener, SECCOMP_IOCTL_NOTIF_SEND, server->answer);
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static bool make_room(struct server *server)
{
	struct seccomp_notif_sizes sizes = { 0 };

	syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes);
	server->question_size = larger(sizes.seccomp_notif, sizeof *server->question);
	server->answer_size = larger(sizes.seccomp_notif_resp, sizeof *server->answer);
	server->question = calloc(1, server->question_size);
	server->answer = calloc(1, server->answer_size);
	return server->question && server->answer;
}

void supervisor_serve(int listener, const struct deny_settings *settings)
{
	struct server server = { .listener = listener, .settings = settings };
	struct pollfd wait = { .fd = listener, .events = POLLIN };

	if (!make_room(&server))
		return;
	/* Both sides take turns: run the other on this processor. Only speed. */
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	for (;;) {
		if (poll(&wait, 1, -1) < 0) {
			if (errno != EINTR)
				return;
		} else if (wait.revents & POLLIN) {
			serve_one(&server);
		} else if (wait.revents) {
			return; /* POLLHUP: the last process is gone */
		}
	}
}
