/* provenance.c: a ring of the latest page-aligned allocations. See
 * provenance.h. */
#include "provenance.h"

#include <stdatomic.h>

#include "sys.h"

#define SLOTS 1024u

/* VERSION is odd while the slot is written; a reader that sees it change
 * between its first and last look takes nothing. */
struct slot {
	atomic_uint version;
	const char *_Atomic function;
	_Atomic uintptr_t address;
	_Atomic size_t length;
	_Atomic uintptr_t call_site;
};

static struct slot ring[SLOTS];
static atomic_uint next;

void provenance_note(const struct provenance *p)
{
	struct slot *slot;
	unsigned version;

	if (p->address == 0 || p->address % PAGE_BYTES)
		return;
	slot = &ring[atomic_fetch_add(&next, 1) % SLOTS];
	version = atomic_load(&slot->version);
	if (version & 1 || !atomic_compare_exchange_strong(&slot->version, &version, version + 1))
		return;
	atomic_store(&slot->function, p->function);
	atomic_store(&slot->address, p->address);
	atomic_store(&slot->length, p->length);
	atomic_store(&slot->call_site, p->call_site);
	atomic_store(&slot->version, version + 2);
}

static bool read_slot(struct slot *slot, struct provenance *p)
{
	unsigned version = atomic_load(&slot->version);

	p->function = atomic_load(&slot->function);
	p->address = atomic_load(&slot->address);
	p->length = atomic_load(&slot->length);
	p->call_site = atomic_load(&slot->call_site);
	return version != 0 && !(version & 1) && atomic_load(&slot->version) == version;
}

bool provenance_find(uintptr_t address, struct provenance *p)
{
	unsigned newest = atomic_load(&next);

	for (unsigned back = 1; back <= SLOTS; back++)
		if (read_slot(&ring[(newest - back) % SLOTS], p) && address >= p->address &&
		    address - p->address < p->length)
			return true;
	return false;
}
