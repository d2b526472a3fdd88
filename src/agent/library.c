/* library.c: maps and relocates a library. See library.h. */
#include "library.h"

#include <asm/prctl.h>
#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>

#include "../loader.h"
#include "../memory.h"
#include "../sys.h"
#include "../text.h"
#include "image.h"

/* ----------------------------------------------------------- dynamic section */

struct library {
	uintptr_t base;
	const Elf64_Sym *symbols;
	const char *strings;
	const uint32_t *hash;           /* DT_GNU_HASH */
	const Elf64_Rela *relocations[2]; /* DT_RELA, DT_JMPREL */
	size_t sizes[2];
};

static void read_dynamic(struct library *library, const Elf64_Dyn *entry)
{
	for (; entry->d_tag != DT_NULL; entry++) {
		uintptr_t address = library->base + entry->d_un.d_ptr;

		switch (entry->d_tag) {
		case DT_SYMTAB: library->symbols = (const Elf64_Sym *)address; break;
		case DT_STRTAB: library->strings = (const char *)address; break;
		case DT_GNU_HASH: library->hash = (const uint32_t *)address; break;
		case DT_RELA: library->relocations[0] = (const Elf64_Rela *)address; break;
		case DT_RELASZ: library->sizes[0] = entry->d_un.d_val; break;
		case DT_JMPREL: library->relocations[1] = (const Elf64_Rela *)address; break;
		case DT_PLTRELSZ: library->sizes[1] = entry->d_un.d_val; break;
		default: break;
		}
	}
}

static const Elf64_Dyn *find_dynamic(const struct image *image)
{
	const Elf64_Phdr *headers = (const Elf64_Phdr *)image->headers;

	for (size_t i = 0; i < image->header_count; i++)
		if (headers[i].p_type == PT_DYNAMIC)
			return (const Elf64_Dyn *)(image->base + headers[i].p_vaddr);
	return NULL;
}

/* -------------------------------------------------------------------- symbols */

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

/* The table: how many buckets, the first symbol in it, the words of its filter and a
 * shift; the filter, the buckets, and for each symbol its hash, whose lowest bit
 * ends a bucket. */
void *loader_find(void *where, const char *name)
{
	const struct library *library = where;
	const uint32_t *hash = library->hash, wanted = hash_of(name);
	uint32_t buckets = hash[0], first = hash[1], filter_words = hash[2];
	const uint32_t *bucket = hash + 4 + filter_words * 2, *chain = bucket + buckets;
	uint32_t number = buckets ? bucket[wanted % buckets] : 0;

	if (number < first)
		return NULL;
	for (;; number++) {
		const Elf64_Sym *symbol = &library->symbols[number];

		if ((chain[number - first] | 1) == (wanted | 1) &&
		    string_equal(library->strings + symbol->st_name, name))
			return (void *)(library->base + symbol->st_value);
		if (chain[number - first] & 1)
			return NULL;
	}
}

/* What it calls when it has found itself wrong: there is no way on. */
static _Noreturn void end_of_it(void)
{
	__builtin_trap();
}

static size_t length_of(const char *string)
{
	return string_length(string);
}

static bool resolve(const struct library *library, size_t number, uintptr_t *address)
{
	static const struct {
		const char *name;
		void *function;
	} ours[] = {
		{ "memcpy", (void *)memcpy },
		{ "memset", (void *)memset },
		{ "strlen", (void *)length_of },
		{ "__stack_chk_fail", (void *)end_of_it },
		{ "__assert_fail", (void *)end_of_it },
	};
	const Elf64_Sym *symbol = &library->symbols[number];
	const char *name = library->strings + symbol->st_name;

	*address = symbol->st_shndx ? library->base + symbol->st_value : 0;
	if (symbol->st_shndx || ELF64_ST_BIND(symbol->st_info) == STB_WEAK)
		return true;
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (string_equal(ours[i].name, name))
			*address = (uintptr_t)ours[i].function;
	return *address != 0;
}

static bool relocate_one(const struct library *library, const Elf64_Rela *relocation)
{
	uintptr_t *place = (uintptr_t *)(library->base + relocation->r_offset), address;

	switch (ELF64_R_TYPE(relocation->r_info)) {
	case R_X86_64_RELATIVE:
		*place = library->base + (uintptr_t)relocation->r_addend;
		return true;
	case R_X86_64_64:
	case R_X86_64_GLOB_DAT:
	case R_X86_64_JUMP_SLOT:
		if (!resolve(library, ELF64_R_SYM(relocation->r_info), &address))
			return false;
		*place = address + (uintptr_t)relocation->r_addend;
		return true;
	default:
		return false;
	}
}

static bool relocate(const struct library *library)
{
	for (int table = 0; table < 2; table++)
		for (size_t i = 0; i < library->sizes[table] / sizeof(Elf64_Rela); i++)
			if (!relocate_one(library, &library->relocations[table][i]))
				return false;
	return true;
}

/* ----------------------------------------------------------------------- file */

static int open_in(const char *folder, const char *soname)
{
	char path[256];
	struct text text = text_in(path, sizeof path - 1);
	long fd;

	text_add(&text, folder);
	text_add(&text, "/");
	text_add(&text, soname);
	path[text.length] = '\0';
	fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	return sys_failed(fd) ? -1 : (int)fd;
}

/* Where distributions have libraries, and who builds them by hand. */
static int find_file(const char *soname)
{
	static const char *const folders[] = {
		"/usr/" DL_LIB, "/" DL_LIB, "/usr/lib64", "/lib64", "/usr/lib", "/usr/local/lib",
	};
	int fd = -1;

	for (size_t i = 0; i < sizeof folders / sizeof *folders && fd < 0; i++)
		fd = open_in(folders[i], soname);
	return fd;
}

bool loader_may_open(void)
{
	return true;
}

void *loader_open(const char *soname)
{
	static struct library library;
	static struct image image;
	int fd = library.base ? -1 : find_file(soname);
	const Elf64_Dyn *dynamic;
	long result;

	if (fd < 0)
		return NULL;
	result = image_map(fd, &image);
	sys_close(fd);
	dynamic = result ? NULL : find_dynamic(&image);
	if (!dynamic)
		return NULL;
	library.base = image.base;
	read_dynamic(&library, dynamic);
	if (!library.symbols || !library.strings || !library.hash || !relocate(&library))
		return NULL;
	return &library;
}

/* -------------------------------------------------------------------- calls */

/* A control block that holds what compilers look for: the stack protector's word. */
static uintptr_t control_block[16];

void library_enter(uintptr_t *before)
{
	SYS_CALL(SYS_arch_prctl, ARCH_GET_FS, before, 0, 0, 0, 0);
	SYS_CALL(SYS_arch_prctl, ARCH_SET_FS, control_block, 0, 0, 0, 0);
}

void library_leave(uintptr_t before)
{
	SYS_CALL(SYS_arch_prctl, ARCH_SET_FS, before, 0, 0, 0, 0);
}
