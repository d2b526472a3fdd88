/* module.c: notes modules by the loader's word. See module.h.
 *
 * dladdr takes the loader's lock; _dl_find_object (glibc 2.35) takes none. An
 * older glibc is served from the kernel's view: there the offset is the one in
 * the file, the same but for rare layouts, and no build id is told. */
#include "module.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "memory.h"
#include "sys.h"
#include "tables.h"
#include "vma.h"

#define MOST_MODULES 512u
#define NAMES_SIZE 65536u
#define BUILD_ID_BYTES 32u

/* A slot is written once, by whoever made it from free to taken, and read only
 * when it is ready. */
enum { FREE, TAKEN, READY };

struct slot {
	atomic_int state;
	uintptr_t start, end;
	uintptr_t bias;
	const char *name; /* as the loader has it: "" for the main program */
	const char *path;
	char build_id[2 * BUILD_ID_BYTES + 1];
};

struct table {
	struct slot slots[MOST_MODULES]; /* number 0 is unknown */
	char names[NAMES_SIZE];
};

static table_place place;
static atomic_uint names_used;

bool module_make_room(void)
{
	return tables_make(&place, sizeof(struct table));
}

/* NULL: no module is known. */
static struct table *table_now(void)
{
	return atomic_load_explicit(&place, memory_order_acquire);
}

/* A module as found at an address. */
struct found {
	uintptr_t start, end;
	uintptr_t bias;
	const char *name;
	struct vma vma; /* what holds the name, where it is the kernel's */
};

static const char *keep_name(struct table *table, const char *name, size_t length)
{
	unsigned at = atomic_fetch_add(&names_used, (unsigned)length + 1);

	if (at + length + 1 > NAMES_SIZE) {
		atomic_fetch_sub(&names_used, (unsigned)length + 1);
		return "?";
	}
	memcpy(table->names + at, name, length);
	return table->names + at; /* the rest is zero */
}

/* The main program has no name in the loader's list. */
static const char *keep_path(struct table *table, const char *name)
{
	char path[512];
	long length;

	if (name[0])
		return keep_name(table, name, string_length(name));
	length = sys_readlink("/proc/self/exe", path, sizeof path);
	return sys_failed(length) ? "program" : keep_name(table, path, (size_t)length);
}

/* -------------------------------------------------------------- build ids */

static void put_hex(char *to, const unsigned char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		*to++ = "0123456789abcdef"[bytes[i] >> 4];
		*to++ = "0123456789abcdef"[bytes[i] & 15];
	}
	*to = '\0';
}

/* elf(5): notes of a name, a type and a description, each padded to 4 bytes. */
static void read_notes(const char *notes, size_t size, char *build_id)
{
	while (size >= sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)notes;
		uint64_t name = (note->n_namesz + 3ULL) & ~3ULL, description = (note->n_descsz + 3ULL) & ~3ULL;
		uint64_t whole = sizeof *note + name + description;

		if (whole > size)
			return;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
		    memcmp(note + 1, "GNU", 4) == 0 && note->n_descsz <= BUILD_ID_BYTES) {
			put_hex(build_id, (const unsigned char *)(note + 1) + name, note->n_descsz);
			return;
		}
		notes += whole;
		size -= whole;
	}
}

/* The mapping that begins with the module's ELF header: where the file's
 * beginning is linked for address 0, or where it lies as far before the text in
 * memory as in the file, which is so nearly always. */
static bool find_header(const struct found *found, struct vma *vma)
{
	uintptr_t candidates[2] = { found->bias, 0 };
	struct vma text;

	if (vma_find(found->start, &text) || text.start > found->start)
		return false; /* nobody to ask, or it is gone */
	candidates[1] = text.start - text.offset;
	for (unsigned i = 0; i < 2; i++) {
		const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)candidates[i];

		if (candidates[i] == 0 || vma_find(candidates[i], vma) ||
		    vma->start != candidates[i] || vma->offset != 0 || vma->inode != text.inode ||
		    !(vma->protection & PROT_READ))
			continue;
		if (memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
		    header->e_phentsize == sizeof(ElfW(Phdr)))
			return true;
	}
	return false;
}

/* The notes lie in the first segment wherever there is a build id to be found
 * at run time. */
static void read_build_id(const struct found *found, char *build_id)
{
	struct vma vma;

	build_id[0] = '\0';
	if (!find_header(found, &vma))
		return;

	const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)vma.start;
	const ElfW(Phdr) *segments = (const ElfW(Phdr) *)(vma.start + header->e_phoff);

	if (header->e_phoff > vma.end - vma.start ||
	    header->e_phnum * sizeof *segments > vma.end - vma.start - header->e_phoff)
		return;
	for (unsigned i = 0; i < header->e_phnum && !build_id[0]; i++) {
		uintptr_t notes = found->bias + segments[i].p_vaddr;

		if (segments[i].p_type == PT_NOTE && notes >= vma.start && notes < vma.end &&
		    vma.end - notes >= segments[i].p_memsz)
			read_notes((const char *)notes, segments[i].p_memsz, build_id);
	}
}

/* ---------------------------------------------------------------- finding */

#ifdef DLFO_STRUCT_HAS_EH_DBASE /* dlfcn.h knows _dl_find_object */
extern __typeof__(_dl_find_object) _dl_find_object __attribute__((weak));

static bool find(uintptr_t address, struct found *found)
{
	struct dl_find_object object;

	if (!_dl_find_object || _dl_find_object((void *)address, &object) != 0)
		return false;
	found->start = (uintptr_t)object.dlfo_map_start;
	found->end = (uintptr_t)object.dlfo_map_end;
	found->bias = object.dlfo_link_map->l_addr;
	found->name = object.dlfo_link_map->l_name;
	return true;
}
#else
static bool find(uintptr_t address, struct found *found)
{
	if (vma_find(address, &found->vma) || found->vma.start > address ||
	    found->vma.name[0] != '/')
		return false;
	found->bias = found->vma.start - found->vma.offset;
	found->start = found->bias;
	found->end = found->vma.end;
	found->name = found->vma.name;
	return true;
}
#endif

static bool is_same(const struct slot *slot, const struct found *found)
{
	return slot->start == found->start && slot->end == found->end &&
	       string_equal(slot->name, found->name);
}

static void fill(struct table *table, struct slot *slot, const struct found *found)
{
	slot->start = found->start;
	slot->end = found->end;
	slot->bias = found->bias;
	slot->name = keep_name(table, found->name, string_length(found->name));
	slot->path = keep_path(table, found->name);
	read_build_id(found, slot->build_id);
	atomic_store_explicit(&slot->state, READY, memory_order_release);
}

static unsigned number_of(struct table *table, const struct found *found)
{
	unsigned hash = (unsigned)(found->start >> 12) * 2654435761u;

	for (unsigned i = 0; i < MOST_MODULES; i++) {
		unsigned at = (hash + i) % MOST_MODULES;
		struct slot *slot = &table->slots[at];
		int state = atomic_load_explicit(&slot->state, memory_order_acquire);
		int expected = FREE;

		if (at == MODULE_UNKNOWN)
			continue;
		if (state == READY && is_same(slot, found))
			return at;
		if (state != FREE || !atomic_compare_exchange_strong(&slot->state, &expected, TAKEN))
			continue;
		fill(table, slot, found);
		return at;
	}
	return MODULE_UNKNOWN;
}

struct place module_place(uintptr_t address)
{
	struct place at = { .module = MODULE_UNKNOWN, .offset = address };
	struct table *table = table_now();
	struct found found;

	if (table && find(address, &found))
		at.module = number_of(table, &found);
	if (at.module != MODULE_UNKNOWN)
		at.offset = address - table->slots[at.module].bias;
	return at;
}

struct module module_describe(unsigned number)
{
	const struct table *table = table_now();

	if (!table || number == MODULE_UNKNOWN || number >= MOST_MODULES)
		return (struct module){ .path = "", .build_id = "" };
	return (struct module){
		.path = table->slots[number].path,
		.build_id = table->slots[number].build_id,
	};
}
