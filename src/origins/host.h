/* host.h: what libjitmend.so lent. See origins.h. */
#ifndef JITMEND_ORIGINS_HOST_H
#define JITMEND_ORIGINS_HOST_H

#include <stdbool.h>
#include <stdint.h>

/* False once it is known that nobody asks. */
bool host_wants(void);

/* An allocation is about to be given back. */
void host_freed(uintptr_t address);

#endif
