/* decoder.c: maps Zydis and asks it. See decoder.h. */
#include "decoder.h"

#include "config.h"

#ifdef ZYDIS_SONAME

#include <Zydis/Decoder.h>
#include <Zydis/Zydis.h>

#include "descriptors.h"
#include "hook/symbols.h"
#include "library.h"
#include "sys.h"

static int file = -1; /* of descriptors.h */
static ZydisDecoder decoder;

static struct zydis {
	__typeof__(ZydisGetVersion) *version;
	__typeof__(ZydisDecoderInit) *init;
	__typeof__(ZydisDecoderDecodeFull) *decode_full;
} zydis;

static const struct symbol symbols[] = {
	{ offsetof(struct zydis, version), "ZydisGetVersion" },
	{ offsetof(struct zydis, init), "ZydisDecoderInit" },
	{ offsetof(struct zydis, decode_full), "ZydisDecoderDecodeFull" },
};

static enum decoded decode_by_zydis(const void *bytes, size_t length,
				    ZydisDecodedInstruction *instruction,
				    ZydisDecodedOperand *operands)
{
	ZyanStatus status = zydis.decode_full(&decoder, bytes, length, instruction, operands);

	if (ZYAN_SUCCESS(status))
		return DECODED;
	return status == ZYDIS_STATUS_NO_MORE_DATA ? DECODED_SHORT : DECODED_NOT;
}

/* A file of this name may still be another version. */
static bool is_the_version(void)
{
	uint64_t version = zydis.version();

	return ZYDIS_VERSION_MAJOR(version) == ZYDIS_VERSION_MAJOR(ZYDIS_VERSION) &&
	       ZYDIS_VERSION_MINOR(version) == ZYDIS_VERSION_MINOR(ZYDIS_VERSION);
}

/* It cannot be come by later: what fails for a moment is tried again. */
#define ATTEMPTS 3

static int keep_file(void)
{
	long fd = library_find(ZYDIS_SONAME);
	int kept;

	if (sys_failed(fd))
		return -1;
	kept = descriptors_keep((int)fd);
	if (kept < 0)
		sys_close((int)fd);
	return kept;
}

void decoder_find(void)
{
	for (int attempt = 0; attempt < ATTEMPTS && file < 0 && !zydis.decode_full; attempt++)
		file = keep_file();
}

static const struct link_map *map_file(void)
{
	const struct link_map *library = NULL;

	for (int attempt = 0; attempt < ATTEMPTS && !library; attempt++)
		library = descriptors_is_open(file) ? library_map(descriptors_number(file)) : NULL;
	descriptors_release(file);
	file = -1;
	return library;
}

/* What is asked in the constructors of other libraries comes before decoder_find(). */
decode *decoder_open(void)
{
	const struct link_map *library;

	decoder_find();
	library = map_file();
	if (!library ||
	    !symbols_find_in(library, symbols, sizeof symbols / sizeof *symbols, &zydis) ||
	    !zydis.version || !zydis.init || !zydis.decode_full || !is_the_version() ||
	    !ZYAN_SUCCESS(zydis.init(&decoder, ARCH_DECODER_MODE)))
		return NULL;
	return decode_by_zydis;
}

#else

void decoder_find(void)
{
}

decode *decoder_open(void)
{
	return NULL;
}

#endif
