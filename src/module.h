/* module.h: which file an address lies in, and where in it.
 *
 * Modules are noted the first time that an address of theirs is asked for, with
 * path and build id, so that a module that is closed meanwhile still has its
 * name when an event of its time is written down.
 *
 * Any thread, any context but the fault handler; no lock of the loader's is
 * taken. A number, once given, stays. */
#ifndef JITMEND_MODULE_H
#define JITMEND_MODULE_H

#include <stdbool.h>
#include <stdint.h>

#define MODULE_UNKNOWN 0u /* no file: generated code, or not to be told */

struct module {
	const char *path;     /* never NULL, may be cut off */
	const char *build_id; /* in hexadecimal, "" where it has none */
};

/* A place in the program: a module and the address that its ELF file was linked
 * for, or, in none, the address itself. */
struct place {
	unsigned module;
	uint64_t offset;
};

/* Before any address is asked for. False: no memory for it, and every module is
 * unknown. */
bool module_make_room(void);

struct place module_place(uintptr_t address);
struct module module_describe(unsigned number);

#endif
