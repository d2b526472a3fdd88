/* scan-dynamic.c: an ELF file's dynamic section: what is imported, what is
 * needed, text relocations. See scan.h. It is found as ld.so finds it, by the
 * program headers, so that section headers can be missing or lie. */
#include <config.h>

#include "scan.h"

#include <stdlib.h>
#include <string.h>

enum {
	DYNAMIC_MAX = 65536, /* entries; real files have 30 */
	NEEDED_MAX = 4096,
	NAME_BYTES = 4096,
};

struct dynamic {
	uint64_t strings, strings_size;
	uint64_t symbols, hash;
	uint64_t rel, rel_size, rela, rela_size, plt, plt_size, plt_type;
	uint64_t soname, rpath, runpath;
	bool textrel, pie;
};

static void note_entry(struct dynamic *dynamic, const GElf_Dyn *entry)
{
	uint64_t value = entry->d_un.d_val;

	switch (entry->d_tag) {
	case DT_STRTAB: dynamic->strings = value; break;
	case DT_STRSZ: dynamic->strings_size = value; break;
	case DT_SYMTAB: dynamic->symbols = value; break;
	case DT_HASH: dynamic->hash = value; break;
	case DT_REL: dynamic->rel = value; break;
	case DT_RELSZ: dynamic->rel_size = value; break;
	case DT_RELA: dynamic->rela = value; break;
	case DT_RELASZ: dynamic->rela_size = value; break;
	case DT_JMPREL: dynamic->plt = value; break;
	case DT_PLTRELSZ: dynamic->plt_size = value; break;
	case DT_PLTREL: dynamic->plt_type = value; break;
	case DT_SONAME: dynamic->soname = value; break;
	case DT_RPATH: dynamic->rpath = value; break;
	case DT_RUNPATH: dynamic->runpath = value; break;
	case DT_TEXTREL: dynamic->textrel = true; break;
	case DT_FLAGS: dynamic->textrel |= (value & DF_TEXTREL) != 0; break;
	case DT_FLAGS_1: dynamic->pie = (value & DF_1_PIE) != 0; break;
	default: break;
	}
}

/* A copy of a string of the dynamic string table, or NULL. */
static char *string_at(struct image *image, const struct dynamic *dynamic, uint64_t index)
{
	uint64_t offset, left;
	unsigned char *bytes;
	char *string = NULL;

	if (index >= dynamic->strings_size || !image_offset(image, dynamic->strings, &offset, &left))
		return NULL;
	if (index >= left)
		return NULL;
	left -= index;
	if (left > NAME_BYTES)
		left = NAME_BYTES;
	bytes = image_bytes(image, offset + index, left);
	if (!bytes)
		return NULL;
	if (memchr(bytes, '\0', left))
		string = scan_text("%s", (char *)bytes);
	free(bytes);
	return string;
}

static void add_needed(struct image *image, const struct dynamic *dynamic, uint64_t index)
{
	struct details *details = image->details;
	char *name = string_at(image, dynamic, index);

	if (!name || details->needed_count >= NEEDED_MAX) {
		free(name);
		return;
	}
	details->needed = scan_grow(details->needed, details->needed_count,
				    &details->needed_room, sizeof *details->needed);
	details->needed[details->needed_count++] = name;
}

/* ------------------------------------------------------------- imports */

static bool concerns_us(const char *name)
{
	static const char *const names[] = {
		"aligned_alloc", "dlmopen", "dlopen", "memalign", "memfd_create", "mmap",
		"mmap64", "mprotect", "mremap", "personality", "pkey_mprotect",
		"posix_memalign", "pvalloc", "shmat", "syscall", "valloc",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* How many symbols there are is not in the dynamic section. */
static uint64_t symbols_size(struct image *image, const struct dynamic *dynamic, uint64_t entry)
{
	uint64_t offset, left;
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(image->elf, section)))
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_DYNSYM &&
		    header.sh_addr == dynamic->symbols)
			return header.sh_size;
	if (dynamic->hash && image_offset(image, dynamic->hash, &offset, &left) && left >= 8) {
		Elf_Data *data = image_table(image, offset, 8, ELF_T_WORD);

		if (data)
			return ((const uint32_t *)data->d_buf)[1] * entry;
	}
	/* Linkers put the strings behind the symbols. */
	return dynamic->strings > dynamic->symbols ? dynamic->strings - dynamic->symbols : 0;
}

static void look_at_imports(struct image *image, const struct dynamic *dynamic)
{
	uint64_t entry = image->details->bits == 64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	uint64_t offset, left, size;
	unsigned char *names;
	char *list = NULL;
	GElf_Sym symbol;
	Elf_Data *data;
	size_t calls = 0;

	if (!dynamic->symbols || !dynamic->strings ||
	    !image_offset(image, dynamic->symbols, &offset, &left))
		return;
	size = symbols_size(image, dynamic, entry);
	size = (size < left ? size : left) / entry * entry;
	data = image_table(image, offset, size, ELF_T_SYM);
	if (!data || !image_offset(image, dynamic->strings, &offset, &left))
		return;
	size = dynamic->strings_size < left ? dynamic->strings_size : left;
	names = image_bytes(image, offset, size);
	if (!names)
		return;
	for (int i = 1; gelf_getsym(data, i, &symbol); i++) {
		const char *name = (char *)names + symbol.st_name;
		char *longer;

		if (symbol.st_shndx != SHN_UNDEF || symbol.st_name >= size ||
		    !memchr(name, '\0', size - symbol.st_name) || !concerns_us(name))
			continue;
		/* A hostile file can import one name as often as it likes. */
		if (calls++ == 64)
			break;
		longer = list ? scan_text("%s, %s", list, name) : scan_text("imports %s", name);
		free(list);
		list = longer;
	}
	free(names);
	if (list)
		finding_add(image->details, KIND_CALLS, list);
}

/* ---------------------------------------------------- text relocations */

/* How many relocations there are in each function; the last is for those that
 * are in none. */
struct tally {
	const struct functions *functions;
	uint64_t *counts, *firsts;
	uint64_t total;
};

static bool in_text(const struct image *image, uint64_t address)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const GElf_Phdr *segment = &image->segments[i];

		if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W) &&
		    address >= segment->p_vaddr && address - segment->p_vaddr < segment->p_memsz)
			return true;
	}
	return false;
}

static void count_relocation(struct image *image, struct tally *tally, uint64_t address)
{
	const struct function *function;
	size_t at = tally->functions->count;

	if (!in_text(image, address))
		return;
	/* Constants are read-only as well, and of no function. */
	function = image_is_code(image, address) ? function_before(tally->functions, address) : NULL;
	if (function && (!function->size || function_holds(function, address)))
		at = (size_t)(function - tally->functions->list);
	if (!tally->counts[at]++)
		tally->firsts[at] = address;
	tally->total++;
}

static void count_relocations(struct image *image, struct tally *tally, uint64_t table,
			      uint64_t size, bool addends)
{
	uint64_t offset, left, entry;
	Elf_Data *data;
	GElf_Rela rela;
	GElf_Rel rel;

	if (!table || !image_offset(image, table, &offset, &left))
		return;
	entry = image->details->bits == 64 ? addends ? sizeof(Elf64_Rela) : sizeof(Elf64_Rel)
					   : addends ? sizeof(Elf32_Rela) : sizeof(Elf32_Rel);
	size = (size < left ? size : left) / entry * entry;
	data = image_table(image, offset, size, addends ? ELF_T_RELA : ELF_T_REL);
	if (!data)
		return;
	/* Type 0 is no relocation, for every processor. */
	for (int i = 0; addends && gelf_getrela(data, i, &rela); i++)
		if (GELF_R_TYPE(rela.r_info))
			count_relocation(image, tally, rela.r_offset);
	for (int i = 0; !addends && gelf_getrel(data, i, &rel); i++)
		if (GELF_R_TYPE(rel.r_info))
			count_relocation(image, tally, rel.r_offset);
}

static void tell_function(struct image *image, const struct tally *tally, size_t at)
{
	uint64_t count = tally->counts[at];
	const char *plural = count == 1 ? "" : "s", *name = NULL;
	struct finding *finding;
	char *text;

	if (!count)
		return;
	if (at < tally->functions->count) {
		const struct function *function = &tally->functions->list[at];

		name = function->name;
		if (name)
			text = scan_text("%ju text relocation%s in %s", (uintmax_t)count, plural,
					 name);
		else
			text = scan_text("%ju text relocation%s in the function at %#jx",
					 (uintmax_t)count, plural, (uintmax_t)function->start);
	} else {
		text = scan_text("%ju text relocation%s in no known function, first at %#jx",
				 (uintmax_t)count, plural, (uintmax_t)tally->firsts[at]);
	}
	finding = finding_add(image->details, KIND_TEXTREL, text);
	finding->symbol = name ? scan_text("%s", name) : NULL;
	finding->placed = true;
	finding->address = tally->firsts[at];
	finding->count = count;
}

/* The tables of relative relocations (DT_RELR) are for data: linkers put none of
 * the text there. */
static void look_at_textrels(struct image *image, const struct dynamic *dynamic)
{
	struct tally tally = { .functions = functions_of(image) };
	bool within = dynamic->plt >= dynamic->rela &&
		      dynamic->plt - dynamic->rela < dynamic->rela_size;

	tally.counts = scan_allocate(tally.functions->count + 1, sizeof *tally.counts);
	tally.firsts = scan_allocate(tally.functions->count + 1, sizeof *tally.firsts);
	count_relocations(image, &tally, dynamic->rel, dynamic->rel_size, false);
	count_relocations(image, &tally, dynamic->rela, dynamic->rela_size, true);
	within |= dynamic->plt >= dynamic->rel &&
		  dynamic->plt - dynamic->rel < dynamic->rel_size;
	if (!within)
		count_relocations(image, &tally, dynamic->plt, dynamic->plt_size,
				  dynamic->plt_type == DT_RELA);
	for (size_t i = 0; i <= tally.functions->count; i++)
		tell_function(image, &tally, i);
	if (!tally.total)
		finding_add(image->details, KIND_TEXTREL,
			    scan_text("DT_TEXTREL is set, though no relocation changes the text"));
	free(tally.counts);
	free(tally.firsts);
}

/* ------------------------------------------------------------- the whole */

static Elf_Data *read_dynamic(struct image *image)
{
	uint64_t entry = image->details->bits == 64 ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);

	for (size_t i = 0; i < image->segment_count; i++) {
		const GElf_Phdr *segment = &image->segments[i];
		uint64_t size = segment->p_filesz / entry * entry;

		if (segment->p_type != PT_DYNAMIC)
			continue;
		if (size > DYNAMIC_MAX * entry)
			size = DYNAMIC_MAX * entry;
		return image_table(image, segment->p_offset, size, ELF_T_DYN);
	}
	return NULL;
}

void dynamic_look(struct image *image)
{
	struct details *details = image->details;
	Elf_Data *data = read_dynamic(image);
	struct dynamic dynamic = { 0 };
	GElf_Dyn entry;

	if (!data)
		return;
	for (int i = 0; gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++)
		note_entry(&dynamic, &entry);
	image->pie = dynamic.pie;
	if (dynamic.soname)
		details->soname = string_at(image, &dynamic, dynamic.soname);
	if (dynamic.runpath || dynamic.rpath)
		details->rpath = string_at(image, &dynamic,
					   dynamic.runpath ? dynamic.runpath : dynamic.rpath);
	for (int i = 0; gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++)
		if (entry.d_tag == DT_NEEDED)
			add_needed(image, &dynamic, entry.d_un.d_val);
	if (dynamic.textrel)
		look_at_textrels(image, &dynamic);
	look_at_imports(image, &dynamic);
}
