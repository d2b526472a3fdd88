/* decoder.h: what an instruction means, by Zydis.
 *
 * Zydis is not linked with: a host may bring another. It is a library of ours alone
 * (library.h), of the name that it was built against: its structures differ from one
 * soname to the next. Without it no store is carried out (store.h). What decoder_open
 * returns is async-signal-safe: Zydis allocates nothing. */
#ifndef JITMEND_DECODER_H
#define JITMEND_DECODER_H

#include <stdbool.h>
#include <stddef.h>

enum decoded {
	DECODED,
	DECODED_NOT,
	DECODED_SHORT, /* there are bytes missing at the end */
};

struct ZydisDecodedInstruction_;
struct ZydisDecodedOperand_;

/* There is room for ZYDIS_MAX_OPERAND_COUNT operands. */
typedef enum decoded decode(const void *bytes, size_t length,
			    struct ZydisDecodedInstruction_ *instruction,
			    struct ZydisDecodedOperand_ *operands);

/* Opens Zydis's file, in the constructor: later there may be no descriptor left, or a
 * filter of the host's that forbids it. 0 or a negated errno. */
long decoder_find(void);

/* Maps Zydis, once; what is to be given to store_begin goes to *BY, NULL where there is no
 * Zydis. A negated errno: there is one that cannot be opened now. No libc: within a hook,
 * with the lock. */
long decoder_open(decode **by);

#endif
