/* decoder.c: maps Zydis and asks it. See decoder.h. */
#include "decoder.h"

#include "config.h"

#ifdef ZYDIS_SONAME

#include <errno.h>

#include <Zydis/Decoder.h>
#include <Zydis/Zydis.h>

#include "descriptors.h"
#include "hook/symbols.h"
#include "library.h"
#include "sys.h"

static int file;       /* of descriptors.h */
static bool has_file;
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

/* What fails for a moment is tried again. */
#define ATTEMPTS 3

static long keep_file(void)
{
	long fd = library_find(ZYDIS_SONAME);

	if (sys_failed(fd))
		return fd;
	file = descriptors_keep((int)fd);
	has_file = file >= 0;
	if (has_file)
		return 0;
	sys_close((int)fd);
	return -EMFILE;
}

long decoder_find(void)
{
	long result = -EAGAIN;

	if ((has_file && descriptors_is_open(file)) || zydis.decode_full)
		return 0;
	for (int attempt = 0; attempt < ATTEMPTS && result && result != -ENOENT; attempt++)
		result = keep_file();
	return result;
}

static long map_file(const struct link_map **library)
{
	long result = -EAGAIN;

	for (int attempt = 0; attempt < ATTEMPTS && result && result != -ENOEXEC; attempt++)
		result = library_map(descriptors_number(file), library);
	descriptors_release(file);
	has_file = false;
	file = -1;
	return result;
}

/* What is asked in the constructors of other libraries comes before decoder_find(). */
long decoder_open(decode **by)
{
	const struct link_map *library;
	long result = decoder_find();

	*by = NULL;
	if (!result)
		result = map_file(&library);
	if (result)
		return result == -ENOENT || result == -ENOEXEC ? 0 : result;
	if (!symbols_find_in(library, symbols, sizeof symbols / sizeof *symbols, &zydis) ||
	    !zydis.version || !zydis.init || !zydis.decode_full || !is_the_version() ||
	    !ZYAN_SUCCESS(zydis.init(&decoder, ARCH_DECODER_MODE)))
		return 0;
	*by = decode_by_zydis;
	return 0;
}

#else

long decoder_find(void)
{
	return 0;
}

long decoder_open(decode **by)
{
	*by = NULL;
	return 0;
}

#endif
