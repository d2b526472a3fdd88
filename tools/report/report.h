/* report.h: what the parts of jitmend-report share: the options, and the model
 * that journals are merged into.
 *
 * A journal may be anybody's and of any length. So everything here has a limit,
 * and what is past it is still counted, if no longer told apart. Single-threaded;
 * where memory runs out the program ends (grown, duplicate). */
#ifndef JITMEND_REPORT_H
#define JITMEND_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "table.h"

#define JOURNAL_VERSION 1 /* of jitmend-journal(5), that this reads */
#define REPORT_VERSION 1  /* of --format=json, see jitmend-report(1) */

#define MOST_FRAMES 64
#define MOST_MODULES 16384u
#define MOST_PROCESSES 65536u
#define MOST_SITES 16384u
#define MOST_WAYS 16384u
#define MOST_SHARES 262144u
#define MOST_COUNTERS (1u << 20)
#define MOST_PROBLEMS 100u
#define LAST_SITE 1025 /* stands for all that found no number */

#define NONE UINT32_MAX

enum status {
	STATUS_FINE = 0,
	STATUS_BAD_INPUT = 2,
	STATUS_OURS = 125, /* the same as env(1) */
};

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_FOLDED, FORMAT_SARIF, FORMAT_HTML };

struct options {
	enum format format;
	const char *output;       /* NULL: standard output */
	bool color;
	bool symbols;
	size_t top;               /* call sites to show; SIZE_MAX: all */
	const char *perf_map_dir;
	const char *debug_dir;    /* as libdw's debuginfo path, NULL: its own */
	const char *source_root;  /* NULL: none */
	char **journals;          /* NULL at the end */
};

/* The words of jitmend-journal(5), as numbers; report_words has them. */
enum danger { DANGER_DEVZERO, DANGER_EXECHEAP, DANGER_EXECMOD, DANGER_EXECMEM, DANGER_EXECSTACK,
	      DANGER_COUNT };
enum answer { ANSWER_REFUSED, ANSWER_EXPECTED, ANSWER_ALLOWED, ANSWER_UNKNOWN, ANSWER_COUNT };
enum done { DONE_PASSED_ON, DONE_NOT_MENDED, DONE_MAPPED_ANONYMOUS, DONE_MOVED, DONE_COPIED,
	    DONE_SHARED, DONE_VIEWED, DONE_EMULATED, DONE_COUNT };
enum call { CALL_MMAP, CALL_MPROTECT, CALL_SHMAT, CALL_EXECUTE, CALL_COUNT };
enum refusal { REFUSAL_NONE, REFUSAL_EACCES, REFUSAL_EPERM, REFUSAL_COUNT };

extern const char *const danger_words[DANGER_COUNT + 1]; /* NULL at the end, as the others */
extern const char *const answer_words[ANSWER_COUNT + 1];
extern const char *const done_words[DONE_COUNT + 1];
extern const char *const call_words[CALL_COUNT + 1];
extern const char *const refusal_words[REFUSAL_COUNT + 1];
extern const char *const origin_words[];

/* A place in the source: of several for one address, the inlined ones first. */
struct spot {
	char *function; /* NULL: not known; so file */
	char *file;
	int line;       /* 0: not known */
};

enum module_state {
	MODULE_NOT_LOOKED_UP,
	MODULE_SAME,      /* the file on disk has the build id of the journal's */
	MODULE_BY_PATH,   /* there is no build id to hold against it */
	MODULE_ELSEWHERE, /* another file with the build id was found */
	MODULE_DIFFERS,   /* the file on disk is another by now */
	MODULE_GONE,
	MODULE_NO_FILE,   /* linux-vdso.so.1 */
	MODULE_UNREADABLE,
};

struct module {
	char *path;
	char *build_id;   /* hexadecimal, "" where there is none */
	enum module_state state;
	char *note;       /* why there are no names, or from where; NULL */
	bool lines;       /* debug information named a line in it */
};

/* A place in a module, or, with module NONE, an address of generated code. */
struct frame {
	uint32_t module;
	uint64_t offset; /* that the call returns to */
};

struct stack {
	unsigned count;
	uint64_t more; /* frames that found no room on the line */
	struct frame frames[MOST_FRAMES];
};

/* Functions and lines of a frame; made by symbols.c and perf-map.c. */
struct symbol {
	struct frame frame;
	uint32_t process; /* NONE: of any; else whose generated code it is */
	struct spot *spots;
	unsigned count;
};

struct process {
	uint32_t journal;
	int pid;
	char *comm, *program, *kernel, *machine, *policy;
	bool started;    /* its start line was there */
	bool audit, mdwe;
	int64_t first, last; /* microseconds since 1970 */
	uint64_t requests, lost;
	uint64_t unseen; /* requests at sites whose first line is missing */
};

/* What is asked, answered and done at a call site, with the stacks it came by. */
struct way {
	uint32_t site, process; /* the first of its processes */
	uint32_t next;          /* of the same site, NONE at the end */
	enum answer answer;
	enum refusal refusal;
	enum done done;
	char protection[4];     /* "" for shmat */
	uint64_t address, length; /* of the first */
	uint64_t flags;
	uint64_t count;
	struct stack *stack;
	const char *origin;     /* the call that the memory came from, NULL */
	uint64_t origin_length;
	struct stack *origin_stack;
};

struct site {
	enum call call;
	enum danger danger;
	struct frame frame;
	uint32_t ways;      /* the first; later ordered, most frequent first */
	uint64_t count, processes;
	int64_t first, last;
	uint64_t answers[ANSWER_COUNT], dones[DONE_COUNT];
};

/* How often a site was met in a process. */
struct share {
	uint32_t site, process;
	uint64_t count;
};

/* Requests of a moment: COUNT in the time from TIME on (model.mark_width). */
struct mark {
	int64_t time;
	uint32_t process, site; /* NONE: no longer told apart, see spread.c */
	enum danger danger;
	uint64_t count;
};

/* Memory that was asked for, in a process. */
struct range {
	uint64_t start, end;
	uint32_t process, site; /* NONE: as with a mark */
	enum danger danger;
	uint64_t count;
};

struct problem {
	const char *journal;
	unsigned long line; /* 0: of the whole */
	char *text;
};

struct journal {
	const char *name;
	unsigned user;      /* whose file it is */
	unsigned long lines, broken;
	bool newer;         /* said that it has lines of a newer version */
};

struct model {
	struct journal *journals;
	struct module *modules;
	struct process *processes;
	struct site *sites;
	struct way *ways;
	struct share *shares;
	struct mark *marks;
	struct range *ranges;
	struct symbol *symbols;
	struct problem *problems;
	struct counter *counters; /* model.c's own */
	uint32_t journal_count, module_count, process_count, site_count, way_count, share_count,
		mark_count, range_count, symbol_count, problem_count, counter_count;
	size_t journal_room, module_room, process_room, site_room, way_room, share_room, mark_room,
		range_room, symbol_room, problem_room, counter_room;
	struct table module_table, process_table, site_table, way_table, share_table, mark_table,
		range_table, symbol_table, counter_table, last_table;
	int64_t mark_width;    /* microseconds; a power of two */
	uint64_t range_width;  /* bytes; a power of two */
	int64_t mark_first, mark_last;
	unsigned mark_level, range_level;
	unsigned long broken;  /* lines, and journals that cannot be read */
	unsigned long crowded; /* requests past a limit above */
};

/* A request line, as it was read. Its strings live as long as the line. */
struct request_line {
	unsigned site;
	enum call call;
	enum danger danger;
	enum answer answer;
	enum refusal refusal;
	enum done done;
	const char *protection;
	uint64_t address, length, flags;
	uint64_t piece_address, piece_length;
	struct stack stack;
	const char *origin; /* a literal */
	uint64_t origin_length;
	struct stack origin_stack;
};

struct head_line {
	uint32_t journal;
	int pid;
	int64_t time;
	const char *comm;
};

struct start_line {
	const char *program, *kernel, *machine;
	char *policy; /* given away */
	bool audit, mdwe, continues;
};

/* model.c: merging. */
void model_start(struct model *model, const struct head_line *head, struct start_line *start);
void model_request(struct model *model, const struct head_line *head,
		   const struct request_line *line);
/* false: the count is not more than it was. */
bool model_count(struct model *model, const struct head_line *head, unsigned site,
		 uint64_t count);
void model_lost(struct model *model, const struct head_line *head, uint64_t lines);
uint32_t model_module(struct model *model, const char *path, const char *build_id);
void model_sort(struct model *model); /* at the end: most frequent first */
uint64_t model_requests(const struct model *model);
void model_span(const struct model *model, int64_t *first, int64_t *last);

/* spread.c: when, and where in memory; coarser the more there is. */
void spread_mark(struct model *model, const struct mark *mark);
void spread_range(struct model *model, const struct range *range);

/* journal.c: reading. */
void journal_read(struct model *model, const char *name);
__attribute__((format(printf, 4, 5))) void problem(struct model *model, uint32_t journal,
						   unsigned long line, const char *format, ...);

/* symbols.c, perf-map.c */
void symbols_find(struct model *model, const struct options *options);
void symbols_add(struct model *model, struct frame frame, uint32_t process, struct spot *spots,
		 unsigned count);
const struct symbol *symbols_of(const struct model *model, struct frame frame, uint32_t process);
void perf_maps_read(struct model *model, const char *folder);
char *demangled(const char *name); /* malloc'd */

/* progress.c: a line on standard error, where that is a terminal. */
__attribute__((format(printf, 1, 2))) void progress(const char *format, ...);
void progress_end(void);

/* main.c */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *grown(void *array, size_t count, size_t *room, size_t size);
char *duplicate(const char *string);

/* A file for each format. */
void format_text(FILE *out, const struct model *model, const struct options *options);
void format_json(FILE *out, const struct model *model, const struct options *options);
void format_folded(FILE *out, const struct model *model, const struct options *options);
void format_sarif(FILE *out, const struct model *model, const struct options *options);
void format_html(FILE *out, const struct model *model, const struct options *options);

#endif
