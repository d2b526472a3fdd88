/* loader.c: libc's loader, and whose malloc it would call. See loader.h. */
#include "loader.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>

static bool malloc_is_the_programs(void)
{
	const ElfW(Sym) *symbol = NULL;
	struct link_map *map = NULL;
	Dl_info info;

	if (!dladdr1((void *)(uintptr_t)malloc, &info, (void **)&symbol, RTLD_DL_SYMENT) ||
	    !dladdr1((void *)(uintptr_t)malloc, &info, (void **)&map, RTLD_DL_LINKMAP) || !map)
		return false;
	/* A program that takes malloc's address has a stub for it, and no section. */
	return map->l_name[0] == '\0' && !(symbol && symbol->st_shndx == SHN_UNDEF);
}

bool loader_may_open(void)
{
	return !malloc_is_the_programs();
}

/* RTLD_NOW: the loader is not to be asked again in the fault handler. */
void *loader_open(const char *soname)
{
	return loader_may_open() ? dlopen(soname, RTLD_NOW | RTLD_LOCAL) : NULL;
}

void *loader_find(void *library, const char *name)
{
	return dlsym(library, name);
}
