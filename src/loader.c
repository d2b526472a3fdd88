/* loader.c: whose malloc dlopen would call. See loader.h. */
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
