/* image.c: maps a program's file. See image.h. */
#include "image.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "../engine.h"
#include "../memory.h"
#include "../sys.h"

#define ADDRESS_END (1UL << ARCH_ADDRESS_BITS)

#define MOST_HEADERS 128 /* more than linkers make; the kernel allows 64 KiB of them */

/* Where the kernel puts programs that can lie anywhere (ELF_ET_DYN_BASE), and how
 * far from there at most: 28 bits of pages are its default. */
#define PROGRAM_BASE 0x555555554000UL
#define PROGRAM_RANDOM_BITS 28

struct file {
	int fd;
	Elf64_Ehdr header;
	Elf64_Phdr segments[MOST_HEADERS];
};

static long read_all(int fd, void *to, size_t length, uint64_t offset)
{
	long result = sys_pread(fd, to, length, (int64_t)offset);

	if (sys_failed(result))
		return result;
	return (size_t)result == length ? 0 : -ENOEXEC;
}

static bool is_ours(const Elf64_Ehdr *header)
{
	return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
	       header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_machine == ARCH_ELF_MACHINE &&
	       (header->e_type == ET_EXEC || header->e_type == ET_DYN) &&
	       header->e_phentsize == sizeof(Elf64_Phdr) && header->e_phnum > 0 &&
	       header->e_phnum <= MOST_HEADERS;
}

static long read_header(int fd, Elf64_Ehdr *header)
{
	long result = read_all(fd, header, sizeof *header, 0);

	return result || is_ours(header) ? result : -ENOEXEC;
}

static long read_file(int fd, struct file *file)
{
	long result = read_header(fd, &file->header);

	file->fd = fd;
	if (result)
		return result;
	return read_all(fd, file->segments, file->header.e_phnum * sizeof *file->segments,
			file->header.e_phoff);
}

/* All segments are there where the last one is: they are too many for a signal stack. */
long image_look(int fd)
{
	Elf64_Ehdr header;
	Elf64_Phdr last;
	long result = read_header(fd, &header);

	if (result)
		return result;
	return read_all(fd, &last, sizeof last,
			header.e_phoff + (header.e_phnum - 1) * sizeof last);
}

/* ---------------------------------------------------------------- mapping */

struct extent {
	uintptr_t start, end, alignment;
};

static bool is_sane(const Elf64_Phdr *segment)
{
	return segment->p_filesz <= segment->p_memsz && segment->p_vaddr < ADDRESS_END &&
	       segment->p_memsz <= ADDRESS_END - segment->p_vaddr &&
	       segment->p_vaddr % PAGE_BYTES == segment->p_offset % PAGE_BYTES;
}

static bool find_extent(const struct file *file, struct extent *extent)
{
	*extent = (struct extent){ .start = UINTPTR_MAX, .alignment = PAGE_BYTES };
	for (size_t i = 0; i < file->header.e_phnum; i++) {
		const Elf64_Phdr *segment = &file->segments[i];

		if (segment->p_type != PT_LOAD)
			continue;
		if (!is_sane(segment))
			return false;
		if (page_down(segment->p_vaddr) < extent->start)
			extent->start = page_down(segment->p_vaddr);
		if (page_up(segment->p_vaddr + segment->p_memsz) > extent->end)
			extent->end = page_up(segment->p_vaddr + segment->p_memsz);
		if (segment->p_align > extent->alignment && !(segment->p_align & (segment->p_align - 1)))
			extent->alignment = segment->p_align;
	}
	return extent->start < extent->end;
}

static bool names_loader(const struct file *file)
{
	for (size_t i = 0; i < file->header.e_phnum; i++)
		if (file->segments[i].p_type == PT_INTERP)
			return true;
	return false;
}

static uintptr_t random_hint(void)
{
	uint64_t word = 0;

	SYS_CALL(SYS_getrandom, &word, sizeof word, 0, 0, 0, 0);
	return PROGRAM_BASE + (word & ((1UL << PROGRAM_RANDOM_BITS) - 1)) * PAGE_BYTES;
}

/* A place that is free, and free again on return: nobody else is there to take it. */
static long find_place(const struct file *file, const struct extent *extent)
{
	size_t length = extent->end - extent->start + extent->alignment;
	bool fixed = file->header.e_type == ET_EXEC;
	uintptr_t hint = fixed ? extent->start : names_loader(file) ? random_hint() : 0;
	long place;

	if (fixed)
		length = extent->end - extent->start;
	place = sys_mmap(hint, length, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (fixed ? MAP_FIXED_NOREPLACE : 0),
			 -1, 0);
	if (sys_failed(place))
		return place;
	sys_munmap((uintptr_t)place, length);
	if (fixed)
		return (uintptr_t)place == extent->start ? place : -ENOMEM;
	return (long)(((uintptr_t)place + extent->alignment - 1) & ~(extent->alignment - 1));
}

static int protection_of(const Elf64_Phdr *segment)
{
	return (segment->p_flags & PF_R ? PROT_READ : 0) | (segment->p_flags & PF_W ? PROT_WRITE : 0) |
	       (segment->p_flags & PF_X ? PROT_EXEC : 0);
}

static long ask(uintptr_t start, size_t length, int protection, int flags, int fd, uint64_t offset)
{
	struct request request = request_mmap(start, length, protection,
					      MAP_PRIVATE | MAP_FIXED | flags, fd, (int64_t)offset, 0);
	long result = length ? engine_mmap(&request) : 0;

	return sys_failed(result) ? result : 0;
}

static long map_segment(const struct file *file, const Elf64_Phdr *segment, uintptr_t base)
{
	uintptr_t start = base + segment->p_vaddr, file_end = start + segment->p_filesz;
	uintptr_t mapped = segment->p_filesz ? page_up(file_end) : page_down(start);
	int protection = protection_of(segment);
	long result = ask(page_down(start), mapped - page_down(start), protection, 0, file->fd,
			  page_down(segment->p_offset));

	if (result)
		return result;
	/* The rest of the last page is the file's next bytes, and should be zeros. */
	if (segment->p_memsz > segment->p_filesz && protection & PROT_WRITE && segment->p_filesz)
		memset((void *)file_end, 0, mapped - file_end);
	if (start + segment->p_memsz <= mapped)
		return 0;
	return ask(mapped, page_up(start + segment->p_memsz) - mapped, protection, MAP_ANONYMOUS, -1,
		   0);
}

static void note_segment(struct image *image, const Elf64_Phdr *segment)
{
	uintptr_t start = image->base + segment->p_vaddr;

	if (segment->p_flags & PF_X && !image->code) {
		image->code = start;
		image->code_end = start + segment->p_filesz;
	}
	image->data = start;
	image->data_end = start + segment->p_filesz;
	if (start + segment->p_memsz > image->end)
		image->end = start + segment->p_memsz;
}

/* The segment that holds them tells where the program headers lie; PT_PHDR may be
 * missing. */
static void find_headers(const struct file *file, struct image *image)
{
	uint64_t offset = file->header.e_phoff;

	for (size_t i = 0; i < file->header.e_phnum; i++) {
		const Elf64_Phdr *segment = &file->segments[i];

		if (segment->p_type == PT_LOAD && segment->p_offset <= offset &&
		    offset < segment->p_offset + segment->p_filesz)
			image->headers = image->base + segment->p_vaddr + (offset - segment->p_offset);
	}
	image->header_count = file->header.e_phnum;
}

/* The last one counts (load_elf_binary). */
static bool wants_executable_stack(const struct file *file)
{
	bool wants = false;

	for (size_t i = 0; i < file->header.e_phnum; i++)
		if (file->segments[i].p_type == PT_GNU_STACK)
			wants = file->segments[i].p_flags & PF_X;
	return wants;
}

static long read_loader(const struct file *file, char *loader)
{
	loader[0] = '\0';
	for (size_t i = 0; i < file->header.e_phnum; i++) {
		const Elf64_Phdr *segment = &file->segments[i];
		long result;

		if (segment->p_type != PT_INTERP)
			continue;
		if (segment->p_filesz < 2 || segment->p_filesz > PATH_MAX)
			return -ENOEXEC;
		result = read_all(file->fd, loader, segment->p_filesz, segment->p_offset);
		return !result && loader[segment->p_filesz - 1] != '\0' ? -ENOEXEC : result;
	}
	return 0;
}

long image_map(int fd, struct image *image)
{
	static struct file file;
	struct extent extent;
	long result = read_file(fd, &file), place;

	memset(image, 0, sizeof *image);
	if (result)
		return result;
	result = read_loader(&file, image->loader);
	if (result || !find_extent(&file, &extent))
		return result ? result : -ENOEXEC;
	place = find_place(&file, &extent);
	if (sys_failed(place))
		return place;
	image->base = (uintptr_t)place - extent.start;
	image->entry = image->base + file.header.e_entry;
	for (size_t i = 0; i < file.header.e_phnum; i++) {
		if (file.segments[i].p_type != PT_LOAD)
			continue;
		result = map_segment(&file, &file.segments[i], image->base);
		if (result)
			return result;
		note_segment(image, &file.segments[i]);
	}
	find_headers(&file, image);
	image->executable_stack = wants_executable_stack(&file);
	return 0;
}
