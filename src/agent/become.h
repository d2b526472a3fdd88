/* become.h: the process becomes another program, by way of the agent.
 *
 * What execve(2) would refuse is refused here, as long as there is a way back. May
 * run in a child of vfork, on its parent's memory: nothing of it is changed. */
#ifndef JITMEND_BECOME_H
#define JITMEND_BECOME_H

#include <stdbool.h>

/* Keeps the agent's own file, to be executed again; by EXECUTED, AT_EXECFN, where /proc does
 * not tell. Once. */
void become_begin(const char *executed);

/* The program's file, by the descriptor that it was opened with: what /proc/self/exe
 * would lead to, where the kernel has the agent. Once, if at all. */
void become_note_program(int fd);
const char *become_program(void);

/* Whether a path is a name of /proc/self/exe. */
bool become_is_own_exe(const char *path);

/* What execveat(2) takes; the pointers are the program's. */
struct exec {
	int folder;
	long path, arguments, environment;
	int flags;
};

/* Returns a negated errno, or not. */
long become(const struct exec *exec);

#endif
