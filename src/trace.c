/* trace.c: which module an address lies in. See trace.h.
 *
 * dladdr takes the loader's lock; _dl_find_object (glibc 2.35) takes none. An
 * older glibc is served from the kernel's view, where the offset is the one in
 * the file: the same but for rare layouts. */
#include "trace.h"

#include <dlfcn.h>
#include <link.h>

#include "sys.h"
#include "vma.h"

#ifdef DLFO_STRUCT_HAS_EH_DBASE /* dlfcn.h knows _dl_find_object */
extern __typeof__(_dl_find_object) _dl_find_object __attribute__((weak));

/* The main program has no name in the loader's list. Not on the stack, which
 * may be a small one: whoever else writes it writes the same. */
static void describe_program(struct text *text)
{
	static char program[1024];
	long length = sys_readlink("/proc/self/exe", program, sizeof program);

	if (sys_failed(length))
		text_add(text, "program");
	else
		text_add_quoted(text, program, (size_t)length);
}

static bool describe_object(struct text *text, uintptr_t address)
{
	struct dl_find_object found;
	const char *name;

	if (!_dl_find_object || _dl_find_object((void *)address, &found) != 0)
		return false;
	name = found.dlfo_link_map->l_name;
	if (name[0] == '\0')
		describe_program(text);
	else
		text_add_quoted(text, name, SIZE_MAX);
	text_add(text, "+");
	text_add_hex(text, address - found.dlfo_link_map->l_addr);
	return true;
}
#else
static bool describe_object(struct text *text, uintptr_t address)
{
	(void)text, (void)address;
	return false;
}
#endif

void trace_describe(struct text *text, uintptr_t address)
{
	struct vma vma;

	if (describe_object(text, address))
		return;
	if (vma_find(address, &vma) || vma.start > address) {
		text_add(text, "unknown code at ");
		text_add_hex(text, address);
		return;
	}
	if (vma.inode == 0) {
		text_add(text, "generated code at ");
		text_add_hex(text, address);
		return;
	}
	text_add_quoted(text, vma.name, sizeof vma.name);
	text_add(text, "+");
	text_add_hex(text, address - vma.start + vma.offset);
}
