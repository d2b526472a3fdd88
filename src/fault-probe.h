/* fault-probe.h: places where a debugger or a tracer may look in.
 *
 * A probe is one nop, and a note in the library's file that says where it lies and
 * where its arguments are; strip(1) leaves the note alone. gdb(1) finds it as
 * -probe-stap jitmend:NAME. Async-signal-safe. Without systemtap's <sys/sdt.h> at
 * build time there are none. */
#ifndef JITMEND_FAULT_PROBE_H
#define JITMEND_FAULT_PROBE_H

#include "config.h"

#ifdef HAVE_SYS_SDT_H
#include <sys/sdt.h>
/* The program's own fault: about to go to its handler, or to end it. */
#define PROBE_FAULT(address, instruction) DTRACE_PROBE2(jitmend, fault, address, instruction)
#else
#define PROBE_FAULT(address, instruction) ((void)(address), (void)(instruction))
#endif

#endif
