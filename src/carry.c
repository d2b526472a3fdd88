/* carry.c: what instructions that store do, by their names. See carry.h.
 *
 * Nothing changes before the write has succeeded: every function here computes
 * what it needs, calls the writer, and only then touches the registers. */
#include "config.h"

#ifdef ZYDIS_SONAME

#include "carry.h"

#include "arithmetic.h"
#include "memory.h"
#include "sys.h"

#define STRING_BYTES 256u /* of a repeated string instruction, in one write */

/* -------------------------------------------------------- read, modify, write */

/* A memory operand that is read, changed and written. */
struct cell {
	uintptr_t address;
	unsigned bytes;
	uint64_t value;
};

static bool read_cell(const struct work *work, const ZydisDecodedOperand *operand, uint64_t more,
		      struct cell *cell)
{
	cell->bytes = bytes_of(operand);
	return cell->bytes != 0 && address_of(work, operand, more, &cell->address) &&
	       read_value(work, cell->address, cell->bytes, &cell->value);
}

static bool write_cell(const struct work *work, const struct cell *cell, uint64_t value)
{
	return write_value(work, cell->address, cell->bytes, value);
}

/* The cell's value becomes what MNEMONIC makes of it and SOURCE. INC and DEC leave
 * the carry. */
static bool compute(ZydisMnemonic mnemonic, struct cell *cell, uint64_t source, uint64_t *flags)
{
	uint64_t before = *flags, old = cell->value;
	unsigned bytes = cell->bytes, carry = before & FLAG_CARRY ? 1 : 0;

	switch (mnemonic) {
	case ZYDIS_MNEMONIC_ADD:
		cell->value = add(old, source, 0, bytes, flags);
		return true;
	case ZYDIS_MNEMONIC_ADC:
		cell->value = add(old, source, carry, bytes, flags);
		return true;
	case ZYDIS_MNEMONIC_SUB:
		cell->value = subtract(old, source, 0, bytes, flags);
		return true;
	case ZYDIS_MNEMONIC_SBB:
		cell->value = subtract(old, source, carry, bytes, flags);
		return true;
	case ZYDIS_MNEMONIC_AND:
		cell->value = logical(old & source, bytes, flags);
		return true;
	case ZYDIS_MNEMONIC_OR:
		cell->value = logical(old | source, bytes, flags);
		return true;
	case ZYDIS_MNEMONIC_XOR:
		cell->value = logical(old ^ source, bytes, flags);
		return true;
	case ZYDIS_MNEMONIC_NOT:
		cell->value = ~old;
		return true;
	case ZYDIS_MNEMONIC_NEG:
		cell->value = subtract(0, old, 0, bytes, flags);
		return true;
	case ZYDIS_MNEMONIC_INC:
		cell->value = add(old, 1, 0, bytes, flags);
		replace_flags(flags, FLAG_CARRY, before);
		return true;
	case ZYDIS_MNEMONIC_DEC:
		cell->value = subtract(old, 1, 0, bytes, flags);
		replace_flags(flags, FLAG_CARRY, before);
		return true;
	default: return false;
	}
}

static bool carry_arithmetic(struct work *work)
{
	const ZydisDecodedOperand *operands = work->operands;
	struct cell cell;
	uint64_t source = 0;

	if (!read_cell(work, &operands[0], 0, &cell))
		return false;
	if (work->instruction->operand_count_visible > 1 &&
	    !source_value(work, &operands[1], &source))
		return false;
	source &= ones(cell.bytes);
	return compute(work->instruction->mnemonic, &cell, source, &work->flags) &&
	       write_cell(work, &cell, cell.value);
}

static uint64_t shifted(ZydisMnemonic mnemonic, const struct cell *cell, unsigned count,
			uint64_t *flags)
{
	switch (mnemonic) {
	case ZYDIS_MNEMONIC_SHL:
		return shift(SHIFT_LEFT, cell->value, count, cell->bytes, flags);
	case ZYDIS_MNEMONIC_SHR:
		return shift(SHIFT_RIGHT, cell->value, count, cell->bytes, flags);
	case ZYDIS_MNEMONIC_SAR:
		return shift(SHIFT_SIGNED, cell->value, count, cell->bytes, flags);
	default:
		return rotate(mnemonic == ZYDIS_MNEMONIC_ROL, cell->value, count, cell->bytes,
			      flags);
	}
}

/* A count of 0 changes no flag, but the store is made. */
static bool carry_shift(struct work *work)
{
	struct cell cell;
	uint64_t count;

	if (!read_cell(work, &work->operands[0], 0, &cell) ||
	    !source_value(work, &work->operands[1], &count))
		return false;
	count &= cell.bytes == 8 ? 63 : 31;
	if (count)
		cell.value = shifted(work->instruction->mnemonic, &cell, (unsigned)count,
				     &work->flags);
	return write_cell(work, &cell, cell.value);
}

/* A bit number in a register reaches beyond the operand, either way. */
static bool carry_bit(struct work *work)
{
	const ZydisDecodedOperand *operands = work->operands;
	unsigned bytes = bytes_of(&operands[0]), bits = 8 * bytes;
	struct cell cell;
	uint64_t number, bit;
	int64_t word = 0;

	if (bytes < 2 || !source_value(work, &operands[1], &number))
		return false;
	if (operands[1].type == ZYDIS_OPERAND_TYPE_REGISTER)
		word = (int64_t)(sign_extended(number, bytes) & ~(uint64_t)(bits - 1));
	if (!read_cell(work, &operands[0], (uint64_t)(word >> 3), &cell))
		return false;
	bit = 1ULL << (number & (bits - 1));
	replace_flags(&work->flags, FLAG_CARRY, cell.value & bit ? FLAG_CARRY : 0);
	switch (work->instruction->mnemonic) {
	case ZYDIS_MNEMONIC_BTS: return write_cell(work, &cell, cell.value | bit);
	case ZYDIS_MNEMONIC_BTR: return write_cell(work, &cell, cell.value & ~bit);
	default: return write_cell(work, &cell, cell.value ^ bit);
	}
}

/* XCHG and XADD: the register gets what was in memory. */
static bool carry_exchange(struct work *work)
{
	bool adds = work->instruction->mnemonic == ZYDIS_MNEMONIC_XADD;
	unsigned memory = work->operands[0].type == ZYDIS_OPERAND_TYPE_MEMORY ? 0 : 1;
	const ZydisDecodedOperand *other = &work->operands[1 - memory];
	struct cell cell;
	struct place place;
	uint64_t value;

	if (other->type != ZYDIS_OPERAND_TYPE_REGISTER || !place_of(other->reg.value, &place) ||
	    !read_cell(work, &work->operands[memory], 0, &cell))
		return false;
	value = get_register(work, &place);
	if (adds)
		value = add(cell.value, value, 0, cell.bytes, &work->flags);
	if (!write_cell(work, &cell, value))
		return false;
	set_register(work, &place, cell.value);
	return true;
}

static uint64_t get_accumulator(const struct work *work, unsigned bytes)
{
	return general_register(work, ARCH_AX) & ones(bytes);
}

static void set_accumulator(struct work *work, unsigned bytes, uint64_t value)
{
	struct place place = { .index = ARCH_AX, .bytes = bytes };

	set_register(work, &place, value);
}

/* Where it does not compare, the old value is stored again. */
static bool carry_compare_exchange(struct work *work)
{
	struct cell cell;
	uint64_t expected, wanted;

	if (!read_cell(work, &work->operands[0], 0, &cell) ||
	    !source_value(work, &work->operands[1], &wanted))
		return false;
	expected = get_accumulator(work, cell.bytes);
	subtract(expected, cell.value, 0, cell.bytes, &work->flags);
	if (!write_cell(work, &cell, expected == cell.value ? wanted : cell.value))
		return false;
	if (expected != cell.value)
		set_accumulator(work, cell.bytes, cell.value);
	return true;
}

static bool carry_compare_exchange_pair(struct work *work)
{
	struct cell cell;
	uint64_t expected = (general_register(work, ARCH_DX) & ones(4)) << 32 |
			    (general_register(work, ARCH_AX) & ones(4));
	uint64_t wanted = (general_register(work, ARCH_CX) & ones(4)) << 32 |
			  (general_register(work, ARCH_BX) & ones(4));

	if (!read_cell(work, &work->operands[0], 0, &cell) || cell.bytes != 8 ||
	    !write_cell(work, &cell, expected == cell.value ? wanted : cell.value))
		return false;
	replace_flags(&work->flags, FLAG_ZERO, expected == cell.value ? FLAG_ZERO : 0);
	if (expected != cell.value) {
		work->registers[ARCH_AX] = (greg_t)(cell.value & ones(4));
		work->registers[ARCH_DX] = (greg_t)(cell.value >> 32);
	}
	return true;
}

/* --------------------------------------------------------------------- moving */

static uint64_t bytes_reversed(uint64_t value, unsigned bytes)
{
	uint64_t reversed = 0;

	for (unsigned i = 0; i < bytes; i++, value >>= 8)
		reversed = reversed << 8 | (value & 0xff);
	return reversed;
}

static bool carry_move(struct work *work)
{
	const ZydisDecodedOperand *operands = work->operands;
	unsigned bytes = bytes_of(&operands[0]);
	uintptr_t address;
	uint64_t value;

	if (bytes == 0 || !address_of(work, &operands[0], 0, &address))
		return false;
	if (!source_value(work, &operands[1], &value) && !segment_value(work, &operands[1], &value))
		return false;
	if (work->instruction->mnemonic == ZYDIS_MNEMONIC_MOVBE)
		value = bytes_reversed(value, bytes);
	return write_value(work, address, bytes, value);
}

static bool carry_condition(struct work *work)
{
	unsigned condition = work->instruction->opcode & 15u;
	uintptr_t address;

	return address_of(work, &work->operands[0], 0, &address) &&
	       write_value(work, address, 1, condition_holds(condition, work->flags));
}

/* What is pushed or called. */
static bool any_value(const struct work *work, const ZydisDecodedOperand *operand, unsigned bytes,
		      uint64_t *value)
{
	uintptr_t address;

	if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY)
		return source_value(work, operand, value);
	return address_of(work, operand, 0, &address) && read_value(work, address, bytes, value);
}

/* VALUE was taken with the stack pointer as it is before: so push %rsp is. */
static bool push(struct work *work, unsigned bytes, uint64_t value)
{
	uintptr_t top = arch_stack(work->context) - bytes;

	if (!write_value(work, top, bytes, value))
		return false;
	work->registers[ARCH_SP] = (greg_t)top;
	return true;
}

static bool carry_push(struct work *work)
{
	unsigned bytes = work->instruction->operand_width / 8u;
	uint64_t value;

	return (bytes == ARCH_WORD_BYTES || bytes == 2) &&
	       any_value(work, &work->operands[0], bytes, &value) && push(work, bytes, value);
}

static bool has_prefix(const struct work *work, unsigned char value)
{
	for (unsigned i = 0; i < work->instruction->raw.prefix_count; i++)
		if (work->instruction->raw.prefixes[i].value == value)
			return true;
	return false;
}

/* With an operand size prefix processors differ. A shadow stack has the return address
 * too, and is not ours to write. */
static bool carry_call(struct work *work)
{
	const ZydisDecodedOperand *operand = &work->operands[0];
	uint64_t target;

	if (work->instruction->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR ||
	    has_prefix(work, 0x66) || arch_has_shadow_stack() ||
	    !any_value(work, operand, ARCH_WORD_BYTES, &target))
		return false;
	if (operand->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
		target = (target + work->next) & ones(ARCH_WORD_BYTES);
	if (target >> ARCH_ADDRESS_BITS || !push(work, ARCH_WORD_BYTES, work->next))
		return false;
	work->next = target;
	return true;
}

/* -------------------------------------------------------------------- strings */

struct string {
	bool copies, down;
	unsigned bytes;
	uint64_t to, from, count;
	uint64_t from_base; /* of the segment; the target's is 0 */
	uint64_t mask;      /* of the address size */
	uint64_t done;      /* bytes, as a distance */
};

/* How many elements from ADDRESS on lie on its page: at least the one. */
static uint64_t room(uintptr_t address, unsigned bytes, bool down)
{
	uint64_t before = address - page_down(address), behind = PAGE_BYTES - before;

	if (behind < bytes)
		return 1;
	return down ? before / bytes + 1 : behind / bytes;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* As many elements as one write takes. What an element stored may be what a
 * later one loads. */
static uint64_t run_length(const struct string *string, uintptr_t to, uintptr_t from)
{
	uint64_t run = least(string->count, STRING_BYTES / string->bytes);
	uint64_t ahead = string->down ? from - to : to - from;

	run = least(run, room(to, string->bytes, string->down));
	if (!string->copies)
		return run;
	run = least(run, room(from, string->bytes, string->down));
	if (ahead == 0 || ahead >= STRING_BYTES)
		return run;
	return ahead < string->bytes ? 1 : least(run, ahead / string->bytes);
}

/* The low BYTES of VALUE, again and again. */
static uint64_t repeated(uint64_t value, unsigned bytes)
{
	for (value &= ones(bytes); bytes < 8; bytes *= 2)
		value |= value << 8 * bytes;
	return value;
}

static void fill(uint64_t *words, uint64_t word)
{
	for (size_t i = 0; i < STRING_BYTES / sizeof word; i++)
		words[i] = word;
}

static uint64_t advanced(const struct string *string, uint64_t address)
{
	return (string->down ? address - string->done : address + string->done) & string->mask;
}

/* One write. */
static bool carry_run(struct work *work, struct string *string, uint64_t *buffer)
{
	uintptr_t to = advanced(string, string->to);
	uintptr_t from = string->from_base + advanced(string, string->from);
	uint64_t run = run_length(string, to, from), length = run * string->bytes;
	uint64_t back = string->down ? length - string->bytes : 0;

	if (string->copies && !read_memory(work, from - back, buffer, length))
		return false;
	if (!work->write(to - back, buffer, length))
		return false;
	string->done += length;
	string->count -= run;
	return true;
}

/* As many writes as the page of the first takes. False: not even one. */
static bool carry_page(struct work *work, struct string *string)
{
	uint64_t buffer[STRING_BYTES / sizeof(uint64_t)];
	uint64_t accumulator = general_register(work, ARCH_AX);

	if (!string->copies)
		fill(buffer, repeated(accumulator, string->bytes));
	while (string->count && page_down(advanced(string, string->to)) == page_down(string->to))
		if (!carry_run(work, string, buffer))
			break;
	return string->done != 0;
}

static struct string string_of(const struct work *work, bool repeats)
{
	uint64_t mask = ones(work->instruction->address_width / 8u);
	struct string string = {
		.copies = work->operands[1].type == ZYDIS_OPERAND_TYPE_MEMORY,
		.down = work->flags & FLAG_DIRECTION,
		.bytes = bytes_of(&work->operands[0]),
		.to = general_register(work, ARCH_DI) & mask,
		.from = general_register(work, ARCH_SI) & mask,
		.count = repeats ? general_register(work, ARCH_CX) & mask : 1,
		.mask = mask,
	};

	return string;
}

/* MOVS and STOS, with REP to the end of the page. */
static bool carry_string(struct work *work)
{
	greg_t *registers = work->registers;
	bool repeats = work->instruction->attributes & ZYDIS_ATTRIB_HAS_REP;
	struct string string = string_of(work, repeats);

	if (string.bytes == 0 || string.count == 0 || has_prefix(work, 0xf2))
		return false;
	if (string.copies && !segment_base(work->operands[1].mem.segment, &string.from_base))
		return false;
	if (!carry_page(work, &string))
		return false;
	registers[ARCH_DI] = (greg_t)advanced(&string, string.to);
	if (string.copies)
		registers[ARCH_SI] = (greg_t)advanced(&string, string.from);
	if (repeats)
		registers[ARCH_CX] = (greg_t)string.count;
	if (string.count)
		work->next = arch_instruction(work->context);
	return true;
}

/* -------------------------------------------------------------------- vectors */

/* With an EVEX prefix, k0 stands for no mask. */
static bool is_masked(const ZydisDecodedInstruction *instruction)
{
	ZydisRegister mask = instruction->avx.mask.reg;

	return mask != ZYDIS_REGISTER_NONE && mask != ZYDIS_REGISTER_K0;
}

/* As many bytes of a vector register as the operand has, from byte FROM on. An
 * EVEX prefix's mask may stand between target and source. */
static bool store_vector(struct work *work, unsigned from, bool aligned)
{
	const ZydisDecodedOperand *operands = work->operands;
	unsigned last = work->instruction->operand_count_visible - 1u;
	unsigned length = operands[0].size / 8u;
	unsigned char bytes[VECTOR_MOST];
	uintptr_t address;

	if (last == 0 || is_masked(work->instruction) || length == 0 ||
	    !address_of(work, &operands[0], 0, &address) || (aligned && address % length) ||
	    vector_value(work, &operands[last], bytes) < from + length)
		return false;
	return work->write(address, bytes + from, length);
}

/* ------------------------------------------------------------ what it comes to */

static bool carry_vector(struct work *work)
{
	switch (work->instruction->mnemonic) {
	case ZYDIS_MNEMONIC_MOVUPS: case ZYDIS_MNEMONIC_VMOVUPS:
	case ZYDIS_MNEMONIC_MOVUPD: case ZYDIS_MNEMONIC_VMOVUPD:
	case ZYDIS_MNEMONIC_MOVDQU: case ZYDIS_MNEMONIC_VMOVDQU:
	case ZYDIS_MNEMONIC_VMOVDQU8: case ZYDIS_MNEMONIC_VMOVDQU16:
	case ZYDIS_MNEMONIC_VMOVDQU32: case ZYDIS_MNEMONIC_VMOVDQU64:
	case ZYDIS_MNEMONIC_MOVD: case ZYDIS_MNEMONIC_VMOVD:
	case ZYDIS_MNEMONIC_MOVQ: case ZYDIS_MNEMONIC_VMOVQ:
	case ZYDIS_MNEMONIC_MOVSS: case ZYDIS_MNEMONIC_VMOVSS:
	case ZYDIS_MNEMONIC_MOVSD: case ZYDIS_MNEMONIC_VMOVSD:
	case ZYDIS_MNEMONIC_MOVLPS: case ZYDIS_MNEMONIC_VMOVLPS:
	case ZYDIS_MNEMONIC_MOVLPD: case ZYDIS_MNEMONIC_VMOVLPD:
		return store_vector(work, 0, false);
	case ZYDIS_MNEMONIC_MOVHPS: case ZYDIS_MNEMONIC_VMOVHPS:
	case ZYDIS_MNEMONIC_MOVHPD: case ZYDIS_MNEMONIC_VMOVHPD:
		return store_vector(work, 8, false);
	case ZYDIS_MNEMONIC_MOVAPS: case ZYDIS_MNEMONIC_VMOVAPS:
	case ZYDIS_MNEMONIC_MOVAPD: case ZYDIS_MNEMONIC_VMOVAPD:
	case ZYDIS_MNEMONIC_MOVDQA: case ZYDIS_MNEMONIC_VMOVDQA:
	case ZYDIS_MNEMONIC_VMOVDQA32: case ZYDIS_MNEMONIC_VMOVDQA64:
	case ZYDIS_MNEMONIC_MOVNTPS: case ZYDIS_MNEMONIC_VMOVNTPS:
	case ZYDIS_MNEMONIC_MOVNTPD: case ZYDIS_MNEMONIC_VMOVNTPD:
	case ZYDIS_MNEMONIC_MOVNTDQ: case ZYDIS_MNEMONIC_VMOVNTDQ:
		return store_vector(work, 0, true);
	default:
		return false;
	}
}

bool carry(struct work *work)
{
	switch (work->instruction->mnemonic) {
	case ZYDIS_MNEMONIC_MOV: case ZYDIS_MNEMONIC_MOVNTI: case ZYDIS_MNEMONIC_MOVBE:
		return carry_move(work);
	case ZYDIS_MNEMONIC_ADD: case ZYDIS_MNEMONIC_ADC: case ZYDIS_MNEMONIC_SUB:
	case ZYDIS_MNEMONIC_SBB: case ZYDIS_MNEMONIC_AND: case ZYDIS_MNEMONIC_OR:
	case ZYDIS_MNEMONIC_XOR: case ZYDIS_MNEMONIC_NOT: case ZYDIS_MNEMONIC_NEG:
	case ZYDIS_MNEMONIC_INC: case ZYDIS_MNEMONIC_DEC:
		return carry_arithmetic(work);
	case ZYDIS_MNEMONIC_SHL: case ZYDIS_MNEMONIC_SHR: case ZYDIS_MNEMONIC_SAR:
	case ZYDIS_MNEMONIC_ROL: case ZYDIS_MNEMONIC_ROR:
		return carry_shift(work);
	case ZYDIS_MNEMONIC_BTS: case ZYDIS_MNEMONIC_BTR: case ZYDIS_MNEMONIC_BTC:
		return carry_bit(work);
	case ZYDIS_MNEMONIC_XCHG: case ZYDIS_MNEMONIC_XADD:
		return carry_exchange(work);
	case ZYDIS_MNEMONIC_CMPXCHG:
		return carry_compare_exchange(work);
	case ZYDIS_MNEMONIC_CMPXCHG8B:
		return carry_compare_exchange_pair(work);
	case ZYDIS_MNEMONIC_PUSH:
		return carry_push(work);
	case ZYDIS_MNEMONIC_CALL:
		return carry_call(work);
	case ZYDIS_MNEMONIC_STOSB: case ZYDIS_MNEMONIC_STOSW: case ZYDIS_MNEMONIC_STOSD:
	case ZYDIS_MNEMONIC_STOSQ: case ZYDIS_MNEMONIC_MOVSB: case ZYDIS_MNEMONIC_MOVSW:
	case ZYDIS_MNEMONIC_MOVSQ:
		return carry_string(work);
	case ZYDIS_MNEMONIC_MOVSD: /* two instructions have this name */
		if (work->operands[1].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    work->operands[0].type == ZYDIS_OPERAND_TYPE_MEMORY)
			return carry_string(work);
		return carry_vector(work);
	case ZYDIS_MNEMONIC_SETO: case ZYDIS_MNEMONIC_SETNO: case ZYDIS_MNEMONIC_SETB:
	case ZYDIS_MNEMONIC_SETNB: case ZYDIS_MNEMONIC_SETZ: case ZYDIS_MNEMONIC_SETNZ:
	case ZYDIS_MNEMONIC_SETBE: case ZYDIS_MNEMONIC_SETNBE: case ZYDIS_MNEMONIC_SETS:
	case ZYDIS_MNEMONIC_SETNS: case ZYDIS_MNEMONIC_SETP: case ZYDIS_MNEMONIC_SETNP:
	case ZYDIS_MNEMONIC_SETL: case ZYDIS_MNEMONIC_SETNL: case ZYDIS_MNEMONIC_SETLE:
	case ZYDIS_MNEMONIC_SETNLE:
		return carry_condition(work);
	default:
		return carry_vector(work);
	}
}

#endif
