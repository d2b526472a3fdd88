/* request.h: the words everything else speaks in: what the program asks for,
 * what is dangerous about it, and what was done.
 *
 * Plain data. Safe to use anywhere. */
#ifndef JITMEND_REQUEST_H
#define JITMEND_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a request needs that a policy may refuse. The first four are the
 * permissions of SELinux's class process (execmod: of class file) that Drepper
 * named; devzero is the execmod that a written private mapping of /dev/zero
 * meets, and the EPERM that a /dev mounted noexec gives. */
enum danger {
	DANGER_NONE,
	DANGER_DEVZERO,
	DANGER_EXECHEAP,
	DANGER_EXECMOD,
	DANGER_EXECMEM,
	DANGER_EXECSTACK,
	DANGER_COUNT,
};

/* The words of JITMEND_POLICY. A bit each, so that a list is a set. */
enum policy_word {
	POLICY_AUTO       = 0, /* nothing known beforehand: the program's own requests tell */
	POLICY_EXECHEAP   = 1 << 0,
	POLICY_EXECMOD    = 1 << 1,
	POLICY_EXECMEM    = 1 << 2,
	POLICY_EXECSTACK  = 1 << 3,
	POLICY_NOEXEC_DEV = 1 << 4,
	POLICY_MDWE       = 1 << 5,
	POLICY_SECCOMP    = 1 << 6,
	POLICY_STRICT     = 1 << 7, /* mend what could be refused anywhere */
	POLICY_NONE       = 1 << 8, /* nothing is refused: pass everything on */
};

enum call {
	CALL_MMAP,
	CALL_MPROTECT,
	CALL_SHMAT,
	CALL_EXECUTE, /* none: the program went on with what it may not execute */
	CALL_COUNT,
};

/* What became of a request. */
enum outcome {
	OUTCOME_PASSED,    /* the kernel allowed it as asked */
	OUTCOME_REFUSED,   /* refused, and no rung here cures it */
	OUTCOME_ANONYMOUS, /* rung 1: /dev/zero became MAP_ANONYMOUS at mmap */
	OUTCOME_MOVED,     /* rung 1: made executable elsewhere and moved back */
	OUTCOME_COPIED,    /* rung 1: replaced by an anonymous copy at the same address */
	OUTCOME_SHARED,    /* rung 2: in a file of ours, mapped as asked */
	OUTCOME_VIEWED,    /* rung 3: in a file of ours, mapped writable or executable */
	OUTCOME_EMULATED,  /* it stays as it is; nested functions on it are called (trampoline.h) */
	OUTCOME_COUNT,
};

/* One call of the program's. Fields that a call has no use for are 0 (fd: -1). */
struct request {
	enum call call;
	uintptr_t address;
	size_t length;       /* bytes, as asked */
	int protection;      /* PROT_*, as asked */
	int pkey;            /* -1: none given */
	int flags;           /* MAP_* or SHM_* */
	int fd;
	int64_t offset;      /* bytes */
	uintptr_t call_site; /* the return address of the program's call */
	bool by_loader;      /* ld.so's own: for an object as its headers want it */
};

/* The calls as requests: arguments in the order of the man pages. */
struct request request_mmap(uintptr_t address, size_t length, int protection, int flags, int fd,
			    int64_t offset, uintptr_t call_site);
struct request request_mprotect(uintptr_t address, size_t length, int protection, int pkey,
				uintptr_t call_site);
struct request request_shmat(int id, uintptr_t address, int flags, uintptr_t call_site);

/* What a door is told once a dangerous request is settled. */
struct event {
	const struct request *request;
	uintptr_t address;   /* the piece of the request concerned, whole pages */
	size_t length;
	enum danger danger;
	enum outcome outcome;
	bool refused;        /* the kernel, or the policy list, said no */
	bool expected;       /* no came from the list: the kernel was not asked */
	bool anonymous_refused; /* and anonymous memory may not be executable either */
	int error;           /* errno of the refusal, 0 when there was none */
	bool alone;          /* the stack of it is gone, or no place to unwind from */
	int thread;          /* its id, where it is known; else 0 */
};

/* The name in messages, never NULL. */
const char *danger_name(enum danger danger);
const char *call_name(enum call call);
const char *error_name(int error); /* of a refusal: EACCES or EPERM */

#endif
