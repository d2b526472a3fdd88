/* ledger.c: a sorted table of mappings. See ledger.h. */
#include "ledger.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lock.h"
#include "memory.h"
#include "sys.h"

/* As many as the kernel lets a process have (vm.max_map_count), if nobody changed that. */
#define MOST_ENTRIES 65536U
#define NAMES_BYTES (1U << 20)

struct entry {
	uintptr_t start, end;
	uint64_t offset, inode;
	uint64_t origin; /* what was mapped by one call; anonymous memory joins with no other */
	uint32_t dev_major, dev_minor;
	uint32_t name;   /* where it begins; 0: none */
	int protection;
	bool shared;
};

/* Most of it is never touched. */
static struct ledger {
	size_t count;
	uint64_t origins;
	uint32_t names_end;
	bool opened, lost;
	struct entry entries[MOST_ENTRIES];
	char names[NAMES_BYTES];
} *ledger;

/* In every ledger's names: none, the heap, and what the kernel calls memory that is shared
 * and has no file. */
static const char known_names[] = "\0[heap]\0/dev/zero (deleted)";
#define NAME_NONE 0U
#define NAME_HEAP 1U
#define NAME_SHARED 8U

bool sys_ledger_is_kept;

/* --------------------------------------------------------------- the table */

/* The first entry that ends behind ADDRESS. */
static size_t first_behind(uintptr_t address)
{
	size_t low = 0, high = ledger->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ledger->entries[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void move_entries(size_t to, size_t from)
{
	struct entry *entries = ledger->entries;
	size_t count = ledger->count - from;

	if (to > from)
		for (size_t i = count; i-- > 0;)
			entries[to + i] = entries[from + i];
	else
		for (size_t i = 0; i < count; i++)
			entries[to + i] = entries[from + i];
	ledger->count = to + count;
}

static void put_in(size_t at, const struct entry *entry)
{
	if (ledger->lost || ledger->count == MOST_ENTRIES) {
		ledger->lost = true;
		return;
	}
	move_entries(at + 1, at);
	ledger->entries[at] = *entry;
}

/* Two where ADDRESS lies within one. */
static void cut(uintptr_t address)
{
	size_t at = first_behind(address);
	struct entry *entry = &ledger->entries[at], head;

	if (at == ledger->count || entry->start >= address)
		return;
	head = *entry;
	head.end = address;
	entry->offset += address - entry->start;
	entry->start = address;
	put_in(at, &head);
}

static bool is_one_with(const struct entry *entry, const struct entry *next)
{
	if (entry->end != next->start || entry->protection != next->protection ||
	    entry->shared != next->shared || entry->inode != next->inode ||
	    entry->dev_major != next->dev_major || entry->dev_minor != next->dev_minor ||
	    entry->name != next->name)
		return false;
	return entry->inode ? entry->offset + (entry->end - entry->start) == next->offset :
			      entry->origin == next->origin;
}

/* What may be one again, from before START to behind END. */
static void join(uintptr_t start, uintptr_t end)
{
	size_t at = first_behind(start ? start - 1 : 0);

	while (at + 1 < ledger->count && ledger->entries[at].start <= end) {
		struct entry *entry = &ledger->entries[at];

		if (!is_one_with(entry, entry + 1)) {
			at++;
			continue;
		}
		entry->end = entry[1].end;
		move_entries(at + 1, at + 2);
	}
}

static void erase(uintptr_t start, uintptr_t end)
{
	size_t from, to;

	cut(start);
	cut(end);
	from = first_behind(start);
	for (to = from; to < ledger->count && ledger->entries[to].start < end; to++)
		;
	move_entries(from, to);
}

static void insert(const struct entry *entry)
{
	erase(entry->start, entry->end);
	put_in(first_behind(entry->start), entry);
	join(entry->start, entry->end);
}

/* As far as it is mapped without a hole: so far the kernel goes. */
static void protect(uintptr_t start, uintptr_t end, int protection)
{
	uintptr_t at = start;

	cut(start);
	cut(end);
	for (size_t i = first_behind(start); i < ledger->count && ledger->entries[i].start == at &&
					     at < end; i++) {
		ledger->entries[i].protection = protection;
		at = ledger->entries[i].end;
	}
	join(start, end);
}

/* Mapping by mapping, as the kernel moves them: where there is none it leaves alone what
 * lies there. */
static void copy(uintptr_t from, uintptr_t end, uintptr_t to)
{
	uint64_t origin = ++ledger->origins;

	for (uintptr_t at = from, stop; at < end; at = stop) {
		size_t index = first_behind(at);
		struct entry piece;

		if (index == ledger->count || ledger->entries[index].start >= end)
			return;
		piece = ledger->entries[index];
		if (piece.start > at)
			at = piece.start;
		stop = piece.end < end ? piece.end : end;
		piece.offset += at - piece.start;
		piece.start = to + (at - from);
		piece.end = to + (stop - from);
		piece.origin = origin;
		insert(&piece);
	}
}

/* Of nothing: another mapping of the same, from there on, which may be longer. */
static void duplicate(uintptr_t from, uintptr_t to, size_t length)
{
	size_t at = first_behind(from);
	struct entry other;

	if (at == ledger->count || ledger->entries[at].start > from)
		return;
	other = ledger->entries[at];
	other.offset += from - other.start;
	other.start = to;
	other.end = to + length;
	other.origin = ++ledger->origins;
	insert(&other);
}

/* What ends at OLD_END ends at END. */
static void lengthen(uintptr_t old_end, uintptr_t end)
{
	size_t at = first_behind(old_end - 1);
	struct entry more;

	if (at == ledger->count || ledger->entries[at].start >= old_end)
		return;
	more = ledger->entries[at];
	more.offset += old_end - more.start;
	more.start = old_end;
	more.end = end;
	insert(&more);
}

/* ---------------------------------------------------------------- its life */

static bool have_ledger(void)
{
	long made;

	if (ledger)
		return true;
	made = arch_mmap(0, sizeof *ledger, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!sys_failed(made))
		ledger = (struct ledger *)made;
	return ledger != NULL;
}

bool ledger_open(void)
{
	if (!have_ledger())
		return false;
	ledger->count = 0;
	ledger->lost = false;
	ledger->opened = true;
	memcpy(ledger->names, known_names, sizeof known_names);
	ledger->names_end = sizeof known_names;
	return true;
}

void ledger_close(void)
{
	if (ledger)
		ledger->opened = false;
}

static uint32_t number_of_name(const char *name)
{
	const struct entry *last = ledger->count ? &ledger->entries[ledger->count - 1] : NULL;
	size_t size = string_length(name) + 1;
	uint32_t number = ledger->names_end;

	if (!name[0])
		return NAME_NONE;
	if (string_equal(name, ledger->names + NAME_HEAP))
		return NAME_HEAP;
	if (string_equal(name, ledger->names + NAME_SHARED))
		return NAME_SHARED;
	if (last && string_equal(name, ledger->names + last->name))
		return last->name;
	if (size > NAMES_BYTES - number)
		return NAME_NONE;
	memcpy(ledger->names + number, name, size);
	ledger->names_end += (uint32_t)size;
	return number;
}

void ledger_add(const struct vma *vma)
{
	struct entry entry = {
		.start = vma->start,
		.end = vma->end,
		.offset = vma->offset,
		.inode = vma->inode,
		.origin = ++ledger->origins,
		.dev_major = vma->dev_major,
		.dev_minor = vma->dev_minor,
		.name = number_of_name(vma->name),
		.protection = vma->protection,
		.shared = vma->shared,
	};

	put_in(ledger->count, &entry);
}

void ledger_lose(void)
{
	if (ledger)
		ledger->lost = true;
}

void ledger_in_child(bool torn)
{
	if (!ledger || !ledger->opened)
		return;
	sys_ledger_is_kept = true;
	if (torn)
		ledger->lost = true;
}

bool ledger_is_kept(void)
{
	return sys_ledger_is_kept;
}

static void tell(const struct entry *entry, struct vma *vma, bool named)
{
	const char *name = ledger->names + (named ? entry->name : NAME_NONE);

	vma->start = entry->start;
	vma->end = entry->end;
	vma->protection = entry->protection;
	vma->shared = entry->shared;
	vma->offset = entry->inode ? entry->offset : 0;
	vma->inode = entry->inode;
	vma->dev_major = entry->dev_major;
	vma->dev_minor = entry->dev_minor;
	memcpy(vma->name, name, string_length(name) + 1);
}

long ledger_find(uintptr_t address, struct vma *vma, bool named)
{
	uint64_t mask;
	long result = -ENOSYS;
	size_t at;

	lock_take(&mask);
	if (!ledger->lost) {
		at = first_behind(address);
		result = at < ledger->count ? 0 : -ENOENT;
		if (!result)
			tell(&ledger->entries[at], vma, named);
	}
	lock_release(&mask);
	return result;
}

/* ------------------------------------------------------ calls, written down */

#define ACCESS (PROT_READ | PROT_WRITE | PROT_EXEC)

static struct entry new_entry(uintptr_t start, size_t length, int protection)
{
	return (struct entry){
		.start = start,
		.end = start + page_up(length),
		.origin = ++ledger->origins,
		.protection = protection & ACCESS,
	};
}

static void note_mmap(uintptr_t start, size_t length, int protection, int flags, int fd,
		      int64_t offset)
{
	struct entry entry = new_entry(start, length, protection);
	struct stat64 status = { 0 };

	entry.shared = (flags & MAP_TYPE) != MAP_PRIVATE;
	if (flags & MAP_ANONYMOUS && entry.shared) {
		entry.inode = entry.origin;
		entry.name = NAME_SHARED;
	} else if (!(flags & MAP_ANONYMOUS)) {
		/* Who cannot be told apart is another. */
		if (sys_failed(sys_fstat(fd, &status)))
			status.st_ino = entry.origin;
		entry.inode = status.st_ino;
		entry.dev_major = major(status.st_dev);
		entry.dev_minor = minor(status.st_dev);
		entry.offset = (uint64_t)offset;
	}
	insert(&entry);
}

long ledger_mmap(uintptr_t address, size_t length, int protection, int flags, int fd, int64_t offset)
{
	uint64_t mask;
	long result;

	lock_take(&mask);
	result = arch_mmap((long)address, (long)length, protection, flags, fd, offset);
	if (!sys_failed(result))
		note_mmap((uintptr_t)result, length, protection, flags, fd, offset);
	lock_release(&mask);
	return result;
}

/* A refusal comes before anything is changed, as far as the program has one mapping there;
 * what is believed of more is put right when it is asked for again. */
long ledger_mprotect(uintptr_t address, size_t length, int protection, int pkey)
{
	uint64_t mask;
	long result;

	lock_take(&mask);
	result = sys_mprotect_plain(address, length, protection, pkey);
	if (!result || result == -ENOMEM)
		protect(address, address + page_up(length), protection & ACCESS);
	lock_release(&mask);
	return result;
}

long ledger_munmap(uintptr_t address, size_t length)
{
	uint64_t mask;
	long result;

	lock_take(&mask);
	result = SYS_CALL(SYS_munmap, address, length, 0, 0, 0, 0);
	if (!result)
		erase(address, address + page_up(length));
	lock_release(&mask);
	return result;
}

static void note_mremap(uintptr_t from, size_t old, size_t whole, int flags, uintptr_t to)
{
	size_t kept = old < whole ? old : whole;

	if (!old) {
		duplicate(from, to, whole);
		return;
	}
	if (to != from) {
		copy(from, from + kept, to);
		if (!(flags & MREMAP_DONTUNMAP))
			erase(from, from + old);
	} else {
		erase(from + kept, from + old);
	}
	if (whole > old)
		lengthen(to + old, to + whole);
}

long ledger_mremap(uintptr_t from, size_t old_length, size_t length, int flags, uintptr_t to)
{
	uint64_t mask;
	long result;

	lock_take(&mask);
	result = SYS_CALL(SYS_mremap, from, old_length, length, flags, to, 0);
	if (!sys_failed(result))
		note_mremap(from, page_up(old_length), page_up(length), flags, (uintptr_t)result);
	lock_release(&mask);
	return result;
}

static void note_brk(uintptr_t before, uintptr_t after)
{
	struct entry entry;

	if (after < before)
		erase(after, before);
	if (after <= before)
		return;
	entry = new_entry(before, after - before, PROT_READ | PROT_WRITE);
	entry.name = NAME_HEAP;
	/* It goes on with the heap that there is. */
	if (first_behind(before - 1) < ledger->count &&
	    ledger->entries[first_behind(before - 1)].name == NAME_HEAP)
		entry.origin = ledger->entries[first_behind(before - 1)].origin;
	insert(&entry);
}

long ledger_brk(uintptr_t end)
{
	uint64_t mask;
	long before, after;

	lock_take(&mask);
	before = SYS_CALL(SYS_brk, 0, 0, 0, 0, 0, 0);
	after = SYS_CALL(SYS_brk, end, 0, 0, 0, 0, 0);
	note_brk(page_up((uintptr_t)before), page_up((uintptr_t)after));
	lock_release(&mask);
	return after;
}
