/* image.h: a program's file in memory, as execve(2) would have it there.
 *
 * Through the engine: a segment that is to be writable and executable is a request
 * like any other. Errors are negated errnos. */
#ifndef JITMEND_IMAGE_H
#define JITMEND_IMAGE_H

#include <linux/limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image {
	uintptr_t base;          /* what is added to the file's addresses */
	uintptr_t entry;
	uintptr_t headers;       /* its program headers, in memory */
	size_t header_count;
	uintptr_t code, code_end, data, data_end;
	uintptr_t end;           /* of all that it has, .bss too */
	bool executable_stack;   /* PT_GNU_STACK asks for it */
	char loader[PATH_MAX];   /* the program that starts it; "": none */
};

/* Whether FD is an ELF file of this machine that can be mapped: 0, -ENOEXEC, or
 * what reading says. In any thread, on a signal stack. */
long image_look(int fd);

/* Maps it: where programs go if it has a loader, else where libraries go. Before there
 * are other threads. */
long image_map(int fd, struct image *image);

#endif
