/* scan-functions.c: where the functions of a file begin, from its symbols, from
 * .eh_frame_hdr's table, which strip(1) leaves, and from its entry point. See
 * scan.h. */
#include <config.h>

#include "scan.h"

#include <stdlib.h>
#include <string.h>

static void add(struct functions *functions, const struct function *function)
{
	functions->list = scan_grow(functions->list, functions->count, &functions->room,
				    sizeof *functions->list);
	functions->list[functions->count++] = *function;
}

static void add_symbol(struct image *image, const GElf_Sym *symbol, size_t strings)
{
	int type = GELF_ST_TYPE(symbol->st_info);
	const char *name;

	/* Assemblers' labels have no type. */
	if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE && type != STT_OBJECT)
		return;
	if (symbol->st_shndx == SHN_UNDEF || !image_is_code(image, symbol->st_value))
		return;
	name = elf_strptr(image->elf, strings, symbol->st_name);
	/* Marks of where data lies, of some processors. */
	if (!name || !*name || *name == '$')
		return;
	add(image->functions, &(struct function){
		.start = symbol->st_value, .size = symbol->st_size, .name = name,
		.data = type == STT_OBJECT,
	});
}

static bool add_symbols(struct image *image, uint32_t type)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(image->elf, section))) {
		GElf_Shdr header;
		Elf_Data *data;
		GElf_Sym symbol;

		if (!gelf_getshdr(section, &header) || header.sh_type != type)
			continue;
		if (header.sh_size > PIECE_MAX || header.sh_size > image->size)
			continue;
		data = elf_getdata(section, NULL);
		if (!data)
			continue;
		for (int i = 1; gelf_getsym(data, i, &symbol); i++)
			add_symbol(image, &symbol, header.sh_link);
		return true;
	}
	return false;
}

static int32_t signed_at(const unsigned char *bytes)
{
	int32_t value;

	memcpy(&value, bytes, sizeof value);
	return value;
}

/* How long the function at START is, from its frame description at ADDRESS, of
 * the kind that every compiler writes; 0: not known. */
static uint64_t frame_size(const unsigned char *frame, uint64_t address, uint64_t start)
{
	enum { PC = 8, LENGTH = 12 };

	/* If that is where it begins, then all of it is what it seems. */
	if ((uint32_t)(address + PC + (uint64_t)(int64_t)signed_at(frame + PC)) != (uint32_t)start)
		return 0;
	return (uint32_t)signed_at(frame + LENGTH);
}

/* The frame descriptions lie right behind the table that leads to them. */
struct frames {
	unsigned char *bytes;
	uint64_t address, size;
};

static struct frames read_frames(struct image *image, const GElf_Phdr *table)
{
	struct frames frames = { .address = table->p_vaddr };
	uint64_t offset;

	if (image_offset(image, frames.address, &offset, &frames.size))
		frames.bytes = image_bytes(image, offset, frames.size);
	return frames;
}

/* The table as every linker writes it; other encodings are left alone. */
static void add_frames(struct image *image, const GElf_Phdr *segment)
{
	enum { HEAD = 12, ENTRY = 8, FRAME = 16 };
	enum { PCREL_SDATA4 = 0x1b, UDATA4 = 0x03, DATAREL_SDATA4 = 0x3b };
	struct frames frames = read_frames(image, segment);
	unsigned char *head = frames.bytes;
	uint64_t count = 0;

	if (head && frames.size >= HEAD && !image->details->other_endian && head[0] == 1 &&
	    head[1] == PCREL_SDATA4 && head[2] == UDATA4 && head[3] == DATAREL_SDATA4)
		count = (uint32_t)signed_at(head + 8);
	if (count > (frames.size - HEAD) / ENTRY)
		count = (frames.size - HEAD) / ENTRY;
	for (uint64_t i = 0; i < count; i++) {
		const unsigned char *entry = head + HEAD + i * ENTRY;
		struct function function = {
			.start = frames.address + (uint64_t)(int64_t)signed_at(entry),
		};
		uint64_t at = (uint64_t)(int64_t)signed_at(entry + 4);

		if (image->details->bits == 32)
			function.start = (uint32_t)function.start;
		if (at < frames.size && frames.size - at >= FRAME)
			function.size = frame_size(head + at, frames.address + at, function.start);
		if (image_is_code(image, function.start))
			add(image->functions, &function);
	}
	free(frames.bytes);
}

/* By address; of those at one address, the one to keep comes first. */
static int by_start(const void *left, const void *right)
{
	const struct function *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (!a->name != !b->name)
		return a->name ? -1 : 1;
	if (a->size != b->size)
		return a->size > b->size ? -1 : 1;
	return a->name ? strcmp(a->name, b->name) : 0;
}

/* Two at one address are one; what lies inside of a function of known size is a
 * label, or a function of its own without a name, and no start. */
static void tidy(struct functions *functions)
{
	struct function *list = functions->list;
	size_t kept = 0;

	if (!functions->count)
		return;
	qsort(list, functions->count, sizeof *list, by_start);
	for (size_t i = 0; i < functions->count; i++) {
		if (kept && list[i].start == list[kept - 1].start) {
			/* The name from the one, the size from the other. */
			if (!list[kept - 1].size)
				list[kept - 1].size = list[i].size;
			continue;
		}
		if (kept && !list[i].size && function_holds(&list[kept - 1], list[i].start))
			continue;
		list[kept++] = list[i];
	}
	functions->count = kept;
}

const struct functions *functions_of(struct image *image)
{
	if (image->functions)
		return image->functions;
	image->functions = scan_allocate(1, sizeof *image->functions);
	/* Never NULL: there is a place behind the last even of none. */
	image->functions->list = scan_grow(NULL, 0, &image->functions->room,
					   sizeof *image->functions->list);
	if (!add_symbols(image, SHT_SYMTAB))
		add_symbols(image, SHT_DYNSYM);
	for (size_t i = 0; i < image->segment_count; i++)
		if (image->segments[i].p_type == PT_GNU_EH_FRAME)
			add_frames(image, &image->segments[i]);
	if (image->header.e_entry && image_is_code(image, image->header.e_entry))
		add(image->functions, &(struct function){ .start = image->header.e_entry });
	tidy(image->functions);
	return image->functions;
}

void functions_free(struct image *image)
{
	if (image->functions)
		free(image->functions->list);
	free(image->functions);
	image->functions = NULL;
}

const struct function *function_before(const struct functions *functions, uint64_t address)
{
	size_t low = 0, high = functions->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (functions->list[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &functions->list[low - 1] : NULL;
}

bool function_holds(const struct function *function, uint64_t address)
{
	return address >= function->start && address - function->start < function->size;
}
