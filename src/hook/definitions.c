/* hook/definitions.c: reads DT_GNU_HASH, and where that is missing DT_HASH. See
 * hook/symbols.h. The audit library and the agent have it too.
 *
 * The first is: counts, a filter of two bits per name, the first symbol of each
 * bucket, and for each symbol its hash, of which the lowest bit ends the bucket.
 * The second: counts, the first symbol of each bucket, and for each symbol the next
 * of its bucket, 0 at the end. */
#include "symbols.h"

#include <elf.h>
#include <link.h>
#include <stdint.h>

#include "../memory.h"

#define WORD_BITS (8 * sizeof(ElfW(Addr)))
#define HIDDEN_VERSION 0x8000 /* an old version, for programs linked with it */

struct object {
	ElfW(Addr) base;
	const ElfW(Sym) *symbols;
	const char *strings;
	const ElfW(Half) *versions;
	uint32_t buckets, first, filter_words, filter_shift;
	const ElfW(Addr) *filter;
	const uint32_t *bucket, *chain;
	const uint32_t *old; /* DT_HASH, where there is nothing newer */
};

/* The loader has relocated what it may write to; the vdso it may not. */
static const void *in_object(const struct link_map *map, ElfW(Addr) pointer)
{
	return (const void *)(pointer < map->l_addr ? pointer + map->l_addr : pointer);
}

static void read_hash(struct object *object, const uint32_t *hash)
{
	object->buckets = hash[0];
	object->first = hash[1];
	object->filter_words = hash[2];
	object->filter_shift = hash[3];
	object->filter = (const ElfW(Addr) *)(hash + 4);
	object->bucket = (const uint32_t *)(object->filter + object->filter_words);
	object->chain = object->bucket + object->buckets;
}

static bool read_object(const struct link_map *map, struct object *object)
{
	const uint32_t *hash = NULL;

	*object = (struct object){ .base = map->l_addr };
	for (const ElfW(Dyn) *entry = map->l_ld; entry && entry->d_tag != DT_NULL; entry++) {
		const void *at = in_object(map, entry->d_un.d_ptr);

		if (entry->d_tag == DT_GNU_HASH)
			hash = at;
		else if (entry->d_tag == DT_HASH)
			object->old = at;
		else if (entry->d_tag == DT_SYMTAB)
			object->symbols = at;
		else if (entry->d_tag == DT_STRTAB)
			object->strings = at;
		else if (entry->d_tag == DT_VERSYM)
			object->versions = at;
	}
	if (!object->symbols || !object->strings)
		return false;
	if (!hash)
		return object->old && object->old[0];
	object->old = NULL;
	read_hash(object, hash);
	return object->buckets && object->filter_words;
}

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 5381;

	while (*name)
		hash = hash * 33 + (unsigned char)*name++;
	return hash;
}

/* What an unversioned reference gets: defined, global, of the default version. */
static bool serves(const struct object *object, uint32_t number, const char *name)
{
	const ElfW(Sym) *symbol = &object->symbols[number];
	unsigned char binding = symbol->st_info >> 4;

	if (symbol->st_shndx == SHN_UNDEF || symbol->st_value == 0 || binding == STB_LOCAL)
		return false;
	if (object->versions && object->versions[number] & HIDDEN_VERSION)
		return false;
	return string_equal(object->strings + symbol->st_name, name);
}

static uint32_t old_hash_of(const char *name)
{
	uint32_t hash = 0;

	while (*name) {
		hash = (hash << 4) + (unsigned char)*name++;
		hash ^= hash >> 24 & 0xf0;
		hash &= 0x0fffffff;
	}
	return hash;
}

static const ElfW(Sym) *look_up_old(const struct object *object, const char *name)
{
	const uint32_t *bucket = object->old + 2, *chain = bucket + object->old[0];
	uint32_t number = bucket[old_hash_of(name) % object->old[0]];

	while (number && !serves(object, number, name))
		number = chain[number];
	return number ? &object->symbols[number] : NULL;
}

static const ElfW(Sym) *look_up(const struct object *object, const char *name)
{
	if (object->old)
		return look_up_old(object, name);

	uint32_t hash = hash_of(name);
	ElfW(Addr) word = object->filter[hash / WORD_BITS % object->filter_words];
	uint32_t number;

	if (!(word >> hash % WORD_BITS & word >> (hash >> object->filter_shift) % WORD_BITS & 1))
		return NULL;
	number = object->bucket[hash % object->buckets];
	if (number < object->first)
		return NULL;
	for (;; number++) {
		uint32_t other = object->chain[number - object->first];

		if ((other | 1) == (hash | 1) && serves(object, number, name))
			return &object->symbols[number];
		if (other & 1)
			return NULL;
	}
}

static void **pointer_of(const struct symbol *symbol, void *base)
{
	return (void **)((char *)base + symbol->place);
}

/* False: what it defines has to be called to know where it is (STT_GNU_IFUNC). */
static bool take_from(const struct object *object, const struct symbol *symbols, size_t count,
		      void *base)
{
	for (size_t i = 0; i < count; i++) {
		void **pointer = pointer_of(&symbols[i], base);
		const ElfW(Sym) *found;

		if (*pointer)
			continue;
		found = look_up(object, symbols[i].name);
		if (found && (found->st_info & 15) != STT_FUNC)
			return false;
		if (found)
			*pointer = (void *)(object->base + found->st_value);
	}
	return true;
}

bool symbols_find_in(const struct link_map *map, const struct symbol *symbols, size_t count,
		     void *base)
{
	struct object object;

	return map && read_object(map, &object) && take_from(&object, symbols, count, base);
}

bool symbols_has_soname(const struct link_map *map, const char *soname)
{
	const char *strings = NULL, *name = NULL;

	for (const ElfW(Dyn) *entry = map->l_ld; entry && entry->d_tag != DT_NULL; entry++)
		if (entry->d_tag == DT_STRTAB)
			strings = in_object(map, entry->d_un.d_ptr);
	for (const ElfW(Dyn) *entry = map->l_ld; strings && entry->d_tag != DT_NULL; entry++)
		if (entry->d_tag == DT_SONAME)
			name = strings + entry->d_un.d_val;
	return name && string_equal(name, soname);
}
