/* hostfilter.h: what a seccomp filter that the program puts upon itself says of calls of the
 * engine's.
 *
 * Such a filter knows nothing of the engine. Where it answers with an error that is an
 * answer like others; but it may raise SIGSYS or end the process, as browsers' do. So the
 * program of a filter is read before it is installed (classic BPF, seccomp(2)), and asked
 * about those calls that the engine has another way for. The most severe of all filters
 * counts, and what one thread has forbidden itself nobody does. Where it is installed past
 * libc's functions it is not seen.
 *
 * Freestanding. The reading: any context but the fault handler. */
#ifndef JITMEND_HOSTFILTER_H
#define JITMEND_HOSTFILTER_H

#include <stdbool.h>
#include <stdint.h>

enum hostfilter_call {
	HOSTFILTER_QUERY,        /* ioctl, PROCMAP_QUERY */
	HOSTFILTER_POPULATE,     /* mmap, MAP_POPULATE */
	HOSTFILTER_NOREPLACE,    /* mmap, MAP_FIXED_NOREPLACE */
	HOSTFILTER_READ_MEMORY,  /* process_vm_readv */
	HOSTFILTER_WRITE_MEMORY, /* process_vm_writev */
	HOSTFILTER_OPEN,         /* openat */
	HOSTFILTER_NEW_FILE,     /* memfd_create */
	HOSTFILTER_TRUNCATE,     /* ftruncate */
	HOSTFILTER_ALLOCATE,     /* fallocate */
	HOSTFILTER_WRITE_AT,     /* pwrite64 */
	HOSTFILTER_SEEK,         /* lseek */
	HOSTFILTER_LIMIT,        /* prlimit64 */
	HOSTFILTER_PIPE,         /* pipe2 */
	HOSTFILTER_TREE,         /* open_tree */
	HOSTFILTER_FILTER,       /* seccomp */
	HOSTFILTER_PENDING,      /* rt_sigpending */
	HOSTFILTER_CALLS
};

/* Whether that call would end in a signal or in death. One load. */
bool hostfilter_ends(enum hostfilter_call call);

/* MAP_FIXED_NOREPLACE, or nothing, where an address is only a wish then, as before Linux
 * 4.17. */
int hostfilter_noreplace(void);

/* PROGRAM: a struct sock_fprog of the program's, which may lead nowhere. */
void hostfilter_read(uintptr_t program);

/* What the filter, COUNT instructions of struct sock_filter, returns for a call (the
 * kernel's SECCOMP_RET_*); without a meaning it is SECCOMP_RET_ALLOW. */
struct seccomp_data;
struct sock_filter;
uint32_t hostfilter_run(const struct sock_filter *filter, unsigned count,
			const struct seccomp_data *data);

#endif
