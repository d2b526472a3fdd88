/* probe.h: what the parts of jitmend-probe share.
 *
 * Facts are gathered first (probe-context.c), then each request is tried
 * (probe-try.c), then what it all means is worked out (probe-judge.c, pure), then
 * it is printed. How an answer was come by is kept with it: a table that cannot
 * say that is a rumour.
 *
 * Single-threaded, ordinary libc; but what is tried is asked of the kernel by
 * src/sys.h, so that a preloaded libjitmend.so does not mend the answer. */
#ifndef JITMEND_PROBE_H
#define JITMEND_PROBE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "deny-rules.h"
#include "request.h"

enum probe_status {
	PROBE_NOTHING_REFUSED = 0,
	PROBE_SOMETHING_REFUSED = 1,
	PROBE_NOT_FOUND_OUT = 2,
	PROBE_OURS = 125, /* bad usage, or it cannot write */
	PROBE_NOT_EXECUTABLE = 126,
	PROBE_NOT_FOUND = 127,
};

enum tri { UNKNOWN, NO, YES };

/* How something is known. */
enum how {
	HOW_NOT,   /* it is not */
	HOW_TRIED, /* by doing it, which may leave a record in an audit log */
	HOW_ASKED, /* by a question that leaves none: prctl(2), an empty call */
	HOW_READ,  /* in /proc, /sys, or the flags of a mount */
};

const char *how_word(enum how how); /* "-", "tried", "asked", "read" */

/* -------------------------------------------------------- probe-requests.c */

enum memory {
	MEMORY_ANONYMOUS,
	MEMORY_HEAP,    /* the brk's */
	MEMORY_STACK,   /* the process's first */
	MEMORY_DEVZERO,
	MEMORY_FILE,    /* in $TMPDIR or /tmp */
	MEMORY_MEMFD,
	MEMORY_SEGMENT, /* of System V */
	MEMORY_TEXT,    /* the program's own code */
};

enum way {
	WAY_MAP,     /* mmap with what is asked */
	WAY_PROTECT, /* mmap rw-, written, then mprotect */
	WAY_PKEY,    /* the same by pkey_mprotect */
	WAY_ATTACH,  /* shmat */
	WAY_MOVE,    /* made executable elsewhere, then mremap to its place */
	WAY_DUAL,    /* a second, executable mapping of a file that is mapped rw- */
	WAY_FLIP,    /* the same at the same address, in the first one's place */
};

enum place {
	ANYWHERE,
	OVER_HEAP,   /* MAP_FIXED over a page of the brk */
	BEYOND_HEAP, /* over the brk's last page, and one page more */
};

struct probe_request {
	const char *name; /* what is there, what is asked: as tests/hosts/ask has them */
	const char *what;
	bool own;         /* what jitmend does, not what programs ask for */
	enum danger danger;
	enum memory memory;
	enum way way;
	enum place place;
	bool shared;
	int protection;
};

#define PROBE_MOST_REQUESTS 32u
extern const struct probe_request probe_requests[];
extern const unsigned probe_request_count;

/* The index of a request that there is. */
unsigned probe_index(const char *name);

const char *probe_call(const struct probe_request *request); /* "mmap", "mprotect"... */

/* What the policies (a set of enum policy_word) would answer: true, and *REFUSAL, where one
 * of them refuses. FILE_NOEXEC: files lie on a noexec mount. Pure. */
bool probe_foresee(const struct probe_request *request, unsigned policies, bool file_noexec,
		   struct refusal *refusal);

/* Who refuses, in a word of --policy=; a noexec mount other than /dev is "noexec". */
const char *probe_refuser(const struct probe_request *request, const struct refusal *refusal);

/* ------------------------------------------------------------ probe-try.c */

enum answer {
	ANSWER_NOT_ASKED,
	ANSWER_OK,
	ANSWER_REFUSED,     /* EACCES or EPERM */
	ANSWER_KILLED,      /* by a signal, at the request itself */
	ANSWER_WRONG,       /* given, but code in it does not run */
	ANSWER_UNAVAILABLE, /* what the request starts from cannot be had here */
};

struct probe_result {
	enum answer answer;
	enum how how;
	int error;         /* errno, 0: none */
	int signal;        /* that ended it, 0: none */
	const char *by;    /* a policy's word; NULL: no policy that we know of */
	int rung;          /* of jitmend run's; 0: as asked; -1: none */
	enum tri cure;     /* whether that rung's own way, tried, works here */
};

/* In a child process of its own. */
struct probe_result probe_try(const struct probe_request *request);

/* The kinds of file behind rungs 2 and 3: src/backing.h's. */
struct probe_result probe_try_backing(unsigned kind);

/* Calls that ask a seccomp filter and nobody else: the kernel turns them down, or has
 * nothing to do, before SELinux is asked. ANSWER_OK: the filter lets them pass. */
struct probe_result probe_ask_filter_mprotect(void);
struct probe_result probe_ask_filter_mmap(void);

/* -------------------------------------------------------- probe-context.c */

enum selinux { SELINUX_ABSENT, SELINUX_PERMISSIVE, SELINUX_ENFORCING, SELINUX_UNCLEAR };

struct probe_mount {
	char path[256];
	bool there, noexec, readonly;
	long type; /* statfs(2)'s f_type */
};

#define PROBE_MOST_MOUNTS 8u

struct probe_context {
	char release[65], machine[65];
	long mdwe;                 /* PR_GET_MDWE's answer, or a negated errno */
	bool filtered;             /* a seccomp filter is in force */
	int filters;               /* how many; -1: the kernel does not say */
	struct probe_result filter_mprotect, filter_mmap;
	char actions_logged[128];  /* of seccomp(2); "" where unknown */
	bool no_new_privs;
	enum selinux selinux;
	char label[512];           /* this process's, of whichever LSM; "": none */
	char lsm[256];             /* the list of the kernel's; "": not to be read */
	int memfd_noexec;          /* vm.memfd_noexec; -1: there is none */
	char pax[16];              /* flags; "": no PaX */
	struct probe_mount mounts[PROBE_MOST_MOUNTS];
	unsigned mount_count;
	bool file_noexec;          /* where MEMORY_FILE lies */
	const char *container;     /* its mark; NULL: none seen */
	const char *auditor;       /* who would write a refusal down; NULL: nobody known */
};

/* Asks and reads; nothing that a security module would write down. */
void probe_look(struct probe_context *context);

/* The first line of a file, without its end. False, and "", where it cannot be read. */
bool probe_read_line(const char *path, char *line, unsigned size);

/* Lines of /proc/PID/status. */
void probe_read_status(const char *line, struct probe_context *context);

/* Whether a label is SELinux's: user:role:type, and a level perhaps. */
bool probe_is_selinux_label(const char *label);

/* The type in it, "" where it is none of SELinux's. */
void probe_label_type(const char *label, char *type, unsigned size);

const struct probe_mount *probe_mount(const struct probe_context *context, const char *path);

/* The kernels that refuse, as execheap, more than the heap: 6.6 to 6.11-rc4. */
bool probe_is_overlap_kernel(const char *release);

/* ---------------------------------------------------------- probe-judge.c */

#define PROBE_WORDS 7u
#define PROBE_MOST_BACKINGS 8u
#define PROBE_MOST_LOOKS 6u

struct probe_word {
	const char *name;    /* of --policy= */
	enum policy_word bit;
	enum tri refused;
	enum how how;
	const char *witness; /* the request that told, or NULL */
};

struct probe_report {
	bool quiet;
	struct probe_context context;
	struct probe_result results[PROBE_MOST_REQUESTS];
	struct probe_result backings[PROBE_MOST_BACKINGS];
	unsigned backing_count;

	/* What follows from these. */
	struct probe_word words[PROBE_WORDS];
	unsigned policies;            /* those that are refused, as a set */
	bool overlap;                 /* false denials of execheap were met */
	const char *looks[PROBE_MOST_LOOKS];
	unsigned look_count;
	unsigned refusals;            /* that were met by trying */
};

void probe_judge(struct probe_report *report);
enum probe_status probe_exit_status(const struct probe_report *report);

/* The words for --policy=, separated by commas; "" where nothing is refused. */
void probe_policy_words(const struct probe_report *report, char *words, unsigned size);

/* -------------------------------------------------------- probe-program.c */

struct probe_program {
	const char *name;
	char path[PATH_MAX];
	char refused[512];     /* why jitmend run would not run it; "": it would */
	char file_label[256];  /* "": none */
	enum tri changes;      /* of SELinux's domain */
	char label[512];       /* the new one */
	enum how how;
	enum tri execheap, execmem, execstack; /* whether they are refused there */
	enum tri keeps_preload;                /* noatsecure */
	const char *gains;     /* why AT_SECURE; NULL: it does not */
	char pax[16];          /* user.pax.flags */
};

/* ARGV, as it would be run. Ends the process where there is no such program. PRELOAD is
 * the folder of libjitmend.so's. */
void probe_program(char **argv, const char *preload, bool quiet,
		   const struct probe_context *context, struct probe_program *program);

/* ----------------------------------------- probe-text.c and probe-json.c */

struct probe_style {
	bool colour;
	unsigned width; /* of the terminal; 0: lines are not broken */
};

/* PROGRAM may be NULL. */
void probe_print_text(const struct probe_report *report, const struct probe_program *program,
		      const struct probe_style *style);
void probe_print_json(const struct probe_report *report, const struct probe_program *program);

/* One line on standard error, beginning "jitmend: probe: ", then the end. */
_Noreturn void probe_fail(enum probe_status status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

const char *answer_word(enum answer answer);  /* as in the JSON */
const char *selinux_word(enum selinux selinux);

#endif
