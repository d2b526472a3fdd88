/* filter.h: which system calls of the process become SIGSYS.
 *
 * Calls that the engine does not mind are told by their number alone, which the
 * kernel remembers (seccomp(2), since Linux 5.11): they cost nothing. What comes from
 * the agent's own code is let through. Needs no privilege, for PR_SET_NO_NEW_PRIVS
 * is set, which the process and all that it becomes keep. */
#ifndef JITMEND_FILTER_H
#define JITMEND_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SECCOMP_RET_DATA of the filter's traps, by which they are known from a host's. */
#define FILTER_MARK 0x6a6d

/* 0 or a negated errno. */
long filter_install(void);

/* From now on every mmap becomes SIGSYS, not only those that may want executable memory:
 * READ_IMPLIES_EXEC says that they may, and an account of mappings is of all. False: the
 * filter cannot be had. Not where a filter of the program's ends who calls seccomp(2). */
bool filter_watch_mappings(void);

/* From now on calls that have the kernel write near there become SIGSYS as well, in
 * all threads. Of these two one caller at a time, with the lock; async-signal-safe. */
void filter_watch_writes(uintptr_t address, size_t length);

#endif
