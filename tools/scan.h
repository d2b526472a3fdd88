/* scan.h: the parts of jitmend-scan, which tells of ELF files what they will ask
 * for before they are run.
 *
 * A short-lived process: memory that lives as long as the list of files is given
 * back by its end. Files are anybody's: each number in them is doubted, each
 * table is bounded, and they are read with pread and never mapped, because they
 * may shrink meanwhile. Several threads look at files, each at its own; only
 * what is said to be safe for that is. */
#ifndef JITMEND_SCAN_H
#define JITMEND_SCAN_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "check.h"

/* As env(1) has 125; the others are a checker's. */
enum status {
	STATUS_NOTHING = 0,
	STATUS_FOUND = 1,
	STATUS_UNREAD = 2, /* some file could not be read */
	STATUS_USAGE = 125,
};

/* Says why in one line on standard error, and exits with STATUS_USAGE. */
_Noreturn void scan_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One more line on standard error, with whatever is in a name quoted. */
void scan_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* These end the process where there is no memory. */
void *scan_allocate(size_t count, size_t size); /* zeroed */
void *scan_grow(void *array, size_t count, size_t *room, size_t size);
char *scan_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --------------------------------------------------------- scan-kinds.c */

enum kind {
	KIND_TEXTREL,
	KIND_EXECSTACK,
	KIND_NO_GNU_STACK,
	KIND_RWX,
	KIND_RAW_SYSCALL,
	KIND_CALLS,
	KIND_STATIC,
	KIND_PACKED,
	KIND_GO,
	KIND_SETUID,
	KIND_SETGID,
	KIND_FILECAPS,
	KIND_LOADER,
	KIND_FOREIGN,
	KIND_NEEDED,
	KINDS,
};

/* In the order of what they are worth. */
enum level {
	LEVEL_NOTE,    /* worth to know */
	LEVEL_WARNING, /* a policy may refuse it */
	LEVEL_ERROR,   /* jitmend cannot help this file at all */
};

struct kind_words {
	const char *name;     /* the user's word, and SARIF's rule */
	enum level level;     /* the usual one; a finding may be worth less */
	const char *title;
	const char *policies; /* who may refuse it, in jitmend run's words; or NULL */
	const char *limit;    /* why jitmend does not mend it; or NULL */
	bool helped;          /* but it does, where it knows how the loader goes to work */
	const char *remedy;   /* what the file's author can do; or NULL */
};

extern const struct kind_words kind_words[KINDS];

const char *level_name(enum level level); /* as SARIF has them */

struct finding {
	enum kind kind;
	enum level level;
	char *text;          /* what was found, without the file's name */
	char *symbol;        /* the function it is in, or NULL */
	const char *library; /* the needed library it was inherited from, or NULL */
	bool placed;         /* address and count mean something */
	uint64_t address;    /* in the file's own addresses */
	uint64_t count;
};

enum verdict {
	VERDICT_NOTHING, /* asks for nothing, as far as the file tells */
	VERDICT_WORKS,
	VERDICT_PARTLY,
	VERDICT_CANNOT,
	VERDICTS,
};

const char *verdict_name(enum verdict verdict);

/* ------------------------------------------------------------- the files */

/* What was found out about an ELF file. */
struct details {
	const char *type;     /* "program", "library" */
	char machine[32];
	int bits;
	struct finding *findings;
	size_t count, room;
	enum verdict verdict;
	char *why;            /* one line, or NULL */
	bool incomplete;      /* something in the file could not be read */
	char *soname;         /* or NULL */
	char *rpath;          /* DT_RUNPATH, or else DT_RPATH; or NULL */
	char **needed;
	size_t needed_count, needed_room;
	size_t *libraries;    /* where they are in the list; set by libraries_find() */
	size_t libraries_count;
	unsigned char class; /* these three as struct elf has them */
	bool other_endian;
	uint16_t machine_number;
};

enum nature {
	NATURE_UNKNOWN,
	NATURE_ELF,      /* has details */
	NATURE_OTHER,    /* no ELF file */
	NATURE_OBJECT,   /* an object file or kernel module */
	NATURE_CORE,
	NATURE_DEBUG,    /* debug information of a file that lies elsewhere */
	NATURE_BAD,      /* none of the above can be told */
};

struct file {
	char *path;
	dev_t device;
	ino_t inode;
	bool named;       /* by the user: whatever it is, it is told */
	enum nature nature;
	char *fault;      /* a clause to stand behind the path, or NULL */
	struct details *details;
};

struct files {
	struct file *list;
	size_t count, room;
	/* By device and inode; an index plus one. */
	size_t *slots;
	size_t slot_count;
	/* Of what is no file in the list: a folder that cannot be read. */
	struct named_fault {
		char *path, *fault;
	} *faults;
	size_t fault_count, fault_room;
};

/* ------------------------------------------------------- scan-options.c */

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_SARIF };

struct settings_of_scan {
	unsigned only;       /* a bit for each kind */
	bool chosen;         /* --only was given */
	bool all;
	bool libraries;
	bool quiet;
	bool colour;
	int jobs;
	enum format format;
	const char *preload; /* the folder that holds $LIB/libjitmend.so */
	char **paths;
};

struct settings_of_scan scan_options(int argc, char **argv);

/* Does it make the difference between status 0 and 1? */
bool finding_counts(const struct settings_of_scan *settings, const struct finding *finding);
bool finding_shown(const struct settings_of_scan *settings, const struct finding *finding);
bool file_shown(const struct settings_of_scan *settings, const struct file *file);

/* ---------------------------------------------------------- scan-walk.c */

/* The files in and below the paths, each once, whatever its names are. */
void walk(struct files *files, char **paths);

/* One file more. Returns where it is in the list, now or since before. */
size_t files_add(struct files *files, const char *path, dev_t device, ino_t inode, bool named);

/* A path that is no file in the list. */
void files_fault(struct files *files, const char *path, const char *fault);

/* ---------------------------------------------------------- scan-pool.c */

/* Looks at each file of the list from FIRST on, with several threads. */
void pool_run(struct files *files, size_t first, const struct settings_of_scan *settings);

/* ------------------------------------------------------ scan-progress.c */

void progress_start(const struct settings_of_scan *settings);
void progress_show(const char *what, size_t done, size_t total); /* total 0: not known */
void progress_end(void);

/* ---------------------------------------------------------- scan-file.c */

/* Fills in what FILE is. Safe for several threads, each with its own file. */
void file_look(struct file *file, const struct settings_of_scan *settings);

/* An ELF file that is being looked at. */
struct image {
	int fd;
	Elf *elf;
	GElf_Ehdr header;
	GElf_Phdr *segments;
	size_t segment_count;
	uint64_t size;          /* of the file */
	uint64_t budget;        /* how much of the file may still be read */
	struct details *details;
	struct elf found;       /* by check-elf.c */
	bool start_known;   /* its start and loader too */
	bool pie;               /* DF_1_PIE: a program for all its ET_DYN; from dynamic_look() */
	struct functions *functions; /* made when they are needed first */
	const char *fault;      /* the first thing that was wrong with it */
};

/* The biggest table or section that is looked at, in bytes. */
enum { PIECE_MAX = 512 << 20 };

struct finding *finding_add(struct details *details, enum kind kind, char *text);
void details_free(struct details *details); /* NULL is nothing */

/* Bytes of the file; the caller frees them. NULL, and image->fault says why. */
unsigned char *image_bytes(struct image *image, uint64_t offset, uint64_t size);

/* Entries of a table, in this machine's order. They end with the image. */
Elf_Data *image_table(struct image *image, uint64_t offset, uint64_t size, Elf_Type type);

/* Where in the file the byte at ADDRESS lies, and how many of its segment follow. */
bool image_offset(const struct image *image, uint64_t address, uint64_t *offset, uint64_t *left);

/* Does ADDRESS lie in a segment that is executable? */
bool image_is_code(const struct image *image, uint64_t address);

/* ------------------------------------------------------- scan-dynamic.c */

/* The dynamic section: imports, text relocations, what is needed. */
void dynamic_look(struct image *image);

/* ----------------------------------------------------- scan-functions.c */

/* Where functions begin: symbols, .eh_frame_hdr, the entry point. */
struct function {
	uint64_t start;
	uint64_t size;    /* 0: not known */
	const char *name; /* lives as long as the image; or NULL */
	bool data;        /* it is none, but a table among the code */
};

struct functions {
	struct function *list;
	size_t count, room;
};

const struct functions *functions_of(struct image *image);
void functions_free(struct image *image);

/* The last that begins at or before ADDRESS, or NULL. */
const struct function *function_before(const struct functions *functions, uint64_t address);

/* Is ADDRESS in it, as far as its size is known? */
bool function_holds(const struct function *function, uint64_t address);

/* ---------------------------------------------------------- scan-code.c */

extern const bool code_can_be_read; /* this build has a decoder */

/* System-call instructions. */
void code_look(struct image *image);

/* ----------------------------------------------------- scan-libraries.c */

/* Adds what the files in the list need, and what that needs, looks at it, and
 * has each file inherit what was found. */
void libraries_follow(struct files *files, const struct settings_of_scan *settings);

/* ------------------------------------------------------- scan-verdict.c */

void verdict_find(struct details *details);

/* -------------------------------------- scan-text.c, scan-json.c, scan-sarif.c */

struct summary {
	size_t elf, other, objects, debug, faults;
	size_t files_with[KINDS];
	size_t verdicts[VERDICTS];
	bool found; /* something that counts */
};

void print_text(const struct files *files, const struct settings_of_scan *settings,
		const struct summary *summary);
void print_json(const struct files *files, const struct settings_of_scan *settings,
		const struct summary *summary);
void print_sarif(const struct files *files, const struct settings_of_scan *settings,
		 enum status status);

#endif
