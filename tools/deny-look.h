/* deny-look.h: what /proc tells of a supervised thread's process.
 *
 * The thread is blocked in its call meanwhile; other threads run on, so a view
 * is a moment's. Needs PTRACE_MODE_READ (the same user, and dumpable); the
 * personality and the stack pointer need PTRACE_MODE_ATTACH, which Yama may
 * refuse. What cannot be read is left as the comments below say. */
#ifndef JITMEND_DENY_LOOK_H
#define JITMEND_DENY_LOOK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "deny-rules.h"

/* The mappings and the places of heap and stack. FILE is "maps", or "smaps"
 * which also tells may_exec and written. Keeps VIEW's room from call to call.
 * Returns false when they are not to be seen. */
bool look_at_memory(pid_t thread, const char *file, struct view *view);

/* Whether READ_IMPLIES_EXEC is set; OTHERWISE where it cannot be read. */
bool look_at_personality(pid_t thread, bool otherwise);

/* 0 where it cannot be read. */
uint64_t look_at_stack_pointer(pid_t thread);

/* What an mmap of descriptor FD would map. Returns false for no descriptor. */
bool look_at_descriptor(pid_t thread, int fd, enum backing *backing, bool *noexec);

/* The process's id, and the thread's name. */
pid_t look_at_process(pid_t thread);
void look_at_name(pid_t thread, char name[static 32]);

#endif
