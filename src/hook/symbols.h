/* hook/symbols.h: the next definition of a symbol, without dlsym.
 *
 * dlsym takes the loader's lock and may call malloc, and is slow for many names.
 * The loader's list of objects (_r_debug, link.h) and the hash tables that each
 * object has mapped say the same. Nothing is locked or allocated, so this works
 * before any constructor. The list is walked without the loader's lock, but no
 * further than it reached the first time: what was loaded by then is never closed. */
#ifndef JITMEND_SYMBOLS_H
#define JITMEND_SYMBOLS_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>

struct symbol {
	unsigned short place; /* of the pointer, as offsetof */
	char name[30];
};

/* For each of COUNT symbols whose place behind BASE is NULL: the definition that
 * comes next behind this library in the order of search goes there, if any.
 * False: an object on the way is not like others, and dlsym must be asked. */
bool symbols_find(const struct symbol *symbols, size_t count, void *base);

/* The loaded object of that DT_SONAME, the first in the list; NULL as the name is
 * this library. NULL: there is none. */
const struct link_map *symbols_library(const char *soname);

bool symbols_has_soname(const struct link_map *map, const char *soname);

/* The same from that one object alone. */
bool symbols_find_in(const struct link_map *map, const struct symbol *symbols, size_t count,
		     void *base);

#endif
