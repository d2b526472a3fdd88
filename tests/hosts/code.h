/* code.h: what the hosts that are about generated code share: little functions
 * in machine code, and words for what a program meets at its pages. The bytes
 * are in code-bytes.c and code-bytes-aarch64.c, which alone know the processor. */
#ifndef JITMEND_TESTS_CODE_H
#define JITMEND_TESTS_CODE_H

#include "host.h"

#include <signal.h>

/* ---------------------------------- code-bytes.c, and code-bytes-aarch64.c */

/* Each writes a function to AT and returns its length; code_call calls it. The
 * first one needs the words that it works on within 2 GiB. */
size_t code_load(void *at, const void *word);   /* () the int at WORD */
size_t code_increment(void *at, void *word);    /* () counts it up, and returns it */
size_t code_exchange_add(void *at, void *word); /* () the same, in one locked instruction */
/* (_, value) stores it into the function's next instruction, which returns it */
size_t code_patch_next(void *at);
/* (n) 1 + 2 + ... + n, by counting up WIDTH bytes of the loop's own operand */
size_t code_loop(void *at, int width);
size_t code_fill(void *at);                     /* (to, length, byte), one string instruction */
size_t code_copy(void *at);                     /* (to, length, from), the same */
/* (end) pushes four words below END, the stack pointer there, and sums them up */
size_t code_on_stack(void *at);
/* () counts up the 16 aligned bytes at PAIR, which are within 2 GiB, by one locked
 * instruction that stores them all; returns the lower 8 */
size_t code_count_pair(void *at, void *pair);
/* (to) ten bytes of a number, by the instruction at CODE_STORE_REAL_AT */
size_t code_store_real(void *at);
size_t code_save_vectors(void *at);             /* (to) 512 bytes, 16 aligned */
size_t code_read_at(void *at);                  /* (from) the int there */
size_t code_illegal(void *at);                  /* () no instruction, in its second byte */
size_t code_breakpoint(void *at);               /* () in its second byte */

/* Code pages for functions that name addresses, and are not relative: in each run at the
 * same place, so that what they are made of is the same. */
unsigned char *code_pages_to_compare(size_t pages);

long code_call(const void *at, const void *a, long b, long c);

/* A function of code_loop is at most CODE_LOOP_LENGTH long; one of code_write that begins
 * CODE_ACROSS before a page's end lies in two, and one of code_patch_next that begins
 * CODE_PATCHER before it has what it stores to in the next. Code stands at multiples of
 * CODE_STEP. */
#ifdef __aarch64__
enum { CODE_LOOP_LENGTH = 64, CODE_STORE_REAL_AT = 4, CODE_ACROSS = 4, CODE_PATCHER = 16,
       CODE_STEP = 4 };
#else
enum { CODE_LOOP_LENGTH = 32, CODE_STORE_REAL_AT = 2, CODE_ACROSS = 3, CODE_PATCHER = 6,
       CODE_STEP = 1 };
#endif

/* Functions of one instruction that stores WIDTH bytes; (place, value). Which there
 * are depends on the processor. */
struct store_form {
	const char *name;
	int width;
	int align;
	long result; /* which bits of what the function returns mean something */
	enum { ANY, AVX, AVX512 } needs;
	int length;
	unsigned char bytes[24];
};
extern const struct store_form store_forms[], seldom_store_forms[];
bool store_form_works(const struct store_form *form);

/* Where the instruction was that a signal interrupted. */
uintptr_t interrupted_at(const void *context);

/* Makes the system call that a filter trapped, with another last argument, and leaves in
 * the context what came of it. */
void call_again(long number, long last, void *context);

/* ------------------------------------------------------------ code-words.c */

/* "WHAT: 17", or "WHAT: SIGSEGV ACCERR +0": the fault's code, and how far the
 * address that it names lies from AT. */
void say_read(const char *what, const void *at);
void say_write(const char *what, void *at, int byte);
void say_run(const char *what, const void *at);
void say_checksum(const char *what, const void *at, size_t length);

/* "SIGSEGV ACCERR" */
const char *fault_name(const siginfo_t *info);

/* RWX and private anonymous. */
unsigned char *code_pages(size_t pages);
/* RW, private and anonymous. */
unsigned char *data_pages(size_t pages);
void *must_map(void *at, size_t length, int protection, int flags, int fd, off_t offset);

/* A number of kB from a file of /proc/self, such as "VmLck" of "status". */
long kilobytes(const char *file, const char *field);

/* Of each page, what was said of it, from the flags in smaps. */
void say_advice(const unsigned char *at, int pages);

/* The test hangs rather than fails where nobody gets on: end it. */
void give_up_after(unsigned seconds);

#endif
