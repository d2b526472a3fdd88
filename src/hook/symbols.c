/* hook/symbols.c: the loader's list of objects. See hook/symbols.h. */
#include "symbols.h"

#include <link.h>
#include <stdatomic.h>
#include <sys/auxv.h>

extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

static const struct link_map *this_library(void)
{
	const struct link_map *map = _r_debug.r_map;

	while (map && map->l_ld != _DYNAMIC)
		map = map->l_next;
	return map;
}

const struct link_map *symbols_library(const char *soname)
{
	const struct link_map *map = _r_debug.r_map;

	if (!soname)
		return this_library();
	while (map && !symbols_has_soname(map, soname))
		map = map->l_next;
	return map;
}

/* The end of the list when it was first walked. What is there by then was loaded
 * before us, or with us, and stays; what comes later may be closed any time. */
static const struct link_map *last_object(const struct link_map *map)
{
	static const struct link_map *_Atomic last;

	if (!atomic_load(&last)) {
		while (map->l_next)
			map = map->l_next;
		atomic_store(&last, map);
	}
	return atomic_load(&last);
}

bool symbols_find(const struct symbol *symbols, size_t count, void *base)
{
	const struct link_map *map = this_library(), *last;
	ElfW(Addr) vdso = getauxval(AT_SYSINFO_EHDR);

	if (!map)
		return false;
	last = last_object(map);
	while (map != last) {
		map = map->l_next;
		if (map->l_addr == vdso)
			continue; /* in the list, but in no order of search */
		if (!symbols_find_in(map, symbols, count, base))
			return false;
	}
	return true;
}
