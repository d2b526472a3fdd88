/* decoder.c: opens Zydis and asks it. See decoder.h. */
#include "decoder.h"

#include "config.h"

#ifdef ZYDIS_SONAME

#include <Zydis/Decoder.h>
#include <Zydis/Zydis.h>

#include "loader.h"

static ZydisDecoder decoder;
static __typeof__(ZydisDecoderDecodeFull) *decode_full;

static enum decoded decode_by_zydis(const void *bytes, size_t length,
				    ZydisDecodedInstruction *instruction,
				    ZydisDecodedOperand *operands)
{
	ZyanStatus status = decode_full(&decoder, bytes, length, instruction, operands);

	if (ZYAN_SUCCESS(status))
		return DECODED;
	return status == ZYDIS_STATUS_NO_MORE_DATA ? DECODED_SHORT : DECODED_NOT;
}

/* A file of this name may still be another version. */
static bool is_the_version(void *library)
{
	__typeof__(ZydisGetVersion) *version =
		(__typeof__(version))loader_find(library, "ZydisGetVersion");

	return version && ZYDIS_VERSION_MAJOR(version()) == ZYDIS_VERSION_MAJOR(ZYDIS_VERSION) &&
	       ZYDIS_VERSION_MINOR(version()) == ZYDIS_VERSION_MINOR(ZYDIS_VERSION);
}

decode *decoder_open(void)
{
	void *library = loader_open(ZYDIS_SONAME);
	__typeof__(ZydisDecoderInit) *init;

	if (!library || !is_the_version(library))
		return NULL;
	init = (__typeof__(init))loader_find(library, "ZydisDecoderInit");
	decode_full = (__typeof__(decode_full))loader_find(library, "ZydisDecoderDecodeFull");
	if (!init || !decode_full ||
	    !ZYAN_SUCCESS(init(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)))
		return NULL;
	return decode_by_zydis;
}

#else

decode *decoder_open(void)
{
	return NULL;
}

#endif
