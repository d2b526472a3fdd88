/* store.c: an instruction that stores is decoded, carried out (carry.h), or described for
 * another place. See store.h.
 *
 * Stack is scarce: a decoded instruction alone is more than 1 KiB. */
#include "store.h"

#include "config.h"
#include "memory.h"

static decode *decoder;

#ifndef ZYDIS_SONAME

void store_begin(decode *by)
{
	decoder = by;
}

bool store_carry_out(ucontext_t *context, store_write *write)
{
	(void)context;
	(void)write;
	(void)decoder;
	return false;
}

/* It was fetched: it can be read. */
bool store_decode(const ucontext_t *context, struct instruction *instruction)
{
#ifdef ARCH_STEPS_ASIDE
	uint32_t word;

	instruction->at = arch_instruction(context);
	memcpy(&word, (const void *)instruction->at, sizeof word);
	memcpy(instruction->bytes, &word, sizeof word);
	instruction->length = sizeof word;
	instruction->displacement = 0;
	instruction->goes_on = true;
	return arch_steps_aside(word);
#else
	(void)context;
	(void)instruction;
	return false;
#endif
}

#else

#include <Zydis/Decoder.h>

#include <errno.h>
#include <stdatomic.h>

#include "arithmetic.h"
#include "carry.h"
#include "operands.h"
#include "own.h"
#include "sys.h"

/* What has been decoded, by where it stood: it is a few instructions of a program that
 * store into code, again and again, and to decode one takes half as long as all the rest
 * of ours. What it means follows from its bytes alone, so that they are compared, and
 * nobody has to say when code changes. A child of fork may have an entry half made: its
 * length, which comes last, is 0. */
#define DECODED_MOST 31u

struct decoded_instruction {
	unsigned char bytes[ARCH_INSTRUCTION_MOST];
	_Atomic unsigned char length;
	ZydisDecodedInstruction instruction;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

static struct decoded_instruction *decoded_before; /* DECODED_MOST; NULL: no memory for them */

void store_begin(decode *by)
{
	long made = by ? own_memory(DECODED_MOST * sizeof *decoded_before) : -ENOMEM;

	decoded_before = sys_failed(made) ? NULL : (void *)made;
	operands_begin();
	decoder = by;
}

static bool is_the_same(const struct decoded_instruction *before, uintptr_t from)
{
	const unsigned char *bytes = (const unsigned char *)from;
	unsigned length = atomic_load_explicit(&before->length, memory_order_relaxed);

	for (unsigned i = 0; i < length; i++)
		if (bytes[i] != before->bytes[i])
			return false;
	return length != 0;
}

/* Reads on into the next page only where the instruction does. */
static bool is_decoded(struct decoded_instruction *as, uintptr_t from)
{
	size_t length = page_up(from + 1) - from;
	enum decoded decoded;

	if (is_the_same(as, from))
		return true;
	if (length > ARCH_INSTRUCTION_MOST)
		length = ARCH_INSTRUCTION_MOST;
	atomic_store_explicit(&as->length, 0, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	memcpy(as->bytes, (const void *)from, length);
	decoded = decoder(as->bytes, length, &as->instruction, as->operands);
	if (decoded == DECODED_SHORT && length < ARCH_INSTRUCTION_MOST) {
		memcpy(as->bytes + length, (const void *)(from + length),
		       ARCH_INSTRUCTION_MOST - length);
		decoded = decoder(as->bytes, ARCH_INSTRUCTION_MOST, &as->instruction,
				  as->operands);
	}
	if (decoded != DECODED)
		return false;
	atomic_store_explicit(&as->length, as->instruction.length, memory_order_release);
	return true;
}

/* On the stack of the caller where there is no memory for more. */
static const struct decoded_instruction *decode_at(const ucontext_t *context,
						   struct decoded_instruction *on_stack)
{
	uintptr_t from = arch_instruction(context);
	struct decoded_instruction *as = on_stack;

	if (!decoder || !arch_is_usual_code(context))
		return NULL;
	if (decoded_before)
		as = &decoded_before[from % DECODED_MOST];
	else
		as->length = 0;
	return is_decoded(as, from) ? as : NULL;
}

bool store_carry_out(ucontext_t *context, store_write *write)
{
	greg_t *registers = context->uc_mcontext.gregs;
	struct decoded_instruction on_stack;
	const struct decoded_instruction *found = decode_at(context, &on_stack);
	struct work work = { .registers = registers, .context = context, .write = write };

	if (!found)
		return false;
	work.instruction = &found->instruction;
	work.operands = found->operands;
	work.next = arch_instruction(context) + found->instruction.length;
	work.flags = (uint64_t)registers[REG_EFL];
	if (!carry(&work))
		return false;
	registers[ARCH_IP] = (greg_t)work.next;
	registers[REG_EFL] = (greg_t)(work.flags & ~(uint64_t)FLAG_RESUME);
	return true;
}

/* -------------------------------------------------------------- in another place */

static bool is_pointer(ZydisRegister name)
{
	return name == ZYDIS_REGISTER_RIP || name == ZYDIS_REGISTER_EIP;
}

/* What goes elsewhere has the pointer among its operands, though it may be hidden. */
static bool goes_on(const struct decoded_instruction *found)
{
	for (unsigned i = 0; i < found->instruction.operand_count; i++)
		if (found->operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    is_pointer(found->operands[i].reg.value))
			return false;
	return true;
}

static unsigned displacement_of(const struct decoded_instruction *found)
{
	for (unsigned i = 0; i < found->instruction.operand_count; i++)
		if (found->operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    is_pointer(found->operands[i].mem.base))
			return found->instruction.raw.disp.offset;
	return 0;
}

bool store_decode(const ucontext_t *context, struct instruction *instruction)
{
	struct decoded_instruction on_stack;
	const struct decoded_instruction *found = decode_at(context, &on_stack);

	if (!found)
		return false;
	instruction->at = arch_instruction(context);
	instruction->length = found->instruction.length;
	memcpy(instruction->bytes, found->bytes, instruction->length);
	instruction->displacement = displacement_of(found);
	instruction->goes_on = goes_on(found);
	return true;
}

#endif
