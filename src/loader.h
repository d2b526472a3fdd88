/* loader.h: whether libc may open a library for us in the program's process.
 *
 * For the constructor; no lock of ours is held. */
#ifndef JITMEND_LOADER_H
#define JITMEND_LOADER_H

#include <stdbool.h>

/* dlopen calls malloc. A program with a malloc of its own may not be ready for
 * that before its main has begun (GCL is not). */
bool loader_may_open(void);

#endif
