/* agent.h: the door for programs that no library can be preloaded into.
 *
 * jitmend-agent is a program that becomes another one without exec: it maps that
 * program's file, and the dynamic loader that the file may name, as the kernel
 * would (image.h), stays beside it in the same process, and jumps to it (start.c).
 * Before that it puts a filter upon the process (filter.h) that turns the system
 * calls which the engine minds into SIGSYS, wherever they are made (trap.h).
 * Filters outlive exec and handlers do not, so whatever the program becomes is led
 * through the agent again (become.h).
 *
 *	jitmend-agent first FILE -- ARGUMENT...
 *	jitmend-agent again|again-fd PATH FILE ARGUMENT...
 *
 * FILE is what is to be executed, a script maybe, PATH the ELF file that this comes
 * to; the arguments begin with the program's own name. "first" puts the filter upon
 * the process, and goes on as if the program had been executed below it. "again-fd":
 * PATH goes by a descriptor that is to be closed. The agent always lies at the same
 * address, which is how the filter knows its calls.
 *
 * Rules: no libc, no thread-local storage: the registers and the memory are the
 * program's from the jump on. Sources: execve(2), elf(5), seccomp(2), the kernel's
 * fs/binfmt_elf.c for what a program finds when it starts. */
#ifndef JITMEND_AGENT_H
#define JITMEND_AGENT_H

/* How many words of the command line come before the program's own. */
#define AGENT_WORDS 4

#endif
