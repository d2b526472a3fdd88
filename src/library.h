/* library.h: one shared library of ours in the program's process, mapped and relocated
 * without its loader.
 *
 * dlopen takes the loader's lock, calls malloc, and costs half of what /bin/true does:
 * not for a library that most programs never come to need, nor within a hook. This is
 * for libraries that want of others no more than memcpy, memset and strlen, which Zydis
 * does: no constructor is run, no other library is opened, versions are not looked at.
 * Never closed. Sources: elf(5), the System V ABI's supplement for x86-64.
 *
 * Freestanding; no locks: one caller at a time. */
#ifndef JITMEND_LIBRARY_H
#define JITMEND_LIBRARY_H

#include <link.h>

/* Opens the file of that DT_SONAME in the folders where distributions have libraries:
 * its descriptor, or a negated errno, -ENOENT where there is none. */
long library_find(const char *soname);

/* Maps it. The one and only: -ENOEXEC where it is not what it should be, or there is one
 * already; or another negated errno. FD stays open. What symbols_find_in()
 * (hook/symbols.h) reads of a link_map is there. */
long library_map(int fd, const struct link_map **map);

#endif
