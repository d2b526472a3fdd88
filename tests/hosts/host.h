/* host.h: what the test hosts share.
 *
 * A host is a small program with one bad habit (or a few related ones), cut
 * into parts that are named on its command line. What it prints depends on
 * nothing but the program: no process id, no address, no time. So a run under
 * jitmend must print to the letter what a run without it prints, and that is
 * the whole test. Where a host can judge for itself, it prints a verdict. */
#ifndef JITMEND_TESTS_HOST_H
#define JITMEND_TESTS_HOST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#define PAGE ((size_t)4096)
#define RW (PROT_READ | PROT_WRITE)
#define RX (PROT_READ | PROT_EXEC)
#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)

struct part {
	const char *name;
	void (*run)(void);
};

/* Runs the parts that the command line names, in its order. The option
 * --syscall in front sends the calls below through libc's syscall(). */
int host_main(const struct part *parts, int argc, char **argv);

/* The calls under test, by their own name or through syscall(). */
int do_mprotect(void *at, size_t length, int protection);
void *do_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset);
int do_munmap(void *at, size_t length);
void *do_mremap(void *at, size_t length, size_t new_length, int flags, void *new_at);
int do_madvise(void *at, size_t length, int advice);

/* A function that returns VALUE, CODE_BYTES of it; and the call of it. Its first byte is
 * CODE_BEGINS; the value is kept CODE_VALUE_AT bytes from its start, as an int; functions
 * in a row stand CODE_ROOM apart, which is where what is beside one may begin. */
#if defined(__x86_64__) || defined(__i386__)
enum { CODE_BYTES = 6, CODE_BEGINS = 0xb8, CODE_VALUE_AT = 1, CODE_ROOM = 8 };
#elif defined(__aarch64__)
enum { CODE_BYTES = 12, CODE_BEGINS = 0x40, CODE_VALUE_AT = 8, CODE_ROOM = 16 };
#else
#error "no machine code known for this processor"
#endif
void code_write(void *at, int value);
int code_run(const void *at);

/* The host cannot go on: something that the test takes for granted is missing. */
void must(bool holds, const char *what);

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "WHAT: 0", or "WHAT: -1 ENOMEM" from errno. */
void say_result(const char *what, long result);
/* The protection of each page as the kernel tells it: "WHAT: rwx rw- ---". */
void say_protection(const char *what, const void *at, size_t pages);
/* How a child ended: "WHAT: exit 3", "WHAT: signal 11". Waits for it. */
void say_child(const char *what, pid_t child);

/* Zeroed memory of malloc's, whole pages on the brk heap. */
unsigned char *heap_pages(size_t pages);
/* Zeroed pages from sbrk() itself. */
unsigned char *sbrk_pages(size_t pages);
/* An unlinked file of LENGTH bytes; page N is filled with the letter 'a' + N. */
int temporary_file(size_t length);
/* A private writable mapping of such a file. Nothing is written yet. */
unsigned char *file_pages(size_t pages);

bool all_bytes(const void *at, size_t length, int byte);

/* The same numbers in every run. */
uint32_t random_number(uint32_t *state);

#endif
