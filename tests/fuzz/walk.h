/* walk.h: a program that walks at random through all that a program can do with
 * its memory, and prints what it sees.
 *
 * What it prints depends on its list of operations alone: no address but relative
 * to regions of its own, no process id, no time. So two runs of one list print the
 * same, with jitmend or without; a difference is a bug, of one of the two or of the
 * operation. LIMITATIONS in libjitmend(7) names what is known to be different: the
 * walk leaves it out, where shadow.c and the operations say so.
 *
 * Left out so, each with its reason in LIMITATIONS:
 *	PROT_EXEC alone; MADV_WIPEONFORK on code; mremap of nothing
 *	a file's page of code that is moved or advised about
 *	/dev/zero with MADV_WIPEONFORK, MADV_KEEPONFORK and MADV_REMOVE
 *	mremap over several mappings, or holes
 *	MREMAP_DONTUNMAP of locked memory
 *	a fetch from past the end of a private file
 *	where an instruction that stores into its own page is when it raises SIGBUS
 *	reads by the kernel from what may be executed and not read
 *	which numbers new descriptors get
 *	a sigset_t half of which lies in memory that cannot be touched
 *
 * An operation is a name and four numbers, and works in any state, so a list may be
 * cut anywhere: `run' makes a short one of one that shows a difference.
 *
 * Operations may be carried out in a signal handler, on a second thread or in a
 * child: nothing here takes a lock or allocates once the walk has begun. */
#ifndef JITMEND_TESTS_FUZZ_WALK_H
#define JITMEND_TESTS_FUZZ_WALK_H

#include "../hosts/code.h"

#include <setjmp.h>

/* ------------------------------------------------------------- sequence.c */

struct op {
	unsigned kind; /* index into op_kinds */
	uint32_t a, b, c, d;
};

struct op_kind {
	const char *name;
	unsigned weight; /* how often, among the others */
	/* Carries out the operation at index AT; returns the index of the next. */
	size_t (*run)(size_t at);
};
extern const struct op_kind op_kinds[]; /* walk.c; ends with a name of NULL */

enum { OPS_MOST = 200000 };
extern struct op ops[OPS_MOST];
extern size_t op_count;

void sequence_make(uint32_t seed, size_t count);
void sequence_read(const char *file);
void sequence_print(void);

/* ----------------------------------------------------------------- said.c */

/* One line of output. */
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Lines of a child begin with its depth. */
void tell_in_child(void);

/* "0" or the name of errno. */
const char *answer(long result);
/* "A+0x3010"; as many in one line as there are turns, 8. */
const char *place(const volatile void *address);

/* --------------------------------------------------------------- shadow.c */

enum memory {
	NOTHING,
	ANONYMOUS,
	DEV_ZERO,         /* private */
	PRIVATE_FILE,
	SHARED_FILE,
	SHARED_MEMFD,
	SHARED_ANONYMOUS,
	HEAP,             /* of brk */
};

struct page {
	enum memory memory;
	int protection;    /* as last asked, or more */
	bool locked;       /* once */
	bool unread;       /* asked to be executed and not read, perhaps */
	bool was_code;     /* PROT_EXEC was asked once */
	bool wiped;        /* MADV_WIPEONFORK */
	unsigned made;     /* by which request; 0: brk */
	unsigned mapped;   /* by which mmap, where nothing but mprotect came since */
	bool past_end;     /* of a file that is mapped privately */
};

/* Memory that the walk plays with: one region is somewhere where nobody else maps
 * anything, the other is the brk heap. */
struct region {
	char name;
	unsigned char *start;
	size_t pages;      /* of the heap: those that brk has given */
	size_t most;
	struct page page[64];
};
enum { ARENA, HEAP_REGION, REGIONS };
extern struct region regions[REGIONS];

struct range {
	struct region *region;
	size_t first, pages; /* within the region */
	unsigned char *start;
	size_t length;
};

void shadow_begin(void);
/* By two numbers of an operation: where, and how many pages. */
struct range range_of(uint32_t where, uint32_t pages);
/* A number for where that is shortly before such a boundary (shadow.c). */
uint32_t before_division(uint32_t random);
/* The same number of pages, or fewer where the region ends. */
struct range range_at(uint32_t where, size_t pages);
struct page *page_of(const void *address); /* NULL: none of the walk's */
void shadow_map(const struct range *range, enum memory memory, int protection);
/* What was asked of the range, and whether it was done to all of it. */
void shadow_protect(const struct range *range, int protection, bool done);
void shadow_unmap(const struct range *range);
/* It is one mapping, for all that is known. */
bool shadow_is_one(const struct range *range);
/* The kernel may have made mappings of their own of its pages. */
void shadow_split(const struct range *range);
/* Something was said of all of the range, which stays one mapping if it was. */
void shadow_say(const struct range *range);
/* New memory is locked from now on, or no more. */
void shadow_lock_new(bool lock);
/* From its page BEFORE on the heap is new, and no one mapping with the rest if that was
 * locked otherwise. */
void shadow_grow_heap(size_t before);
bool shadow_any(const struct range *range, bool (*is_such)(const struct page *page));

/* --------------------------------------------------------------- faults.c */

struct met {
	int signal;           /* 0: nothing */
	int code;
	const void *address;  /* si_addr */
	int access;           /* PROT_* */
	const void *at;       /* the instruction */
	long rdi, rcx;        /* how far a string instruction came */
};

void faults_begin(void);
void faults_begin_thread(void);
/* Does WORK(ARGUMENT); a fault ends it. */
struct met meet(void (*work)(void *argument), void *argument);
/* " SEGV_ACCERR write A+0x3010 at A+0x2000"; "" where nothing was met. */
const char *met_words(const struct met *met);
/* From now on handlers give the page this protection and go on, so many times. */
void faults_mend(int protection, unsigned times);
/* What they would give now. */
int faults_mended(void);
const char *protection_words(int protection);
int any_protection(uint32_t number);

/* The operations, one function each; see op_kinds. */
size_t op_mmap(size_t at);
size_t op_mprotect(size_t at);
size_t op_munmap(size_t at);
size_t op_mremap(size_t at);
size_t op_grow(size_t at);
size_t op_madvise(size_t at);
size_t op_mlock(size_t at);
size_t op_mlockall(size_t at);
size_t op_msync(size_t at);
size_t op_flags(size_t at);
size_t op_sbrk(size_t at);
size_t op_anywhere(size_t at);
size_t op_truncate(size_t at);

size_t op_store(size_t at);
size_t op_load(size_t at);
size_t op_string(size_t at);
size_t op_copy(size_t at);
size_t op_sum(size_t at);
size_t op_kernel_writes(size_t at);
size_t op_kernel_reads(size_t at);

size_t op_emit(size_t at);
size_t op_call(size_t at);

size_t op_fork(size_t at);
size_t op_signal(size_t at);
size_t op_thread(size_t at);
size_t op_mend(size_t at);
size_t op_fatal(size_t at);
size_t op_race(size_t at);
size_t op_noise(size_t at);

/* ---------------------------------------------------------------- files.c */

enum { FILE_PAGES = 16 };
void files_begin(void);
/* The descriptor that a mapping of that kind needs, -1 for none; READ_ONLY: one that
 * may not be written. */
int file_of(enum memory memory, bool read_only);

/* -------------------------------------------------------------- process.c */

void process_begin(void);
/* Carries out operations FROM up to END. */
void walk_through(size_t from, size_t end);
size_t operations_done(void);

/* Once each, at the start. */
void code_begin(void);
void touch_begin(void);

#endif
