/* check-elf.c: what an ELF file's headers tell of how it will be started. See
 * check.h. Both classes, this machine's byte order; every offset and length in
 * the file is doubted. */
#include <config.h>

#include "check.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined __x86_64__
enum { OUR_MACHINE = EM_X86_64 };
#elif defined __i386__
enum { OUR_MACHINE = EM_386 };
#elif defined __aarch64__
enum { OUR_MACHINE = EM_AARCH64 };
#else
#error "which e_machine is this?"
#endif

enum {
	OUR_CLASS = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32,
	OUR_DATA = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB,
	HEADERS_MAX = 65536 / sizeof(Elf32_Phdr), /* the kernel takes 64 KiB of them */
	DYNAMIC_MAX = 4096,                       /* entries; real programs have 30 */
};

struct elf_file {
	int fd;
	bool wide; /* ELFCLASS64 */
	uint64_t headers;
	unsigned header_count;
};

bool elf_magic(const unsigned char *head)
{
	return memcmp(head, ELFMAG, SELFMAG) == 0;
}

static bool read_at(int fd, void *buffer, size_t size, uint64_t offset)
{
	/* A negative offset is EINVAL, a fault like any other. */
	return pread(fd, buffer, size, (off_t)offset) == (ssize_t)size;
}

static bool read_header(const struct elf_file *file, unsigned index, Elf64_Phdr *header)
{
	Elf32_Phdr narrow;

	if (file->wide)
		return read_at(file->fd, header, sizeof *header,
			       file->headers + index * sizeof *header);
	if (!read_at(file->fd, &narrow, sizeof narrow, file->headers + index * sizeof narrow))
		return false;
	*header = (Elf64_Phdr){
		.p_type = narrow.p_type, .p_offset = narrow.p_offset,
		.p_vaddr = narrow.p_vaddr, .p_filesz = narrow.p_filesz,
		.p_flags = narrow.p_flags,
	};
	return true;
}

static bool find_header(const struct elf_file *file, uint32_t type, Elf64_Phdr *header)
{
	for (unsigned i = 0; i < file->header_count; i++)
		if (read_header(file, i, header) && header->p_type == type)
			return true;
	return false;
}

static bool read_dynamic(const struct elf_file *file, uint64_t table, unsigned index,
			 Elf64_Dyn *entry)
{
	Elf32_Dyn narrow;

	if (file->wide)
		return read_at(file->fd, entry, sizeof *entry, table + index * sizeof *entry);
	if (!read_at(file->fd, &narrow, sizeof narrow, table + index * sizeof narrow))
		return false;
	entry->d_tag = narrow.d_tag;
	entry->d_un.d_val = narrow.d_un.d_val;
	return true;
}

/* Where in the file the byte at ADDRESS lies. */
static bool file_offset(const struct elf_file *file, uint64_t address, uint64_t *offset)
{
	Elf64_Phdr header;

	for (unsigned i = 0; i < file->header_count; i++) {
		if (!read_header(file, i, &header) || header.p_type != PT_LOAD)
			continue;
		if (address < header.p_vaddr || address - header.p_vaddr >= header.p_filesz)
			continue;
		*offset = header.p_offset + (address - header.p_vaddr);
		return true;
	}
	return false;
}

/* A string that fits; anything else reads as empty. */
static void read_string(const struct elf_file *file, uint64_t offset, char *string, size_t size)
{
	ssize_t got = pread(file->fd, string, size, (off_t)offset);

	if (got <= 0 || !memchr(string, '\0', (size_t)got))
		string[0] = '\0';
}

static void read_name(const struct elf_file *file, uint64_t offset, char name[NAME_MAX + 1])
{
	read_string(file, offset, name, NAME_MAX + 1);
}

static bool begins(const char *string, const char *start)
{
	return strncmp(string, start, strlen(start)) == 0;
}

/* These end the program where they are not the first of the preloaded. */
static bool wants_to_be_first(const char *soname)
{
	return begins(soname, "libasan.so") || begins(soname, "libtsan.so") ||
	       begins(soname, "liblsan.so") || begins(soname, "libhwasan.so") ||
	       begins(soname, "libclang_rt.asan") || begins(soname, "libclang_rt.tsan") ||
	       begins(soname, "libclang_rt.lsan") || begins(soname, "libclang_rt.hwasan");
}

/* Reads the dynamic section: the first needed sanitizer, and the file's own
 * soname. Where it is malformed the loader will say so; nothing is found. */
static void look_at_dynamic(const struct elf_file *file, struct elf *elf,
			    char soname[NAME_MAX + 1])
{
	uint64_t strings = 0, name = 0;
	bool named = false;
	Elf64_Phdr header;
	Elf64_Dyn entry;
	unsigned count;

	soname[0] = '\0';
	if (!find_header(file, PT_DYNAMIC, &header))
		return;
	for (count = 0; count < DYNAMIC_MAX; count++) {
		if (!read_dynamic(file, header.p_offset, count, &entry) || entry.d_tag == DT_NULL)
			break;
		if (entry.d_tag == DT_STRTAB && !file_offset(file, entry.d_un.d_val, &strings))
			return;
		if (entry.d_tag == DT_SONAME) {
			name = entry.d_un.d_val;
			named = true;
		}
	}
	if (!strings)
		return;
	if (named)
		read_name(file, strings + name, soname);
	for (unsigned i = 0; i < count; i++) {
		if (!read_dynamic(file, header.p_offset, i, &entry) || entry.d_tag != DT_NEEDED)
			continue;
		read_name(file, strings + entry.d_un.d_val, elf->sanitizer);
		/* What has a separator in its name cannot be preloaded by name. */
		if (wants_to_be_first(elf->sanitizer) && !strpbrk(elf->sanitizer, " :/'\n"))
			return;
	}
	elf->sanitizer[0] = '\0';
}

static bool look_at_start(const struct elf_file *file, struct elf *elf, const char **fault)
{
	char soname[NAME_MAX + 1];
	Elf64_Phdr header;

	look_at_dynamic(file, elf, soname);
	if (!find_header(file, PT_INTERP, &header)) {
		elf->start = begins(soname, "ld-linux") ? START_IS_LOADER : START_STATIC;
		return true;
	}
	*fault = "names no dynamic loader where its ELF header says that it does";
	if (header.p_filesz < 2 || header.p_filesz > sizeof elf->loader)
		return false;
	if (!read_at(file->fd, elf->loader, header.p_filesz, header.p_offset))
		return false;
	if (elf->loader[header.p_filesz - 1] != '\0')
		return false;
	elf->start = START_LOADER;
	return true;
}

/* Where FILE has its program headers; false, and *FAULT says why, where there are none
 * to be read. */
static bool find_headers(struct elf_file *file, const char **fault)
{
	unsigned wanted = file->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr), size, type;
	Elf32_Ehdr narrow;
	Elf64_Ehdr wide;
	Elf64_Phdr header;

	*fault = "is a truncated ELF file";
	if (file->wide ? !read_at(file->fd, &wide, sizeof wide, 0) :
			 !read_at(file->fd, &narrow, sizeof narrow, 0))
		return false;
	file->headers = file->wide ? wide.e_phoff : narrow.e_phoff;
	file->header_count = file->wide ? wide.e_phnum : narrow.e_phnum;
	size = file->wide ? wide.e_phentsize : narrow.e_phentsize;
	type = file->wide ? wide.e_type : narrow.e_type;
	*fault = "is an ELF file, but neither a program nor a shared object";
	if (type != ET_EXEC && type != ET_DYN)
		return false;
	*fault = "has a malformed ELF header";
	if (size != wanted || !file->header_count || file->header_count > HEADERS_MAX)
		return false;
	*fault = "is a truncated ELF file";
	if (file->headers > INT64_MAX - HEADERS_MAX * sizeof(Elf64_Phdr))
		return false;
	return read_header(file, file->header_count - 1, &header);
}

bool elf_identify(int fd, struct elf *elf, const char **fault)
{
	Elf32_Ehdr head; /* as far as it concerns us, both classes have the same */

	memset(elf, 0, sizeof *elf);
	*fault = "is a truncated ELF file";
	if (!read_at(fd, &head, sizeof head, 0))
		return false;
	elf->class = head.e_ident[EI_CLASS];
	elf->other_endian = head.e_ident[EI_DATA] != OUR_DATA;
	elf->machine = head.e_machine;
	*fault = "has a malformed ELF header";
	if (elf->class != ELFCLASS32 && elf->class != ELFCLASS64)
		return false;
	return head.e_ident[EI_DATA] == ELFDATA2LSB || head.e_ident[EI_DATA] == ELFDATA2MSB;
}

bool elf_look(int fd, struct elf *elf, const char **fault)
{
	struct elf_file file = { .fd = fd, .wide = elf->class == ELFCLASS64 };

	return find_headers(&file, fault) && look_at_start(&file, elf, fault);
}

/* ----------------------------------------------------------------- loading */

static void add_needed(struct elf_loading *loading, size_t *count, const char *name)
{
	char **longer = reallocarray(loading->needed, *count + 2, sizeof *longer);

	if (!longer)
		return;
	loading->needed = longer;
	longer[*count] = strdup(name);
	if (longer[*count])
		longer[++*count] = NULL;
}

/* One string for each entry of the kind. */
static void look_at_strings(const struct elf_file *file, uint64_t strings, const Elf64_Dyn *entries,
			    size_t count, struct elf_loading *loading)
{
	char text[PATH_MAX];
	size_t needed = 0;

	for (size_t i = 0; i < count; i++) {
		int64_t tag = entries[i].d_tag;

		if (tag != DT_NEEDED && tag != DT_RUNPATH && tag != DT_RPATH)
			continue;
		read_string(file, strings + entries[i].d_un.d_val, text, sizeof text);
		if (tag == DT_NEEDED) {
			add_needed(loading, &needed, text);
		} else if (tag == DT_RUNPATH || !loading->runpath) {
			free(loading->runpath);
			loading->runpath = strdup(text);
		}
	}
}

static bool look_at_loading_in_dynamic(const struct elf_file *file, struct elf_loading *loading)
{
	static Elf64_Dyn entries[DYNAMIC_MAX];
	uint64_t strings = 0;
	Elf64_Phdr header;
	size_t count;

	if (!find_header(file, PT_DYNAMIC, &header))
		return true;
	for (count = 0; count < DYNAMIC_MAX; count++) {
		Elf64_Dyn *entry = &entries[count];

		if (!read_dynamic(file, header.p_offset, (unsigned)count, entry))
			return false;
		if (entry->d_tag == DT_NULL)
			break;
		if (entry->d_tag == DT_STRTAB && !file_offset(file, entry->d_un.d_val, &strings))
			return false;
		loading->textrel |= entry->d_tag == DT_TEXTREL ||
				    (entry->d_tag == DT_FLAGS && entry->d_un.d_val & DF_TEXTREL);
	}
	if (strings)
		look_at_strings(file, strings, entries, count, loading);
	return true;
}

static void look_at_segments(const struct elf_file *file, struct elf_loading *loading)
{
	bool said = false;
	Elf64_Phdr header;

	for (unsigned i = 0; i < file->header_count; i++) {
		if (!read_header(file, i, &header))
			return;
		if (header.p_type == PT_LOAD && header.p_flags & PF_W && header.p_flags & PF_X)
			loading->writable_code = true;
		if (header.p_type != PT_GNU_STACK)
			continue;
		said = true;
		loading->stack = header.p_flags & PF_X;
	}
	loading->stack_unsaid = !said;
	/* On other machines nothing said is no. */
	if (!said)
		loading->stack = OUR_MACHINE == EM_X86_64 || OUR_MACHINE == EM_386;
}

bool elf_look_at_loading(int fd, const struct elf *elf, struct elf_loading *loading)
{
	struct elf_file file = { .fd = fd, .wide = elf->class == ELFCLASS64 };
	const char *fault;

	*loading = (struct elf_loading){ 0 };
	if (elf->other_endian || !find_headers(&file, &fault))
		return false;
	look_at_segments(&file, loading);
	return look_at_loading_in_dynamic(&file, loading);
}

void elf_loading_free(struct elf_loading *loading)
{
	for (char **name = loading->needed; name && *name; name++)
		free(*name);
	free(loading->needed);
	free(loading->runpath);
}

bool elf_is_native(const struct elf *elf)
{
	return elf->class == OUR_CLASS && !elf->other_endian && elf->machine == OUR_MACHINE;
}

const char *elf_machine_name(const struct elf *elf)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} names[] = {
		{ EM_386, "i386" }, { EM_AARCH64, "aarch64" }, { EM_ARM, "arm" },
		{ EM_RISCV, "riscv" }, { EM_PPC64, "powerpc64" }, { EM_PPC, "powerpc" },
		{ EM_S390, "s390" }, { EM_MIPS, "mips" }, { EM_SPARCV9, "sparc64" },
	};
	static _Thread_local char number[32];

	if (elf->machine == EM_X86_64 && !elf->other_endian)
		return elf->class == ELFCLASS32 ? "x32" : "x86_64";
	if (elf->other_endian) {
		/* Its header's numbers are not ours to read as they stand. */
		snprintf(number, sizeof number, "another byte order");
		return number;
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].machine == elf->machine)
			return names[i].name;
	snprintf(number, sizeof number, "machine number %u", elf->machine);
	return number;
}
