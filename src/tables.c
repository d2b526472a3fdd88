/* tables.c: a mapping for each table. See tables.h. */
#include "tables.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "sys.h"

/* Two threads at once make two, and one goes. */
bool tables_make(table_place *place, size_t bytes)
{
	void *none = NULL;
	long made;

	if (atomic_load(place))
		return true;
	made = sys_mmap(0, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (sys_failed(made))
		return atomic_load(place) != NULL;
	if (!atomic_compare_exchange_strong(place, &none, (void *)made))
		sys_munmap((uintptr_t)made, bytes);
	return true;
}
