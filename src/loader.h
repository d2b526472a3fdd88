/* loader.h: libraries of ours in the program's process.
 *
 * For the constructor; no lock of ours is held. */
#ifndef JITMEND_LOADER_H
#define JITMEND_LOADER_H

#include <stdbool.h>

/* dlopen calls malloc. A program with a malloc of its own may not be ready for
 * that before its main has begun (GCL is not). */
bool loader_may_open(void);

/* What dlopen and dlsym do, where the first may be called; NULL where it may not.
 * Nobody else sees the library. */
void *loader_open(const char *soname);
void *loader_find(void *library, const char *name);

#endif
