/* codefile.h: a new file that nobody else can open, of which pages may be executed here.
 *
 * A memfd, or, where the kernel or a policy refuses to execute from one, an
 * unlinked file on a mount that allows it; each is tried with a mapping before
 * it is used. Never MFD_EXEC: vm.memfd_noexec=2 refuses it, and mapping needs
 * it not (memfd_create(2)).
 *
 * What kind there was last is remembered: the caller holds the lock, or is alone, but for
 * the first three. Freestanding. Errors are negated errnos. */
#ifndef JITMEND_CODEFILE_H
#define JITMEND_CODEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What maps files calls a memfd of ours. */
#define CODEFILE_NAME "jitmend"

/* The kinds of file that are tried, the best first: "memfd", or a folder; NULL behind
 * the last. */
const char *codefile_kind(unsigned kind);

/* A new file of that kind, a page long, whose pages may be executed: a descriptor, the
 * caller's. NAME is for a memfd. */
long codefile_try(unsigned kind, const char *name);

/* A memfd, whether or not it may be executed. */
long codefile_memfd(const char *name);

/* The same, of the best kind that can be had. */
long codefile_new(const char *name);

/* Bytes of a file. */
struct extent {
	uint64_t at;
	size_t length;
};

/* The same, of LENGTH bytes, of which those may be touched: where there is no room for
 * them, a file of another kind. */
long codefile_with_room(size_t length, const struct extent touched[2]);

/* The kind of the last file is full, and is not tried again. False: there is no other. */
bool codefile_go_on(void);

#endif
