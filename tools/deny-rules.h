/* deny-rules.h: what a policy says to one call, worked out from what can be
 * seen of the process from outside.
 *
 * Pure: no system call, nothing kept. The order of the tests is the kernel's
 * own (mm/mmap.c, mm/mprotect.c, security/selinux/hooks.c), so that the first
 * refusal met here is the one the kernel would have given. */
#ifndef JITMEND_DENY_RULES_H
#define JITMEND_DENY_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a mapping is made of, as the kernel's tests see it. */
enum backing {
	BACKING_ANONYMOUS, /* no file */
	BACKING_FILE,
	BACKING_INTERNAL,  /* a file of the kernel's own (S_PRIVATE): shared
			    * anonymous memory, System V segments. SELinux
			    * counts it as no file for execmem. */
};

/* One line of /proc/PID/maps: one mapping (VMA) of the kernel's. */
struct area {
	uint64_t start, end;
	unsigned protection; /* PROT_* in force */
	bool shared;
	enum backing backing;
	bool heap;           /* the kernel labels it [heap] */
	bool may_exec;       /* not on a noexec mount; true when not looked at */
	bool written;        /* holds private copies of file pages: anon_vma is set */
	char name[256];      /* cut where longer */
};

/* One process, at one moment. */
struct view {
	struct area *areas;
	size_t count, room;
	uint64_t start_brk, brk, start_stack;
	uint64_t stack_pointer; /* of the thread that asks; 0: not to be seen */
	bool read_implies_exec; /* its personality */
};

enum asked_call {
	ASKED_MMAP,
	ASKED_MPROTECT, /* pkey_mprotect too: the key changes no verdict */
	ASKED_SHMAT,
};

struct asked {
	enum asked_call call;
	uint64_t address, length;
	unsigned protection;   /* PROT_*, as asked; of shmat, what its flags mean */
	bool grows_down;       /* mprotect: PROT_GROWSDOWN */
	bool shared;           /* mmap: exactly MAP_SHARED, as SELinux compares */
	enum backing backing;  /* mmap, shmat */
	bool on_noexec_mount;  /* mmap of a file */
	bool by_ipc;           /* shmat: by i386's ipc(2), which systemd's filter lets pass */
};

struct refusal {
	const char *who;        /* "avc", "seccomp", "mdwe", "noexec-dev" */
	const char *permission;
	int error;              /* errno of the refusal */
	bool by_kernel;         /* the kernel itself says no to the call when it runs */
	const struct area *area; /* mprotect: the mapping that was refused, else NULL */
};

/* POLICIES is a set of enum policy_word. Both return true, and say what, when
 * one of them refuses. The filter comes first: it sees the arguments and
 * nothing else, before the call has begun. */
bool rules_filter_refuses(unsigned policies, const struct asked *asked,
			  struct refusal *refusal);
bool rules_refuse(unsigned policies, const struct asked *asked,
		  const struct view *view, struct refusal *refusal);

/* Where brk must be, from the [heap] label: VIEW->areas and start_brk are set. */
uint64_t rules_guess_brk(const struct view *view);

/* Whether a verdict on this mprotect hangs on what only smaps tells. */
bool rules_need_details(unsigned policies, const struct asked *asked,
			const struct view *view);

#endif
