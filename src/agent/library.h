/* library.h: one shared library, loaded without a loader (it stands in for
 * ../loader.h, whose functions are defined here).
 *
 * For libraries that want of others no more than memcpy, memset and strlen, which
 * Zydis does: mapped, relocated, never closed. No constructor is run, no other
 * library is opened, versions are not looked at. Sources: elf(5), the System V ABI's
 * supplement for x86-64.
 *
 * Such code was built with a stack protector, which reads a word of the thread's
 * control block; and whose that is, or whether there is one, only the program knows.
 * So what is called there is called between library_enter and library_leave, with
 * all signals but faults blocked, as they are in the fault handler. */
#ifndef JITMEND_LIBRARY_H
#define JITMEND_LIBRARY_H

#include <stdint.h>

void library_enter(uintptr_t *before);
void library_leave(uintptr_t before);

#endif
