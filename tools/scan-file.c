/* scan-file.c: one file: is it an ELF file, and what do its headers tell? See
 * scan.h. libelf reads (never maps), and puts tables into this machine's order;
 * what a header says is held against the file's size first. */
#include <config.h>

#include "scan.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	/* Real files are read twice at most; one whose tables overlap is read no
	 * oftener than this. */
	BUDGET_TIMES = 8,
	BUDGET_LEAST = 1 << 20,
	SEGMENTS_MAX = 65535,
	PACKER_HEAD = 1024, /* UPX's mark stands behind the program headers */
};

struct finding *finding_add(struct details *details, enum kind kind, char *text)
{
	struct finding *finding;

	details->findings = scan_grow(details->findings, details->count, &details->room,
				      sizeof *details->findings);
	finding = &details->findings[details->count++];
	*finding = (struct finding){
		.kind = kind, .level = kind_words[kind].level, .text = text,
	};
	return finding;
}

void details_free(struct details *details)
{
	if (!details)
		return;
	for (size_t i = 0; i < details->count; i++) {
		free(details->findings[i].text);
		free(details->findings[i].symbol);
	}
	for (size_t i = 0; i < details->needed_count; i++)
		free(details->needed[i]);
	free(details->findings);
	free(details->needed);
	free(details->libraries);
	free(details->why);
	free(details->soname);
	free(details->rpath);
	free(details);
}

/* ------------------------------------------------------- reading the file */

static bool fault_in(struct image *image, const char *fault)
{
	if (!image->fault)
		image->fault = fault;
	return false;
}

static bool may_read(struct image *image, uint64_t offset, uint64_t size)
{
	if (offset > image->size || size > image->size - offset)
		return fault_in(image, "has tables that lie outside of it: truncated or damaged");
	if (size > PIECE_MAX)
		return fault_in(image, "has a table that is too large to look at");
	if (size > image->budget)
		return fault_in(image, "has tables that overlap: not all of it was looked at");
	image->budget -= size;
	return true;
}

unsigned char *image_bytes(struct image *image, uint64_t offset, uint64_t size)
{
	unsigned char *bytes;
	size_t done = 0;

	if (!size || !may_read(image, offset, size))
		return NULL;
	bytes = scan_allocate(size, 1);
	while (done < size) {
		ssize_t got = pread(image->fd, bytes + done, size - done, (off_t)(offset + done));

		if (got > 0) {
			done += (size_t)got;
			continue;
		}
		if (got < 0 && errno == EINTR)
			continue;
		free(bytes);
		fault_in(image, got < 0 ? "cannot be read" : "became shorter meanwhile");
		return NULL;
	}
	return bytes;
}

Elf_Data *image_table(struct image *image, uint64_t offset, uint64_t size, Elf_Type type)
{
	Elf_Data *data;

	if (!size || !may_read(image, offset, size))
		return NULL;
	data = elf_getdata_rawchunk(image->elf, (int64_t)offset, size, type);
	if (!data)
		fault_in(image, "has a damaged table");
	return data;
}

bool image_offset(const struct image *image, uint64_t address, uint64_t *offset, uint64_t *left)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const GElf_Phdr *segment = &image->segments[i];

		if (segment->p_type != PT_LOAD || address < segment->p_vaddr ||
		    address - segment->p_vaddr >= segment->p_filesz)
			continue;
		*offset = segment->p_offset + (address - segment->p_vaddr);
		*left = segment->p_filesz - (address - segment->p_vaddr);
		return true;
	}
	return false;
}

bool image_is_code(const struct image *image, uint64_t address)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const GElf_Phdr *segment = &image->segments[i];

		if (segment->p_type == PT_LOAD && segment->p_flags & PF_X &&
		    address >= segment->p_vaddr &&
		    address - segment->p_vaddr < segment->p_filesz)
			return true;
	}
	return false;
}

static void read_segments(struct image *image)
{
	size_t count;

	if (elf_getphdrnum(image->elf, &count) != 0 || count > SEGMENTS_MAX) {
		fault_in(image, "has a malformed ELF header");
		return;
	}
	/* libelf leaves out those that lie outside of the file. */
	if (count < image->header.e_phnum)
		fault_in(image, "is a truncated ELF file");
	image->segments = scan_allocate(count, sizeof *image->segments);
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr *segment = &image->segments[image->segment_count];

		if (!gelf_getphdr(image->elf, (int)i, segment)) {
			fault_in(image, "is a truncated ELF file");
			return;
		}
		image->segment_count++;
	}
}

static const GElf_Phdr *segment_of(const struct image *image, uint32_t type)
{
	for (size_t i = 0; i < image->segment_count; i++)
		if (image->segments[i].p_type == type)
			return &image->segments[i];
	return NULL;
}

/* The kernel would map it all the same, and the program die of SIGBUS. */
static void check_segments(struct image *image)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const GElf_Phdr *segment = &image->segments[i];

		if (segment->p_type == PT_NULL || !segment->p_filesz)
			continue;
		if (segment->p_offset > image->size ||
		    segment->p_filesz > image->size - segment->p_offset) {
			fault_in(image, "is a truncated ELF file: a segment ends behind its end");
			return;
		}
	}
}

/* Programs run without section headers; but damaged ones hide something. */
static void check_sections(struct image *image)
{
	uint64_t size = image->details->bits == 64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	uint64_t offset = image->header.e_shoff, count = image->header.e_shnum;

	if (!offset || (offset <= image->size && count <= (image->size - offset) / size))
		return;
	fault_in(image, "has section headers that lie outside of it: truncated or damaged");
}

/* strip(1) leaves sections without contents in the file that it puts debug
 * information into. */
static bool is_debug_file(const struct image *image)
{
	Elf_Scn *section = NULL;
	size_t names;
	GElf_Shdr header;

	if (elf_getshdrstrndx(image->elf, &names) != 0)
		return false;
	while ((section = elf_nextscn(image->elf, section))) {
		const char *name;

		if (!gelf_getshdr(section, &header))
			continue;
		if (header.sh_type == SHT_NOBITS && header.sh_flags & SHF_EXECINSTR)
			return true;
		name = elf_strptr(image->elf, names, header.sh_name);
		if (!image->segment_count && name && strncmp(name, ".debug_", 7) == 0)
			return true;
	}
	return false;
}

/* ------------------------------------------------------ what headers tell */

static void look_at_stack(struct image *image)
{
	const GElf_Phdr *stack = segment_of(image, PT_GNU_STACK);
	bool implies = image->header.e_machine == EM_386 && segment_of(image, PT_INTERP);

	if (!stack)
		finding_add(image->details, KIND_NO_GNU_STACK,
			    scan_text("no PT_GNU_STACK header: %s",
				      implies ? "stacks, and all that it may read, are executable"
					      : "stacks are made executable"));
	else if (stack->p_flags & PF_X)
		finding_add(image->details, KIND_EXECSTACK,
			    scan_text("PT_GNU_STACK asks for executable stacks"));
}

static void look_at_rights(struct image *image)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const GElf_Phdr *segment = &image->segments[i];
		struct finding *finding;

		if (segment->p_type != PT_LOAD || (segment->p_flags & (PF_W | PF_X)) != (PF_W | PF_X))
			continue;
		finding = finding_add(image->details, KIND_RWX,
				      scan_text("the segment at %#jx, %#jx bytes, is writable and executable",
						(uintmax_t)segment->p_vaddr,
						(uintmax_t)segment->p_memsz));
		finding->placed = true;
		finding->address = segment->p_vaddr;
		finding->count = 1;
	}
}

static bool has_go_note(struct image *image)
{
	enum { GO_BUILD_ID = 4 };

	for (size_t i = 0; i < image->segment_count; i++) {
		const GElf_Phdr *segment = &image->segments[i];
		size_t at = 0, name, contents;
		Elf_Data *data;
		GElf_Nhdr note;

		if (segment->p_type != PT_NOTE)
			continue;
		data = image_table(image, segment->p_offset, segment->p_filesz,
				   segment->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
		while (data && (at = gelf_getnote(data, at, &note, &name, &contents)))
			if (note.n_type == GO_BUILD_ID && note.n_namesz == 4 &&
			    memcmp((char *)data->d_buf + name, "Go", 3) == 0)
				return true;
	}
	return false;
}

static bool is_packed(struct image *image)
{
	static const char mark[] = "UPX!";
	uint64_t size = image->size < PACKER_HEAD ? image->size : PACKER_HEAD;
	unsigned char *head;
	bool found;

	/* Packers leave no section headers. */
	if (image->header.e_shnum || !image->segment_count)
		return false;
	head = image_bytes(image, 0, size);
	found = head && memmem(head, size, mark, sizeof mark - 1);
	free(head);
	return found;
}

/* Whoever looks at it: not for this user alone. */
static void look_at_privileges(struct image *image, const struct stat *status)
{
	struct vfs_ns_cap_data data;

	if (status->st_mode & S_ISUID)
		finding_add(image->details, KIND_SETUID, scan_text("set-user-ID"));
	/* Without group execution the bit means mandatory locking. */
	if (status->st_mode & S_ISGID && status->st_mode & S_IXGRP)
		finding_add(image->details, KIND_SETGID, scan_text("set-group-ID"));
	if (fgetxattr(image->fd, "security.capability", &data, sizeof data) >=
	    (ssize_t)XATTR_CAPS_SZ_1)
		finding_add(image->details, KIND_FILECAPS, scan_text("file capabilities"));
}

/* Asked for nearly every file, and nearly always with the same answer. */
static bool library_is_there(const struct elf *elf, const char *folder)
{
	static _Thread_local struct { struct elf elf; bool known, answer; } last;

	if (last.known && last.elf.class == elf->class && last.elf.machine == elf->machine &&
	    last.elf.other_endian == elf->other_endian)
		return last.answer;
	last.elf = *elf;
	last.answer = fits_library(elf, folder, "libjitmend.so");
	last.known = true;
	return last.answer;
}

/* In the order of check-chain.c: a program for another machine is that first. */
static void look_at_start(struct image *image, const struct settings_of_scan *settings)
{
	struct details *details = image->details;
	bool loaded = segment_of(image, PT_INTERP) != NULL;
	const char *loader = image->start_known ? image->found.loader : "";

	if (!library_is_there(&image->found, settings->preload)) {
		finding_add(details, KIND_FOREIGN,
			    scan_text("%d-bit, for %s", details->bits, details->machine));
		loader = "";
	}
	if (!loaded) {
		if (strcmp(details->type, "program") == 0)
			finding_add(details, KIND_STATIC, scan_text("statically linked"));
		return;
	}
	if (!*loader)
		return;
	if (access(loader, F_OK) != 0)
		finding_add(details, KIND_LOADER,
			    scan_text("needs the loader %s, which does not exist", loader))
			->level = LEVEL_ERROR;
	else if (!fits_loader(loader))
		finding_add(details, KIND_LOADER, scan_text("is loaded by %s", loader));
}

static const char *type_of(const struct image *image)
{
	bool program = image->header.e_type == ET_EXEC || image->pie ||
		       (segment_of(image, PT_INTERP) && !image->details->soname);

	return program ? "program" : "library";
}

static void look_at_program(struct image *image, const struct stat *status,
			    const struct settings_of_scan *settings)
{
	struct details *details = image->details;

	check_segments(image);
	check_sections(image);
	dynamic_look(image);
	details->type = type_of(image);
	look_at_stack(image);
	look_at_rights(image);
	look_at_privileges(image, status);
	look_at_start(image, settings);
	if (is_packed(image))
		finding_add(details, KIND_PACKED, scan_text("packed by UPX"));
	if (has_go_note(image))
		finding_add(details, KIND_GO, scan_text("made by the Go compiler"));
	code_look(image);
	details->incomplete = image->fault;
	verdict_find(details);
}

/* ------------------------------------------------------------- the file */

static enum nature nature_of(struct image *image)
{
	switch (image->header.e_type) {
	case ET_REL:
		return NATURE_OBJECT;
	case ET_CORE:
		return NATURE_CORE;
	case ET_EXEC:
	case ET_DYN:
		/* Guile's compiled files: not for any processor. */
		if (image->header.e_machine == EM_NONE)
			return NATURE_OBJECT;
		break;
	default:
		fault_in(image, "is an ELF file of no known type");
		return NATURE_BAD;
	}
	read_segments(image);
	if (is_debug_file(image))
		return NATURE_DEBUG;
	if (!image->segment_count) {
		fault_in(image, "is a malformed ELF file: it has no program headers");
		return NATURE_BAD;
	}
	return NATURE_ELF;
}

static struct details *details_for(const struct elf *elf)
{
	struct details *details = scan_allocate(1, sizeof *details);

	details->bits = elf->class == ELFCLASS32 ? 32 : 64;
	details->class = elf->class;
	details->other_endian = elf->other_endian;
	details->machine_number = elf->machine;
	strncpy(details->machine, elf_machine_name(elf), sizeof details->machine - 1);
	return details;
}

/* The kernel's own judgement, where it can be made: a file in our byte order. */
static bool identify(struct image *image)
{
	const char *fault = NULL;

	if (!elf_identify(image->fd, &image->found, &fault))
		return fault_in(image, fault);
	image->elf = elf_begin(image->fd, ELF_C_READ, NULL);
	if (!image->elf || elf_kind(image->elf) != ELF_K_ELF ||
	    !gelf_getehdr(image->elf, &image->header))
		return fault_in(image, "is a truncated or damaged ELF file");
	if (image->found.other_endian)
		return true;
	image->start_known = elf_look(image->fd, &image->found, &fault);
	return true;
}

static void look_at_elf(struct file *file, int fd, const struct stat *status,
			const struct settings_of_scan *settings)
{
	struct image image = { .fd = fd, .size = (uint64_t)status->st_size };

	image.budget = BUDGET_TIMES * image.size + BUDGET_LEAST;
	file->nature = NATURE_BAD;
	if (identify(&image)) {
		image.details = details_for(&image.found);
		file->nature = nature_of(&image);
		if (file->nature == NATURE_ELF) {
			look_at_program(&image, status, settings);
			file->details = image.details;
		} else {
			details_free(image.details);
		}
	}
	if (image.fault)
		file->fault = scan_text("%s", image.fault);
	functions_free(&image);
	free(image.segments);
	elf_end(image.elf);
}

/* What was named is told by its name if it is not what one scans; in a folder
 * there is much else. */
static void fault_if_named(struct file *file)
{
	static const char *const natures[] = {
		[NATURE_OTHER] = "is no ELF file",
		[NATURE_OBJECT] = "is an object file, neither a program nor a library",
		[NATURE_CORE] = "is a core dump, neither a program nor a library",
		[NATURE_DEBUG] = "holds the debug information of another file, and no code",
		[NATURE_BAD] = NULL,
	};

	if (file->named && !file->fault && natures[file->nature])
		file->fault = scan_text("%s", natures[file->nature]);
}

void file_look(struct file *file, const struct settings_of_scan *settings)
{
	unsigned char magic[SELFMAG];
	struct stat status;
	ssize_t got = -1;
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0 && fstat(fd, &status) == 0)
		got = pread(fd, magic, sizeof magic, 0);
	if (got < 0) {
		file->fault = scan_text("cannot be read: %s", strerror(errno));
	} else if (got < (ssize_t)sizeof magic || !elf_magic(magic) || !S_ISREG(status.st_mode)) {
		file->nature = NATURE_OTHER;
	} else {
		look_at_elf(file, fd, &status, settings);
	}
	if (fd >= 0)
		close(fd);
	fault_if_named(file);
}
