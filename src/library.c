/* library.c: maps and relocates a library. See library.h. */
#include "library.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "memory.h"
#include "own.h"
#include "sys.h"
#include "text.h"

/* ----------------------------------------------------------- dynamic section */

/* With addends of their own, or with what stands at the place for one. */
struct relocation {
#if defined(__i386__)
	ElfW(Rel) entry;
#define RELOCATIONS DT_REL
#define RELOCATIONS_SIZE DT_RELSZ
#else
	ElfW(Rela) entry;
#define RELOCATIONS DT_RELA
#define RELOCATIONS_SIZE DT_RELASZ
#endif
};

/* A place may lie in a packed structure. */
struct word {
	uintptr_t value;
} __attribute__((packed));

static uintptr_t addend_of(const struct relocation *relocation, const struct word *place)
{
#if defined(__i386__)
	/* What stands where a function's address goes is of no use to us. */
	bool none = ELF32_R_TYPE(relocation->entry.r_info) == ARCH_RELOCATION_FUNCTION ||
		    ELF32_R_TYPE(relocation->entry.r_info) == ARCH_RELOCATION_DATA;

	return none ? 0 : place->value;
#else
	(void)place;
	return (uintptr_t)relocation->entry.r_addend;
#endif
}

struct library {
	struct link_map map; /* as far as symbols_find_in() reads it */
	const ElfW(Sym) *symbols;
	const char *strings;
	const struct relocation *relocations[2]; /* RELOCATIONS, DT_JMPREL */
	size_t sizes[2];
};

static void read_dynamic(struct library *library, const ElfW(Dyn) *entry)
{
	for (; entry->d_tag != DT_NULL; entry++) {
		uintptr_t address = library->map.l_addr + entry->d_un.d_ptr;

		switch (entry->d_tag) {
		case DT_SYMTAB: library->symbols = (const ElfW(Sym) *)address; break;
		case DT_STRTAB: library->strings = (const char *)address; break;
		case RELOCATIONS: library->relocations[0] = (const struct relocation *)address; break;
		case RELOCATIONS_SIZE: library->sizes[0] = entry->d_un.d_val; break;
		case DT_JMPREL: library->relocations[1] = (const struct relocation *)address; break;
		case DT_PLTRELSZ: library->sizes[1] = entry->d_un.d_val; break;
		default: break;
		}
	}
}

/* -------------------------------------------------------------------- symbols */

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
	const ElfW(Sym) *symbol = &library->symbols[number];
	const char *name = library->strings + symbol->st_name;

	*address = symbol->st_shndx ? library->map.l_addr + symbol->st_value : 0;
	if (symbol->st_shndx || ELF32_ST_BIND(symbol->st_info) == STB_WEAK)
		return true;
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (string_equal(ours[i].name, name))
			*address = (uintptr_t)ours[i].function;
	return *address != 0;
}

static bool relocate_one(const struct library *library, const struct relocation *relocation)
{
	struct word *place = (struct word *)(library->map.l_addr + relocation->entry.r_offset);
	ElfW(Addr) number = relocation->entry.r_info >> (sizeof number == 8 ? 32 : 8);
	uintptr_t addend = addend_of(relocation, place), address;

	switch (relocation->entry.r_info & (sizeof number == 8 ? 0xffffffff : 0xff)) {
	case ARCH_RELOCATION_RELATIVE:
		place->value = library->map.l_addr + addend;
		return true;
	case ARCH_RELOCATION_WORD:
	case ARCH_RELOCATION_DATA:
	case ARCH_RELOCATION_FUNCTION:
		if (!resolve(library, number, &address))
			return false;
		place->value = address + addend;
		return true;
	default:
		return false;
	}
}

static bool relocate(const struct library *library)
{
	for (int table = 0; table < 2; table++)
		for (size_t i = 0; i < library->sizes[table] / sizeof(struct relocation); i++)
			if (!relocate_one(library, &library->relocations[table][i]))
				return false;
	return true;
}

/* -------------------------------------------------------------------- mapping */

#define MOST_HEADERS 16 /* as linkers make them it is some ten */

struct headers {
	ElfW(Ehdr) file;
	ElfW(Phdr) segments[MOST_HEADERS];
};

/* To touch what is mapped past the end of a file raises a signal. */
static bool is_whole(const struct headers *headers, uint64_t size)
{
	for (size_t i = 0; i < headers->file.e_phnum; i++) {
		const ElfW(Phdr) *segment = &headers->segments[i];

		if (segment->p_filesz > size || segment->p_offset > size - segment->p_filesz)
			return false;
	}
	return true;
}

/* All of them stand in its first page: what linkers make begins so. */
static long read_headers(int fd, struct headers *headers)
{
	struct stat64 status;
	const ElfW(Ehdr) *file;
	long map = sys_fstat(fd, &status);
	bool known;

	if (sys_failed(map) || status.st_size == 0)
		return map ? map : -ENOEXEC;
	map = sys_mmap(0, PAGE_BYTES, PROT_READ, MAP_PRIVATE, fd, 0);
	if (sys_failed(map))
		return map;
	file = (const ElfW(Ehdr) *)map;
	known = memcmp(file->e_ident, ELFMAG, SELFMAG) == 0 &&
		file->e_ident[EI_CLASS] == (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) &&
		file->e_machine == ARCH_ELF_MACHINE &&
		file->e_type == ET_DYN && file->e_phentsize == sizeof(ElfW(Phdr)) &&
		file->e_phnum <= MOST_HEADERS &&
		file->e_phoff <= PAGE_BYTES - MOST_HEADERS * sizeof(ElfW(Phdr));
	if (known) {
		headers->file = *file;
		memcpy(headers->segments, (const char *)map + file->e_phoff,
		       file->e_phnum * sizeof(ElfW(Phdr)));
	}
	sys_munmap((uintptr_t)map, PAGE_BYTES);
	return known && is_whole(headers, (uint64_t)status.st_size) ? 0 : -ENOEXEC;
}

static int protection_of(const ElfW(Phdr) *segment)
{
	return (segment->p_flags & PF_R ? PROT_READ : 0) | (segment->p_flags & PF_W ? PROT_WRITE : 0) |
	       (segment->p_flags & PF_X ? PROT_EXEC : 0);
}

/* Within what was reserved. Memory behind the file's end is what was reserved, too. */
static long map_segment(int fd, const ElfW(Phdr) *segment, uintptr_t base)
{
	uintptr_t start = base + page_down(segment->p_vaddr);
	uintptr_t file_end = base + segment->p_vaddr + segment->p_filesz, end = page_up(file_end);
	uintptr_t whole_end = page_up(base + segment->p_vaddr + segment->p_memsz);
	int protection = protection_of(segment);
	long made;

	if ((protection & (PROT_WRITE | PROT_EXEC)) == (PROT_WRITE | PROT_EXEC))
		return -ENOEXEC;
	made = sys_mmap(start, end - start, protection, MAP_PRIVATE | MAP_FIXED, fd,
			(int64_t)page_down(segment->p_offset));
	if (sys_failed(made))
		return made;
	if (segment->p_memsz > segment->p_filesz && protection & PROT_WRITE)
		memset((void *)file_end, 0, end - file_end);
	return whole_end <= end ? 0 : sys_mprotect(end, whole_end - end, protection, -1);
}

static uintptr_t end_of(const struct headers *headers)
{
	uintptr_t end = 0;

	for (size_t i = 0; i < headers->file.e_phnum; i++) {
		const ElfW(Phdr) *segment = &headers->segments[i];

		if (segment->p_type == PT_LOAD && page_up(segment->p_vaddr + segment->p_memsz) > end)
			end = page_up(segment->p_vaddr + segment->p_memsz);
	}
	return end;
}

static long map_segments(int fd, const struct headers *headers, struct library *library)
{
	for (size_t i = 0; i < headers->file.e_phnum; i++) {
		const ElfW(Phdr) *segment = &headers->segments[i];
		long result = segment->p_type == PT_LOAD ?
				      map_segment(fd, segment, library->map.l_addr) : 0;

		if (result)
			return result;
	}
	for (size_t i = 0; i < headers->file.e_phnum; i++)
		if (headers->segments[i].p_type == PT_DYNAMIC)
			library->map.l_ld = (ElfW(Dyn) *)(library->map.l_addr +
							  headers->segments[i].p_vaddr);
	if (!library->map.l_ld)
		return -ENOEXEC;
	read_dynamic(library, library->map.l_ld);
	return library->symbols && library->strings && relocate(library) ? 0 : -ENOEXEC;
}

/* What only the relocation had to write to. */
static void protect_relocated(const struct headers *headers, uintptr_t base)
{
	for (size_t i = 0; i < headers->file.e_phnum; i++) {
		const ElfW(Phdr) *segment = &headers->segments[i];
		uintptr_t start = base + segment->p_vaddr, end = start + segment->p_memsz;

		if (segment->p_type == PT_GNU_RELRO)
			sys_mprotect(page_down(start), page_down(end) - page_down(start), PROT_READ,
				     -1);
	}
}

long library_map(int fd, const struct link_map **map)
{
	static struct library library;
	static long place; /* kept for when it is tried again */
	struct headers headers;
	long result;

	result = library.map.l_ld ? -ENOEXEC : read_headers(fd, &headers);
	if (result)
		return result;
	if (place <= 0)
		place = own_addresses(end_of(&headers));
	if (sys_failed(place))
		return place;
	library.map.l_addr = (uintptr_t)place;
	result = map_segments(fd, &headers, &library);
	if (result) {
		library = (struct library){ 0 };
		return result;
	}
	protect_relocated(&headers, library.map.l_addr);
	*map = &library.map;
	return 0;
}

/* ----------------------------------------------------------------------- file */

static long open_in(const char *folder, const char *soname)
{
	char path[256];
	struct text text = text_in(path, sizeof path - 1);

	text_add(&text, folder);
	text_add(&text, "/");
	text_add(&text, soname);
	path[text.length] = '\0';
	return sys_open(path, O_RDONLY | O_CLOEXEC, 0);
}

long library_find(const char *soname)
{
	static const char *const folders[] = {
		"/usr/" DL_LIB, "/" DL_LIB, "/usr/lib64", "/lib64", "/usr/lib",
		"/usr/local/" DL_LIB, "/usr/local/lib",
	};
	long error = -ENOENT;

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		long fd = open_in(folders[i], soname);

		if (!sys_failed(fd))
			return fd;
		if (fd != -ENOENT && fd != -ENOTDIR)
			error = fd;
	}
	return error;
}
